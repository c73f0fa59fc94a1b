"""The way to a worker process, wherever it runs: messages in both directions, and its end.

A process of this machine is at the other end of a socket pair; one of another machine is reached through whatever leads
there (`vezaflow.cluster`). Who coordinates doesn't know the difference.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Protocol

import trio
import trio.socket

from vezaflow.scale.frames import Channel
from vezaflow.scale.report import Json

_LAST_BREATHS = 50  # looks at a process that closed its channel, 10 ms apart
_TAIL = 8192  # bytes of its standard error that are kept


class WorkerLink(Protocol):
    """One worker process as its coordinator reaches it."""

    who: str
    """Which it is, in words: `worker 2 (process 4711)`."""

    @property
    def trouble(self) -> str:
        """Why it can't be spoken to any more, where that is known; empty: it can."""
        ...

    async def send(self, message: Json) -> None:
        """Send one message. trio.BrokenResourceError: nobody is there any more."""
        ...

    async def receive(self) -> Json | None:
        """The next message; None when it is gone, in order or not. ValueError: this is no message. Cancelled, it loses
        nothing."""
        ...

    @property
    def waiting(self) -> bool:
        """Whether something has come that nobody has read."""
        ...

    async def overhear(self) -> None:
        """Keep the end of what it says on standard error, until cancelled or its end."""
        ...

    async def farewell(self) -> tuple[int | None, str]:
        """Of one that is gone: its exit code (negative: a signal's number; None: it lives, or nobody knows), and the
        end of what it said on standard error."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def reap(self) -> None:
        """Make sure that it is gone, and let go of all that it took."""
        ...


class LocalLink:
    """A process of this machine, started here. Nothing of the run is in its arguments; `environment` is all that it
    gets of this one's."""

    trouble = ""

    def __init__(self, number: int, environment: Mapping[str, str]) -> None:
        mine, its = socket.socketpair()
        with its:
            self._process = worker_process(its, environment)
        self.who = f"worker {number} (process {self._process.pid})"
        self._channel = Channel(trio.socket.from_stdlib_socket(mine))
        self._tail = b""

    async def send(self, message: Json) -> None:
        await self._channel.send(message)

    async def receive(self) -> Json | None:
        return await self._channel.receive()

    @property
    def waiting(self) -> bool:
        return self._channel.waiting

    async def overhear(self) -> None:
        assert self._process.stderr is not None
        async with trio.lowlevel.FdStream(os.dup(self._process.stderr.fileno())) as stream:
            async for piece in stream:
                self._tail = (self._tail + piece)[-_TAIL:]

    async def farewell(self) -> tuple[int | None, str]:
        for _ in range(_LAST_BREATHS):
            if self._process.poll() is not None:
                break
            await trio.sleep(0.01)
        return self._process.poll(), self._tail.decode("utf-8", "replace").strip()

    def kill(self) -> None:
        self._process.kill()

    def reap(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._channel.close()


def worker_process(
    end: socket.socket, environment: Mapping[str, str], folder: str | None = None
) -> subprocess.Popen[bytes]:
    """Start a worker that listens at `end`. In a thread that lives as long as it: Linux ends it with the thread that
    started it. In a group of its own: a Ctrl-C on the terminal is for the coordinator alone."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "vezaflow.scale"],
        stdin=end.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
        process_group=0,
    )


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended early with exit code {code}"
