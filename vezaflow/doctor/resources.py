"""Cores, open files, local ports and memory: pure, of facts that `limits` reads.

A bound here is what a usual machine has, not what a load needs: that only the files of a suite say (`of_load`).
"""

import resource
from collections.abc import Iterable, Iterator, Sequence

from vezaflow import units
from vezaflow.doctor.finding import Aspect, Finding, Grade
from vezaflow.errors import ExitCode
from vezaflow.limits import Check, Enough, Machine

_FEW_FILES = 65_536
_FEW_PORTS = 28_000  # Linux has 28,232 unless it is set otherwise
_LITTLE_MEMORY = 512 << 20
_RANGE = '`sysctl -w net.ipv4.ip_local_port_range="1024 65535"` (as root)'
_GRADES = {Enough.YES: Grade.GOOD, Enough.CLOSE: Grade.POOR, Enough.NO: Grade.BAD}


def soft_open_files() -> int:
    """What a process here starts with; vezaflow raises it to the hard limit."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def resources(there: Machine, soft: int) -> Iterator[Finding]:
    """The machine's findings. `soft`: the limit of open files as it is now."""
    few = there.cores is not None and there.cores < 2
    yield _graded(
        "cores",
        there.cores,
        "not known" if there.cores is None else f"{there.cores:,} usable",
        "give it two cores or more: one is shared with all else that runs here" if few else "",
    )
    files = there.open_files
    raised = "" if soft == files else f" (soft limit {soft:,}, raised at the start of a run)"
    yield _graded(
        "open files",
        files,
        "no limit" if files is None else f"{files:,} allowed{raised}",
        "`ulimit -Hn 1048576` (as root), `LimitNOFILE=` of a service, or `--ulimit nofile=1048576` of a container"
        if files is not None and files < _FEW_FILES
        else "",
        known=True,
    )
    ports = there.ports
    yield _graded(
        "local ports",
        ports,
        "not known" if ports is None else f"{ports:,} for connections to one address and port",
        f"{_RANGE}, or more addresses in `http: {{local_address: […]}}`"
        if ports is not None and ports < _FEW_PORTS
        else "",
    )
    memory = there.memory
    yield _graded(
        "memory",
        memory,
        "not known" if memory is None else f"{units.size(memory)} available",
        "stop other programs, or raise the limit of the container" if memory and memory < _LITTLE_MEMORY else "",
    )


def of_load(checks: Iterable[Check]) -> Iterator[Finding]:
    """The limits beside what the files need of them."""
    for check in checks:
        code = ExitCode.REFUSED if check.enough is Enough.NO else ExitCode.GREEN
        yield Finding(Aspect.LOAD, check.name, _GRADES[check.enough], check.sentence, check.remedy, code, check.needed)


def of_addresses(wanted: Sequence[str], missing: Sequence[str]) -> Iterator[Finding]:
    """The local addresses that the files name: nothing where they name none."""
    if missing:
        remedy = "`ip address` lists those that it has; `http: {local_address: …}` names them"
        text = f"this machine does not have {' or '.join(missing)}"
        yield Finding(Aspect.LOAD, "local addresses", Grade.BAD, text, remedy, ExitCode.REFUSED)
    elif wanted:
        yield Finding(Aspect.LOAD, "local addresses", Grade.GOOD, f"all {len(wanted)} are there", value=len(wanted))


def _graded(name: str, value: int | None, text: str, remedy: str, *, known: bool = False) -> Finding:
    grade = Grade.POOR if remedy else Grade.UNKNOWN if value is None and not known else Grade.GOOD
    return Finding(Aspect.MACHINE, name, grade, text, remedy, value=value)
