"""What a Dask worker does for a run: it relays. The load is put on by worker processes, the same as those of
`--workers`, so that no interpreter lock is shared with Dask.

    coordinator ──▶ queue of this conversation ──▶ carry ──▶ socket of each process
    coordinator ◀── queue of the run           ◀── carry ◀──

Laws: an order to begin is taken once, from one coordinator, in one conversation; a task that Dask runs a second time
says hello again, is not spoken to, and ends. Of two runs a Dask worker serves one. No process outlives the task: not
when the coordinator gives no sign of life, nor when the scheduler is gone, nor (by the kernel) when the Dask worker is
killed, nor when that stands still. Nothing that it is sent is written down but the suite's files, in a folder that goes
with it.
"""

import os
import secrets
import select
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path, PurePosixPath

import orjson
from distributed import get_client

from vezaflow.cluster.facts import facts, reached
from vezaflow.cluster.mail import Mail, SchedulerError
from vezaflow.cluster.sealed import Handshake, Message, Sealed
from vezaflow.limits import missing_addresses
from vezaflow.scale import FRAME_HEAD, worker_process

BATCH = 0.15  # seconds of messages that go together
PATIENCE = 6.0  # seconds without a word of the other side: the coordinator gives two signs of life a second, this one
_BEAT = 1.0  # gives one after so many seconds in which it said nothing
WELCOME = 30.0  # seconds that it has for the first
FORMER = PATIENCE + 2  # seconds for the end of another run, whose coordinator may be gone
_TAIL = 8192  # bytes of a process's standard error that are kept
_READ = 256 * 1024
_LAST_WORDS = 0.5  # seconds that a process has to end


# Of this Dask worker: it may have several threads, and the load of two runs would be neither's.
_turn = threading.Lock()


def up_queue(run: str) -> str:
    """Where machines speak to the coordinator of a run."""
    return f"vezaflow-{run}-up"


def down_queue(run: str, nonce: str) -> str:
    """Where the coordinator speaks to one machine."""
    return f"vezaflow-{run}-down-{nonce}"


def carry(run: str, number: int) -> str:
    """Be machine `number` of a run, to its end. Called by Dask; what is returned says how it ended."""
    up = Mail(up_queue(run), get_client())
    try:
        if not _turn.acquire(timeout=FORMER):
            up.put({"busy": number}, WELCOME)
            return "another run is here"
        try:
            return _serve(run, number, up)
        finally:
            _turn.release()
    except SchedulerError as e:
        return f"the scheduler is gone: {e}"
    finally:
        up.close()


def _serve(run: str, number: int, up: Mail) -> str:
    """The same, once it is its turn."""
    nonce = secrets.token_hex(12)
    handshake = Handshake()
    down = Mail(down_queue(run, nonce), get_client())
    try:
        up.put({"hello": number, "nonce": nonce, "key": handshake.public, "facts": facts().to_json()}, WELCOME)
        replies = down.take(WELCOME)
        if not replies:
            return "nobody spoke to it"
        sealed = handshake.with_coordinator(replies[0], nonce)
        with _Machine(lambda said: up.put({"from": nonce, "sealed": said}, PATIENCE), sealed) as machine:
            return _converse(machine, down, sealed, replies[1:])
    finally:
        down.close()


def _converse(machine: "_Machine", down: Mail, sealed: Sealed, received: list[bytes]) -> str:
    """Do as the coordinator says until it says no more."""
    while True:
        for message in chain.from_iterable(map(sealed.open, received)):
            if message["do"] == "dismiss":
                return "dismissed"
            try:
                machine.obey(message)
            except (OSError, ValueError) as e:  # a full disk, too many processes, a file that is none of the suite's
                machine.fail(e)
                return f"it failed: {e}"
            machine.hear()  # what came together may take long
        received = down.take(0.5)
        if received:
            machine.hear()
        elif machine.forsaken:
            return "the coordinator is gone"


class _Machine:
    """The processes of this machine, and who reads of them."""

    def __init__(self, put: Callable[[bytes], None], sealed: Sealed) -> None:
        self._put = put
        self._sealed = sealed
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._processes: dict[int, RelayedProcess] = {}
        self._outbox: list[Message] = []
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._heard = self._spoke = time.monotonic()
        self._threads = [
            threading.Thread(target=target, name=f"vezaflow {target.__name__}", daemon=True)
            for target in (self._read, self._watch)
        ]

    def __enter__(self) -> "_Machine":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._end_all()
        for thread in self._threads:
            thread.join()
        for process in self._processes.values():
            process.close()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def folder(self) -> str:
        """Where the suite's files are, and its processes; it goes with this. OSError: there can be none."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="vezaflow-", ignore_cleanup_errors=True)
        return self._folder.name

    def hear(self) -> None:
        """The coordinator has given a sign of life."""
        self._heard = time.monotonic()

    @property
    def forsaken(self) -> bool:
        """Whether it has not given one for long."""
        return time.monotonic() - self._heard > PATIENCE

    def _watch(self) -> None:
        """The thread that waits for nothing of Dask: where a link is cut off, calls of a scheduler hang for long."""
        while not self._over.wait(0.5):
            if self.forsaken:
                self._end_all()
            else:
                for process in list(self._processes.values()):
                    process.beat()

    def _end_all(self) -> None:
        for process in list(self._processes.values()):
            process.end()

    def obey(self, message: Message) -> None:
        """Do one thing."""
        match message["do"]:
            case "time":
                self._say({"time": time.perf_counter(), "asked": message["asked"]})
            case "reach":
                found = [each.to_json() for each in reached((host, port) for host, port in message["places"])]
                self._say({"reached": found, "missing": missing_addresses(message["addresses"])})
            case "file":
                write_piece(Path(self.folder), message)
            case "begin":
                self._begin(message["worker"], message["environment"])
            case "tell":
                self._processes[message["worker"]].tell(message["message"])
            case "kill":
                self._processes[message["worker"]].end()
            case "beat":
                pass

    def fail(self, e: OSError | ValueError) -> None:
        """Say why this machine can't go on."""
        why = str(e)
        if isinstance(e, OSError) and e.strerror:
            why = f"{e.strerror}: {e.filename}" if e.filename else e.strerror
        self._say({"failed": why})

    def _begin(self, number: int, environment: dict[str, str]) -> None:
        """Start a process. Called in the thread of the task, which lives as long as this."""
        if number in self._processes or self.forsaken:
            raise RuntimeError("a segment of load is never started twice")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DASK_")}
        self._processes[number] = RelayedProcess({**kept, **environment}, self.folder)

    def _say(self, message: Message) -> None:
        """Put it into the next batch, and send that at once."""
        with self._turn:
            self._outbox.append(message)
        self._flush()

    def _flush(self) -> None:
        with self._turn:
            batch, self._outbox = self._outbox, []
            if batch:
                self._put(self._sealed.seal(batch))
                self._spoke = time.monotonic()

    def _read(self) -> None:
        """The thread that forwards what the processes say, in batches."""
        while not self._over.wait(BATCH):
            for number, process in list(self._processes.items()):
                said = process.said()
                with self._turn:
                    self._outbox.extend({"worker": number, **each} for each in said)
            if time.monotonic() - self._spoke > _BEAT:
                with self._turn:
                    self._outbox.append({"alive": True})
            try:
                self._flush()
            except SchedulerError:  # whoever listens finds out
                return


class RelayedProcess:
    """One worker process, and what it has said that is not forwarded yet."""

    def __init__(self, environment: dict[str, str], folder: str) -> None:
        self._socket, its = socket.socketpair()
        self._turn = threading.Lock()  # a message goes whole
        self._told = False
        with its:
            self._process = worker_process(its, environment, folder)
        self._held = bytearray()
        self._tail = b""
        self._gone = False

    def tell(self, message: Message) -> None:
        with self._turn:
            self._send(message)
        self._told = True

    def beat(self) -> None:
        """Tell it that this process lives; not while it is told something else, which says as much, nor before its
        first order, which `tell` gives it."""
        if self._told and self._turn.acquire(blocking=False):
            try:
                self._send({"do": "beat", "patience": PATIENCE})
            finally:
                self._turn.release()

    def _send(self, message: Message) -> None:
        body = orjson.dumps(message)
        try:
            self._socket.sendall(FRAME_HEAD.pack(len(body)) + body)
        except OSError:
            pass  # it is gone, which `said` tells

    def said(self) -> Iterator[Message]:
        """What it said since the last call; at last how it ended."""
        if self._gone:
            return
        closed = self._take()
        beats = False
        for message in self._messages():
            if message.get("is") == "beat":
                beats = True  # one sign of life is as good as several
            else:
                yield {"message": message}
        if beats:
            yield {"message": {"is": "beat"}}
        if closed:
            self._gone = True
            self._drain()
            code = _code(self._process)
            yield {"ended": code, "tail": self._tail.decode("utf-8", "replace").strip()}

    def _take(self) -> bool:
        """Read what there is. Whether it is closed."""
        assert self._process.stderr is not None
        errors, talk = self._process.stderr.fileno(), self._socket.fileno()
        closed = False
        while ready := select.select([errors, talk], [], [], 0)[0]:
            if errors in ready:
                piece = os.read(errors, _TAIL)
                self._tail = (self._tail + piece)[-_TAIL:]
                if not piece and talk not in ready:
                    break
            if talk in ready:
                try:
                    piece = self._socket.recv(_READ)
                except OSError:
                    piece = b""
                if not piece:
                    closed = True
                    break
                self._held += piece
        return closed

    def _drain(self) -> None:
        """Read what it says on standard error while it ends: the reason comes last."""
        assert self._process.stderr is not None
        errors, until = self._process.stderr.fileno(), time.monotonic() + _LAST_WORDS
        while select.select([errors], [], [], max(0.0, until - time.monotonic()))[0]:
            piece = os.read(errors, _READ)
            if not piece or time.monotonic() > until:
                return
            self._tail = (self._tail + piece)[-_TAIL:]

    def _messages(self) -> Iterator[Message]:
        while len(self._held) >= FRAME_HEAD.size:
            (length,) = FRAME_HEAD.unpack_from(self._held)
            end = FRAME_HEAD.size + length
            if len(self._held) < end:
                return
            yield orjson.loads(self._held[FRAME_HEAD.size : end])
            del self._held[:end]

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Let go of it, when nothing reads of it any more."""
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._socket.close()


def _code(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(_LAST_WORDS)
    except subprocess.TimeoutExpired:
        return None


def write_piece(folder: Path, order: Message) -> None:
    """A piece of one of the suite's files, where that was. ValueError: not within the folder."""
    path = PurePosixPath(order["path"])
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{path} is outside the folder")
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    with (folder / path).open("ab" if order["more"] else "wb") as file:
        file.write(bytes.fromhex(order["content"]))
