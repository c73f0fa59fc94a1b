"""What a run was of: whether it asked for the whole load, and which commit was checked out."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from vezaflow.plan import HeldLevel, Inputs
from vezaflow.results import is_level
from vezaflow.session import prepare, provenance_of, read

FLOW = """\
flow: browse
load: {vus: "${env.BROWSE_VUS ?? 100}", duration: "${env.DURATION ?? 5m}"}
steps: [{get: "/${env.TERM ?? 'x'}"}]
"""
OPEN = """\
flow: arrive
load: {executor: constant-arrival-rate, rate: 100/s, duration: 1m, pre_allocated_vus: 20, max_vus: 50}
steps: [{get: /}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    flows = tmp_path / "flows"
    flows.mkdir()
    (flows / "suite.yml").write_text("suite: s\nbase_url: http://127.0.0.1:1\n")
    (flows / "browse.yml").write_text(FLOW)
    (flows / "arrive.yml").write_text(OPEN)
    return flows


def changes(path: Path, environment: dict[str, str] | None = None, **given: Any) -> tuple[str, ...]:
    suite, inputs = read([path]), Inputs(environment or {}, **given)
    return provenance_of(suite, inputs, prepare(suite, inputs)).profile.changes


@pytest.mark.parametrize("environment", [{}, {"BROWSE_VUS": "100"}, {"BROWSE_VUS": "200"}, {"TERM": "y"}])
def test_the_whole_load_or_more_is_full(folder: Path, environment: dict[str, str]) -> None:
    assert changes(folder, environment) == ()


def test_a_level_of_a_capacity_search_is_marked_as_one_whatever_its_load(folder: Path) -> None:
    for scale in (0.5, 1.0, 3.0):
        (change,) = changes(folder, scale=scale, held=HeldLevel(10.0, 30.0))
        assert change == f"a level of a capacity search, {scale:g} times the load"
        assert is_level([change])
    assert not is_level(changes(folder, scale=0.5))


def test_an_input_below_its_default_turns_the_load_down(folder: Path) -> None:
    assert changes(folder, {"BROWSE_VUS": "10", "DURATION": "30s"}) == (
        "browse: 10 of 100 VUs",
        "browse: 30 s of 5m",
    )


def test_options_turn_the_load_down(folder: Path) -> None:
    assert changes(folder, scale=0.5) == ("arrive: 50 of 100 iterations/s", "browse: 50 of 100 VUs")
    assert changes(folder, duration=30.0) == ("arrive: 30 s of 1m", "browse: 30 s of 5m")
    assert changes(folder, vus={"browse": 7}) == ("browse: 7 of 100 VUs",)
    assert changes(folder, only=("browse",)) == ("arrive: not run",)
    assert changes(folder, scale=2.0, duration=600.0) == ()


def test_a_single_file_is_not_the_suite(folder: Path) -> None:
    assert "only some files of the suite" in changes(folder / "browse.yml")


def git(folder: Path, *words: str) -> str:
    given = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(folder), *words]
    return subprocess.run(given, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_kept_and_whether_all_was_committed(folder: Path) -> None:
    def commit() -> tuple[str, bool] | None:
        suite, inputs = read([folder]), Inputs({})
        found = provenance_of(suite, inputs, prepare(suite, inputs)).commit
        return None if found is None else (found.sha, found.dirty)

    assert commit() is None
    git(folder.parent, "init", "-q")
    git(folder.parent, "add", ".")
    git(folder.parent, "commit", "-q", "-m", "flows")
    sha = git(folder.parent, "rev-parse", "HEAD")
    assert commit() == (sha, False)
    (folder.parent / "notes.txt").write_text("beside the suite")
    assert commit() == (sha, False)
    (folder / "more.yml").write_text(FLOW.replace("browse", "more"))
    assert commit() == (sha, True)
