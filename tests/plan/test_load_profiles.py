"""Every executor as a pure iterable: its shape, and that segments share it exactly."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.model import Executor
from vezaflow.plan import Division, PlannedLoad, PlannedStage, Segment, corners, outline, starts, vu_changes

Event = tuple[float, str, int]  # when, what, the number in the whole

seconds = st.floats(0, 20).map(lambda s: round(s, 2))
vu_stages = st.lists(st.builds(PlannedStage, seconds, st.integers(0, 40)), min_size=1, max_size=5).map(tuple)
rate_stages = st.lists(st.builds(PlannedStage, seconds, st.floats(0, 60)), min_size=1, max_size=5).map(tuple)


def fixed(executor: Executor) -> st.SearchStrategy[PlannedLoad]:
    def load(vus: int, length: float) -> PlannedLoad:
        return PlannedLoad(executor, vus, vus, length)

    return st.builds(load, st.integers(1, 60), st.floats(0.1, 60))


def ramp_of_vus(start: int, stages: tuple[PlannedStage, ...]) -> PlannedLoad:
    most = int(max(start, *(stage.target for stage in stages)))
    return PlannedLoad(Executor.RAMPING_VUS, most, most, sum(s.duration for s in stages), start=start, stages=stages)


def arriving(executor: Executor, start: float, stages: tuple[PlannedStage, ...]) -> PlannedLoad:
    return PlannedLoad(executor, 5, 10, sum(s.duration for s in stages), start=start, stages=stages)


def constant_rate(rate: float, length: float) -> PlannedLoad:
    return arriving(Executor.CONSTANT_ARRIVAL_RATE, rate, (PlannedStage(length, rate),))


LOADS = {
    Executor.CONSTANT_VUS: fixed(Executor.CONSTANT_VUS),
    Executor.PER_VU_ITERATIONS: fixed(Executor.PER_VU_ITERATIONS),
    Executor.SHARED_ITERATIONS: fixed(Executor.SHARED_ITERATIONS),
    Executor.EXTERNALLY_CONTROLLED: fixed(Executor.EXTERNALLY_CONTROLLED),
    Executor.RAMPING_VUS: st.builds(ramp_of_vus, st.integers(0, 40), vu_stages),
    Executor.CONSTANT_ARRIVAL_RATE: st.builds(constant_rate, st.floats(0.01, 60), st.floats(0.1, 20)),
    Executor.RAMPING_ARRIVAL_RATE: st.builds(
        lambda start, stages: arriving(Executor.RAMPING_ARRIVAL_RATE, start, stages), st.floats(0, 60), rate_stages
    ),
}


def events(load: PlannedLoad, segment: Segment) -> list[Event]:
    """What a segment does: VUs that come and go, or starts; each with the number that it has in the whole."""
    if load.is_open:
        mine = segment.deal(starts(load), load.max_vus)
        return [(at, "start", number) for at, number in zip(mine, mine.numbers, strict=True)]
    found, now = [], 0
    for at, vus in segment.slice(vu_changes(load)):
        found += [(at, "come", segment.number(index)) for index in range(now, vus)]
        found += [(at, "go", segment.number(index)) for index in reversed(range(vus, now))]
        now = vus
    return found


def test_every_executor_has_a_profile_here() -> None:
    assert set(LOADS) == set(Executor)


@given(st.data(), st.sampled_from(Executor), st.integers(1, 9))
def test_the_segments_together_start_exactly_what_the_whole_starts_in_the_same_order(
    data: st.DataObject, executor: Executor, count: int
) -> None:
    load = data.draw(LOADS[executor])
    parts = [event for index in range(count) for event in events(load, Segment(index, count))]
    whole = events(load, Segment())
    assert sorted(parts) == sorted(whole)
    assert all(a[0] <= b[0] for a, b in pairwise(whole))


@given(st.floats(0.1, 500), st.integers(1, 20))
def test_a_constant_rate_starts_its_iterations_at_equal_distances(rate: float, length: int) -> None:
    found = list(starts(constant_rate(rate, length)))
    assert abs(len(found) - rate * length) < 1
    assert found == pytest.approx([number / rate for number in range(len(found))])
    assert all(at < length for at in found)


def test_500_a_second_for_a_minute_are_30000_starts() -> None:
    assert sum(1 for _ in starts(constant_rate(500, 60))) == 30_000


def test_a_ramp_starts_what_is_below_its_line() -> None:
    stages = (PlannedStage(10, 100), PlannedStage(10, 100), PlannedStage(5, 0))
    ramp = arriving(Executor.RAMPING_ARRIVAL_RATE, 0, stages)
    found = list(starts(ramp))
    assert len(found) == 500 + 1000 + 250
    assert sum(at < 5 for at in found) == 125, "a quarter of the ramp's in its first half"
    assert sum(10 <= at < 11 for at in found) == 100


def test_vus_ramp_in_straight_lines() -> None:
    changes = list(vu_changes(ramp_of_vus(0, (PlannedStage(4, 4), PlannedStage(2, 4), PlannedStage(4, 2)))))
    assert changes == [(1, 1), (2, 2), (3, 3), (4, 4), (8, 3), (10, 2)]


def test_a_stage_of_no_time_is_a_jump() -> None:
    changes = list(vu_changes(ramp_of_vus(1, (PlannedStage(2, 1), PlannedStage(0, 3), PlannedStage(2, 3)))))
    assert [vus for _, vus in changes] == [1, 2, 3]
    assert changes[1].at == 2
    assert changes[2].at < 2.01


@given(st.one_of(LOADS[Executor.CONSTANT_ARRIVAL_RATE], LOADS[Executor.RAMPING_ARRIVAL_RATE]), st.floats(0, 100))
def test_what_comes_before_a_moment_is_counted_without_counting(load: PlannedLoad, moment: float) -> None:
    found = starts(load)
    assert found.before(moment) == sum(at < moment for at in found)
    assert len(found) == len(list(found)) == found.before(float("inf"))


@given(LOADS[Executor.CONSTANT_ARRIVAL_RATE], st.integers(1, 13), st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_whoever_starts_something_has_a_vu_for_it(load: PlannedLoad, vus: int, processes: list[int]) -> None:
    """`processes`: of each machine, which may have another number of cores than the next."""
    load = replace(load, vus=vus, max_vus=vus)
    machines = [Segment(index, len(processes)) for index in range(len(processes))]
    divisions = [Division(count, part) for count, part in zip(processes, machines, strict=True)]
    parts = [segment for division in divisions for segment in division.parts]
    dealt = [segment.deal(starts(load), vus) for segment in parts]
    assert all(segment.share(vus) > 0 for segment, mine in zip(parts, dealt, strict=True) if len(mine))
    assert sorted(at for mine in dealt for at in mine) == list(starts(load))
    for division, machine in zip(divisions, machines, strict=True):
        begun = sum(len(segment.deal(starts(load), vus)) for segment in division.parts)
        assert begun == len(machine.deal(starts(load), vus)), "what `explain` shows of a machine"


def test_of_any_number_of_starts_each_is_known_at_once() -> None:
    found = Segment(1, 3).deal(starts(constant_rate(1e6, 3600)), 3)
    assert len(found) == 1_200_000_000
    assert found[600_000_000] == pytest.approx(1800.000001)
    assert found.before(1800) == 600_000_000


@given(LOADS[Executor.RAMPING_ARRIVAL_RATE])
def test_below_the_line_through_the_corners_lies_all_that_is_due(load: PlannedLoad) -> None:
    points = list(corners(load))
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))
    assert abs(area - len(starts(load))) <= 1 + 1e-6 * area
    assert points[-1][0] == pytest.approx(load.duration)


@given(st.integers(0, 40), vu_stages, st.integers(1, 50))
def test_a_coarser_look_at_a_crowd_sees_the_same_changes_and_leaves_some_out(
    start: int, stages: tuple[PlannedStage, ...], grain: int
) -> None:
    load = ramp_of_vus(start, stages)
    fine, coarse = list(vu_changes(load)), list(vu_changes(load, grain))
    assert set(coarse) <= set(fine)
    assert coarse[-1:] == fine[-1:]


def test_ten_million_vus_are_looked_at_in_no_more_steps_than_can_be_told_apart() -> None:
    changes = list(outline(ramp_of_vus(0, (PlannedStage(60, 10_000_000), PlannedStage(60, 10)))))
    assert len(changes) < 50_000
    assert max(change.vus for change in changes) == 10_000_000
