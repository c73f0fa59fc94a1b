"""Profiles from the command line, against the sandbox: taken, judged, kept, shown, and compared with the run before."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from history_runs import kept
from planned import SUITE as PLANNED
from planned import plan_of
from processes import write_suite
from program import vezaflow

from vezaflow.cli.profiled import profiles_folder, with_growth
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.gates import Outcome
from vezaflow.history import opened, place_of, result_of, stored_of
from vezaflow.model import Identity
from vezaflow.profiles import FunctionShare, Growth, parse_pprof, profile_to_json, record_of, shares_of
from vezaflow.profiles.pprof import SampledProfile, SampledStack, SampleKind
from vezaflow.results import Host, Profile, Provenance, RunResult

FLOW = """
load: {vus: 8, duration: 1500ms}
steps: [{get: /nowhere, expect: 404}]
"""
SUITE = """
profile:
  - {url: /debug/pprof/profile, seconds: 1, at: 200ms}
  - {url: /debug/pprof/goroutine, at: 500ms, name: tasks}
  - {url: /debug/pprof/heap, at: 600ms}
gates:
  profile.cpu{function:vezaflow.sandbox.app.Api.__call__}: [share > 1 %, share < 99 %]
  profile.cpu{function:main.search}: share < 10 %
  profile.heap{function:main.search}: share < 10 %
  http_reqs{during:cpu}: count > 10
"""


@pytest.mark.slow
def test_a_run_takes_profiles_judges_and_keeps_them(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    summary, page = tmp_path / "out" / "summary.json", tmp_path / "step.md"
    suite = write_suite(tmp_path / "suite", FLOW, SUITE)
    done = vezaflow("run", suite, "--sandbox", "--summary", summary, env={**env, "GITHUB_STEP_SUMMARY": str(page)})
    assert done.code == ExitCode.INCONCLUSIVE, done.text
    record = json.loads(summary.read_text())
    cpu, tasks, heap = record["profiles"]
    assert (cpu["name"], cpu["kind"], cpu["problem"], cpu["against"]) == ("cpu", "cpu", "", "")
    assert (tasks["name"], tasks["kind"]) == ("tasks", "goroutine")
    assert heap["problem"].startswith("status 404")
    shares = {each.function: each for each in shares_of(parse_pprof(Path(cpu["file"]).read_bytes()))}
    assert Path(cpu["file"]).parent == summary.parent
    assert all(shares[each["function"]] == FunctionShare(**each) for each in cpu["top"])
    by_gate = {each["gate"].partition("function:")[2]: each for each in record["gates"] if "function" in each["gate"]}
    assert by_gate["vezaflow.sandbox.app.Api.__call__}: share > 1 %"]["outcome"] == "green", done.text
    assert by_gate["vezaflow.sandbox.app.Api.__call__}: share < 99 %"]["outcome"] == "green"
    reasons = [each["reason"] for each in record["gates"] if each["outcome"] == "inconclusive"]
    assert "no sample of the profile 'cpu' has the function 'main.search'" in reasons[0]
    assert "the profile 'heap' was not taken: status 404" in reasons[1]
    assert record["event_windows"][0]["event"] == "cpu"
    assert [each["kind"] for each in record["events"]] == ["profile"] * 3
    for shown in ("Profile cpu (cpu, ", "Profile tasks (goroutine, ", "most by itself", "cpu at 20"):
        assert shown in done.text
    assert "### Profile cpu" in page.read_text()
    with opened(place_of(str(tmp_path / "state" / "vezaflow" / "history.db"))) as store:
        assert store is not None
        stored = store.get(record["run_id"])
    assert stored is not None
    assert [profile_to_json(each) for each in result_of(stored).profiles] == record["profiles"]


def profiled(number: int, search: int, *, outcome: Outcome = Outcome.GREEN, digest: str = "d" * 16) -> RunResult:
    """A kept run with a profile, in which `search` has so many of 1,000 samples."""
    stacks = tuple(
        SampledStack((function, "main"), (samples,)) for function, samples in (("search", search), ("f", 1000 - search))
    )
    profile = SampledProfile((SampleKind("samples", "count"),), stacks, 0, 10.0)
    provenance = Provenance(Identity(digest, {}), Profile(), Host("runner", 2, "6.1"))
    records = (record_of(profile, "cpu", 1.0, 11.0),)
    return replace(kept(number, day=number, outcome=outcome), provenance=provenance, profiles=records)


def history_of(folder: Path, *results: RunResult) -> str:
    history = str(folder / "history.db")
    with opened(place_of(history), writing=True) as store:
        assert store is not None
        for result in results:
            store.add(stored_of(result))
    return history


def test_what_grew_is_since_the_last_green_run_of_the_same_plan(tmp_path: Path) -> None:
    history = history_of(
        tmp_path,
        profiled(1, 100),
        profiled(2, 200),
        profiled(3, 300, outcome=Outcome.RED),
        profiled(4, 400, digest="e" * 16),
    )
    now = profiled(5, 500)
    (record,) = with_growth(now, history).profiles
    assert record.against == profiled(2, 0).run_id
    assert record.grown == (Growth("search", 0.2, 0.5, 0.2, 0.5),)


def test_without_a_green_run_nothing_is_compared(tmp_path: Path) -> None:
    now = profiled(5, 500)
    assert with_growth(now, history_of(tmp_path, profiled(1, 100, outcome=Outcome.RED))) == now
    assert with_growth(now, str(tmp_path / "nowhere")) == now


def test_a_run_without_profiles_asks_no_history(tmp_path: Path) -> None:
    now = replace(profiled(5, 500), profiles=())
    assert with_growth(now, str(tmp_path / "history.db")) == now


def test_profiles_are_kept_where_the_user_says_or_beside_the_summary(tmp_path: Path) -> None:
    profile = "profile: {url: /debug/pprof/heap, at: 1s}"
    plan = plan_of("load: {vus: 1, duration: 5s}\nsteps: [{get: /}]\n", suite=f"{PLANNED}\n{profile}")
    summary, folder = tmp_path / "out" / "summary.json", tmp_path / "kept"
    assert profiles_folder(plan, folder, summary) == folder
    assert profiles_folder(plan, None, summary) == tmp_path / "out"
    assert profiles_folder(plan, None, Path("-")) is None
    assert profiles_folder(plan, None, None) is None
    (tmp_path / "file").write_text("")
    with pytest.raises(VezaflowError, match="can't be written"):
        profiles_folder(plan, tmp_path / "file", None)
