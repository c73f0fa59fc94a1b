"""Who carries which part of a load: this machine's segment of it, and so many processes for that. Made once, from the
command line, and handed down.
"""

from dataclasses import dataclass

from vezaflow.plan.pacing import WHOLE, Segment


@dataclass(frozen=True, slots=True)
class Division:
    """`part`: the segment that was asked for, whose result is merged with others; None: the whole load is here.
    `among`: which of the workers, from 0, are on the machine in question; None: all."""

    workers: int = 1
    part: Segment | None = None
    among: range | None = None

    @property
    def workers_here(self) -> int:
        """How many of the workers are on this machine."""
        return self.workers if self.among is None else len(self.among)

    @property
    def segment(self) -> Segment:
        """What of the load is this machine's."""
        return self.part or WHOLE

    @property
    def happens(self) -> bool:
        """Whether the events of the suite are carried out here, and the server's figures read: once, however many
        segments there are."""
        return self.part is None or self.part.index == 0

    @property
    def parts(self) -> tuple[Segment, ...]:
        """The segment of each process: together they are exactly this machine's."""
        first, step = self.segment.index, self.segment.count
        across = step if self.workers > 1 else 1
        return tuple(Segment(first + step * number, step * self.workers, across) for number in range(self.workers))

    def here(self, total: int) -> int:
        """How many of all VUs are this machine's."""
        if self.among is None:
            return self.segment.share(total)
        return sum(self.parts[number].share(total) for number in self.among)

    def in_one(self, total: int) -> int:
        """How many of them the process has that has most."""
        return Segment(self.segment.index, self.segment.count * self.workers).share(total)
