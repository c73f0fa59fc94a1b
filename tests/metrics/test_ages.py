"""A timeline that gets coarser with age: nothing of the load is lost, and it takes the same room however long it is."""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vezaflow.metrics import Aged, Moment, Point, Recorder, Records, timeline_of

COUNTS = ("requests", "failed", "iterations", "iterations_failed", "bytes_sent", "bytes_received")


def run_of(seconds: Iterable[int], *, seed: int = 1) -> tuple[Recorder, Aged[dict[str, object]], list[float]]:
    """A load of which these seconds were folded: its recorder, what the file of a share keeps of it, all its times."""
    draw = Random(seed)
    recorder = Recorder(0.0, keep=True)
    step = recorder.step("f", "step", "GET")
    recorder.begin(0.0)
    kept, times = Aged(Records), []
    for second in seconds:
        recorder.flow("f").vus = second
        for _ in range(draw.randrange(3)):
            times.append(draw.lognormvariate(-4, 1))
            step.answered(200, times[-1], 0.0, 0.0, 10, 20)
        step.unanswered("refused", second - 0.5)
        recorder.flow("f").iteration(0.1, draw.random() < 0.1)
        recorder.fold(float(second))
        for moment in recorder.moments()[1]:
            kept.take(moment)
    return recorder, kept, times


def begins(point: Point) -> float:
    return point.second - point.length


def assert_whole(points: Sequence[Point], seconds: Sequence[int], times: Sequence[float]) -> None:
    """The points follow each other without a gap and are the whole load."""
    assert begins(points[0]) == pytest.approx(0)
    assert all(begins(later) == pytest.approx(earlier.second) for earlier, later in pairwise(points))
    assert points[-1].second == seconds[-1]
    assert all(point.vus == round(point.second) for point in points)
    assert sum(point.iterations for point in points) == len(seconds)
    assert sum(point.failed for point in points) == len(seconds)
    assert sum(point.requests for point in points) == len(times) + len(seconds)
    assert sum(point.bytes_received for point in points) == 20 * len(times)
    assert max(point.max for point in points if point.max is not None) == max(times)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(900, 1100), st.sets(st.integers(1, 899), max_size=50))
def test_points_are_the_whole_load_whatever_seconds_the_loop_missed(length: int, missed: set[int]) -> None:
    seconds = [second for second in range(1, length + 1) if second not in missed]
    recorder, _, times = run_of(seconds)
    assert_whole(recorder.timeline().points, seconds, times)


@pytest.mark.slow
def test_the_last_quarter_of_an_hour_is_there_by_the_second_and_what_is_older_by_ten() -> None:
    recorder, _, times = run_of(range(1, 2001))
    points = recorder.timeline().points
    assert_whole(points, range(1, 2001), times)
    assert [point.second for point in points if round(point.length) == 10] == [10.0 * n for n in range(1, 111)]
    assert [point.second for point in points if round(point.length) == 1] == [float(n) for n in range(1101, 2001)]


def test_a_run_of_a_quarter_of_an_hour_is_there_by_the_second() -> None:
    recorder, _, _ = run_of(range(1, 901))
    assert [point.second for point in recorder.timeline().points] == [float(second) for second in range(1, 901)]


def test_percentiles_of_a_longer_point_are_those_of_all_its_times() -> None:
    recorder, _, times = run_of(range(1, 921))
    first = recorder.timeline().points[0]
    own = sorted(times[: first.requests - 10])
    assert first.length == pytest.approx(10)
    assert first.max == own[-1]
    assert first.p50 == pytest.approx(own[-(-len(own) // 2) - 1], rel=0.001)


def test_a_display_has_the_last_seconds_by_the_second() -> None:
    recorder, _, _ = run_of(range(1, 1001))
    assert [point.second for point in recorder.latest().points] == [float(second) for second in range(991, 1001)]


@pytest.mark.slow
def test_two_days_take_hardly_more_points_than_half_a_day() -> None:
    seconds = range(10, 172_801, 10)
    recorder, _, times = run_of(seconds)
    points = recorder.timeline().points
    assert_whole(points, seconds, times)
    assert len(points) < 900 + 720 + 720 + 2 * 144


def of_json(kept: Aged[dict[str, object]]) -> list[Moment]:
    return [Moment.from_json(json.loads(json.dumps(record))) for _, record in kept.items()]


@pytest.mark.slow
@pytest.mark.parametrize("other", [30, 905, 1111, 1500])
def test_shares_that_lasted_differently_fit_each_other(other: int) -> None:
    _, one, times = run_of(range(1, 1501))
    _, two, more = run_of(range(1, other + 1), seed=2)
    alone, both = timeline_of([of_json(one)]).points, timeline_of([of_json(one), of_json(two)]).points
    assert [point.second for point in both] == [point.second for point in alone]
    assert [point.length for point in both] == pytest.approx([point.length for point in alone])
    assert sum(point.requests for point in both) == len(times) + len(more) + 1500 + other
    assert sum(point.iterations for point in both) == 1500 + other
    assert max(point.max or 0 for point in both) == max(*times, *more)


@pytest.mark.slow
def test_a_share_s_timeline_is_the_run_s_own() -> None:
    recorder, kept, _ = run_of(range(1, 1501))
    for told, own in zip(timeline_of([of_json(kept)]).points, recorder.timeline().points, strict=True):
        assert [getattr(told, name) for name in COUNTS] == [getattr(own, name) for name in COUNTS]
        assert (told.second, told.vus) == (own.second, own.vus)
        assert (told.p95 or 0.0) == pytest.approx(own.p95 or 0.0, rel=0.001)
