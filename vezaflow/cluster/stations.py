"""A cluster of a run's own: a scheduler and workers on this machine, or on hosts that SSH reaches.

Each is a process whose standard input this one holds: all end when the run does, also when it is killed. None is in
this terminal's group, so that a Ctrl-C is the coordinator's alone, and none can print to it. It is OpenSSH's own client
that connects: with its configuration, its agent and its list of known hosts.
"""

import os
import queue
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import orjson

from vezaflow.cluster.credentials import Credentials
from vezaflow.cluster.station import MARK, SCHEDULER, WORKER
from vezaflow.errors import ExitCode, VezaflowError

_START = 60.0  # seconds that one has to start, on a machine with a slow disk
_CONNECT = 10  # seconds that SSH has
_LEAVE = 5.0  # seconds that all have to end
_TAIL = 8192  # bytes of its standard error that are read
_OPTIONS = {
    "BatchMode": "yes",  # nobody is asked for anything
    "ConnectTimeout": str(_CONNECT),
    "ServerAliveInterval": "5",
    "RemoteCommand": "none",  # what a configuration has for people who log in
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "ClearAllForwardings": "yes",
    "ControlMaster": "no",  # nobody's later `ssh` goes by a connection that ends with the run
}
_SSH = ("ssh", "-T", *(f"-o{name}={value}" for name, value in _OPTIONS.items()), "--")


@dataclass(frozen=True, slots=True)
class StationHost:
    """Where a station is started, and the interpreter there. `by_ssh`: what OpenSSH calls it, or nothing: it is this
    machine."""

    by_ssh: str = ""
    python: str = sys.executable

    @property
    def name(self) -> str:
        return self.by_ssh or "this machine"

    @property
    def address(self) -> str:
        """Where a station there is to listen; empty: by which address SSH reached it, only that one knows."""
        return "" if self.by_ssh else "127.0.0.1"

    @property
    def command(self) -> tuple[str, ...]:
        words = (self.python, "-P", "-m", "vezaflow.cluster.station")
        return (*_SSH, self.by_ssh, shlex.join(words)) if self.by_ssh else words


def hosts_of(file: Path) -> tuple[StationHost, ...]:
    """The hosts that a file names, one a line: what `ssh` would be given, and the Python there where it is another one.
    Raises VezaflowError (REFUSED): it can't be read, or names none."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as e:
        raise VezaflowError(f"{file} can't be read: {e.strerror}", code=ExitCode.REFUSED) from None
    except UnicodeDecodeError:
        raise VezaflowError(f"{file} is not text in UTF-8", code=ExitCode.REFUSED) from None
    found = []
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if len(words) > 2:
            raise VezaflowError(
                f"{file}:{number}: expected a host and, where it is not {sys.executable}, the path of its Python",
                hint="a line for each host, such as `veza@10.0.0.7` or `loader-2 /opt/vezaflow/bin/python`",
                code=ExitCode.REFUSED,
            )
        if words and words[0].startswith("-"):
            raise VezaflowError(f"{file}:{number}: '{words[0]}' is not a host", code=ExitCode.REFUSED)
        if words:
            found.append(StationHost(*words))
    if not found:
        raise VezaflowError(f"{file} names no host", hint="a line for each host", code=ExitCode.REFUSED)
    if which(_SSH[0]) is None:
        raise VezaflowError("`ssh:` needs OpenSSH's client `ssh`, which is not installed", code=ExitCode.REFUSED)
    return tuple(found)


@contextmanager
def stations(hosts: Sequence[StationHost], hidden: Iterable[str] = ()) -> Iterator[tuple[str, Credentials]]:
    """A scheduler on the first host and a worker on each: the scheduler's address, and what one speaks to it with.
    `hidden`: names in the environment that they do not get. Raises VezaflowError (REFUSED) with what failed on each."""
    kept = {name: value for name, value in os.environ.items() if name not in frozenset(hidden)}
    credentials = Credentials.new()
    order = {"certificate": credentials.certificate, "key": credentials.key}
    with ExitStack() as stack:
        started: list[_Station] = []
        try:
            files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(len(hosts) + 1)]
            stack.callback(_end, started)
            for host, file in zip((hosts[0], *hosts), files, strict=True):  # all import Dask at the same time
                started.append(_Station(host, kept, file.fileno()))
        except OSError as e:
            raise VezaflowError(
                f"only {len(started)} of {len(hosts) + 1} processes could be started: {e.strerror}",
                hint="`vezaflow doctor` shows this machine's limits",
                code=ExitCode.REFUSED,
            ) from None
        scheduler, *workers = started
        limit = time.monotonic() + _START
        scheduler.tell({**order, "be": SCHEDULER})
        (address,) = _addresses([scheduler], limit)
        for worker in workers:
            worker.tell({**order, "be": WORKER, "scheduler": address})
        _addresses(workers, limit)
        yield address, credentials


def _addresses(asked: Iterable["_Station"], limit: float) -> list[str]:
    found = [each.address(limit) for each in asked]
    troubles = dict.fromkeys(each.trouble for each in asked if each.trouble)
    if troubles:
        raise VezaflowError(
            f"no cluster could be started: {'; '.join(troubles)}",
            hint="`ssh` has to get there without a question, and to find vezaflow with its extra `cluster`",
            code=ExitCode.REFUSED,
        )
    return found


class _Station:
    """One of the processes. `errors`: an open file for what it says of its troubles."""

    def __init__(self, host: StationHost, environment: Mapping[str, str], errors: int) -> None:
        self.trouble = ""
        self._host = host
        self._errors = errors
        self.process = subprocess.Popen(
            host.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=True,
        )
        self._said: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                if line.startswith(MARK):
                    self._said.put(line.removeprefix(MARK))
        self._said.put(b"")

    def tell(self, order: Mapping[str, str]) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(orjson.dumps({**order, "host": self._host.address}) + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: that it says nothing is noticed

    def address(self, limit: float) -> str:
        """Where it listens; empty, with its `trouble`, where it does not by a moment of the monotonic clock."""
        try:
            said = self._said.get(timeout=max(0.0, limit - time.monotonic()))
        except queue.Empty:
            self.trouble = f"{self._host.name}: nothing was heard of it for {_START:.0f} s"
            return ""
        if not said:
            self.trouble = f"{self._host.name}: {self._last_words()}"
            return ""
        found: str = orjson.loads(said)["address"]
        return found

    def _last_words(self) -> str:
        os.lseek(self._errors, max(0, os.lseek(self._errors, 0, os.SEEK_END) - _TAIL), os.SEEK_SET)
        lines = [
            line.strip().rstrip(".") for line in os.read(self._errors, _TAIL).decode(errors="replace").splitlines()
        ]
        return next((line for line in reversed(lines) if line), "it ended and printed nothing")

    def leave(self) -> None:
        """It is no longer wanted."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def kill(self) -> None:
        """What is left of it, and of what it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def _end(started: Sequence[_Station]) -> None:
    """All of them, within some seconds."""
    for each in started:
        each.leave()
    limit = time.monotonic() + _LEAVE
    for each in started:
        try:
            each.process.wait(max(0.0, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            each.kill()
