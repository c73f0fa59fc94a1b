"""Tests side by side, and those that want the machine for themselves.

A test marked `alone` waits until no other runs, and none begins before it has ended. Two locks on files: who waits to
be alone holds the door, so that others who come later can't pass.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(run: str, *, alone: bool) -> Iterator[None]:
    """Wait for one's turn among all processes of the test run `run`, and have it."""
    folder = Path(tempfile.gettempdir())
    with (folder / f"vezaflow-{run}.door").open("w") as door, (folder / f"vezaflow-{run}.room").open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        if not alone:
            fcntl.flock(door, fcntl.LOCK_UN)
        yield


def this_run() -> str | None:
    """The name of the test run that this process takes part in; None: it is the only one."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID")
