"""One timeline of several shares of a load, without loss. Whoever puts on a share keeps a Moment a second and flow,
older ones coarser (ages.py); the merge of any split equals the whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from vezaflow.metrics.ages import LEVELS, History
from vezaflow.metrics.moments import Moment
from vezaflow.metrics.timeline import Timeline


class Merger:
    """Takes the seconds of several shares in, one after another. A second is done when every share has reported it, or
    has nothing more to say."""

    def __init__(self, shares: Iterable[int]) -> None:
        self._last = dict.fromkeys(shares, 0)  # the last second that each has reported
        self._open: dict[tuple[int, str], Moment] = {}
        self._history = History()
        self._settled: list[Moment] = []

    def take(self, share: int, number: int, moments: Sequence[Moment]) -> None:
        """A share's seconds up to `number`."""
        for moment in moments:
            key = (moment.number, moment.point.flow)
            held = self._open.get(key)
            self._open[key] = moment if held is None else held.with_(moment)
        if share in self._last:
            self._last[share] = number
            self._settle()

    def gone(self, share: int) -> None:
        """Nothing more comes from this share."""
        self._last.pop(share, None)
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


def timeline_of(shares: Sequence[Sequence[Moment]]) -> Timeline:
    """The timeline of shares that are all over. Where one share is coarser at a time, the others are made so, too."""
    longer = {(m.point.flow, m.span, m.number) for share in shares for m in share if m.span > 1}
    whole: dict[tuple[int, str], Moment] = {}
    for share in shares:
        for key, moment in _fitted(share, longer).items():
            held = whole.get(key)
            whole[key] = moment if held is None else held.with_(moment)
    return Timeline(tuple(whole[key].whole for key in sorted(whole)))


def _fitted(share: Iterable[Moment], longer: set[tuple[str, int, int]]) -> dict[tuple[int, str], Moment]:
    """One share's moments, each within the longest one of any share that covers it."""
    fitted: dict[tuple[int, str], Moment] = {}
    for moment in share:
        flow = moment.point.flow
        for span, _ in reversed(LEVELS):
            wide = moment.within(span)
            if span > moment.span and (flow, span, wide.number) in longer:
                moment = wide
                break
        held = fitted.get((moment.number, flow))
        fitted[moment.number, flow] = moment if held is None else held.then(moment)
    return fitted
