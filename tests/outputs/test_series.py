"""A tick as series: their number is bounded by the plan, they are there once, and they never go back."""

from collections import Counter as Tally
from dataclasses import replace

import pytest
from shipped import FLOWS, GIVEN, shipped
from told_run import PLAN, ToldRun

from vezaflow.gates import judge
from vezaflow.metrics import ERRORS, MetricKind, Phase, Recorder
from vezaflow.outputs import Tick, tick_of
from vezaflow.outputs.exponential import exponential
from vezaflow.outputs.series import MOST_VALUES, SeriesBuilder, label_name, most_series
from vezaflow.plan import STATS, Plan, requests_of
from vezaflow.results import Health


def hostile(plan: Plan, round_: int) -> Tick:
    """Each request of a plan answered with every status and failed in every way there is."""
    recorder = Recorder(0.0)
    for flow in plan.flows:
        recorder.flow(flow.name).iteration(1.0)
        for phase, steps in ((Phase.LOGIN, flow.login), (Phase.ITERATION, flow.steps), (Phase.FINALLY, flow.final)):
            for request in requests_of(steps):
                step = recorder.step(flow.name, request.name, request.method, phase=phase, tags=request.tags)
                step.connected(0.001, 0.001, 0.001)
                for status in range(100 + round_, 600, 7):
                    step.answered(status, 0.1, 0.01, 0.01, 1, 1)
                    step.answered(status, 0.1, 0.01, 0.01, 1, 1, "status", 1.0, "")
                for error in ERRORS:
                    step.unanswered(error, 1.0, "", 0, 0)
    recorder.fold(2.0)
    summary = recorder.snapshot()
    return tick_of(plan, summary, recorder.timeline(), (), elapsed=2.0, health=Health())


def points(series: object) -> int:
    return len(STATS) if series.kind is MetricKind.TREND else 1  # type: ignore[attr-defined]


@pytest.mark.slow
def test_the_plan_bounds_the_number_of_series_whatever_a_target_answers() -> None:
    plan = shipped(FLOWS, GIVEN)
    assert plan.vus >= 1650
    builder = SeriesBuilder(plan)
    seen: set[tuple[str, object]] = set()
    sent = 0
    for round_ in range(7):
        for series in builder.build(hostile(plan, round_)):
            if (series.name, series.labels) not in seen:
                seen.add((series.name, series.labels))
                sent += points(series)
    assert sent <= most_series(plan, len(STATS)) < 25_000
    per_step = Tally(dict(labels)["name"] for name, labels in seen if name == "http_reqs")  # type: ignore[call-overload]
    assert max(per_step.values()) <= 2 * (MOST_VALUES + 1)


def test_a_usual_run_has_few_of_them() -> None:
    *_, last = ToldRun().ticks(5)
    assert sum(map(points, SeriesBuilder(PLAN).build(last))) < 200


def test_a_status_beyond_the_room_counts_as_other() -> None:
    recorder = Recorder(0.0)
    step = recorder.step("browse", "search", "GET")
    for status in range(400, 420):
        step.answered(status, 0.1, 0.0, 0.0, 1, 1, "status", 1.0, "")
    recorder.fold(1.0)
    tick = tick_of(PLAN, recorder.snapshot(), recorder.timeline(), (), elapsed=1.0, health=Health())
    found = {
        dict(each.labels)["status"]: each.whole.value
        for each in SeriesBuilder(PLAN).build(tick)
        if each.name == "http_reqs"
    }
    assert len(found) == MOST_VALUES + 1
    assert found["other"] == 20 - MOST_VALUES


def test_a_series_keeps_its_number_and_shares_it_with_no_other() -> None:
    builder = SeriesBuilder(PLAN)
    numbers: dict[tuple[str, object], int] = {}
    for tick in ToldRun().ticks(4):
        for each in builder.build(tick):
            assert numbers.setdefault((each.name, each.labels), each.number) == each.number
    assert len(set(numbers.values())) == len(numbers)


def test_counters_never_go_back_and_intervals_add_up() -> None:
    builder = SeriesBuilder(PLAN)
    sums: Tally[tuple[str, object]] = Tally()
    last: dict[tuple[str, object], float] = {}
    for tick in ToldRun().ticks(6):
        found = builder.build(tick)
        assert len({(each.name, each.labels) for each in found}) == len(found)
        for each in found:
            key = (each.name, each.labels)
            if each.kind is MetricKind.COUNTER:
                assert each.whole.value >= last.get(key, 0.0)
                last[key] = each.whole.value
                sums[key] += each.since.value  # type: ignore[assignment]
    assert sums == last


def test_pages_and_the_measured_part_are_no_series_of_their_own() -> None:
    recorder = Recorder(0.0)
    for page in range(1, 50):
        for judged in (True, False):
            step = recorder.step("browse", "search", "GET", tags=(("page", str(page)),), judged=judged)
            step.answered(200, 0.1, 0.0, 0.0, 1, 1)
    recorder.fold(1.0)
    tick = tick_of(PLAN, recorder.snapshot(), recorder.timeline(), (), elapsed=1.0, health=Health())
    (found,) = (each for each in SeriesBuilder(PLAN).build(tick) if each.name == "http_reqs")
    assert found.whole.value == 98


def test_secrets_in_labels_are_masked() -> None:
    from vezaflow.plan import Secrets

    plan = replace(PLAN, secrets=Secrets.among(("TOKEN",), {"TOKEN": "a-secret-of-mine"}, set()))
    *_, last = ToldRun(plan).ticks(1)
    found = SeriesBuilder(plan, [("site", "a-secret-of-mine")]).build(last)
    assert {dict(each.labels)["site"] for each in found} == {"•••"}


def test_groups_are_named_as_k6_names_them() -> None:
    run = ToldRun()
    run.recorder.flow("browse").group("outer::inner", 0.5)
    run.recorder.step("browse", "buy", "POST", group="outer::inner").answered(200, 0.1, 0.01, 0.01, 1, 1)
    groups = {
        (series.name, dict(series.labels)["group"])
        for series in SeriesBuilder(PLAN).build(next(run.ticks(1)))
        if "group" in dict(series.labels)
    }
    assert {("group_duration", "::outer::inner"), ("http_reqs", "::outer::inner")} <= groups
    assert {group for _, group in groups} == {"::outer::inner"}


def test_any_tag_is_the_name_of_a_label() -> None:
    assert [label_name(text) for text in ("team", "my-team", "1st", "é")] == ["team", "my_team", "_1st", "_"]


def test_exponential_buckets_hold_all_samples_and_their_sum() -> None:
    import numpy as np

    from vezaflow.metrics import Histogram

    histogram = Histogram()
    values = np.random.default_rng(1).lognormal(-2, 1.5, 10_000)
    histogram.record_many(values)
    histogram.record_zeros(7)
    histogram.record_cut(np.array([5.0, 6.0]))
    found = exponential(histogram)
    assert found.count == 10_009
    assert found.zeros == 7
    assert sum(found.counts) == 10_002
    assert found.total == pytest.approx(float(values.sum()) + 11.0)
    filled = [index for index, count in enumerate(found.counts, found.first) if count]
    spans, deltas = found.spans()
    assert sum(length for _, length in spans) == len(deltas) == len(filled)
    place, count, held = 0, 0, iter(deltas)
    for offset, length in spans:
        place += offset
        for _ in range(length):
            count += next(held)
            assert found.counts[place - found.first] == count
            place += 1
    upper = [2 ** (index / 32) for index in filled]
    assert upper[0] >= values.min()
    assert upper[-1] / 2 ** (1 / 32) <= max(values.max(), 6.0)


def test_an_inconclusive_gate_is_neither_green_nor_red() -> None:
    empty = Recorder(0.0).snapshot()
    verdicts = judge(PLAN.gates, empty)
    tick = tick_of(PLAN, empty, Recorder(0.0).timeline(), verdicts, elapsed=1.0, health=Health())
    found = [each.whole.value for each in SeriesBuilder(PLAN).build(tick) if each.name == "vezaflow_gate_ok"]
    assert found == [-1.0, -1.0, -1.0]
