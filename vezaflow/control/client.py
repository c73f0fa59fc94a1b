"""The other terminal's side: finds running tests and speaks with them. Plain blocking sockets, nothing of the engine.

Laws: a socket that refuses belongs to a dead run and is swept away; one that does not answer in time is reported, not
waited for.
"""

import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from vezaflow.control.place import folders, sockets
from vezaflow.control.wire import ANSWER_LIMIT, is_owner
from vezaflow.errors import VezaflowError

PATIENCE = 3.0  # seconds for an answer; a run answers within a turn of its loop


class Caller:
    """A conversation with one running test. Use it as a context manager. Every call may raise VezaflowError."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        """Raises ConnectionRefusedError or FileNotFoundError when nobody is there any more."""
        self.run_id = path.name.removesuffix(".sock")
        self._received = bytearray()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(patience)
        try:
            self._socket.connect(str(path))
            if not is_owner(self._socket):
                raise VezaflowError(f"{path} belongs to someone else")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request."""
        try:
            self._socket.sendall(orjson.dumps(request) + b"\n")
            line = self._line()
        except TimeoutError:
            raise VezaflowError(
                f"run {self.run_id} does not answer", hint="is its process stopped (Ctrl-Z), or its machine overloaded?"
            ) from None
        except OSError:
            line = b""
        if not line:
            raise VezaflowError(f"run {self.run_id} has ended")
        answer: dict[str, Any] = orjson.loads(line)
        if "error" in answer:
            raise VezaflowError(answer["error"], hint=answer["hint"])
        return answer

    def _line(self) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            chunk = self._socket.recv(65536)
            if not chunk or len(self._received) > ANSWER_LIMIT:
                return b""
            self._received += chunk
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line


@dataclass(frozen=True, slots=True)
class Run:
    """A test that is running."""

    run_id: str
    path: Path
    status: dict[str, Any]


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


def runs(places: Sequence[Path] | None = None) -> tuple[Run, ...]:
    """The tests of this user that are running on this machine and answer, the oldest first."""
    found = []
    for path in sweep(folders() if places is None else places):
        try:
            with Caller(path) as caller:
                found.append(Run(caller.run_id, path, caller.ask({"do": "status"})))
        except (VezaflowError, OSError):
            continue
    return tuple(sorted(found, key=lambda run: run.run_id))


def call(wanted: str | None = None, places: Sequence[Path] | None = None) -> Caller:
    """A conversation with the only running test, or with the one named by its id, a part of it, or its process id."""
    paths = sweep(folders() if places is None else places)
    if not paths:
        raise VezaflowError(
            "no run is going on here", hint="`vezaflow run` starts one; others' runs are theirs to steer"
        )
    if wanted is not None:
        paths = _of_process(wanted, paths) or tuple(path for path in paths if wanted in path.name.removesuffix(".sock"))
    if len(paths) == 1:
        try:
            return Caller(paths[0])
        except OSError:
            raise VezaflowError(f"run {paths[0].name.removesuffix('.sock')} has ended") from None
    going = "\n        ".join(_line_of(run) for run in runs(places))
    if not paths:
        raise VezaflowError(f"there is no run '{wanted}'", hint=f"going on:\n        {going}")
    raise VezaflowError(
        f"{len(paths)} runs are going on: which one?", hint=f"give its id, or a part of it:\n        {going}"
    )


def _of_process(wanted: str, paths: tuple[Path, ...]) -> tuple[Path, ...]:
    if not wanted.isdecimal():
        return ()
    places = sorted({path.parent for path in paths})
    return tuple(run.path for run in runs(places) if run.status.get("pid") == int(wanted))


def _line_of(run: Run) -> str:
    return f"{run.run_id}  {run.status.get('suite', '')}, process {run.status.get('pid', '?')}"
