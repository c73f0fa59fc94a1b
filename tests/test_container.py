"""The image of Containerfile is what docs/containers.md says: no rights, no compiler, the whole program, and SIGTERM
ends a run in order with its verdict. It is built, which takes minutes: `make tryimage`, and in continuous integration.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from container_image import Image, image

from vezaflow import __version__
from vezaflow.errors import ExitCode

ROOT = Path(__file__).parent.parent
SUITE = """\
suite: container
base_url: http://127.0.0.1:8000
preflight: {steps: [get: /api/v1/health]}
teardown: [{get: /api/v1/health, name: tidy up}]
"""
FLOW = """\
flow: one
load: {executor: constant-vus, vus: 2, duration: 60s}
steps: [get: /api/v1/health]
gates: {http_req_failed: rate < 1 %}
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.skipif(not {"VEZAFLOW_LONG", "CI"} & set(os.environ), reason="takes minutes: `make tryimage` runs it"),
]


@pytest.fixture(scope="module")
def built() -> Iterator[Image]:
    with image() as found:
        yield found


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder to mount, in which anybody may write results."""
    (tmp_path / "suite.yml").write_text(SUITE)
    (tmp_path / "one.yml").write_text(FLOW)
    (tmp_path / "results").mkdir()
    (tmp_path / "results").chmod(0o777)
    tmp_path.chmod(0o755)
    return tmp_path


def shell(built: Image, suite: Path, script: str) -> str:
    done = built.run(suite, "-c", script, instead="sh")
    assert done.returncode == 0, done.stdout
    return done.stdout.strip()


def test_it_says_how_it_is_started_and_stopped(built: Image) -> None:
    config = built.config
    assert (config["Entrypoint"], config["Cmd"], config["WorkingDir"]) == (["vezaflow"], ["--help"], "/suite")
    assert config["StopSignal"] == "SIGTERM"


def test_its_user_has_no_rights_and_is_the_one_of_the_manifests(built: Image, suite: Path) -> None:
    uid, folder, rights = shell(built, suite, "id -u; pwd; grep CapEff /proc/self/status").splitlines()
    job = next(yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "nightly.yaml").read_text()))
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert int(uid) == pod["securityContext"]["runAsUser"] == 10001
    assert folder == pod["containers"][0]["workingDir"] == "/suite"
    assert int(rights.split()[1], 16) == 0
    assert shell(built, suite, "touch /opt/vezaflow/x 2>/dev/null || echo refused") == "refused"


def test_no_compiler_no_source_and_no_cache_of_packages_are_left(built: Image, suite: Path) -> None:
    assert shell(built, suite, "command -v gcc cc g++ c++ clang ld make || true") == ""
    assert shell(built, suite, "ls -d /source /root/.cache ~/.cache /tmp/* 2>/dev/null || true") == ""


def test_what_it_adds_to_its_base_has_a_bound(built: Image, suite: Path) -> None:
    told = re.search(r"about (\d+) MB on top of its base", (ROOT / "docs" / "containers.md").read_text())
    assert told is not None
    size = int(shell(built, suite, "du -s --block-size=1000000 /opt/vezaflow").split()[0])
    assert size == pytest.approx(int(told[1]), rel=0.15)


def test_vezaflow_and_dask_are_inside(built: Image, suite: Path) -> None:
    assert built.run(suite, "--version").stdout.strip() == f"vezaflow, version {__version__}"
    assert "scheduler" in shell(built, suite, "dask --help")


def test_a_mounted_suite_is_checked_and_run(built: Image, suite: Path) -> None:
    assert built.run(suite, "lint", ".").returncode == 0
    done = built.run(suite, "run", ".", "--sandbox", "--duration", "1s", "--summary", "results/summary.json")
    assert (done.returncode, "GREEN" in done.stdout) == (ExitCode.GREEN, True), done.stdout
    assert json.loads((suite / "results" / "summary.json").read_text())["outcome"] == "green"


def test_the_history_is_kept_in_a_mounted_folder(built: Image, suite: Path) -> None:
    """`-e VEZAFLOW_HISTORY=…`, as docs/containers.md has it."""
    line = "VEZAFLOW_HISTORY=results/history.db vezaflow run . --sandbox --duration 1s"
    assert "kept: " in shell(built, suite, line)
    assert (suite / "results" / "history.db").exists()


def test_mistakes_have_their_exit_code(built: Image, suite: Path) -> None:
    (suite / "one.yml").write_text(FLOW.replace("steps", "stepz"))
    assert built.run(suite, "run", ".", "--sandbox").returncode == ExitCode.USAGE


def test_SIGTERM_ends_a_run_in_order_with_a_verdict(built: Image, suite: Path) -> None:
    done = built.stopped(suite, "run", ".", "--sandbox", "--summary", "results/summary.json", when="s left]")
    assert done.returncode == ExitCode.INTERRUPTED, done.stdout
    summary = json.loads((suite / "results" / "summary.json").read_text())
    assert (summary["exit_code"], summary["outcome"]) == (ExitCode.INTERRUPTED, "inconclusive")
    assert "teardown: tidy up" in done.stdout
    assert "load finished" in done.stdout
