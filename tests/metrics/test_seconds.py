"""Each step by the second: intervals add up to the run, whatever is cut where, and stay bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.metrics import Histogram, Interval, Phase, Recorder, Seconds, SecondsKeeper, SecondsRecorder, merge_all
from vezaflow.metrics.seconds import StepSecond, seconds_together


def interval(second: float, length: float = 1.0, requests: int = 1) -> Interval:
    times = Histogram()
    for _ in range(requests):
        times.record(0.1)
    return Interval(second, length, {("browse", "search", "GET"): StepSecond(requests, 0, times.to_json())})


@given(st.lists(st.lists(st.floats(0.0001, 10), max_size=5), min_size=1, max_size=8))
def test_intervals_add_up_to_the_run(seconds: list[list[float]]) -> None:
    recorder, cutter, found = Recorder(0.0), SecondsRecorder(), []
    search = recorder.step("browse", "search", "GET")
    for number, times in enumerate(seconds):
        for time in times:
            search.answered(200, time, 0.0, 0.0, 1, 1)
        search.answered(503, 0.2, 0.0, 0.0, 1, 1, "status", number + 0.5, "")
        recorder.fold(number + 1.0)
        cut = cutter.take(recorder.snapshot(), number + 1.0)
        assert cut is not None
        found.append(cut)
    steps = [each.steps[("browse", "search", "GET")] for each in found]
    (whole,) = recorder.snapshot().step_rows()
    assert sum(step.requests for step in steps) == whole.requests
    assert sum(step.failed for step in steps) == whole.failed
    merged = Histogram()
    for step in steps:
        merged.add(step.duration)
    assert merged.samples == whole.duration.samples
    assert merged.quantiles((0.5, 0.95)) == pytest.approx(whole.duration.quantiles((0.5, 0.95)), rel=0.002)


def test_what_gates_do_not_judge_is_left_out() -> None:
    recorder = Recorder(0.0)
    recorder.step("browse", "login", "POST", phase=Phase.LOGIN).answered(200, 0.1, 0.0, 0.0, 1, 1)
    recorder.fold(1.0)
    cut = SecondsRecorder().take(recorder.snapshot(), 1.0)
    assert cut is not None
    assert not cut.steps


def test_no_time_makes_no_interval() -> None:
    cutter = SecondsRecorder()
    assert cutter.take(merge_all(()), 0.0) is None
    assert cutter.take(merge_all(()), 1.0) is not None
    assert cutter.take(merge_all(()), 1.0) is None


@given(st.integers(1, 70))
def test_a_long_run_is_kept_in_fewer_and_longer_intervals(count: int) -> None:
    keeper = SecondsKeeper(most=8)
    for number in range(count):
        keeper.put(interval(number + 1.0))
    kept = keeper.seconds().intervals
    assert len(kept) <= 9
    assert sum(each.length for each in kept) == count
    assert kept[-1].second == count
    assert sum(step.requests for each in kept for step in each.steps.values()) == count


def test_seconds_are_read_back_from_json() -> None:
    seconds = Seconds((interval(1.0), interval(2.0, requests=3)))
    assert Seconds.from_json(seconds.to_json()) == seconds
    assert [held.requests for _, held in seconds.of(("browse", "search", "GET"))] == [1, 3]


def test_segments_that_ran_side_by_side_are_added_by_the_second() -> None:
    one = Seconds((interval(1.01, requests=2), interval(2.0)))
    other = Seconds((interval(0.99, length=0.99), interval(2.02), interval(3.0)))
    whole = seconds_together((one, other))
    assert [sum(step.requests for step in each.steps.values()) for each in whole.intervals] == [3, 2, 1]
    assert [each.length for each in whole.intervals] == [1.0, 1.0, 1.0]
