"""Programs that are run for an audit, each with all that it starts itself in a process group of its own.

Laws: a group ends before its `with` does, also when that is cancelled: first it is asked (SIGTERM), then it is killed.
What the terminal sends (Ctrl-C) does not reach it.
"""

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

_GRACE = 3.0  # seconds from SIGTERM to SIGKILL
_SAID = 2000  # bytes of what a program said last


@asynccontextmanager
async def child(
    command: Sequence[str], *, environment: Mapping[str, str], said: Path, cpus: frozenset[int] | None = None
) -> AsyncIterator[trio.Process]:
    """A running program, which ends with the `with`. What it says goes to the file `said`. `cpus`: the cores that it
    keeps to; None: any. Raises OSError where it can't be started."""
    with said.open("wb") as output:
        process = await trio.lowlevel.open_process(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    try:
        if cpus:
            try:
                os.sched_setaffinity(process.pid, cpus)
            except OSError:  # it is gone already, which its waiter hears
                pass
        yield process
    finally:
        await _end(process)


async def _end(process: trio.Process) -> None:
    with trio.CancelScope(shield=True):
        with trio.move_on_after(_GRACE):
            _signal(process, signal.SIGTERM)
            await process.wait()
        _signal(process, signal.SIGKILL)  # and those that outlived the first
        await process.wait()


def _signal(process: trio.Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # the group is gone


def last_words(said: Path) -> str:
    """The last line that a program said."""
    try:
        with said.open("rb") as file:
            file.seek(max(0, said.stat().st_size - _SAID))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
