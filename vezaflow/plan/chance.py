"""A VU's random numbers.

Law: what an iteration draws follows from the seed, the VU and the iteration's number alone, whatever the target did in
the iterations before: each has the same number of draws of the VU's generator, and those that it leaves are passed over
when the next one first draws. (To seed a generator anew each time would cost 4 µs; this costs 0.5 for the first draw of
an iteration, 0.1 for the others.) After some iterations it is seeded anew, so that none has to pass over many. What
waits for a target, between two attempts, draws `aside`.
"""

from random import Random

_DRAWS = 8  # of 64 bits: what most iterations draw. Who draws more has a generator of its own, seeded by one of them
_EPOCH = 6  # after 2^6 turns the generator is seeded anew
_random, _bits = Random.random, Random.getrandbits  # of the generator itself: `random` takes 64 bits of it, too

Mark = tuple[object, int, "tuple[object, ...] | None"]


class Chance(Random):
    """See the module. `turn`: 0 before the first iteration, then that of the iteration, from 1."""

    def __init__(self, seed: int | str) -> None:
        super().__init__(seed)
        self._seed = seed
        self._base = seed if isinstance(seed, int) else _bits(self, 64)
        if isinstance(seed, str):
            self.seed(self._base)
        self.turn = self._at = self._epoch = 0  # `_at`: the turn whose draws these are
        self._left = _DRAWS
        self._further: Random | None = None
        self._aside: Random | None = None

    def random(self) -> float:
        if self.turn != self._at:
            self._begin()
        if self._left < 2:
            return self._beyond().random()
        self._left -= 1
        return _random(self)

    def getrandbits(self, k: int, /) -> int:
        if self.turn != self._at:
            self._begin()
        draws = (k + 63) >> 6
        if self._left <= draws:
            return self._beyond().getrandbits(k)
        self._left -= draws
        return _bits(self, draws << 6) >> ((draws << 6) - k)

    @property
    def aside(self) -> Random:
        """For what is drawn as often as the target makes it necessary: it takes nothing from the rest."""
        if self._aside is None:
            self._aside = Random(~super().getstate()[1][0])
        return self._aside

    def branch(self) -> "Chance":
        """Chance of its own for what goes on by itself in this turn: however much that draws, it takes one number of
        this."""
        return Chance(self.getrandbits(64))._from(self.turn)

    def last(self) -> "Chance":
        """For what comes after the last iteration, however many there were."""
        return Chance(f"{self._seed}:last")._from(self.turn)

    def _from(self, turn: int) -> "Chance":
        self.turn = self._at = turn
        self._epoch = turn >> _EPOCH
        return self

    def mark(self) -> Mark:
        """Where it is within its turn."""
        if self.turn != self._at:
            self._begin()
        return super().getstate(), self._left, None if self._further is None else self._further.getstate()

    def back(self, mark: Mark) -> None:
        """Go back to where it was in this turn."""
        state, self._left, further = mark
        super().setstate(state)  # type: ignore[arg-type]
        if further is None:
            self._further = None
        elif self._further is not None:
            self._further.setstate(further)

    def _beyond(self) -> Random:
        """What an iteration draws from that draws more than its share: seeded by the last of its own."""
        if self._further is None:
            if self._left > 1:
                _bits(self, (self._left - 1) << 6)
            self._further = Random(_bits(self, 64))
            self._left = 0
        return self._further

    def _begin(self) -> None:
        """Pass over what the turns before have left."""
        epoch = self.turn >> _EPOCH
        if epoch != self._epoch:
            self.seed(self._base + epoch)
            self._at, self._left, self._epoch = epoch << _EPOCH, _DRAWS, epoch
            if self.turn == self._at:
                self._further = None
                return
        left = self._left + _DRAWS * (self.turn - self._at - 1)
        if left:
            _bits(self, left << 6)
        self._at, self._left, self._further = self.turn, _DRAWS, None
