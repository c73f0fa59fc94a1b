"""How long a VU waits, and waiting itself."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from vezaflow.diagnostics import Span
from vezaflow.engine.vu import VU
from vezaflow.plan import Constant, Evaluate, EvaluationError, show
from vezaflow.units import Dimension, parse_as

_ENDLESS = 1e12  # seconds: no clock goes so far
_FIRST_BACKOFF = 0.1  # seconds
Sleep = Callable[[float], Awaitable[None]]  # sleep until a moment of the clock


def pause_of(duration: Evaluate, span: Span, *, aside: bool = False) -> Callable[[VU], float]:
    """How long a pause is, in seconds: fixed, or drawn evenly from a range. `aside`: how often it is drawn depends on
    the target, and must change nothing else."""

    def chance(vu: VU) -> float:
        return (vu.random.aside if aside else vu.random).random()

    if isinstance(duration, Constant):
        low, high = _ends(duration.value, span)
        if low == high:
            return lambda _vu: low
        return lambda vu: low + (high - low) * chance(vu)

    def drawn(vu: VU) -> float:
        low, high = _ends(duration(vu), span)
        return low + (high - low) * chance(vu)

    return drawn


class FailureBackoff:
    """How far apart a VU's iterations begin while they fail one after another.

    One failure alone changes nothing: a share of failures is part of many a load. From the second on it is 100 ms, and
    twice as much each time, up to `most` (seconds). Of that half is drawn, so that users do not come back in step."""

    __slots__ = ("_most", "_random")

    def __init__(self, most: float, random: Random) -> None:
        self._most = most
        self._random = random

    def apart(self, failures: int) -> float:
        """From the start of an iteration that is the `failures`th failure in a row to the start of the next one."""
        if failures < 2:
            return 0.0
        whole = min(self._most, _FIRST_BACKOFF * 2.0 ** min(failures - 2, 64))
        return whole * (0.5 + self._random.random() / 2)


async def wait_until(moment: float, clock: Callable[[], float], sleep_until: Sleep) -> None:
    """Wait for a moment of the clock, however often the sleepers are woken early (because others were told to stop)."""
    await sleep_until(moment)
    while clock() < moment:
        await sleep_until(moment)


def _ends(value: Any, span: Span) -> tuple[float, float]:
    low, high = value if isinstance(value, tuple) else (value, value)
    return _seconds(low, span), _seconds(high, span)


def _seconds(end: Any, span: Span) -> float:
    if isinstance(end, str):  # `${random(1, 3)}s`
        try:
            end = parse_as(end, Dimension.TIME).amount
        except ValueError as e:
            raise EvaluationError(f"not a valid duration for a pause: {e}", span) from None
    if not isinstance(end, int | float) or isinstance(end, bool) or not 0 <= end < _ENDLESS:
        raise EvaluationError(f"expected a duration for a pause, got {show(end)}", span)
    return float(end)
