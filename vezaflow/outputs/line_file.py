"""Lines that are written to a file, or to standard output, as a run goes: each stands there at once.

The file is new with each run. A disk or a pipe that is slow holds up a thread and nothing else.
"""

import os
import sys
from collections.abc import AsyncIterable, Callable
from typing import Any

from vezaflow.outputs.tick import Tick

STDOUT = "-"


async def write_lines(file: str, ticks: AsyncIterable[Tick], encode: Callable[[Tick], bytes]) -> None:
    """Write what `encode` makes of each tick, in a thread. Raises OSError."""
    import trio

    def aside(work: Any, *given: Any) -> Any:  # a pipe that nobody reads is given up with the output
        return trio.to_thread.run_sync(work, *given, abandon_on_cancel=True)

    number = await aside(_opened, file)
    try:
        async for tick in ticks:
            await aside(_write, number, encode, tick)
    finally:
        os.close(number)


def _write(number: int, encode: Callable[[Tick], bytes], tick: Tick) -> None:
    lines = encode(tick)
    while lines:
        lines = lines[os.write(number, lines) :]


def _opened(file: str) -> int:
    if file == STDOUT:
        return os.dup(sys.stdout.fileno())
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
