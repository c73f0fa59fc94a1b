"""A player's buffer against the clock: what is there to play, what was played, and when it stood still.

Laws: pure; seconds. It plays from its first segment on, and after standing still from the next. Its time goes on only
with `at`. Less than MAX_HOLE of standing still is none: that is how far apart segments may be for hls.js.
"""

MAX_HOLE = 0.1  # seconds (maxBufferHole)


class Player:
    """One listener's. `buffered` is how much can be played without any further segment, `played` how much was;
    `stalls` and `stalled` how often and how long it stood still."""

    __slots__ = ("_empty_since", "_most", "_seen", "buffered", "played", "stalled", "stalls", "started")

    def __init__(self, most: float) -> None:
        self._most = most  # seconds: what is played of the stream
        self.started: float | None = None  # on the clock
        self.buffered = self.played = self.stalled = 0.0
        self.stalls = 0
        self._seen = 0.0
        self._empty_since: float | None = None

    def at(self, now: float) -> None:
        """It plays until now, as far as it can."""
        if self.started is None:
            return
        passed = max(0.0, now - self._seen)
        plays = min(passed, self.buffered, self.left)
        self.buffered -= plays
        self.played += plays
        if passed > plays and self._empty_since is None and self.left > 0:
            self._empty_since = self._seen + plays
        self._seen = max(now, self._seen)

    def take(self, seconds: float, now: float) -> None:
        """A segment of this length is there."""
        if self.started is None:
            self.started = self._seen = now
        self.at(now)
        self.goes_on(now)
        self.buffered += seconds

    def goes_on(self, now: float) -> None:
        """It stands still no longer: something has come, or nothing more will."""
        if self._empty_since is not None:
            stood = now - self._empty_since
            self._empty_since = None
            if stood > MAX_HOLE:
                self.stalls += 1
                self.stalled += stood

    @property
    def left(self) -> float:
        """How much is still to be played."""
        return self._most - self.played

    def standing(self, now: float) -> float:
        """How long it has been standing still now, if that is a stall."""
        stood = 0.0 if self._empty_since is None else now - self._empty_since
        return stood if stood > MAX_HOLE else 0.0
