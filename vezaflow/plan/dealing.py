"""Which row comes next: pure iterables of row numbers, no clock, no feedback, no talk between processes.

All that is dealt in turns stands in one line of places, from 0 on. A segment has the places that its Segment gives it,
so what the segments deal together is what the whole deals: each row once in every pass, and of rows that are dealt once
each exactly once, however many processes and machines there are.
"""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import count
from random import Random

from vezaflow.model import RowPick
from vezaflow.plan.pacing import WHOLE, Segment

_IN_MEMORY = 1_000  # rows: so many are shuffled in under a millisecond
_ROUNDS = 4


def dealt(pick: RowPick, total: int, *, wraps: bool, seed: str, segment: Segment = WHOLE) -> Iterator[int]:
    """The numbers (from 0) of a segment's rows, of `total` rows; without `wraps` until all are dealt."""
    first, step = segment.index, segment.count
    places = count(first, step) if wraps else iter(range(first, total, step))
    if pick is RowPick.SHUFFLE:
        return _shuffled(places, total, seed)
    return (place % total for place in places)


def row_of_vu(number: int, total: int, *, wraps: bool) -> int | None:
    """The row of the VU of this number (from 1); None if there is none for it."""
    return (number - 1) % total if wraps or number <= total else None


def _shuffled(places: Iterator[int], total: int, seed: str) -> Iterator[int]:
    order, turn = shuffled(total, f"{seed}:0"), 0
    for place in places:
        if place // total != turn:
            turn = place // total
            order = shuffled(total, f"{seed}:{turn}")
        yield order(place % total)


def shuffled(total: int, seed: str) -> Callable[[int], int]:
    """A permutation of 0 … total - 1 as a function, so that a million rows take no memory and no pause.

    Few numbers are shuffled. Of many, a Feistel network permutes those of the next even count of bits; what leaves the
    range walks on until it is back (cycle walking: Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).
    """
    if total <= _IN_MEMORY:
        order = list(range(total))
        Random(seed).shuffle(order)
        return order.__getitem__
    half = ((total - 1).bit_length() + 1) // 2
    mask = (1 << half) - 1
    digest = blake2b(seed.encode(), digest_size=8 * 2 * _ROUNDS).digest()
    words = [int.from_bytes(digest[at : at + 8], "little") for at in range(0, len(digest), 8)]
    keys = tuple(zip(words[::2], (word | 1 for word in words[1::2]), strict=True))

    def permuted(number: int) -> int:
        while True:
            left, right = number >> half, number & mask
            for key, factor in keys:
                mixed = ((right + 1) * factor ^ key) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
                left, right = right, left ^ (mixed >> 29 & mask)
            number = left << half | right
            if number < total:
                return number

    return permuted
