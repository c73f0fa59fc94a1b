"""The figures of a run during its events, and outside of them.

Laws: a run's figures only grow, so those of a window are the figures at its end minus those at its begin; the windows
of one event add up, and outside is what is left of the whole. States are only taken at the ends of windows, and only of
what gates ask for. A sample belongs to the window in which its request ended. Where the figures of a moment can't be
had (several processes report once a second, segments keep slices) a window is widened to the reports around it, and
`spans` says so. Segments that began apart are widened each by its own slices: rates are by the time of these, which is
less than what all `spans` together have.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import inf
from typing import NamedTuple

from vezaflow.metrics.catalog import METRICS, MetricKind
from vezaflow.metrics.figures import FlowKey
from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.measurement import Measurement, Trend
from vezaflow.metrics.slices import LoadSlice
from vezaflow.metrics.successes import Successes
from vezaflow.metrics.summary import Question, Summary, in_sequence, merge_all

DURING = "during"  # the label of a gate that names the event in whose windows it judges
OUTSIDE = "none"  # its value that means outside of all events
_ANY = ""  # what the windows of all events together are kept under
Labels = Iterable[tuple[str, str]]


class Extent(NamedTuple):
    """A time of the load, in seconds."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class KeptSegment:
    """What one segment kept of its load, for windows that are made afterwards. `later`: seconds that it began after the
    load by whose clock the events are; `slices`: None where it kept none."""

    later: float
    slices: tuple[LoadSlice, ...] | None
    successes: Mapping[str, Successes]

    def within(self, extents: Sequence[Extent]) -> Iterator[tuple[Extent, tuple[LoadSlice, ...]]]:
        """Each run of slices that these times touch, with its time by the clock of the events. Of the times none
        overlap; they are in their order."""
        ends = [extent.end for extent in extents]

        def touched(each: LoadSlice) -> bool:
            first = bisect_right(ends, each.begin + self.later)
            return first < len(extents) and extents[first].begin < each.end + self.later

        for is_touched, run in groupby(self.slices or (), touched):
            if is_touched:
                found = tuple(run)
                yield Extent(found[0].begin + self.later, found[-1].end + self.later), found


@dataclass(slots=True)
class _Event:
    """The windows of one event. `occurred`: from each start to the end of its window, inf while that is not known."""

    questions: tuple[Question, ...] = ()
    running: int = 0
    until: float = -inf  # when the last window ends that is known to end
    since: float | None = None  # what the figures at the begin of the open window cover
    before: dict[Question, Summary] = field(default_factory=dict)  # at the begin of the open window
    closed: dict[Question, Summary] = field(default_factory=dict)
    spans: list[Extent] = field(default_factory=list)
    covered: float | None = None  # of segments: how much of its load one has in the windows, on average
    occurred: list[Extent] = field(default_factory=list)

    def open(self, at: float, seconds: float, summary: Summary) -> None:
        self.running += 1
        self.occurred.append(Extent(at, inf))
        if self.since is None:
            self.since = seconds
            self.before = {each: summary.only(each[1], each[0]) for each in self.questions}

    def close(self, at: float, until: float) -> None:
        """The occurrence that began `at` is over, and its window ends at `until`."""
        self.running -= 1
        self.until = max(self.until, until)
        self.occurred[self.occurred.index(Extent(at, inf))] = Extent(at, until)

    def look(self, seconds: float, summary: Summary) -> None:
        if self.since is None or self.running or self.until > seconds:
            return
        self.closed = {each: self.inside(each, summary) for each in self.questions}
        self.spans.append(Extent(self.since, seconds))
        self.since, self.before = None, {}

    def inside(self, question: Question, summary: Summary) -> Summary:
        """What came in its windows so far."""
        closed = self.closed.get(question, Summary())
        if self.since is None:
            return closed
        metric, flow = question
        return in_sequence((closed, summary.only(flow, metric).minus(self.before[question])))

    def length(self, seconds: float) -> float:
        """How much of the load its windows cover so far."""
        if self.covered is not None:
            return self.covered
        return _length(self.spans) + (seconds - self.since if self.since is not None else 0.0)

    def settle(self, occurred: list[Extent], segments: Sequence[KeptSegment]) -> None:
        """It happened at these times, of which segments kept this."""
        times = _united(occurred)
        runs = [list(segment.within(times)) for segment in segments]
        parts = [in_sequence(each.figures() for _, found in run for each in found) for run in runs]
        self.occurred = occurred
        self.closed = {each: _together(each, parts) for each in self.questions}
        self.spans = _united(span for run in runs for span, _ in run)
        self.covered = sum(_length(span for span, _ in run) for run in runs) / len(runs) if runs else None


def _together(question: Question, parts: Sequence[Summary]) -> Summary:
    """What a question needs of all segments. A counter's rate is the sum of the rates of segments, each over its own
    slices: the time of each flow is made so."""
    metric, flow = question
    found = merge_all(part.only(flow, metric) for part in parts)
    if METRICS[metric].kind is not MetricKind.COUNTER:
        return found
    flows = {key: replace(row, seconds=_time(metric, key, parts)) for key, row in found.flows.items()}
    return replace(found, flows=flows)


def _time(metric: str, key: FlowKey, parts: Sequence[Summary]) -> float:
    """The seconds by which what a counter has of a flow is divided: the mean over segments, where each weighs by its
    rate."""
    lasted = [(part, part.flows[key].seconds) for part in parts if key in part.flows and part.flows[key].seconds > 0]
    counts = [part.select(metric, key.flow, judged=key.judged).aggregate("count") or 0.0 for part, _ in lasted]
    rate = sum(count / seconds for count, (_, seconds) in zip(counts, lasted, strict=True))
    return sum(counts) / rate if rate else sum(seconds for _, seconds in lasted) / max(1, len(lasted))


def _length(spans: Iterable[Extent]) -> float:
    return sum(end - begin for begin, end in spans)


def _united(spans: Iterable[Extent]) -> list[Extent]:
    """Those that overlap as one."""
    found: list[Extent] = []
    for span in sorted(spans):
        if found and span.begin < found[-1].end:
            found[-1] = Extent(found[-1].begin, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


class EventWindows:
    """Those of one run's events. Whoever lets them happen says when; `look` once a second, and where a window is due.

    `seconds` is always how much of the load a summary covers.
    """

    def __init__(
        self,
        names: Iterable[str] = (),
        questions: Iterable[Question] = (),
        lives: Mapping[str, Extent] | None = None,
    ) -> None:
        """`questions`: all that will be asked. `lives`: by flow, the time of the load in which it should run."""
        asked = tuple(dict.fromkeys(questions))
        self._events = {name: _Event(asked) for name in (*names, _ANY)}
        self._lives = dict(lives or {})
        self.questions = asked
        self.judging = bool(asked)
        self._successes: Mapping[str, Successes] | None = None  # None: those of the summary
        self._unheard = self._unkept = ""

    def open(self, name: str, at: float, seconds: float, summary: Summary) -> None:
        """An event starts. The summary is of that moment, or of one before."""
        for each in (name, _ANY):
            self._events[each].open(at, seconds, summary)

    def close(self, name: str, at: float, until: float) -> None:
        """The occurrence that started `at` has ended; samples count until then."""
        for each in (name, _ANY):
            self._events[each].close(at, until)

    def look(self, seconds: float, summary: Summary) -> None:
        """How the figures stand: windows that are due end here."""
        for event in self._events.values():
            event.look(seconds, summary)

    def end(self, seconds: float, summary: Summary) -> None:
        """The load is over: all windows end here."""
        for event in self._events.values():
            event.until = -inf
            event.look(seconds, summary)

    def settle(self, occurred: Iterable[tuple[str, Extent]], segments: Sequence[KeptSegment], unkept: str = "") -> None:
        """All windows at once, of a load that is over: when which event happened, to the end of its window, and what
        segments of the load kept. `unkept`: why some kept nothing. Raises ValueError where that is invalid."""
        times = list(occurred)
        self._unkept = unkept
        for name, event in self._events.items():
            event.settle([extent for of, extent in times if name in (of, _ANY)], () if unkept else segments)
        moved = ({flow: row.moved(each.later) for flow, row in each.successes.items()} for each in segments)
        self._successes = merge_all(Summary(successes=rows) for rows in moved).successes

    def forgo(self, why: str) -> None:
        """Nobody knows when events happened, for this reason."""
        self._unheard = why

    def unknown(self, label: str, name: str) -> str:
        """Why there are no samples of this event (`none`: outside of all), if it is because of the events; `label`:
        what asks for it."""
        if self._unheard:
            return self._unheard
        if name != OUTSIDE and not self._events[name].occurred:
            return f"the event '{name}' did not happen"
        happened = any(event.occurred for event in self._events.values())
        return self._unkept if label == DURING and happened else ""

    def spans(self, name: str) -> tuple[Extent, ...]:
        """The times of the load that gates on this event judge, so far as they are over."""
        return tuple(self._events[name].spans)

    def select(self, metric: str, flow: str | None, labels: Labels, summary: Summary) -> Measurement:
        """The metric's figures during the event that the label `during` names. KeyError: no such event."""
        given = dict(labels)
        during = given.pop(DURING)
        question = (metric, flow)
        if self.unknown(DURING, during):
            view = Summary()
        elif during == OUTSIDE:
            whole = summary.only(flow, metric)
            view = whole.minus(self._events[_ANY].inside(question, summary))
        else:
            view = self._events[during].inside(question, summary)
        return view.select(metric, flow, given.items())

    def length(self, during: str, seconds: float) -> float:
        """How many seconds of the load these are."""
        covered = self._events[_ANY if during == OUTSIDE else during].length(seconds)
        return seconds - covered if during == OUTSIDE else covered

    def recovery(self, flow: str | None, labels: Labels, summary: Summary, seconds: float) -> Trend:
        """For each time that the event happened (without a label: any) and each flow that sends requests, the longest
        time without a success that touches its window."""
        given, longest = dict(labels), Histogram()
        event = self._events[given.get("event", _ANY)]
        for name, row in (summary.successes if self._successes is None else self._successes).items():
            asked = name in self._lives and flow in (None, name) and given.get("flow", name) == name
            if asked and (row.slots or summary.select("http_reqs", name, judged=None).samples):
                life = self._life(name, summary, seconds)
                for begin, until in event.occurred:
                    gap = max(row.gaps(begin, min(until, seconds), life), default=None)
                    if gap is not None:
                        longest.record(gap)
        return Trend(longest)

    def _life(self, flow: str, summary: Summary, seconds: float) -> tuple[float, float]:
        """When the flow ran: one whose iterations are counted may end before its limit."""
        begin, end = self._lives[flow]
        return begin, min(end, seconds, begin + summary.seconds(flow, None))


def windowed(metric: str) -> bool:
    """Whether the figures of a time are those at its end minus those at its begin: VUs are not counted so."""
    return METRICS[metric].of.grows
