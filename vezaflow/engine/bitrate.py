"""Which variant a player asks for next: hls.js's rule, and BOLA.

Laws: pure; seconds and bits per second; levels are numbers, by rising bandwidth. Rule and constants are those of
hls.js 1.7 (abr-controller, ewma-bandwidth-estimator), for a player whose setting nobody changed. BOLA is BOLA-BASIC of
Spiteri, Urgaonkar and Sitaraman, "BOLA: Near-Optimal Bitrate Adaptation for Online Videos" (2016), with the buffer of
the player as its largest.
"""

from collections.abc import Sequence
from math import exp, inf, log, sqrt
from typing import NamedTuple, Protocol

from vezaflow.plan import Level

_FAST, _SLOW = 3.0, 9.0  # seconds: half-lives (abrEwmaFastVoD, abrEwmaSlowVoD; live has the same)
_SHORTEST = 0.05  # seconds: no sample counts as shorter, unless it is small:
_FASTEST = 1e8  # bytes per second
_FIRST_GUESS = 500_000.0  # bits per second (abrEwmaDefaultEstimate)
_FIRST_TTFB = 0.1  # seconds
_LEAST_TTFB = 0.005
_STAY, _UP = 0.95, 0.7  # of the estimate (abrBandWidthFactor, abrBandWidthUpFactor)
_STARVATION = 4.0  # seconds of rebuffering that a choice may risk at most (maxStarvationDelay)
_ONE = 1.0  # second: how long a segment plays before any is known
_UNREASONABLE = 10  # times a segment's own length


class Ewma:
    """A mean of samples, of which each half-life of weight counts half as much as the next."""

    __slots__ = ("_alpha", "_estimate", "_weight")

    def __init__(self, half_life: float) -> None:
        self._alpha = exp(log(0.5) / half_life)
        self._estimate = self._weight = 0.0

    def sample(self, weight: float, value: float) -> None:
        held = self._alpha**weight
        self._estimate = value * (1 - held) + held * self._estimate
        self._weight += weight

    def get(self, default: float) -> float:
        """The mean; before any sample the default."""
        zero = 1 - self._alpha**self._weight
        return self._estimate / zero if zero > 0 else default


class Bandwidth:
    """What a connection is thought to carry, and how long it takes to a first byte."""

    __slots__ = ("_fast", "_guess", "_slow", "_ttfb", "sampled")

    def __init__(self, guess: float = _FIRST_GUESS) -> None:
        self._fast, self._slow, self._ttfb = Ewma(_FAST), Ewma(_SLOW), Ewma(_SLOW)
        self._guess = guess  # before any sample
        self.sampled = False

    def sample(self, seconds: float, size: int) -> None:
        """So many bytes came in this time."""
        if size <= 0:
            return
        seconds = max(seconds, min(_SHORTEST, size / _FASTEST))
        rate = 8 * size / seconds
        self._fast.sample(seconds, rate)
        self._slow.sample(seconds, rate)
        self.sampled = True

    def waited(self, seconds: float) -> None:
        """So long a first byte took."""
        self._ttfb.sample(sqrt(2) * exp(-(seconds**2) / 2), max(seconds, _LEAST_TTFB))

    @property
    def rate(self) -> float:
        """Bits per second: down at once, up slowly."""
        return min(self._fast.get(self._guess), self._slow.get(self._guess))

    @property
    def ttfb(self) -> float:
        return self._ttfb.get(_FIRST_TTFB)


class Fetch(NamedTuple):
    """A segment under way: of which level, how long it plays, how long ago it was asked for and its first byte came (0:
    it has not), and the bytes that are there."""

    level: int
    plays: float
    asked: float
    streaming: float
    received: int


class BitrateRule(Protocol):
    """Chooses levels, and says when a segment under way should be given up."""

    def next(self, buffered: float, plays: float, known: Sequence[bool], *, live: bool) -> int:
        """The level of the next segment, which plays so long, with so many seconds buffered; `known`: whose playlist is
        there."""

    def came(self, level: int, seconds: float, waited: float, size: int) -> None:
        """A segment of a level has come, `waited` seconds of it to its first byte."""

    def instead(self, fetch: Fetch, buffered: float, known: Sequence[bool], *, live: bool) -> int | None:
        """The level to which to go down rather than to wait for this; None: wait."""


class Throughput:
    """hls.js's rule. `first`: the level that the master playlist names first."""

    def __init__(self, levels: Sequence[Level], first: int = 0) -> None:
        self._levels = levels
        self._first = first
        self._bandwidth = Bandwidth()
        self._last: int | None = None  # the level whose segment came last
        self._playlist = 0.0  # seconds that the last playlist took to come, from its first byte on
        self._forced: int | None = None  # the next level, whatever the rule says, until a segment of it has come

    def playlist(self, seconds: float) -> None:
        """A playlist has come, so long after its first byte."""
        self._playlist = seconds

    def came(self, level: int, seconds: float, waited: float, size: int) -> None:
        bandwidth = self._bandwidth
        bandwidth.waited(waited)
        bandwidth.sample(seconds - min(waited, bandwidth.ttfb), size)
        self._last = level
        if level == self._forced:
            self._forced = None

    def next(self, buffered: float, plays: float, known: Sequence[bool], *, live: bool) -> int:
        if self._forced is not None:
            return self._forced
        if self._last is None or not self._bandwidth.sampled:
            found = self._best(_ONE, buffered / 2, _STARVATION, known, (1.0, 1.0), live=live)
            return self._first if found is None else found
        if buffered > 0:
            found = self._best(plays, buffered, 0.0, known, (_STAY, _UP), live=live)
            if found is not None:
                return found
        found = self._best(plays, buffered, min(plays, _STARVATION), known, (_STAY, _UP), live=live)
        return 0 if found is None else found

    def _best(
        self,
        plays: float,
        buffered: float,
        risk: float,
        known: Sequence[bool],
        factors: tuple[float, float],
        *,
        live: bool,
        rate: float | None = None,
        most: int | None = None,
    ) -> int | None:
        """The highest level, up to `most`, that the connection carries, and whose segment comes in time."""
        last, ttfb = self._first if self._last is None else self._last, self._bandwidth.ttfb
        rate = self._bandwidth.rate if rate is None else rate
        for number in range(len(self._levels) - 1 if most is None else most, -1, -1):
            level = self._levels[number]
            usable = rate * factors[number > last]
            bits = level.average if risk == 0 and buffered >= 2 * plays else level.bandwidth
            if usable < bits:
                continue
            takes = self._takes(usable, bits * plays, fresh=live or not known[number])
            if takes <= ttfb or live or takes < buffered + risk:
                return number
        return None

    def _takes(self, rate: float, bits: float, *, fresh: bool) -> float:
        ttfb = self._bandwidth.ttfb
        return ttfb + bits / rate + (ttfb + self._playlist if fresh else 0.0)

    def instead(self, fetch: Fetch, buffered: float, known: Sequence[bool], *, live: bool) -> int | None:
        bandwidth, levels = self._bandwidth, self._levels
        if fetch.level <= 0 or fetch.asked <= max(bandwidth.ttfb, fetch.plays / 2):
            return None
        size = max(fetch.received, round(fetch.plays * levels[fetch.level].average / 8))
        streaming = fetch.streaming
        if fetch.received and streaming < _ONE:
            streaming = min(fetch.asked, 8 * fetch.received / bandwidth.rate)
        rate = 8 * fetch.received / streaming if fetch.received else 0.0
        rest = 8 * (size - fetch.received) / rate if rate else 8 * size / bandwidth.rate + bandwidth.ttfb  # seconds
        if rest <= buffered:
            return None
        takes, lower = inf, fetch.level - 1
        while lower > 0:  # hls.js does not look at the lowest, so that from the one above it nothing leads down
            bits = fetch.plays * levels[lower].bandwidth
            takes = self._takes(rate or bandwidth.rate, bits, fresh=live or not known[lower])
            if takes < min(buffered, fetch.plays + bandwidth.ttfb):
                break
            lower -= 1
        if takes >= rest or takes > fetch.plays * _UNREASONABLE:
            return None
        if fetch.received:
            bandwidth.sample(fetch.asked - min(bandwidth.ttfb, fetch.asked - fetch.streaming), fetch.received)
        else:
            bandwidth.waited(fetch.asked)
        carried = levels[lower].bandwidth
        if bandwidth.rate * _UP > carried:
            self._bandwidth = Bandwidth(carried)
        found = self._affordable(carried, lower, fetch.plays, buffered, known, live=live)
        self._forced = lower if found is None else found
        if self._forced and rest > 2 * takes:
            found = self._affordable(levels[0].bandwidth, self._forced, fetch.plays, buffered, known, live=live)
            self._forced = found or 0
            self._bandwidth = Bandwidth(levels[self._forced].bandwidth)
        return self._forced

    def _affordable(
        self, rate: float, most: int, plays: float, buffered: float, known: Sequence[bool], *, live: bool
    ) -> int | None:
        """The highest level, up to `most`, whose segment comes at this rate before the buffer is empty."""
        return self._best(plays, 0.0, buffered, known, (1.0, 1.0), live=live, rate=rate, most=most)


class Bola:
    """BOLA-BASIC: by the buffer alone. With utilities of ln(bandwidth / lowest), the lowest level is left before the
    buffer is a third full, and the highest is chosen when it is nearly full."""

    _LOW = 1 / 3  # of the largest buffer: where the lowest level is worth nothing more

    def __init__(self, levels: Sequence[Level], most: float) -> None:
        self._utilities = [log(level.bandwidth / levels[0].bandwidth) + 1 for level in levels]
        self._sizes = [float(level.bandwidth) for level in levels]
        low, top = most * self._LOW, self._utilities[-1]
        self._gp = (top - 1) / (most / low - 1) if top > 1 else 1.0
        self._control = low / self._gp

    def next(self, buffered: float, plays: float, known: Sequence[bool], *, live: bool) -> int:
        def score(number: int) -> float:
            worth = self._control * (self._utilities[number] + self._gp - 1)
            return (worth - buffered) / self._sizes[number]

        return max(range(len(self._sizes)), key=score)

    def came(self, level: int, seconds: float, waited: float, size: int) -> None:
        """Nothing is learnt of it."""

    def instead(self, fetch: Fetch, buffered: float, known: Sequence[bool], *, live: bool) -> int | None:
        """BOLA-BASIC waits for what is under way."""
        return None
