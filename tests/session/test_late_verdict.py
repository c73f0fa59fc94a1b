"""The payload of a verdict that comes late: the verdict and the gates, right behind the last one, and nothing twice."""

from dataclasses import replace

import sample_run
from told_run import PLAN, ToldRun

from vezaflow.gates import Outcome, judge
from vezaflow.metrics import MetricKind
from vezaflow.outputs.series import SeriesBuilder
from vezaflow.session.late_verdict import is_late, verdict_tick

RUN = ToldRun()
*_, LAST = RUN.ticks(3)
UNJUDGED = replace(LAST, outcome=None)
RESULT = replace(
    sample_run.run(sample_run.GREEN), outcome=Outcome.GREEN, verdicts=tuple(judge(PLAN.gates, LAST.summary))
)


def test_it_has_no_figure_of_the_load_and_no_second_begin() -> None:
    sent = SeriesBuilder(PLAN).build(verdict_tick(UNJUDGED, RESULT))
    assert {each.kind for each in sent} == {MetricKind.GAUGE}
    values = {each.name: each.whole.value for each in sent if dict(each.labels).get("verdict") != "running"}
    assert values["vezaflow_run_outcome"] == 1.0
    assert values["vezaflow_run_start_timestamp_seconds"] == RUN.began.timestamp()
    assert not {name for name in values if not name.startswith(("vezaflow_run", "vezaflow_gate", "vezaflow_generator"))}


def test_it_has_all_gates_as_they_were_judged_at_last() -> None:
    sent = SeriesBuilder(PLAN).build(verdict_tick(UNJUDGED, RESULT))
    judged = [dict(each.labels)["gate"] for each in sent if each.name == "vezaflow_run_gate_ok"]
    assert judged == [gate.text for gate in PLAN.gates]


def test_it_comes_behind_the_last_payload_and_its_end() -> None:
    behind = verdict_tick(UNJUDGED, RESULT).at - LAST.at
    assert 0.002 < behind.total_seconds() < 0.1


def test_a_plan_whose_gates_are_all_of_the_load_is_not_late() -> None:
    assert not is_late(PLAN)
