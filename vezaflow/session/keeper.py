"""Who keeps a run as it goes: what it is given, and when. The history is one.

Law: no call waits. What can't be kept is the keeper's to count and to tell; the load and its verdict never hear of it.
"""

from collections.abc import Sequence
from typing import Protocol

from vezaflow.metrics import Interval, Point
from vezaflow.results import RunStart


class Keeper(Protocol):
    def begin(self, start: RunStart) -> None:
        """The load begins."""
        ...

    def second(self, interval: Interval, points: Sequence[Point]) -> None:
        """About once a second: what came since the last time, and the timeline's new points."""
        ...


class _Nowhere:
    """Keeps nothing."""

    def begin(self, start: RunStart) -> None: ...

    def second(self, interval: Interval, points: Sequence[Point]) -> None: ...


NOWHERE: Keeper = _Nowhere()
