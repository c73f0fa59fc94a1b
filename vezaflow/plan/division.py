"""Who carries which part of a load: this machine's segment of it, and so many processes for that. Made once, from the
command line, and handed down.
"""

from dataclasses import dataclass

from vezaflow.plan.pacing import WHOLE, Segment


@dataclass(frozen=True, slots=True)
class Division:
    """`part`: the segment that was asked for, whose result is merged with others; None: the whole load is here."""

    workers: int = 1
    part: Segment | None = None

    @property
    def segment(self) -> Segment:
        """What of the load is this machine's."""
        return self.part or WHOLE

    @property
    def happens(self) -> bool:
        """Whether the events of the suite are carried out here: once, however many segments there are."""
        return self.part is None or self.part.index == 0

    @property
    def parts(self) -> tuple[Segment, ...]:
        """The segment of each process: together they are exactly this machine's."""
        first, step = self.segment.index, self.segment.count
        return tuple(Segment(first + step * number, step * self.workers) for number in range(self.workers))

    def here(self, total: int) -> int:
        """How many of all VUs are this machine's."""
        return self.segment.share(total)

    def in_one(self, total: int) -> int:
        """How many of them the process has that has most."""
        return Segment(self.segment.index, self.segment.count * self.workers).share(total)
