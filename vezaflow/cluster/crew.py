"""Worker processes on the machines of a cluster, for the same coordinator that leads those of one machine.

Laws: each machine gets as many of the load's equal segments as it has workers, so that its share is exact and weighted
by its cores. All begin at one moment of all clocks, late enough that each has heard of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import trio

from vezaflow.cluster.links import RemoteLink
from vezaflow.cluster.machines import Conversation, Machines
from vezaflow.cluster.sealed import Message
from vezaflow.engine import worst
from vezaflow.metrics import merge_all
from vezaflow.scale import MachinePart, Report, WorkerLink

_LEAST_HEADSTART = 2.0  # seconds
_ROUND_TRIPS = 5


@dataclass(frozen=True, slots=True)
class CrewMember:
    """A machine, and which workers of the run are on it."""

    talk: Conversation
    workers: range


class ClusterCrew:
    """The workers of all machines. `files`: those of the suite, by their path from the folder that the run is started
    in. `weights`: how many workers each machine gets."""

    def __init__(self, machines: Machines, weights: Sequence[int], files: Mapping[str, bytes]) -> None:
        firsts = [1 + sum(weights[:at]) for at in range(len(weights))]
        self.members = tuple(
            [
                CrewMember(talk, range(first, first + weight))
                for talk, first, weight in zip(machines.conversations, firsts, weights, strict=True)
            ]
        )
        self.workers = sum(weights)
        self.delay = 1.0
        self.head_start = max(
            _LEAST_HEADSTART, _ROUND_TRIPS * max(member.talk.clock.round_trip for member in self.members)
        )
        self._files = files

    async def links(self) -> tuple[WorkerLink, ...]:
        """Start the processes; each machine gets the files before."""
        token = trio.lowlevel.current_trio_token()
        links: list[RemoteLink] = []
        for member in self.members:
            for path, content in self._files.items():
                member.talk.tell({"do": "file", "path": path, "content": content.hex()})
            mine = {number: RemoteLink(number, member.talk, {}) for number in member.workers}
            member.talk.heard = _Hear(mine, token)
            links.extend(mine.values())
        await trio.lowlevel.checkpoint()
        return tuple(links)

    def machines(self, reports: Mapping[int, Report]) -> tuple[MachinePart, ...]:
        """What each measured."""
        return tuple([_part(member, reports) for member in self.members])


def _part(member: CrewMember, reports: Mapping[int, Report]) -> MachinePart:
    mine = [reports[number] for number in member.workers if number in reports]
    workers = [worker for report in mine for worker in report.workers]
    return MachinePart(
        name=member.talk.name,
        address=member.talk.address,
        cores=member.talk.facts.cores,
        numbers=member.workers,
        clock_error=member.talk.clock.error,
        summary=merge_all(report.summary for report in mine),
        vitals=worst([worker.vitals for worker in workers]),
        lost="; ".join(worker.lost for worker in workers if worker.lost),
    )


class _Hear:
    """Brings what a machine says into trio's thread."""

    def __init__(self, links: Mapping[int, RemoteLink], token: trio.lowlevel.TrioToken) -> None:
        self._links = links
        self._token = token

    def __call__(self, message: Message) -> None:
        link = self._links.get(message["worker"])
        if link is not None:
            try:
                self._token.run_sync_soon(link.heard, message)
            except trio.RunFinishedError:
                pass  # the run is over
