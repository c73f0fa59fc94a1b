"""Before the load: what each machine of a cluster is, whether it can carry its share, and how far its clock is off.

Laws: what surely can't work is refused before anything is sent: another version of vezaflow, too little of something, a
target that can't be reached from there, a file that can't be brought there. All machines are told, not only the first.
"""

import os
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from vezaflow import __version__, units
from vezaflow.cluster.clusters import ClusterAddress, connected
from vezaflow.cluster.crew import ClusterCrew
from vezaflow.cluster.facts import Facts
from vezaflow.cluster.machines import Conversation, Machines
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.limits import Enough, checks
from vezaflow.plan import Bundle, Division, Plan, requests_of
from vezaflow.scale import LEAST_VUS

_MOST_BYTES = 256 << 20  # of the suite's files: they pass through the memory of the scheduler
_HIDDEN = (".git", ".venv", "__pycache__", "node_modules")


@contextmanager
def mustered(
    address: ClusterAddress,
    plan: Plan,
    bundle: Bundle,
    root: Path,
    say: Callable[[str], None],
    *,
    insecure: bool = False,
) -> Iterator[ClusterCrew]:
    """The workers of all machines of a cluster, checked. `root`: the suite's folder, whose files they get. Raises
    VezaflowError (REFUSED) where they can't carry the load."""
    files = shipped(root, bundle)
    with connected(address, insecure=insecure) as (client, workers), Machines(client, workers) as machines:
        found = machines.conversations
        _require([problem for talk in found for problem in _unlike(talk)])
        for talk in found:
            talk.compare_clocks()
        weights = weighted([talk.facts for talk in found], plan.vus)
        crew = ClusterCrew(machines, weights, files)
        division = Division(crew.workers)
        problems = []
        for member in crew.members:
            facts = member.talk.facts
            share = Division(crew.workers, None, range(member.workers.start - 1, member.workers.stop - 1))
            for check in checks(plan, facts.machine, share):
                if check.enough is Enough.NO:
                    problems.append(f"{facts.name}: {check.sentence}; to fix: {check.remedy}")
                elif check.warning:
                    say(f"{facts.name}: {check.warning}")
            unreachable = member.talk.ask({"do": "reach", "places": _places(plan)})["unreachable"]
            problems += [f"{facts.name} can't reach the target {line}" for line in unreachable]
        _require(problems)
        assert division.workers == crew.workers
        yield crew


def weighted(facts: Sequence[Facts], vus: int) -> tuple[int, ...]:
    """How many workers each machine gets: one for each core, shared by the Dask workers that are on one machine, and no
    more than there are VUs for."""
    together = Counter(each.here for each in facts)
    cores = [max(1, (each.cores or 1) // together[each.here]) for each in facts]
    sensible = max(len(facts), vus // LEAST_VUS)
    while sum(cores) > sensible and max(cores) > 1:
        cores[cores.index(max(cores))] -= 1
    return tuple(cores)


def shipped(root: Path, bundle: Bundle) -> dict[str, bytes]:
    """The files of a suite, by their path from the current folder; those of the bundle travel in it."""
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
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _HIDDEN]
        for name in names:
            path = Path(folder, name).absolute().relative_to(here.absolute())
            if path in texts or not path.is_file():
                continue
            total += path.stat().st_size
            if total > _MOST_BYTES:
                raise VezaflowError(
                    f"the files in {root} are more than {units.size(_MOST_BYTES)}: too much to send to machines",
                    hint="keep in the suite's folder only what its flows use",
                    code=ExitCode.REFUSED,
                )
            found[path.as_posix()] = path.read_bytes()
    return found


def _unlike(talk: Conversation) -> Iterator[str]:
    """What of a machine's software differs from this one's."""
    mine = {"vezaflow": __version__, "Python": platform.python_version(), "Dask": version("dask")}
    theirs = {"vezaflow": talk.facts.vezaflow, "Python": talk.facts.python, "Dask": talk.facts.dask}
    for name, here in mine.items():
        there = theirs[name]
        if name == "Python":  # a patch release is alike
            here, there = here.rpartition(".")[0], there.rpartition(".")[0]
        if here != there:
            yield f"{talk.facts.name} has {name} {there}, and this machine {here}"


def _places(plan: Plan) -> list[tuple[str, int]]:
    """Where the flows' first requests go, as far as it is known."""
    requests = (next(requests_of((*flow.login, *flow.steps)), None) for flow in plan.flows)
    origins = {request.forecast.origin for request in requests if request is not None}
    return sorted({(origin.host, origin.port) for origin in origins if origin is not None})


def _require(problems: Sequence[str]) -> None:
    if problems:
        raise VezaflowError(f"the cluster can't carry the load: {'; '.join(problems)}", code=ExitCode.REFUSED)
