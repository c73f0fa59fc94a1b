"""Worker processes on the machines of a cluster, for the same coordinator that leads those of one machine.

Laws: each machine gets as many of the load's equal segments as it has workers, so that its share is exact and weighted
by its cores. All begin at one moment of all clocks, late enough that each has heard of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import trio

from vezaflow.cluster.facts import facts
from vezaflow.cluster.links import RemoteLink
from vezaflow.cluster.machines import Conversation
from vezaflow.cluster.sealed import Message
from vezaflow.engine import worst
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.limits import Enough, connection_checks
from vezaflow.metrics import merge_all
from vezaflow.plan import Division, Plan
from vezaflow.scale import MachinePart, Report, WorkerLink

_LEAST_HEADSTART = 2.0  # seconds
_ROUND_TRIPS = 5
_PIECE = 4 << 20  # bytes of a file that go together: between two, a machine hears that the coordinator is there
_LEAST_PIECE = 64 << 10
_PIECE_LIMIT = 60.0  # seconds for it on a slow link
_TOGETHER = 64 << 20  # that are on their way to all machines at the same time


@dataclass(frozen=True, slots=True)
class CrewMember:
    """A machine, and which workers of the run are on it."""

    talk: Conversation
    workers: range


def in_pieces(files: Mapping[str, bytes], most: int) -> Iterator[Message]:
    """The orders that give a machine some files, each with so many bytes at most. An empty file is one piece."""
    for path, content in files.items():
        for start in range(0, len(content) or 1, most):
            piece = content[start : start + most].hex()
            yield {"do": "file", "path": path, "content": piece, "more": start > 0}


def _give(talk: Conversation, orders: Sequence[Message], most: int) -> None:
    """Give a machine its files, and go on when it has what is on its way: the scheduler's memory never holds more."""
    given = 0
    for number, order in enumerate(orders, 1):
        talk.tell(order)
        given += len(order["content"]) // 2
        if given >= most or number == len(orders):
            talk.ask({"do": "time", "asked": 0.0}, _PIECE_LIMIT)
            given = 0


class ClusterCrew:
    """The workers of all machines. `files`: those of the suite, by their path from the folder that the run is started
    in. `weights`: how many workers each machine gets."""

    def __init__(
        self, conversations: Sequence[Conversation], weights: Sequence[int], files: Mapping[str, bytes]
    ) -> None:
        firsts = [1 + sum(weights[:at]) for at in range(len(weights))]
        self.members = tuple(
            [
                CrewMember(talk, range(first, first + weight))
                for talk, first, weight in zip(conversations, firsts, weights, strict=True)
            ]
        )
        self.workers = sum(weights)
        mine = facts().here
        self.here = sum(len(member.workers) for member in self.members if member.talk.facts.here == mine)
        self.delay = 1.0
        self.head_start = max(
            _LEAST_HEADSTART, _ROUND_TRIPS * max(member.talk.clock.round_trip for member in self.members)
        )
        self._files = files

    async def links(self) -> tuple[WorkerLink, ...]:
        """Start the processes; each machine gets the files before."""
        token = trio.lowlevel.current_trio_token()
        links: list[RemoteLink] = []
        await self._give_files()
        for member in self.members:
            mine = {number: RemoteLink(number, member.talk, {}) for number in member.workers}
            member.talk.heard = _Hear(mine, token)
            links.extend(mine.values())
        return tuple(links)

    async def _give_files(self) -> None:
        most = max(_LEAST_PIECE, min(_PIECE, _TOGETHER // len(self.members)))
        orders = tuple(in_pieces(self._files, most))  # made once: their texts are the same for all machines
        failed: list[VezaflowError] = []

        async def give(talk: Conversation) -> None:
            try:
                await trio.to_thread.run_sync(_give, talk, orders, most, abandon_on_cancel=True)
            except VezaflowError as e:
                if not talk.lost:  # that is seen by its workers, as at any other time before the load
                    failed.append(e)

        async with trio.open_nursery() as nursery:
            for member in self.members:
                nursery.start_soon(give, member.talk)
        if failed:
            raise failed[0]

    def machines(self, reports: Mapping[int, Report]) -> tuple[MachinePart, ...]:
        """What each measured."""
        return tuple([_part(member, reports) for member in self.members])

    def require(self, plan: Plan) -> None:
        """Raise VezaflowError (REFUSED) with what each machine has too little of for a plan's connections."""
        lacking = [each for member in self.members for each in _lacking(member, plan, self.workers)]
        if lacking:
            raise VezaflowError(f"the cluster can't carry the load: {'; '.join(lacking)}", code=ExitCode.REFUSED)


def _lacking(member: CrewMember, plan: Plan, workers: int) -> Iterator[str]:
    among = range(member.workers.start - 1, member.workers.stop - 1)
    for check in connection_checks(plan, member.talk.facts.machine, Division(workers, None, among)):
        if check.enough is Enough.NO:
            yield f"{member.talk.name}: {check.sentence}; to fix: {check.remedy}"


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
