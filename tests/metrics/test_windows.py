"""The figures of events: windows add up, outside is the rest, gaps between successes are found."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.metrics import OUTSIDE, EventWindows, Extent, Recorder, Summary, merge_all
from vezaflow.metrics.successes import SLOT, Successes

FAILED = ("http_req_failed", None)
REQUESTS = ("http_reqs", "f")


class Load:
    """A recorder with one step, and windows that look at it."""

    def __init__(self, *names: str, begin: float = 0.0, end: float = 100.0) -> None:
        self.recorder = Recorder(0.0)
        self.recorder.flow("f").vus = 1
        self.step = self.recorder.step("f", "s", "GET")
        self.windows = EventWindows(names, [FAILED, REQUESTS], {"f": Extent(begin, end)})

    def answer(self, *times: float, failure: str = "") -> None:
        for at in times:
            self.step.answered(200, 0.1, 0.0, 0.0, 1, 1, failure, at)

    def figures(self, now: float) -> tuple[float, Summary]:
        return now, self.recorder.cut(now)

    def happen(self, name: str, begin: float, end: float, *answers: float, window: float = 0.0) -> None:
        self.windows.open(name, begin, *self.figures(begin))
        self.answer(*answers, failure="status")
        self.windows.close(name, begin, end + window)
        self.windows.look(*self.figures(end + window))

    def count(self, during: str, now: float) -> float | None:
        return self.windows.select("http_reqs", "f", [("during", during)], self.recorder.cut(now)).aggregate("count")

    def rate(self, during: str, now: float) -> float | None:
        labels = [("during", during)]
        return self.windows.select("http_req_failed", None, labels, self.recorder.cut(now)).aggregate("rate")

    def recovery(self, now: float, **labels: str) -> list[float]:
        found = self.windows.recovery(None, labels.items(), self.recorder.cut(now), now)
        least, most = found.aggregate("min"), found.aggregate("max")
        return [] if least is None or most is None else [round(least, 2), round(most, 2)]


def test_a_window_has_what_came_in_it_and_outside_is_the_rest() -> None:
    load = Load("failover")
    load.answer(1.0, 2.0)
    load.happen("failover", 3.0, 5.0, 3.5, 4.0)
    load.answer(6.0)
    assert (load.count("failover", 7.0), load.count(OUTSIDE, 7.0)) == (2.0, 3.0)
    assert (load.rate("failover", 7.0), load.rate(OUTSIDE, 7.0)) == (1.0, 0.0)
    assert load.windows.spans("failover") == (Extent(3.0, 5.0),)


def test_a_window_that_is_open_grows_while_it_is() -> None:
    load = Load("failover")
    load.windows.open("failover", 1.0, *load.figures(1.0))
    load.answer(1.5)
    assert (load.count("failover", 2.0), load.count(OUTSIDE, 2.0)) == (1.0, None)
    load.answer(2.5)
    assert load.count("failover", 3.0) == 2.0
    assert load.windows.length("failover", 3.0) == 2.0


def test_several_windows_of_one_event_add_up_with_their_time() -> None:
    load = Load("flush")
    for begin in (1.0, 11.0, 21.0):
        load.happen("flush", begin, begin + 2.0, begin + 1.0)
    labels = [("during", "flush")]
    seen = load.windows.select("http_reqs", "f", labels, load.recorder.cut(30.0))
    assert seen.aggregate("rate") == pytest.approx(3 / 6)
    assert load.windows.length(OUTSIDE, 30.0) == 24.0


def test_windows_of_different_events_that_overlap_are_taken_away_once() -> None:
    load = Load("one", "other")
    load.windows.open("one", 1.0, *load.figures(1.0))
    load.answer(1.5)
    load.windows.open("other", 2.0, *load.figures(2.0))
    load.answer(2.5)
    load.windows.close("one", 1.0, 3.0)
    load.windows.look(*load.figures(3.0))
    load.answer(3.5)
    load.windows.close("other", 2.0, 4.0)
    load.windows.look(*load.figures(4.0))
    load.answer(4.5)
    assert [load.count(name, 5.0) for name in ("one", "other", OUTSIDE)] == [2.0, 2.0, 1.0]


def test_a_window_after_an_event_counts_until_it_is_over() -> None:
    load = Load("failover")
    load.windows.open("failover", 1.0, *load.figures(1.0))
    load.windows.close("failover", 1.0, 4.0)
    load.windows.look(*load.figures(2.0))
    load.answer(3.0)
    load.windows.look(*load.figures(4.0))
    load.answer(5.0)
    assert load.count("failover", 6.0) == 1.0


def test_the_end_of_the_load_ends_all_windows() -> None:
    load = Load("failover")
    load.windows.open("failover", 1.0, *load.figures(1.0))
    load.answer(1.5)
    load.windows.close("failover", 1.0, 60.0)
    load.windows.end(*load.figures(2.0))
    load.answer(2.5)
    assert load.count("failover", 3.0) == 1.0
    assert load.windows.spans("failover") == (Extent(1.0, 2.0),)


def test_what_did_not_happen_has_no_samples() -> None:
    load = Load("failover")
    load.answer(1.0)
    assert load.count("failover", 2.0) is None
    assert load.windows.unknown("during", "failover") == "the event 'failover' did not happen"
    assert load.windows.unknown("during", OUTSIDE) == ""
    assert load.recovery(2.0, event="failover") == []


def test_the_longest_gap_that_touches_an_event_is_found() -> None:
    load = Load("failover")
    load.answer(*(number / 10 for number in range(31)))  # to 3.0 s
    load.happen("failover", 3.5, 4.5, 4.0)  # which failed
    load.answer(*(5.2 + number / 10 for number in range(30)))
    assert load.recovery(9.0, event="failover")[1] == pytest.approx(2.2, abs=SLOT)


def test_each_time_that_an_event_happens_has_a_recovery_of_its_own() -> None:
    load = Load("flush")
    load.answer(0.5, 1.0)
    load.happen("flush", 1.2, 1.3)
    load.answer(2.0, 5.0)
    load.happen("flush", 5.2, 5.3)
    load.answer(8.0)
    assert load.recovery(9.0) == [pytest.approx(1.0, abs=SLOT), pytest.approx(3.0, abs=SLOT)]


def test_who_never_recovers_is_without_success_until_the_end() -> None:
    load = Load("failover", end=10.0)
    load.answer(0.5, 1.0)
    load.happen("failover", 1.5, 2.0)
    assert load.recovery(9.0)[1] == pytest.approx(8.0, abs=SLOT)


def test_a_flow_that_sends_no_requests_has_no_recovery() -> None:
    load = Load("failover")
    load.happen("failover", 1.5, 2.0)
    assert load.recovery(9.0) == []


def test_no_gap_is_longer_than_the_flow_runs() -> None:
    load = Load("failover", begin=1.0, end=4.0)
    load.answer(1.0, 1.1, 1.2)
    load.happen("failover", 1.5, 2.0)
    assert load.recovery(60.0)[1] == pytest.approx(2.8, abs=1.5 * SLOT)


@given(st.lists(st.floats(0.0, 20.0), max_size=40), st.floats(0.0, 20.0), st.floats(0.0, 5.0))
def test_a_gap_is_known_to_a_slot(times: list[float], begin: float, length: float) -> None:
    slots = 0
    for at in times:
        slots |= 1 << int(at / SLOT)
    found = max(Successes(slots).gaps(begin, begin + length, (0.0, 25.0)), default=0.0)
    moments = [0.0, *sorted(times), 25.0]
    found_in, known_in = (
        max(after - before for before, after in pairwise(moments) if after >= first and before <= last)
        for first, last in ((begin - SLOT, begin + length + SLOT), (begin, begin + length))
    )
    assert known_in - 2 * SLOT - 1e-6 <= found <= found_in + 2 * SLOT + 1e-6


def test_the_moments_of_workers_are_joined_and_travel_as_json() -> None:
    parts = []
    for times in ((0.05, 1.0), (0.5,)):
        load = Load()
        load.answer(*times)
        load.answer(0.75, failure="status")
        parts.append(load.recorder.cut(2.0))
    whole = merge_all(parts)
    assert whole.successes["f"].slots == 0b10000100001
    assert Summary.from_json(whole.to_json()).successes == whole.successes
