"""The interpreter, and the programs that audits of pages take: those that a run would use, by the same search.

Laws: what is missing stops no load, unless the files at hand have audits.
"""

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version

from vezaflow.audit import Tools
from vezaflow.doctor.finding import Aspect, Finding, Grade
from vezaflow.errors import ExitCode


def interpreter() -> Iterator[Finding]:
    """What runs the load."""
    name = f"{platform.python_implementation()} {platform.python_version()}"
    slow = ""
    if hasattr(sys, "gettotalrefcount"):
        slow = "use a Python that is not a debug build: this one is several times slower"
    elif sys.flags.dev_mode:
        slow = "unset PYTHONDEVMODE: it makes Python slower"
    yield Finding(Aspect.SOFTWARE, "Python", Grade.POOR if slow else Grade.GOOD, name, slow, value=name)
    loop = f"trio {version('trio')}, no other event loop needed"
    yield Finding(Aspect.SOFTWARE, "event loop", Grade.GOOD, loop, value=version("trio"))


def tools(found: Tools, *, wanted: bool) -> Iterator[Finding]:
    """The programs that audits of pages take. `wanted`: the files have audits, and no run starts without them."""
    for tool in found.all:
        if tool.problem and wanted:
            yield Finding(Aspect.TOOLS, tool.name, Grade.BAD, tool.problem, tool.remedy, ExitCode.REFUSED)
        elif tool.problem:
            remedy = f"{tool.remedy}, only if pages are audited"
            yield Finding(Aspect.TOOLS, tool.name, Grade.ABSENT, tool.problem, remedy)
        else:
            how = f"{tool.path}, which fetches it" if tool is found.lighthouse and found.fetches else tool.path
            yield Finding(Aspect.TOOLS, tool.name, Grade.GOOD, f"{tool.version} ({how})", value=tool.version)
