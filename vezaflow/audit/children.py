"""Programs that are run for an audit, each with all that it starts itself in the care of a warden.

Laws: a program ends before its `with` does, also when that is cancelled: first it is asked (SIGTERM), then it is
killed. It ends as well when this process is killed. What the terminal sends (Ctrl-C) does not reach it.
"""

import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from vezaflow.warden import warded

_GRACE = 3.0  # seconds from SIGTERM to SIGKILL
_SAID = 2000  # bytes of what a program said last


@asynccontextmanager
async def child(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    said: Path,
    folder: Path,
    cpus: frozenset[int] | None = None,
) -> AsyncIterator[trio.Process]:
    """A running program, which ends with the `with`. What it says goes to the file `said`. `folder`: is removed with it
    where this process is killed. `cpus`: the cores that it keeps to; None: any. Raises OSError where nothing can be
    started."""
    with said.open("wb") as output:
        process = await trio.lowlevel.open_process(
            warded(command, cpus=cpus or (), folder=str(folder)),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: trio.Process) -> None:
    assert process.stdin is not None
    with trio.CancelScope(shield=True):
        with trio.move_on_after(_GRACE):
            process.terminate()
            await process.wait()
        await process.stdin.aclose()  # which kills what is left
        await process.wait()


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
