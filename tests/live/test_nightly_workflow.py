"""The nightly workflow, executed step by step as a runner does it, against a sandbox that behaves or does not.

The workflow of this repository runs the suite that ships, turned down; those that `vezaflow init` writes run its flows.
The only stand-ins are for what needs a network: `python3 -m venv`, `pip` and `apt-get` (tests of pre-commit install the
program for real).
"""

import json
import shutil
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from actions_runner import JobDone, Runner, StepDone
from program import environment
from shipped import FLOWS, hurried
from workflow_commands import commands

from vezaflow import __version__
from vezaflow.project import Forge, project_files
from vezaflow.sandbox import Sandbox, SandboxSettings, start

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl, which the preflight uses"),
]

ROOT = Path(__file__).parents[2]
OURS = (ROOT / ".github/workflows/loadtest.yml").read_text(encoding="utf-8")
FEW = {"UPLOAD_VUS": "2", "STREAM_VUS": "2", "BROWSE_VUS": "3", "CHECKOUT_VUS": "2", "ACCOUNT_VUS": "3"}
SHORT = {"duration": "2s"}
RESULTS = ["results/junit.xml", "results/summary.json"]
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens there
STAND_INS = {
    "python3": '[ "$1 $2" = "-m venv" ] && mkdir -p "$3/bin" && cp "$STAND_INS/pip" "$STAND_INS/vezaflow" "$3/bin"',
    "pip": 'echo "pip: $*"',
    "apt-get": 'echo "apt-get: $*"',
    "vezaflow": f'exec {sys.executable} -m vezaflow "$@"',
}


def runner(folder: Path, repository: Path, given: Mapping[str, str]) -> Runner:
    """A runner with little but bash and curl, for a staging as the sandbox describes it."""
    tools = folder / "tools"
    tools.mkdir()
    for name, script in STAND_INS.items():
        (tools / name).write_text(f"#!/bin/bash\n{script}\n")
        (tools / name).chmod(0o755)
    kept = environment(FEW)
    return Runner(
        folder,
        repository,
        {**kept, "STAND_INS": str(tools), "PATH": f"{tools}:{kept['PATH']}"},
        vars={"STAGING_BASE_URL": given["BASE_URL"], "STREAM_TRACK_ID": given.get("STREAM_TRACK_ID", "")},
        secrets={"USER_TOKEN": given.get("USER_TOKEN", ""), "VEZAFLOW_HISTORY": ""},
    )


def shipped(folder: Path, **words: str) -> Path:
    """The repository, as far as the workflow needs it."""
    repository = folder / "repository"
    hurried(FLOWS, repository / "flows", think="40ms..60ms", **words)
    shutil.copy(ROOT / "constraints.txt", repository)
    return repository


def written(folder: Path, forge: Forge) -> tuple[Path, str]:
    """A new project with its pauses cut, and its workflow."""
    texts = project_files(forge)
    for name, text in texts.items():
        path = folder / "template" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    hurried(folder / "template" / "flows", folder / "repository" / "flows", think="40ms..60ms")
    return folder / "repository", next(text for name, text in texts.items() if name.endswith("loadtest.yml"))


def sandbox(**faults: float) -> AbstractContextManager[Sandbox]:
    return start(SandboxSettings(**faults))  # type: ignore[arg-type]


def artifacts(found: Runner) -> list[str]:
    """The files of the one artifact, but for its flows, which must be those of the repository."""
    folder = found.artifacts / f"loadtest-{found.jobs}-1"
    for flow in (found.repository / "flows").iterdir():
        assert (folder / "flows" / flow.name).read_text() == flow.read_text()
    files = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in files if not name.startswith("flows/"))


def summary(found: Runner) -> dict[str, object]:
    folder = found.artifacts / f"loadtest-{found.jobs}-1" / "results"
    assert ET.parse(folder / "junit.xml").getroot().tag == "testsuites"
    document: dict[str, object] = json.loads((folder / "summary.json").read_text())
    return document


def check_acceptance(step: StepDone, page: str) -> None:
    """It never fails the job, and adds to the page."""
    assert step.outcome == "success", step.log
    assert commands(step.log) == []
    assert page.strip()


def check_secret(done: JobDone, found: Runner) -> None:
    """The token is neither in the log, nor on the page, nor in what is kept."""
    token = found.secrets["USER_TOKEN"]
    assert token
    assert token not in done.log + done.page
    files = (path for path in found.artifacts.rglob("*") if path.is_file())
    assert [path for path in files if token.encode() in path.read_bytes()] == []


def test_a_green_night(tmp_path: Path) -> None:
    with sandbox() as box:
        found = runner(tmp_path, shipped(tmp_path), box.environment)
        done = found.run(OURS, SHORT)
    assert done.succeeded, done.log
    assert "pip: install --quiet --disable-pip-version-check .[postgres] --constraint constraints.txt" in done.log
    assert done.page.startswith("## ✅ veza-capacity: PASSED: all ")
    assert commands(done["Run"].log) == []
    assert artifacts(found) == RESULTS
    assert summary(found)["outcome"] == "green"
    check_acceptance(done["Acceptance"], done["Acceptance"].page)
    check_secret(done, found)


def test_a_red_night(tmp_path: Path) -> None:
    with sandbox(upload_error_rate=0.5) as box:
        found = runner(tmp_path, shipped(tmp_path), box.environment)
        done = found.run(OURS, SHORT)
    assert not done.succeeded
    assert done["Run"].code == 99, done.log
    assert done.page.startswith("## ❌ veza-capacity: FAILED: ")
    assert "### Failed gates" in done.page
    errors = [command for command in commands(done["Run"].log) if command.name == "error"]
    assert ("flows/upload.yml", "gate failed: upload") in {
        (command.properties["file"], command.properties["title"]) for command in errors
    }
    assert artifacts(found) == RESULTS
    assert summary(found)["outcome"] == "red"
    check_acceptance(done["Acceptance"], done["Acceptance"].page)
    check_secret(done, found)


def test_an_inconclusive_night(tmp_path: Path) -> None:
    samples = "p(95) < 400 ms -> {condition: p(95) < 400 ms, samples: 100000}"
    with sandbox() as box:
        found = runner(tmp_path, shipped(tmp_path, samples=samples), box.environment)
        done = found.run(OURS, SHORT)
    assert not done.succeeded
    assert done["Run"].code == 98, done.log
    assert done.page.startswith("## ⚠️ veza-capacity: INCONCLUSIVE: ")
    assert "### Gates that could not be judged" in done.page
    assert {command.name for command in commands(done["Run"].log)} == {"warning"}
    assert artifacts(found) == RESULTS
    assert summary(found)["outcome"] == "inconclusive"
    check_acceptance(done["Acceptance"], done["Acceptance"].page)
    check_secret(done, found)


@pytest.mark.parametrize(
    ("target", "code", "why"),
    [(NOWHERE, 97, "staging is down"), ("", 2, "the variable STAGING_BASE_URL is not set")],
    ids=["down", "no target"],
)
def test_without_a_staging_the_job_ends_before_anything_is_installed(
    tmp_path: Path, target: str, code: int, why: str
) -> None:
    found = runner(tmp_path, shipped(tmp_path), {"BASE_URL": target})
    done = found.run(OURS)
    assert done["Preflight"].code == code, done.log
    assert {outcome for name, outcome in done.outcomes.items() if name != "Preflight"} == {"skipped"}
    assert done.page == f"## ❌ No load was sent: {why}\n"
    assert [command.name for command in commands(done.log)] == ["error"]
    assert not found.artifacts.exists()


def test_a_run_that_sends_no_load_says_so_on_the_page(tmp_path: Path) -> None:
    """Its target is the one that was dispatched: the variable leads nowhere."""
    with sandbox() as box:
        found = runner(tmp_path, shipped(tmp_path, slip="steps: -> stpes:"), {"BASE_URL": NOWHERE})
        done = found.run(OURS, {**SHORT, "base_url": box.environment["BASE_URL"]})
    assert done["Preflight"].outcome == "success", done.log
    assert done["Run"].code == 2, done.log
    assert done.page.startswith("## ❌ No load was sent (exit code 2): ")
    assert artifacts(found) == []


@pytest.mark.parametrize("forge", Forge)
def test_a_new_project_has_green_nights_and_keeps_its_history(tmp_path: Path, forge: Forge) -> None:
    repository, workflow = written(tmp_path, forge)
    with sandbox() as box:
        found = runner(tmp_path, repository, box.environment)
        nights = [found.run(workflow, SHORT) for _ in range(2)]
    for done in nights:
        assert done.succeeded, done.log
        assert f"pip: install --quiet --disable-pip-version-check vezaflow[postgres]=={__version__}" in done.log
        page = done.page if forge is Forge.GITHUB else done["Page"].log
        assert page.startswith("## ✅ nightly: PASSED: all 8 gates")
        check_acceptance(done["Acceptance"], page)
    page_file = ["results/page.md"] if forge is Forge.FORGEJO else []
    assert artifacts(found) == sorted([*RESULTS, *page_file])
    assert len(found.caches) == 2


def test_the_page_of_a_forgejo_without_staging_is_in_the_log(tmp_path: Path) -> None:
    repository, workflow = written(tmp_path, Forge.FORGEJO)
    done = runner(tmp_path, repository, {"BASE_URL": NOWHERE}).run(workflow)
    assert done["Preflight"].code == 97, done.log
    assert done["Page"].log == "## ❌ No load was sent: staging is down\n"
