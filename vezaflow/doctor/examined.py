"""This machine looked at, as it is now: what `vezaflow doctor` finds without any files."""

import os
from collections.abc import Iterator

from vezaflow.audit import find_tools
from vezaflow.doctor.clocks import clock, kernel_stamps, synchronised, timer, try_clock, try_timer, wall_clock
from vezaflow.doctor.finding import Finding
from vezaflow.doctor.resources import resources, soft_open_files
from vezaflow.doctor.software import interpreter, tools
from vezaflow.limits import Machine
from vezaflow.protocols import try_stamps


def examine(there: Machine, *, audits: bool = False) -> Iterator[Finding]:
    """Every finding about the machine itself; takes about a second. `audits`: pages are to be audited."""
    yield from resources(there, soft_open_files())
    yield kernel_stamps(try_stamps())
    yield clock(try_clock())
    yield timer(try_timer())
    yield wall_clock(synchronised())
    yield from interpreter()
    yield from tools(find_tools(os.environ), wanted=audits)
