"""What segments keep of the times of events: merged afterwards it is what one run would have, second by second."""

import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vezaflow.metrics import DURING, OUTSIDE, EventWindows, Extent, KeptSegment, Recorder, Slicer, Summary, merge_all
from vezaflow.metrics.slices import LoadSlice, slices_from
from vezaflow.metrics.successes import SLOT, Successes

QUESTIONS = [("http_req_failed", None), ("http_reqs", "f"), ("http_req_duration", None), ("iterations", "f")]
SECONDS = 8
LIVES = {"f": Extent(0.0, float(SECONDS))}


class Sample(NamedTuple):
    segment: int
    at: float  # by the clock of the first segment
    duration: float
    failure: str


class Occurrence(NamedTuple):
    name: str
    begin: float
    until: float


class Part:
    """A load as one process measures it: a recorder, and what it keeps."""

    def __init__(self, samples: Iterable[Sample], later: float = 0.0, most: int = 3600, lasts: int = SECONDS) -> None:
        self.later = later
        self.recorder = Recorder(0.0, keep=True)
        flow = self.recorder.flow("f")
        step = self.recorder.step("f", "s", "GET")
        self.recorder.begin(0.0)
        flow.vus = 1
        self.slicer = Slicer(QUESTIONS, most)
        self.states: list[Summary] = [self.recorder.cut(0.0)]
        waiting = sorted((each for each in samples if each.at >= later), key=lambda each: each.at)
        for second in range(1, lasts + 1):
            for each in [each for each in waiting if second - 1 <= each.at - later < second]:
                step.answered(200, each.duration, 0.0, 0.0, 1, 1, each.failure, each.at - later)
            self.states.append(self.recorder.cut(float(second)))
            for _ in self.slicer.cut(float(second), self.states[-1], last=second == lasts):
                pass

    @property
    def kept(self) -> KeptSegment:
        slices = slices_from(each.to_json() for each in self.slicer.slices())
        return KeptSegment(self.later, slices, self.states[-1].successes)


def windows() -> EventWindows:
    return EventWindows(["one", "other"], QUESTIONS, LIVES)


def afterwards(parts: Sequence[Part], occurred: Iterable[Occurrence]) -> EventWindows:
    found = windows()
    found.settle([(each.name, Extent(each.begin, each.until)) for each in occurred], [part.kept for part in parts])
    return found


def as_it_went(whole: Part, occurred: Sequence[Occurrence]) -> EventWindows:
    """Windows of one run that has its figures once a second, as the coordinator of workers has."""
    found = windows()
    for second, summary in enumerate(whole.states):
        for each in occurred:
            if second - 1 < each.until <= second:
                found.close(each.name, each.begin, each.until)
        found.look(float(second), summary)
        for each in occurred:
            if second <= each.begin < second + 1:
                found.open(each.name, each.begin, float(second), summary)
    for each in occurred:
        if each.until > SECONDS:
            found.close(each.name, each.begin, each.until)
    found.end(float(SECONDS), whole.states[-1])
    return found


def figures(found: EventWindows, summary: Summary) -> Iterator[tuple[str, str, float | None]]:
    for during in ("one", "other", OUTSIDE):
        for metric, flow in QUESTIONS:
            measured = found.select(metric, flow, [(DURING, during)], summary)
            names = {"http_req_failed": ("rate",), "http_req_duration": ("avg", "med")}.get(metric, ("count", "rate"))
            yield during, metric, float(measured.samples)
            yield from ((during, f"{metric} {name}", measured.aggregate(name)) for name in names)
        yield during, "length", found.length(during, SECONDS)


times = st.floats(0.0, SECONDS - 0.01)
samples = st.lists(
    st.builds(Sample, st.integers(0, 2), times, st.floats(0.001, 2.0), st.sampled_from(["", "", "status"])), max_size=40
)
occurrences = st.lists(
    st.builds(
        lambda name, begin, lasts: Occurrence(name, begin, begin + lasts),
        st.sampled_from(["one", "other"]),
        times,
        st.floats(0.01, 4.0),
    ),
    max_size=3,
)


@pytest.mark.slow
@given(samples, occurrences)
def test_segments_have_the_figures_during_events_that_one_run_has(
    given_samples: list[Sample], occurred: list[Occurrence]
) -> None:
    parts = [Part(each for each in given_samples if each.segment == number) for number in range(3)]
    whole = Part(given_samples)
    merged, known = merge_all(part.states[-1] for part in parts), whole.states[-1]
    mine, theirs = afterwards(parts, occurred), as_it_went(whole, occurred)
    for (*what, value), (*_, expected) in zip(figures(mine, merged), figures(theirs, known), strict=True):
        same = value is None if expected is None else value == pytest.approx(expected, rel=0.002, abs=1e-6)
        assert same, (*what, value, expected)
    recovery = (found.recovery(None, (), summary, SECONDS) for found, summary in ((mine, merged), (theirs, known)))
    assert next(recovery).histogram == next(recovery).histogram


@pytest.mark.slow
@given(samples, times, st.floats(0.0, 4.0), st.lists(st.floats(0.0, 0.9), min_size=3, max_size=3))
def test_segments_that_start_apart_have_the_window_by_the_first_one_s_clock(
    given_samples: list[Sample], begin: float, lasts: float, apart: list[float]
) -> None:
    parts = [
        Part((each for each in given_samples if each.segment == number), later - apart[0])
        for number, later in enumerate(apart)
    ]
    measured = [each for each in given_samples if 0 <= each.at - parts[each.segment].later < SECONDS]
    found = afterwards(parts, [Occurrence("one", begin, begin + lasts)])
    summary = merge_all(part.states[-1] for part in parts)
    count = found.select("http_reqs", "f", [(DURING, "one")], summary).samples
    spans = found.spans("one")
    assert all(begin - 1 <= span.begin and span.end <= begin + lasts + 1 for span in spans)
    inside = sum(begin < each.at < begin + lasts for each in measured)
    assert inside <= count <= sum(any(a - 1e-6 <= each.at <= b + 1e-6 for a, b in spans) for each in measured)


LONG = 30


def steady(rate: int, later: float) -> Part:
    """A segment with so many requests in each of its seconds."""
    ended = (later + second + (number + 0.5) / rate for second in range(LONG) for number in range(rate))
    return Part((Sample(0, at, 0.1, "") for at in ended), later, lasts=LONG)


def rates(found: EventWindows, parts: Sequence[Part]) -> list[float | None]:
    """During the event, and outside of it."""
    summary = merge_all(part.states[-1] for part in parts)
    of = (found.select("http_reqs", "f", [(DURING, during)], summary) for during in ("one", OUTSIDE))
    return [each.aggregate("rate") for each in of]


@pytest.mark.slow
@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.floats(0.0, 0.5)), min_size=1, max_size=8),
    st.floats(0.0, 8.0),
    st.floats(1.0, 20.0),
)
def test_segments_that_start_apart_have_the_rate_that_they_send_during_events_and_outside(
    segments: list[tuple[int, float]], begin: float, lasts: float
) -> None:
    parts = [steady(rate, later - segments[0][1]) for rate, later in segments]
    whole = sum(rate for rate, _ in segments)
    found = afterwards(parts, [Occurrence("one", begin, begin + lasts)])
    assert rates(found, parts) == [pytest.approx(whole), pytest.approx(whole)]


@pytest.mark.slow
@settings(max_examples=20)
@given(st.lists(st.floats(0.0, 0.5), min_size=1, max_size=8), st.floats(0.0, 8.0), st.floats(1.0, 20.0))
def test_the_length_of_an_event_is_what_a_segment_has_of_it_on_average(
    apart: list[float], begin: float, lasts: float
) -> None:
    parts = [steady(2, later - apart[0]) for later in apart]
    found = afterwards(parts, [Occurrence("one", begin, begin + lasts)])
    summary = merge_all(part.states[-1] for part in parts)
    for during in ("one", OUTSIDE):
        count = found.select("http_reqs", "f", [(DURING, during)], summary).samples
        assert count / found.length(during, LONG) == pytest.approx(2 * len(parts))


def test_two_segments_a_moment_apart_have_their_rate_and_the_span_of_both() -> None:
    parts = [steady(100, 0.0), steady(100, 0.05)]
    found = afterwards(parts, [Occurrence("one", 5.0, 7.0)])
    assert rates(found, parts) == [pytest.approx(200), pytest.approx(200)]
    (span,) = found.spans("one")
    assert span == pytest.approx((4.05, 7.05))
    assert found.length("one", LONG) == pytest.approx(2.5)


def test_a_segment_that_had_ended_before_an_event_takes_nothing_from_its_rate() -> None:
    parts = [steady(10, 0.0), Part([Sample(0, 0.5, 0.1, "")], lasts=4)]
    found = afterwards(parts, [Occurrence("one", 5.0, 7.0)])
    assert rates(found, parts)[0] == pytest.approx(10)


def test_slices_become_longer_and_lose_nothing() -> None:
    given_samples = [Sample(0, second + 0.5, 0.1, "") for second in range(SECONDS)]
    part = Part(given_samples, most=2)
    slices = part.slicer.slices()
    assert [(each.begin, each.end) for each in slices] == [(0, 1), (1, 2), (2, 4), (4, 6), (6, 8)]
    assert sum(each.figures().select("http_reqs").samples for each in slices) == SECONDS
    found = afterwards([part], [Occurrence("one", 4.2, 4.4)])
    assert found.spans("one") == (Extent(4.0, 6.0),), "the window is as wide as its slice"
    assert found.select("http_reqs", "f", [(DURING, "one")], part.states[-1]).samples == 2


def test_a_recovery_over_segments_ends_with_the_success_of_any() -> None:
    one = Part([Sample(0, 1.0, 0.1, ""), Sample(0, 7.0, 0.1, "")])
    other = Part([Sample(1, 3.55, 0.1, "")], later=0.5)
    found = afterwards([one, other], [Occurrence("one", 1.5, 2.0)])
    summary = merge_all(part.states[-1] for part in (one, other))
    longest = found.recovery(None, [("event", "one")], summary, SECONDS).aggregate("max")
    assert longest == pytest.approx(2.5, abs=SLOT)


def test_successes_move_by_whole_slots_and_never_without_bound() -> None:
    assert Successes(0b100).moved(0.2).slots == 0b10000
    assert Successes(0b101).moved(-0.1).slots == 0b10
    assert Successes(1).moved(1e9).slots == 0


def packed(text: bytes) -> str:
    return b64encode(zlib.compress(text)).decode()


@pytest.mark.parametrize(
    "packed", ["", "!", "eJwDAAAAAAE=", packed(b"[]"), packed(b'{"flows": 1}'), packed(b'{"flows": [{"flow": "f"}]}')]
)
def test_what_is_no_slice_is_refused(packed: str) -> None:
    with pytest.raises(ValueError, match="the slice at 1 s is invalid"):
        LoadSlice(1.0, 2.0, packed).figures()


def test_a_slice_holds_no_text_of_a_server() -> None:
    recorder = Recorder(0.0)
    step = recorder.step("f", "s", "GET")
    recorder.begin(0.0)
    step.answered(500, 0.1, 0.0, 0.0, 1, 1, "status", 0.5)
    slicer = Slicer(QUESTIONS)
    summary = recorder.cut(1.0)
    for row in summary.requests.values():
        row.detail = "very-secret"
    for _ in slicer.cut(1.0, summary):
        pass
    (only,) = slicer.slices()
    assert [row.detail for row in only.figures().requests.values()] == [""]
