"""What went with workers that were lost: of which machine they were, and which part of which flow was theirs.

Laws: a machine is named once, however many workers it had, and only if it lost them all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from vezaflow import units
from vezaflow.plan import Division, PlannedFlow
from vezaflow.scale.machines import MachinePart
from vezaflow.scale.report import WorkerState


@dataclass(frozen=True, slots=True)
class Loss:
    """A machine that was lost, or one of its workers. `text`: how; `missing`: its part of the load, in words; empty:
    it had none, or that is not known."""

    text: str
    missing: str


def losses(
    flows: Sequence[PlannedFlow],
    workers: Sequence[WorkerState],
    division: Division | None,
    machines: Sequence[MachinePart] = (),
) -> Iterator[Loss]:
    """Who of the workers was lost. `division`: among whom the load was divided; None: that is not known."""
    gone = [part for part in machines if all(workers[number - 1].lost for number in part.numbers)]
    for part in gone:
        text = f"the machine {part.name} ({part.address}) was lost: {workers[part.numbers.start - 1].lost}"
        yield Loss(text, _missing_of(flows, division, range(part.numbers.start - 1, part.numbers.stop - 1)))
    with_machine = {number for part in gone for number in part.numbers}
    for number, worker in enumerate(workers, 1):
        if worker.lost and number not in with_machine:
            yield Loss(worker.lost, _missing_of(flows, division, range(number - 1, number)))


def _missing_of(flows: Iterable[PlannedFlow], division: Division | None, among: range) -> str:
    """Which part of which flow went with these workers, from 0."""
    if division is None:
        return ""
    theirs = replace(division, among=among)
    parts = []
    for flow in flows:
        if flow.load.is_open:
            able = [part.share(flow.load.max_vus) > 0 for part in division.parts]  # who has no VU starts nothing
            if lost := sum(able[number] for number in among):
                parts.append(f"{units.ratio(lost / sum(able))} of the starts of {flow.name}")
        elif vus := theirs.here(flow.load.max_vus):
            parts.append(f"{vus:,} of {units.counted(division.segment.share(flow.load.max_vus), 'VU')} of {flow.name}")
    return " and ".join(parts)
