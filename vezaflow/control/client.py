"""The other terminal's side: finds running tests and speaks with them. Plain blocking sockets, nothing of the engine.

Laws: a socket that refuses belongs to a dead run and is swept away; one that does not response in time is reported, not
waited for. What is at the other end may be another version or no run at all: whatever it says, nothing but a
VezaflowError comes of it, and none of it reaches the terminal as control characters.
"""

import math
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from vezaflow import units
from vezaflow.control.place import folders, sockets
from vezaflow.control.wire import RESPONSE_LIMIT, is_owner
from vezaflow.errors import VezaflowError

PATIENCE = 3.0  # seconds for a response; a run responses within a turn of its loop


class Caller:
    """A conversation with one running test. Use it as a context manager. Every call may raise VezaflowError."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        """Raises ConnectionRefusedError or FileNotFoundError when nobody is there any more."""
        self.run_id = path.name.removesuffix(".sock")
        self.path = path
        self._received = bytearray()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(patience)
        try:
            self._socket.connect(str(path))
            if not is_owner(self._socket):
                raise VezaflowError(f"{path} belongs to another user")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The response to a request."""
        try:
            self._socket.sendall(orjson.dumps(request) + b"\n")
            line = self._line()
        except TimeoutError:
            raise _no_response(self.run_id) from None
        except OSError:
            line = b""
        if not line:
            raise VezaflowError(f"run {self.run_id} has ended")
        try:
            found = _printable(orjson.loads(line))
        except (orjson.JSONDecodeError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self.unreadable()
        if "error" in found:
            raise VezaflowError(str(found["error"]), hint=str(found.get("hint", "")))
        return found

    def order(self, request: Mapping[str, Any]) -> str:
        """What the run says to an order."""
        said = self.ask(request).get("said")
        if not isinstance(said, str):
            raise self.unreadable()
        return said

    def unreadable(self) -> VezaflowError:
        """For a response that means nothing here."""
        return VezaflowError(
            f"run {self.run_id} sent an invalid response", hint="does it run another version of vezaflow?"
        )

    def _line(self) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            chunk = self._socket.recv(65536)
            if not chunk or len(self._received) > RESPONSE_LIMIT:
                return b""
            self._received += chunk
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line


@dataclass(frozen=True, slots=True)
class Run:
    """A test that is running. `status` is None when it does not response."""

    run_id: str
    path: Path
    status: dict[str, Any] | None

    def is_called(self, wanted: str) -> bool:
        """Whether its process, its suite or one of its flows has this name."""
        status = self.status or {}
        return wanted in (str(status.get("pid")), status.get("suite"), *self.flows)

    @property
    def flows(self) -> tuple[str, ...]:
        """The names of its flows."""
        names = (self.status or {}).get("flow_names")
        return tuple(map(str, names)) if isinstance(names, list) else ()

    @property
    def folder(self) -> str:
        """The suite's folder."""
        return str((self.status or {}).get("folder", ""))

    @property
    def name(self) -> str:
        """Suite and flows, for people."""
        suite = str((self.status or {}).get("suite", "a suite"))
        return f"{suite} ({', '.join(self.flows)})" if self.flows else suite

    def is_of(self, folder: Path) -> bool:
        """Whether its suite is the one that a folder lies in."""
        return self.folder.startswith("/") and folder.resolve().is_relative_to(self.folder)

    def __str__(self) -> str:
        """A line by which it is told from others."""
        if self.status is None:
            return f"{self.run_id}  does not respond"
        elapsed = self.status.get("elapsed")
        gone = units.duration(round(elapsed)) if isinstance(elapsed, int | float) and math.isfinite(elapsed) else "?"
        return f"{self.run_id}  {self.name}, process {self.status.get('pid', '?')}, {gone} elapsed"


def sweep(places: Iterable[Path]) -> tuple[Path, ...]:
    """The sockets of living runs; those of dead ones are removed."""
    living = []
    for path in sockets(places):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(path))
            except (ConnectionRefusedError, FileNotFoundError):
                path.unlink(missing_ok=True)
                continue
            except OSError:  # a full queue, for one: somebody is there
                pass
            living.append(path)
    return tuple(living)


def runs(places: Sequence[Path] | None = None, patience: float = PATIENCE) -> tuple[Run, ...]:
    """The tests of this user that are running on this machine, the oldest first."""
    found = (_run(path, patience) for path in sweep(folders() if places is None else places))
    return tuple(sorted((run for run in found if run is not None), key=lambda run: run.run_id))


def call(wanted: str | None = None, places: Sequence[Path] | None = None, patience: float = PATIENCE) -> Caller:
    """A conversation with the only running test, or with the one named by its id, a part of it, its process id, or the
    name of its suite or of a flow of it."""
    paths = sweep(folders() if places is None else places)
    if not paths:
        raise VezaflowError(
            "no run is active", hint="start one with `vezaflow run`; you can only control your own runs"
        )
    if wanted is not None:
        named = tuple(path for path in paths if wanted in path.name.removesuffix(".sock"))
        if wanted.isdecimal() or not named:
            named = tuple(run.path for run in runs(places, patience) if run.is_called(wanted)) or named
        paths = named
    if len(paths) == 1:
        return _caller(paths[0], patience)
    going = "\n        ".join(map(str, runs(places, patience)))
    if not paths:
        raise VezaflowError(f"unknown run '{wanted}'", hint=f"active:\n        {going}" if going else "")
    raise VezaflowError(
        f"{len(paths)} runs are active: which one?",
        hint=f"give its id, a part of the id, or its process id:\n        {going}",
    )


def _caller(path: Path, patience: float) -> Caller:
    """Raises VezaflowError when nobody is there any more, or nobody comes to the door."""
    run_id = path.name.removesuffix(".sock")
    try:
        return Caller(path, patience)
    except (ConnectionRefusedError, FileNotFoundError):
        raise VezaflowError(f"run {run_id} has ended") from None
    except OSError:  # its queue of callers is full, and it takes none
        raise _no_response(run_id) from None


def _run(path: Path, patience: float) -> Run | None:
    """None: it has ended meanwhile."""
    run_id = path.name.removesuffix(".sock")
    try:
        with Caller(path, patience) as caller:
            return Run(run_id, path, caller.ask({"do": "status"}))
    except (ConnectionRefusedError, FileNotFoundError):
        return None
    except (VezaflowError, OSError):
        return Run(run_id, path, None)


def run_of(caller: Caller) -> Run:
    """The run at the other end, with how it stands."""
    return Run(caller.run_id, caller.path, caller.ask({"do": "status"}))


def _printable(value: Any) -> Any:
    """A JSON value without characters that steer a terminal."""
    if isinstance(value, str):
        return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in value)
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    return value


def _no_response(run_id: str) -> VezaflowError:
    return VezaflowError(
        f"run {run_id} does not respond",
        hint="is its process stopped (Ctrl-Z), or its machine overloaded? `pgrep -af 'vezaflow run'` shows it",
    )
