"""A VU's random numbers.

Law: what an iteration draws follows from the seed, the VU and the iteration's number alone, whatever the target did in
the iterations before: each has a block of bits of its own, cut from the VU's generator when it first draws. (To seed a
generator anew each time would cost 4 µs; this costs 0.15 and a Python call a draw.) What waits for a target, between
two attempts, draws `aside`.
"""

from random import Random

_BLOCK = 512  # bits: what most iterations draw. Who draws more has a generator of its own, seeded by the block
_UNIT = 2.0**-53

Mark = tuple[int, int, "tuple[object, ...] | None"]


class Chance(Random):
    """See the module. `turn`: 0 before the first iteration, then that of the iteration, from 1."""

    def __init__(self, seed: int | str) -> None:
        super().__init__(seed)
        self._seed = seed
        self.turn = 0
        self._at = -1  # the turn whose block this is
        self._block = 0
        self._bits = 0
        self._left = 0
        self._further: Random | None = None
        self._aside: Random | None = None

    def getrandbits(self, k: int, /) -> int:
        if self.turn != self._at:
            self._begin()
        if k > self._left:
            if self._further is None:
                self._further = Random(self._block)
            return self._further.getrandbits(k)
        value = self._bits & ((1 << k) - 1)
        self._bits >>= k
        self._left -= k
        return value

    def random(self) -> float:
        return self.getrandbits(53) * _UNIT

    @property
    def aside(self) -> Random:
        """For what is drawn as often as the target makes it necessary: it takes nothing from the rest."""
        if self._aside is None:
            self._aside = Random(~super().getstate()[1][0])
        return self._aside

    def branch(self) -> "Chance":
        """Chance of its own for what goes on by itself: however much that draws, it takes one number of this."""
        return Chance(self.getrandbits(64))

    def last(self) -> "Chance":
        """For what comes after the last iteration, however many there were."""
        return Chance(f"{self._seed}:last")

    def mark(self) -> Mark:
        """Where it is within its turn."""
        if self.turn != self._at:
            self._begin()
        return self._bits, self._left, None if self._further is None else self._further.getstate()

    def back(self, mark: Mark) -> None:
        """Go back to where it was in this turn."""
        self._bits, self._left, further = mark
        if further is None:
            self._further = None
        elif self._further is not None:
            self._further.setstate(further)

    def _begin(self) -> None:
        self._further = None
        while self._at < self.turn:
            self._block = self._bits = super().getrandbits(_BLOCK)
            self._at += 1
        self._left = _BLOCK
