"""When a flow had a success: one bit for each tenth of a second of the load, so that the longest gap without one can be
told afterwards, wherever it lay.

Laws: bits of several workers are joined without loss. What is known of a gap is known to a slot: it is up to one slot
longer or shorter than the time between the two responses. A success is a request of an iteration that did not fail.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor

from vezaflow.metrics.rows import FieldRule, SummaryRow, figure

SLOT = 0.1  # seconds
_MOST = 1 << 21  # bytes: nineteen days


def _written(slots: int) -> str:
    """Mostly the same bit over and over: an hour is some 50 characters."""
    return b64encode(zlib.compress(slots.to_bytes((slots.bit_length() + 7) // 8, "little"), 1)).decode()


def _read(text: str) -> int:
    """ValueError: it is something else."""
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(b64decode(text, validate=True), _MOST)
    except zlib.error as e:
        raise ValueError(f"not the moments of successes: {e}") from None
    return int.from_bytes(data, "little")


_SLOTS = FieldRule(str, lambda mine, theirs: mine | theirs, write=_written, read=_read)


@dataclass(slots=True, eq=True)
class Successes(SummaryRow):
    """The row of a flow: the slots of the load, the first one in the lowest bit."""

    slots: int = figure(_SLOTS, 0)

    def moved(self, seconds: float) -> "Successes":
        """The same by a clock that is so many seconds ahead; what lies before its begin is left out."""
        moved = round(seconds / SLOT)
        if moved >= _MOST * 8:
            return Successes()
        return Successes(self.slots << moved if moved >= 0 else self.slots >> -moved)

    def gaps(self, begin: float, end: float, life: tuple[float, float]) -> Iterator[float]:
        """The times without a success, in seconds, that touch those from `begin` to `end`; of `life` alone. A success
        within the same slot may have come before or after: the times on both of its sides touch."""
        first, last = floor(life[0] / SLOT), ceil(life[1] / SLOT)
        a, b = max(first, floor(begin / SLOT)), min(last, floor(end / SLOT) + 1)
        if a >= b:
            return
        text = format(self.slots, "b")[::-1].ljust(last, "0")
        at = max(text.rfind("1", first, a), first - 1)
        while at < b:
            found = text.find("1", at + 1, last)
            after = last if found < 0 else found
            yield (after - at) * SLOT
            at = after


class SuccessRecorder:
    """Takes in one flow's successes."""

    __slots__ = ("_slots", "_started")

    def __init__(self, started: float) -> None:
        self._slots = 0
        self._started = started

    def begin(self, now: float) -> None:
        """Times count from here."""
        self._slots, self._started = 0, now

    def succeeded(self, now: float) -> float:
        """There was a success. Returns from when on the next one matters."""
        slot = max(0, int((now - self._started) / SLOT))
        self._slots |= 1 << slot
        return self._started + (slot + 1) * SLOT

    def fold_into(self, row: Successes) -> None:
        row.slots |= self._slots
        self._slots = 0
