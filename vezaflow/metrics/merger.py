"""One timeline of several parts of a load, without loss. Whoever puts on a part keeps a Moment a second and flow,
older ones coarser (ages.py); the merge of any split equals the whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from vezaflow.metrics.ages import LEVELS, History
from vezaflow.metrics.moments import Moment
from vezaflow.metrics.timeline import Timeline


class Merger:
    """Takes the seconds of several parts in, one after another. A second is done when every part has reported it, or
    has nothing more to say."""

    def __init__(self, parts: Iterable[int]) -> None:
        self._last = dict.fromkeys(parts, 0)  # the last second that each has reported
        self._open: dict[tuple[int, str], Moment] = {}
        self._history = History()
        self._settled: list[Moment] = []

    def take(self, part: int, number: int, moments: Sequence[Moment]) -> None:
        """A part's seconds up to `number`."""
        for moment in moments:
            key = (moment.number, moment.point.flow)
            held = self._open.get(key)
            self._open[key] = moment if held is None else held.with_(moment)
        if part in self._last:
            self._last[part] = number
            self._settle()

    def gone(self, part: int) -> None:
        """Nothing more comes from this part."""
        self._last.pop(part, None)
        self._settle()

    def _settle(self) -> None:
        upto = min(self._last.values(), default=None)
        ready = [key for key in self._open if upto is None or key[0] <= upto]
        for key in sorted(ready):
            moment = self._open.pop(key)
            self._history.take(replace(moment, point=moment.whole))
            self._settled.append(moment)

    def latest(self) -> Timeline:
        """The last of the seconds that are done."""
        return self._history.latest()

    def timeline(self) -> Timeline:
        """The seconds that are done."""
        return self._history.timeline()

    def settled(self) -> tuple[Moment, ...]:
        """The moments of the seconds that were done since this was last asked."""
        settled, self._settled = self._settled, []
        return tuple(settled)


def timeline_of(parts: Sequence[Sequence[Moment]]) -> Timeline:
    """The timeline of parts that are all over. Where one part is coarser at a time, the others are made so, too."""
    longer = {(m.point.flow, m.span, m.number) for part in parts for m in part if m.span > 1}
    whole: dict[tuple[int, str], Moment] = {}
    for part in parts:
        for key, moment in _fitted(part, longer).items():
            held = whole.get(key)
            whole[key] = moment if held is None else held.with_(moment)
    return Timeline(tuple(whole[key].whole for key in sorted(whole)))


def _fitted(part: Iterable[Moment], longer: set[tuple[str, int, int]]) -> dict[tuple[int, str], Moment]:
    """One part's moments, each within the longest one of any part that covers it."""
    fitted: dict[tuple[int, str], Moment] = {}
    for moment in part:
        flow = moment.point.flow
        for span, _ in reversed(LEVELS):
            wide = moment.within(span)
            if span > moment.span and (flow, span, wide.number) in longer:
                moment = wide
                break
        held = fitted.get((moment.number, flow))
        fitted[moment.number, flow] = moment if held is None else held.then(moment)
    return fitted
