"""What a run says of itself as series: begin, end, verdict, events, gates at its end, the server's p95."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from told_run import PLAN, RUN_ID, ToldRun

from vezaflow.model import ActionKind
from vezaflow.outputs import Tick
from vezaflow.outputs.about_run import MOST_MARKS, OTHER, AboutRun, most_about
from vezaflow.plan import Secrets
from vezaflow.results import Happened

Told = Mapping[tuple[str, str], float]  # by name and one label


def told(about: AboutRun, tick: Tick, label: str = "event") -> Told:
    return {(name, dict(labels).get(label, "")): value for name, value, labels in about.figures(tick)}


def test_an_event_is_active_while_it_goes_on() -> None:
    about, run = AboutRun(PLAN), ToldRun()
    found = [told(about, run.tick(second)).get(("event_active", "failover")) for second in range(1, 7)]
    assert found == [None, 1.0, 1.0, 1.0, 0.0, 0.0]


def test_an_event_that_takes_a_moment_is_active_once() -> None:
    about, run = AboutRun(PLAN), ToldRun()
    found = [told(about, run.tick(second)).get(("event_active", "deployed")) for second in range(1, 6)]
    assert found == [None, None, 1.0, 0.0, 0.0]


def test_an_event_has_the_moment_of_its_last_begin() -> None:
    about, run = AboutRun(PLAN), ToldRun()
    tick, began = replace(run.tick(20), elapsed=19.4), run.began.timestamp()
    again = Happened("failover", ActionKind.MARK, 12.0, None)
    found = told(about, replace(tick, events=(*tick.events, again)))
    assert found["event_start_timestamp_seconds", "failover"] == pytest.approx(began + 12)
    assert found["event_start_timestamp_seconds", "deployed"] == pytest.approx(began + 2.5)


def test_the_begin_of_a_run_does_not_move() -> None:
    run = ToldRun()
    about, ticks = AboutRun(PLAN), [replace(run.tick(second), elapsed=second - 0.3) for second in (1, 2)]
    found = [told(about, tick)["run_start_timestamp_seconds", ""] for tick in ticks]
    another = told(AboutRun(PLAN), ticks[1])["run_start_timestamp_seconds", ""]
    assert [*found, another] == [run.began.timestamp()] * 3


def test_a_run_has_its_end_its_verdict_and_its_gates_in_the_last_tick_only() -> None:
    about, run = AboutRun(PLAN), ToldRun()
    *before, last = run.ticks(3)
    names = {"run_end_timestamp_seconds", "run_outcome", "run_gate_value", "run_gate_bound", "run_gate_ok"}
    assert not names & {name for tick in before for name, _, _ in about.figures(tick)}
    found = list(about.figures(last))
    assert names <= {name for name, _, _ in found}
    assert [value for name, value, _ in found if name == "run_outcome"] == [0.0]
    gates = [dict(labels) for name, _, labels in found if name == "run_gate_ok"]
    assert {gate["gate"] for gate in gates} == {gate.text for gate in PLAN.gates}
    assert {(gate["run_id"], gate["suite"]) for gate in gates} == {(RUN_ID, "test")}


def test_a_run_whose_verdict_is_decided_after_the_load_has_none_yet() -> None:
    last = replace(ToldRun().tick(3, last=True), outcome=None)
    names = {name for name, _ in told(AboutRun(PLAN), last)}
    assert not names & {"run_outcome", "run_gate_value", "run_gate_ok"}
    assert "run_end_timestamp_seconds" in names


def test_the_servers_p95_has_its_metric_and_its_unit() -> None:
    found = told(AboutRun(PLAN), ToldRun().tick(1), "metric")
    assert found["server_p95_seconds", "server.latency"] == 0.04


def test_marks_by_hand_are_bounded_and_planned_events_are_not_among_them() -> None:
    tick = ToldRun().tick(5)
    marks = [Happened(f"mark {n}", ActionKind.MARK, 3.0, 3.0, manual=True) for n in range(3 * MOST_MARKS)]
    about = AboutRun(PLAN)
    found = [(name, labels) for name, _, labels in about.figures(replace(tick, events=(*marks, *tick.events)))]
    assert len(set(found)) == len(found) <= most_about(PLAN)
    events = {dict(labels)["event"] for name, labels in found if name == "event_active"}
    assert len(events) == MOST_MARKS + 2
    assert {"failover", OTHER} <= events


def test_a_secret_in_a_mark_is_masked() -> None:
    plan = replace(PLAN, secrets=Secrets.among(("TOKEN",), {"TOKEN": "a-secret-of-mine"}, set()))
    mark = Happened("with a-secret-of-mine", ActionKind.MARK, 1.0, 1.0, manual=True)
    found = told(AboutRun(plan), replace(ToldRun().tick(1), events=(mark,)))
    assert ("event_active", "with •••") in found
