"""A machine of several that carry one load: what of it is this machine's, and whether it can carry that."""

from collections.abc import Iterator
from dataclasses import dataclass

from vezaflow.limits.checks import Check, Enough


@dataclass(frozen=True, slots=True)
class MachineShare:
    """One machine. `clock_error`: how far, in seconds, its start may be off the common moment. `stamps`: whether its
    kernel stamps responses. `vus`: of each flow, at most. `troubles`: why it can't take part; `notes`: what is to be
    known, a sentence each."""

    name: str
    address: str
    cores: int | None
    workers: int
    of: int  # workers of all machines
    clock_error: float
    stamps: bool
    vus: tuple[tuple[str, int], ...]
    limits: tuple[Check, ...]
    troubles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def fraction(self) -> float:
        """Of the load."""
        return self.workers / self.of

    @property
    def problems(self) -> Iterator[str]:
        """Why it can't carry its part, a sentence each, with the machine's name."""
        for check in self.limits:
            if check.enough is Enough.NO:
                yield f"{self.name}: {check.sentence}; to fix: {check.remedy}"
        yield from (f"{self.name}: {trouble}" for trouble in self.troubles)

    @property
    def warnings(self) -> Iterator[str]:
        """What is nearly used up there, and what else is to be known."""
        yield from (f"{self.name}: {check.warning}" for check in self.limits if check.warning)
        yield from (f"{self.name}: {note}" for note in self.notes)
