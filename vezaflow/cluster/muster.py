"""Before the load: what each machine of a cluster is, whether it can carry its part, and how far its clock is off.

Laws: what surely can't work is refused before anything is sent: another version of vezaflow, too little of something, a
target that can't be reached from there or is another one there, a file that can't be brought there. All machines are
reported, not only the first. `explain` shows what `run` refuses.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

from distributed import Client

from vezaflow import units
from vezaflow.cluster.address import ClusterAddress
from vezaflow.cluster.clusters import connected, workers_of
from vezaflow.cluster.crew import ClusterCrew
from vezaflow.cluster.facts import LOOK, MachineFacts, Reached, differences, facts, guarded, reached
from vezaflow.cluster.machines import Conversation, Machines
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.limits import MachineShare, checks, local_addresses
from vezaflow.model import Suite, file_paths
from vezaflow.plan import Bundle, Division, Plan, only_here, requests_of
from vezaflow.scale import LEAST_VUS
from vezaflow.syntax import Literal

_MOST_BYTES = 256 << 20  # of the suite's files: they pass through the memory of the scheduler
_LEFT_OUT = ("__pycache__", "node_modules")
_MOST_ERROR = 1.0  # seconds that a machine's start may be off the common moment,
_MOST_OF_LOAD = 0.1  # and of the load


class Cluster:
    """The machines that a scheduler leads to. It is connected to when they are first asked for, and until `stack` is
    closed."""

    def __init__(self, address: ClusterAddress, stack: ExitStack) -> None:
        self._address = address
        self._stack = stack
        self._client: Client | None = None
        self._said: set[str] = set()

    @contextmanager
    def crew(self, plan: Plan, bundle: Bundle, suite: Suite, say: Callable[[str], None]) -> Iterator[ClusterCrew]:
        """The workers of all machines that there are now, checked, for one load; they get the suite's files. Raises
        VezaflowError (REFUSED) where they can't carry it."""
        for refused, _ in only_here(plan):
            raise refused
        files = shipped(suite.root, bundle, _used(suite))
        with self._machines(bundle) as machines:
            shares = _shares(machines.conversations, plan, _places(plan))
            problems = [problem for share in shares for problem in share.problems]
            if problems:
                raise VezaflowError(
                    f"the cluster can't carry the load: {'; '.join(problems)}",
                    hint="`vezaflow explain` with the same `--cluster` shows what each machine lacks",
                    code=ExitCode.REFUSED,
                )
            for warning in dict.fromkeys(warning for share in shares for warning in share.warnings):
                if warning not in self._said:  # of another load before
                    self._said.add(warning)
                    say(warning)
            yield ClusterCrew(machines.conversations, [share.workers for share in shares], files)

    def shares(self, plan: Plan, bundle: Bundle, suite: Suite, *, reach: bool) -> tuple[MachineShare, ...]:
        """What each machine would carry of a load, without any. `reach`: see whether they can connect to the target.
        Raises VezaflowError (REFUSED) where there is no such cluster."""
        shipped(suite.root, bundle, _used(suite))
        with self._machines(bundle) as machines:
            return _shares(machines.conversations, plan, _places(plan) if reach else [])

    def _machines(self, bundle: Bundle) -> Machines:
        if self._client is None:
            self._client = self._stack.enter_context(connected(self._address, bundle.inputs.environment))
        return Machines(self._client, workers_of(self._client, self._address))


def _shares(found: Sequence[Conversation], plan: Plan, places: Sequence[tuple[str, int]]) -> tuple[MachineShare, ...]:
    mine = facts()
    here = reached(places, connect=False)
    weights = weighted([talk.facts for talk in found], plan.vus)
    shares, first = [], 0
    for talk, weight in zip(found, weights, strict=True):
        division = Division(sum(weights), None, range(first, first + weight))
        shares.append(_share(talk, plan, division, mine, here))
        first += weight
    return tuple(shares)


def _share(
    talk: Conversation, plan: Plan, division: Division, mine: MachineFacts, here: Sequence[Reached]
) -> MachineShare:
    troubles = list(differences(talk.facts, mine))
    notes: list[str] = []
    if not troubles:  # who is of another version may not understand what comes now
        talk.compare_clocks()
        troubles += _clock_troubles(talk.clock.error, plan.seconds)
        asked = {"places": [(each.host, each.port) for each in here], "addresses": list(local_addresses(plan))}
        reply = talk.ask({"do": "reach", **asked}, LOOK * len(here))
        troubles += [f"it does not have the local address {address}" for address in reply["missing"]]
        same = talk.facts.here == mine.here
        for its, ours in zip(map(Reached.from_json, reply["reached"]), here, strict=True):
            refused, note = guarded(ours, its, same_machine=same)
            troubles += [trouble for trouble in (refused or its.trouble,) if trouble]
            notes += [note] if note else []
    if not talk.facts.stamps:
        notes.append("its kernel does not stamp responses: there times include how late they are read")
    return MachineShare(
        name=talk.name,
        address=talk.address,
        cores=talk.facts.cores,
        workers=division.workers_here,
        of=division.workers,
        clock_error=talk.clock.error,
        stamps=talk.facts.stamps,
        vus=tuple((flow.name, division.here(flow.load.max_vus)) for flow in plan.flows),
        limits=checks(plan, talk.facts.machine, division),
        troubles=tuple(troubles),
        notes=tuple(notes),
    )


def _clock_troubles(error: float, seconds: float) -> Iterator[str]:
    most = min(_MOST_ERROR, _MOST_OF_LOAD * seconds)
    if error > most:
        shown, limit = units.duration(error), units.duration(most)
        yield f"its start may be off by {shown} (limit {limit}): the way there is too slow, or the load too short"


def weighted(facts: Sequence[MachineFacts], vus: int) -> tuple[int, ...]:
    """How many workers each machine gets: one for each core, shared by the Dask workers that are on one machine, and no
    more than there are VUs for."""
    together = Counter(each.here for each in facts)
    cores = [max(1, (each.cores or 1) // together[each.here]) for each in facts]
    sensible = max(len(facts), vus // LEAST_VUS)
    while sum(cores) > sensible and max(cores) > 1:
        cores[cores.index(max(cores))] -= 1
    return tuple(cores)


def _used(suite: Suite) -> Iterator[str]:
    """The files that a suite uses, by their path from its folder, where their names are known."""
    for path in file_paths(suite):
        if isinstance(path, Literal) and isinstance(path.value, str):
            yield path.value


def shipped(root: Path, bundle: Bundle, used: Iterable[str] = ()) -> dict[str, bytes]:
    """The files of a suite, by their path from the current folder; those of the bundle travel in it. What begins with
    a dot stays here, but for what the suite uses. VezaflowError (REFUSED): other machines can't have them at the same
    place, or not so much."""
    here = Path.cwd()
    outside = [path for path, _ in bundle.files if Path(path).is_absolute() or ".." in Path(path).parts]
    if outside:
        raise VezaflowError(
            f"{outside[0]} is outside the current folder, so that other machines can't have it at the same place",
            hint="start the run in the folder that holds the suite, with relative paths",
            code=ExitCode.REFUSED,
        )
    texts = {Path(path) for path, _ in bundle.files}
    found: dict[str, bytes] = {}
    total = 0
    for file in chain(_files(root), (Path(os.path.normpath(root / name)) for name in used)):
        path = file.absolute().relative_to(here.absolute())
        if path in texts or path.as_posix() in found or not file.is_file():
            continue
        try:
            total += file.stat().st_size
            content = file.read_bytes() if total <= _MOST_BYTES else b""
        except OSError as e:
            raise _unreadable(e, file) from None
        if total > _MOST_BYTES:
            raise VezaflowError(
                f"the files in {root} are more than {units.size(_MOST_BYTES)}: too much to send to machines",
                hint="keep in the suite's folder only what its flows use",
                code=ExitCode.REFUSED,
            )
        found[path.as_posix()] = content
    return found


def _unreadable(e: OSError, file: Path) -> VezaflowError:
    return VezaflowError(
        f"{file} can't be read: {e.strerror}",
        hint="the machines get all files of the suite: make it readable, or keep it outside the suite's folder",
        code=ExitCode.REFUSED,
    )


def _files(root: Path) -> Iterator[Path]:
    def refuse(e: OSError) -> None:
        if not isinstance(e, FileNotFoundError):  # what is gone is no file of the suite
            raise _unreadable(e, Path(e.filename)) from None

    for folder, folders, names in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if name not in _LEFT_OUT and not name.startswith(".")]
        yield from (path for name in names if not name.startswith(".") if (path := Path(folder, name)).is_file())


def _places(plan: Plan) -> list[tuple[str, int]]:
    """Where the flows' first requests go, as far as it is known."""
    requests = (next(requests_of((*flow.login, *flow.steps)), None) for flow in plan.flows)
    origins = {request.forecast.origin for request in requests if request is not None}
    return sorted({(origin.host, origin.port) for origin in origins if origin is not None})
