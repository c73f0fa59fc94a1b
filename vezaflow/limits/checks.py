"""What a load needs beside what there is: pure, so that `explain` shows what `run` refuses.

Laws: only what surely can't suffice is refused (each VU has a connection of its own, and as many more as it surely
has open together; memory is what was measured of the simplest VU); what may be nearly used up is told. A fact that
isn't known holds nothing up.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from math import ceil

from vezaflow import units
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.limits.connections import Bounds, Ways, connections_of
from vezaflow.limits.machine import Machine
from vezaflow.plan import Division, Plan, PlannedFlow, requests_of
from vezaflow.protocols import ClientOptions, Origin

SPARE_FILES = 64  # beside the VUs' connections: the program's own
BASE_MEMORY = 64 << 20  # bytes of a process: 50 MiB measured with 1 VU (CPython 3.11, x86-64), and some room
VU_MEMORY = 16 << 10  # 9 to 12 KiB measured: 1000 and 4000 VUs against 1, one GET and a pause each
TLS_MEMORY = 24 << 10  # 22 KiB measured: 1000 client handshakes (OpenSSL 3), on top of that
LANE_MEMORY = 10 << 10  # of each further request on its way: 9.8 KiB measured, 500 VUs with 6 against 2
CELL_MEMORY = 70  # of data: a value of a row, and of the row itself; 66 measured: a million rows of two short texts
STARTS = 60_000  # iterations per second of one process: one of a single GET took 10 to 15 µs of a core, measured
_MOST_STARTS = 250_000  # and no core is so fast that it can do more
_CLOSE = 0.8  # of what there is
_MOST_WORKERS = 32  # that are proposed: a machine with more cores than that has no such limits
_WIDEST = (1024, 65535)  # local ports that a machine can be told to use: those below are the system's
_RANGE = f'`sysctl -w net.ipv4.ip_local_port_range="{_WIDEST[0]} {_WIDEST[1]}"` (as root)'
_ADDRESSES = "more addresses in `http: {local_address: […]}`"
_ELSEWHERE = "several machines with `--segment`"
_MORE = "more machines"  # where there are several


class Enough(Enum):
    """Whether it suffices."""

    YES = "enough"
    CLOSE = "close to the limit"
    NO = "too little"


@dataclass(frozen=True, slots=True)
class Check:
    """One limit beside what a load needs of it, as amounts and in words. `remedy` is empty where it suffices."""

    name: str
    needed: int
    there: int
    needed_text: str
    there_text: str
    label: str  # the name, and of what
    enough: Enough = Enough.YES
    remedy: str = ""
    show: Callable[[int], str] = field(default=units.number, compare=False, repr=False)

    @property
    def sentence(self) -> str:
        return f"{self.needed_text} needed, {self.there_text}"

    @property
    def warning(self) -> str:
        """What is to be told of a limit that is nearly used up; empty where nothing is."""
        return f"warning: {self.sentence}; to fix: {self.remedy}" if self.enough is Enough.CLOSE else ""


def checks(plan: Plan, there: Machine, division: Division) -> tuple[Check, ...]:
    """Every limit that is known, for a load on this machine."""
    return (
        *connection_checks(plan, there, division),
        *_memory(plan, there, division),
        *_cores(there, division),
        *_starts(plan, there, division),
    )


def connection_checks(plan: Plan, there: Machine, division: Division) -> tuple[Check, ...]:
    """Those on the connections that a load has open at once."""
    return (*_open_files(plan, there, division), *_ports(plan, there, division))


def require(found: Iterable[Check]) -> None:
    """Raise VezaflowError (REFUSED) with all that can't suffice."""
    short = [check for check in found if check.enough is Enough.NO]
    if short:
        raise VezaflowError(
            f"this machine can't carry the load: {'; '.join(check.sentence for check in short)}",
            hint="; ".join(check.remedy for check in short),
            code=ExitCode.REFUSED,
        )


def _judged(check: Check, remedy: str, sure: int | None = None) -> Check:
    """The check with its verdict, and the remedy where one is wanted. `sure`: what is needed of it in any case."""
    if check.needed <= _CLOSE * check.there:
        return check
    short = (check.needed if sure is None else sure) > check.there
    return replace(check, enough=Enough.NO if short else Enough.CLOSE, remedy=remedy)


def _told(needed: Bounds, there: int) -> tuple[int, str]:
    """The number to show, and what stands before it: what is sure if that is too much, else the most that can be."""
    if needed.least > there or needed.least == needed.most:
        return needed.least, ""
    return needed.most, "up to "


def _open_files(plan: Plan, there: Machine, division: Division) -> Iterator[Check]:
    if there.open_files is None:
        return
    allowed = there.open_files
    files = _files_of_one(plan, division)
    needed, up_to = _told(files, allowed)
    ways = [f"`ulimit -Hn {ceil(needed / _CLOSE)}` (as root)"]
    larger = (replace(division, workers=workers) for workers in range(division.workers + 1, _MOST_WORKERS + 1))
    enough = next((each.workers for each in larger if _files_of_one(plan, each).most <= _CLOSE * allowed), None)
    if division.among is not None:
        ways.append(_MORE)
    elif enough is not None:
        ways.append(f"`--workers {enough}`")
    label = "open files of one process" if division.workers > 1 else "open files"
    yield _judged(
        Check("open files", needed, allowed, f"{up_to}{needed:,} {label}", f"{allowed:,} allowed", label),
        f"{', '.join(ways)}, or fewer VUs",
        files.least,
    )


def _elsewhere(division: Division) -> str:
    return _ELSEWHERE if division.among is None else _MORE


def _files_of_one(plan: Plan, division: Division) -> Bounds:
    """How many the process opens that opens most."""
    connections = (connections_of(flow).times(division.in_one(flow.load.max_vus)) for flow in plan.flows)
    return sum(connections, Bounds(SPARE_FILES, SPARE_FILES))


def _ports(plan: Plan, there: Machine, division: Division) -> Iterator[Check]:
    """All processes of a machine share its ports; each target has them anew."""
    (target, addresses), bounds = _busiest(plan, division)
    if there.ports is None or not bounds.most:
        return
    amount = there.ports * max(1, len(addresses))
    connections, up_to = _told(bounds, amount)
    widened = there.ports < _WIDEST[1] - _WIDEST[0]
    needed = f"{up_to}{units.counted(connections, 'connection')} to {target}"
    ports = f"{amount:,} local ports for them"
    yield _judged(
        Check("local ports", connections, amount, needed, ports, f"local ports to {target}"),
        f"{_RANGE + ', ' if widened else ''}{_ADDRESSES}, {_elsewhere(division)}, or fewer VUs",
        bounds.least,
    )


def _busiest(plan: Plan, division: Division) -> tuple[tuple[str, tuple[str, ...]], Bounds]:
    """The server that VUs have most connections to for each local address of theirs, these addresses, and how many
    connections they are. A VU surely goes where its first request does."""
    found: dict[tuple[str, tuple[str, ...]], Bounds] = {}
    for flow in plan.flows:
        origin, client = _first(flow)
        if (server := _dialled(origin, client)) is not None:
            key = server, client.local_addresses
            each = connections_of(flow, origin if client.proxy is None else None, _alike(flow, client))
            found[key] = found.get(key, Bounds(0, 0)) + each.times(division.here(flow.load.max_vus))
    return max(found.items(), key=lambda item: item[1].most / max(1, len(item[0][1])), default=(("", ()), Bounds(0, 0)))


def _dialled(origin: Origin | None, client: ClientOptions) -> str | None:
    """Who is at the other end of a connection: the target, or the proxy before it."""
    if (proxy := client.proxy) is not None:
        return f"{proxy.host}:{proxy.port}"
    return origin.authority if origin is not None else None


def _first(flow: PlannedFlow) -> tuple[Origin | None, ClientOptions]:
    """Where a flow's first request goes, None where only the run tells; and how it connects."""
    first = next(requests_of((*flow.login, *flow.steps)), None)
    return (None, flow.client) if first is None else (first.forecast.origin, first.client or flow.client)


def _alike(flow: PlannedFlow, client: ClientOptions) -> Ways:
    """The flow's ways to connect that lead to the same server from the same addresses."""
    same = [way for way in flow.clients if (way.proxy, way.local_addresses) == (client.proxy, client.local_addresses)]
    return [None if way == flow.client else way for way in same]


def _memory(plan: Plan, there: Machine, division: Division) -> Iterator[Check]:
    if there.memory is None:
        return
    needed = estimated_memory(plan, division)
    ways = ["fewer VUs", "a machine with more memory", _elsewhere(division)]
    if division.workers > 1 and division.among is None:
        ways.insert(0, "fewer workers")
    about, left = f"about {units.size(needed)} of memory", f"{units.size(there.memory)} available"
    yield _judged(
        Check("memory", needed, there.memory, about, left, "memory, about", show=units.size),
        f"{', '.join(ways[:-1])}, or {ways[-1]}",
    )


def estimated_memory(plan: Plan, division: Division) -> int:
    """Bytes that a load's processes will take, from what was measured of a process and of a VU."""
    leader = 1 if division.workers > 1 and division.among is None else 0  # the process that leads them
    processes = division.workers_here + leader
    vus = sum(division.here(flow.load.max_vus) * _memory_of_vu(flow) for flow in plan.flows)
    rows = {id(data_source.rows): data_source.rows for flow in plan.flows for _, data_source in flow.data_sources}
    cells = sum(len(each) * (1 + len(each.columns)) for each in rows.values())
    return processes * (BASE_MEMORY + cells * CELL_MEMORY) + vus


def _memory_of_vu(flow: PlannedFlow) -> int:
    origin, _ = _first(flow)
    tls = TLS_MEMORY if origin is not None and origin.scheme == "https" else 0
    return VU_MEMORY + tls + (connections_of(flow).least - 1) * (LANE_MEMORY + tls)


def _cores(there: Machine, division: Division) -> Iterator[Check]:
    """More workers than cores hinder each other, and are no worse than slow."""
    if there.cores is None:
        return
    workers = division.workers_here
    needed, usable = units.counted(workers, "core"), f"{there.cores:,} usable"
    fits = Check("cores", workers, there.cores, needed, usable, "cores")
    short = workers > there.cores
    yield replace(fits, enough=Enough.CLOSE, remedy=f"`--workers {there.cores}`") if short else fits


def _starts(plan: Plan, there: Machine, division: Division) -> Iterator[Check]:
    """What arrival rates ask of the process that has most of them. Their peaks may come one after another: only the
    highest is sure."""
    parts = division.segment.count * division.workers
    peaks = [flow.load.peak_rate / parts for flow in plan.flows if flow.load.peak_rate is not None]
    if not peaks:
        return
    needed = ceil(sum(peaks))
    label = "starts/s of one process" if division.workers > 1 else "starts/s"
    workers = ceil(needed * division.workers / (_CLOSE * STARTS))
    free = there.cores is not None and division.workers < workers <= there.cores and division.among is None
    ways = [f"`--workers {workers}`"] if free else []
    yield _judged(
        Check("starts", needed, STARTS, f"{needed:,} {label}", f"about {STARTS:,} possible", f"{label}, about"),
        ", ".join((*ways, "a lower rate")) + f", or {_elsewhere(division)}",
        ceil(max(peaks) * STARTS / _MOST_STARTS),
    )
