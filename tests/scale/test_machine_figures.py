"""What each machine measured by itself: together it is the whole, and one that differs beyond its noise is named."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vezaflow.metrics import Recorder, Summary, merge_all
from vezaflow.scale import MachinePart, machine_differences, machine_figures


def measured(times: list[float], failures: int = 0) -> Summary:
    """What a machine measured whose requests took so long, the first of which failed."""
    recorder = Recorder(0.0)
    step = recorder.step("browse", "page", "GET")
    recorder.begin(0.0)
    for number, duration in enumerate(times):
        failure = "status" if number < failures else ""
        step.answered(500 if failure else 200, duration, 0.0, 0.0, 10, 10, failure)
    recorder.fold(1.0)
    return recorder.snapshot()


def parts(*summaries: Summary) -> list[MachinePart]:
    return [
        MachinePart(f"pod-{number}", f"tcp://10.0.0.{number}:1", 2, range(number, number + 1), 0.001, summary)
        for number, summary in enumerate(summaries, 1)
    ]


def lognormal(chance: random.Random, count: int, scale: float = 1.0) -> list[float]:
    return [0.05 * scale * chance.lognormvariate(0, 0.5) for _ in range(count)]


@pytest.mark.slow
def test_machines_that_are_alike_are_not_told_apart() -> None:
    """A/A: of 60 runs of three alike machines, with bursts that make neighbours resemble each other, hardly one."""
    chance = random.Random(7)
    false_alarms = 0
    for _ in range(60):
        bursts = [lognormal(chance, 20, scale=chance.lognormvariate(0, 0.1)) for _ in range(300)]
        machines = [[time for burst in bursts[at::3] for time in burst] for at in range(3)]
        false_alarms += bool(list(machine_differences(parts(*map(measured, machines)))))
    assert false_alarms <= 1


def test_a_machine_with_a_slow_link_is_named_and_no_other() -> None:
    chance = random.Random(7)
    times = [lognormal(chance, 2000) for _ in range(2)] + [[each + 0.08 for each in lognormal(chance, 2000)]]
    (note,) = machine_differences(parts(*map(measured, times)))
    assert note.startswith("pod-3 measured a p95 of ")
    assert "look at its link" in note


def test_a_machine_whose_requests_fail_is_named() -> None:
    chance = random.Random(7)
    fine, fails = (measured(lognormal(chance, 1000), count) for count in (2, 60))
    (note,) = machine_differences(parts(fine, fine, fails))
    assert note.startswith("of pod-3's requests 6 % failed, of the other machines' 0.2 %")
    assert list(machine_differences(parts(fine, fine, measured(lognormal(chance, 1000), 5)))) == []


@pytest.mark.parametrize("count", [0, 50])
def test_few_requests_say_nothing(count: int) -> None:
    chance = random.Random(7)
    slow = [each + 5 for each in lognormal(chance, count)]
    assert list(machine_differences(parts(measured(lognormal(chance, 3000)), measured(slow)))) == []


def test_one_machine_has_no_others_to_differ_from() -> None:
    assert list(machine_differences(parts(measured([0.1] * 1000)))) == []
    assert list(machine_differences(())) == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-4, 10.0), min_size=3, max_size=60), st.integers(0, 2**32))
def test_the_machines_together_are_the_whole(times: list[float], seed: int) -> None:
    """However the requests fall to three machines, their figures merged are those of one that had them all."""
    chance = random.Random(seed)
    fallen: list[list[float]] = [[], [], []]
    for time in times:
        chance.choice(fallen).append(time)
    machines = parts(*map(measured, fallen))
    whole = measured(times)
    merged = merge_all(part.summary for part in machines)
    assert merged.select("http_reqs").aggregate("count") == len(times)
    for share in (50.0, 95.0, 99.0):
        wanted = whole.select("http_req_duration").aggregate("p", share)
        assert merged.select("http_req_duration").aggregate("p", share) == wanted
    assert sum(figures.requests for figures in machine_figures(machines)) == len(times)
