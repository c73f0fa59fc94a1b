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
_SHORTEST = 0.05  # seconds: no sample counts as shorter
_FIRST_GUESS = 500_000.0  # bits per second (abrEwmaDefaultEstimate)
_FIRST_TTFB = 0.1  # seconds
_LEAST_TTFB = 0.005
_STAY, _UP = 0.95, 0.7  # of the estimate (abrBandWidthFactor, abrBandWidthUpFactor)
_STARVATION = 4.0  # seconds of rebuffering that a choice may risk at most (maxStarvationDelay)
_LOADING = 4.0  # seconds that the first two fetches may take (maxLoadingDelay)
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

    __slots__ = ("_fast", "_slow", "_ttfb")

    def __init__(self) -> None:
        self._fast, self._slow, self._ttfb = Ewma(_FAST), Ewma(_SLOW), Ewma(_SLOW)

    def sample(self, seconds: float, size: int) -> None:
        """So many bytes came in this time."""
        seconds = max(seconds, _SHORTEST)
        rate = 8 * size / seconds
        self._fast.sample(seconds, rate)
        self._slow.sample(seconds, rate)

    def waited(self, seconds: float) -> None:
        """So long a first byte took."""
        self._ttfb.sample(sqrt(2) * exp(-(seconds**2) / 2), max(seconds, _LEAST_TTFB))

    @property
    def rate(self) -> float:
        """Bits per second: down at once, up slowly."""
        return min(self._fast.get(_FIRST_GUESS), self._slow.get(_FIRST_GUESS))

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
    """hls.js's rule. The first segment is fetched in the lowest level to measure the connection, and again in the one
    that is then chosen (`testBandwidth`)."""

    def __init__(self, levels: Sequence[Level]) -> None:
        self._levels = levels
        self._bandwidth = Bandwidth()
        self._last: int | None = None  # the level whose segment came last
        self._test = 0.0  # seconds that the test took, until the next segment has come
        self._playlist = 0.0  # seconds that the last playlist took
        self._cap: int | None = None  # what an abandoned segment leaves

    def tested(self, seconds: float, waited: float, size: int) -> None:
        """The first segment has come in the lowest level."""
        self.came(0, seconds, waited, size)
        self._test = seconds

    def playlist(self, seconds: float) -> None:
        """A playlist has come."""
        self._playlist = seconds

    def came(self, level: int, seconds: float, waited: float, size: int) -> None:
        bandwidth = self._bandwidth
        bandwidth.waited(waited)
        bandwidth.sample(seconds - min(waited, bandwidth.ttfb), size)
        self._last, self._test, self._cap = level, 0.0, None

    def next(self, buffered: float, plays: float, known: Sequence[bool], *, live: bool) -> int:
        found = self._choose(buffered, plays, known, live=live)
        return found if self._cap is None else min(found, self._cap)

    def _choose(self, buffered: float, plays: float, known: Sequence[bool], *, live: bool) -> int:
        if buffered > 0:
            found = self._best(plays, buffered, 0.0, known, (_STAY, _UP), live=live)
            if found is not None:
                return found
        risk, factors = min(plays, _STARVATION), (_STAY, _UP)
        if buffered <= 0 and self._test:
            risk, factors = min(plays, _LOADING) - self._test, (1.0, 1.0)
        found = self._best(plays, buffered, risk, known, factors, live=live)
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
    ) -> int | None:
        """The highest level that the connection carries, and whose segment comes in time."""
        last, rate, ttfb = self._last or 0, self._bandwidth.rate, self._bandwidth.ttfb
        for number in range(len(self._levels) - 1, -1, -1):
            level = self._levels[number]
            usable = rate * factors[number > last]
            bits = level.average if risk == 0 and buffered >= 2 * plays else level.bandwidth
            if usable < bits:
                continue
            takes = self._takes(usable, bits * plays, fresh=not known[number])
            if takes <= ttfb or (live and not self._test) or takes < buffered + risk:
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
        rate = 8 * fetch.received / fetch.streaming if fetch.received and fetch.streaming > 0 else 0.0
        rest = (
            8 * (size - fetch.received) / rate if rate else 8 * size / bandwidth.rate + bandwidth.ttfb
        )  # seconds until it would be there
        if rest <= buffered:
            return None
        carries, takes, lower = rate or bandwidth.rate, inf, fetch.level - 1
        while lower > 0:  # nor does hls.js look at the lowest, so that from the one above it nothing is given up
            takes = self._takes(carries, fetch.plays * levels[lower].bandwidth, fresh=live or not known[lower])
            if takes < min(buffered, fetch.plays + bandwidth.ttfb):
                break
            lower -= 1
        if takes >= rest or takes > fetch.plays * _UNREASONABLE:
            return None
        if rate:
            bandwidth.sample(fetch.asked - min(bandwidth.ttfb, fetch.asked - fetch.streaming), fetch.received)
        else:
            bandwidth.waited(fetch.asked)
        self._cap = lower
        return lower


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
