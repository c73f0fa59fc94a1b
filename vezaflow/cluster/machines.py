"""The machines of a run as its coordinator sees them: one conversation each, over a Dask scheduler.

Dask's client lives in threads of its own. One thread here takes what all machines say off their queue, and one for
each machine sends what it is to hear; neither waits for the load, nor the load for them. Whoever listens gets messages
in the order in which they were said.
"""

import queue
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from distributed import Client
from distributed.client import ClosedClientError

from vezaflow.cluster.facts import MachineFacts
from vezaflow.cluster.mail import Mail, SchedulerError, asked
from vezaflow.cluster.sealed import KEY, Handshake, Message, Sealed
from vezaflow.cluster.task import PATIENCE, carry, down_queue, up_queue
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.untrusted import Shape, misfit

HELLO = 30.0  # seconds that machines have to say hello
_BUSY = 10.0  # and those have that do something else
_LISTEN = 0.5  # seconds that are listened at a time: when this machine was paused, no more of them than this counts
_BEAT = 0.5  # seconds between two signs of life of the coordinator
_PINGS = 8  # that the clocks are compared by
_REPLY = 10.0  # seconds for a reply
_FAREWELL = 1.0  # seconds that the last word has to leave
_TOO_LATE = 2.0  # seconds for machines to say hello to a run that was refused
_HELLO: Shape = {"hello": int, "nonce": str}  # and its key and its facts
_TAKEN: Shape = {"busy": int}
_TASK = "vezaflow-"  # what the names of tasks begin with
_SAME_VERSION = "install the same version of vezaflow there, with its extra `cluster`"


@dataclass(frozen=True, slots=True)
class Clock:
    """A machine's `time.perf_counter` beside the coordinator's. In seconds: what is to be added to a moment here to
    have it there, and how far that may be off, which is half of the shortest round trip."""

    offset: float
    error: float

    @property
    def round_trip(self) -> float:
        return 2 * self.error


class Conversation:
    """With one machine. `heard` is called, in a thread, with each message that is no reply. `put` sends bytes there,
    within so many seconds, or raises SchedulerError."""

    def __init__(
        self, number: int, facts: MachineFacts, address: str, sealed: Sealed, put: Callable[[bytes, float], None]
    ) -> None:
        self.number = number
        self.name = facts.name
        self.facts = facts
        self.address = address
        self.heard: Callable[[Message], None] = lambda _: None
        self.clock = Clock(0.0, 0.0)
        self.trouble = ""  # why it can't be spoken to any more
        self._sealed = sealed
        self._put = put
        self._silent = 0.0
        self._outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[Message | None] = queue.SimpleQueue()  # None: there will be none
        self._sender = threading.Thread(target=self._send, name=f"vezaflow to machine {number}", daemon=True)
        self._sender.start()

    def tell(self, message: Message) -> None:
        """Send a message; it goes soon, with others."""
        self._outbox.put(message)

    @property
    def lost(self) -> str:
        """Why nothing is to be expected of it: it gives a sign of life every second. Empty: it did so far. Who was
        lost once may have missed something, and stays lost."""
        return f"nothing was heard of it for {PATIENCE:g} s" if self._silent > PATIENCE else ""

    def missed(self, seconds: float) -> None:
        """It was listened to for so long, and said nothing; or `take` comes now."""
        self._silent += seconds

    def take(self, sealed: bytes) -> None:
        """What came of it."""
        messages = self._sealed.open(sealed)
        if not self.lost:
            self._silent = 0.0
        for message in messages:
            if "worker" in message:
                self.heard(message)
            elif "alive" in message:
                pass
            elif "failed" in message:
                self.give_up(str(message["failed"]))
            else:
                self._replies.put(message)

    def give_up(self, trouble: str) -> None:
        """Nothing can be said to it any more, nor heard of it."""
        self.trouble = trouble
        self._replies.put(None)

    def ask(self, message: Message, further: float = 0.0) -> Message:
        """Send a message and wait for the reply. `further`: seconds that the machine may take for what it is asked.
        VezaflowError: none came."""
        reply = self._reply_to(message, _REPLY + further) if not self.trouble else None
        if reply is None:
            what = f"can't continue: {self.trouble}" if self.trouble else self.lost or "does not reply"
            raise VezaflowError(
                f"{self.name} ({self.address}) {what}",
                hint="see the log of its Dask worker",
                code=ExitCode.REFUSED,
            )
        return reply

    def _reply_to(self, message: Message, patience: float) -> Message | None:
        """None: there was none within so many seconds, or there will be none."""
        self.tell(message)
        until = time.monotonic() + patience
        while not self.lost and (left := until - time.monotonic()) > 0:
            try:
                return self._replies.get(timeout=min(left, _LISTEN))
            except queue.Empty:
                pass
        return None

    def compare_clocks(self) -> None:
        """Of several round trips the shortest: half of it is how far the clocks can be off."""
        best: Clock | None = None
        for _ in range(_PINGS):
            asked = time.perf_counter()
            there = self.ask({"do": "time", "asked": asked})["time"]
            now = time.perf_counter()
            if best is None or now - asked < best.round_trip:
                best = Clock(there - (asked + now) / 2, (now - asked) / 2)
        assert best is not None
        self.clock = best

    def dismiss(self) -> None:
        """Have the machine end what it does for the run; `join` waits until that has left."""
        self.tell({"do": "dismiss"})
        self._outbox.put(None)

    def join(self, limit: float) -> None:
        """Wait for the last word to leave, so many seconds at most."""
        self._sender.join(max(0.0, limit))

    def _send(self) -> None:
        going = True
        while going:
            batch = []
            try:
                batch.append(self._outbox.get(timeout=_BEAT))
                while not _is_piece(batch[-1]):
                    batch.append(self._outbox.get_nowait())
            except queue.Empty:
                pass
            going = None not in batch
            messages = [message for message in batch if message is not None] or [{"do": "beat"}]
            try:
                self._put(self._sealed.seal(messages), _REPLY)
            except SchedulerError as e:
                self.trouble = f"the scheduler can't be reached: {e}"
                self._replies.put(None)
                return


def _is_hello(said: Any) -> bool:
    """Whether it is a hello, with a key of the right length."""
    return (
        not misfit(said, _HELLO) and isinstance(key := said.get("key"), bytes) and len(key) == KEY and "facts" in said
    )


def _is_piece(message: Message | None) -> bool:
    """Whether it is large enough to go before anything else is added."""
    return message is not None and message["do"] == "file"


def _occupied(address: str, tasks: Sequence[str]) -> VezaflowError:
    """Of a Dask worker that does something else, with its tasks' names."""
    if any(task.startswith(_TASK) for task in tasks):
        what, hint = (
            "carries another run of vezaflow",
            "wait for its end: two loads from one machine would disturb each other",
        )
    else:
        what = f"is busy with {len(tasks):,} other task{'s' if len(tasks) > 1 else ''} (such as {tasks[0][:60]!r})"
        hint = "wait for them, or use other machines: vezaflow wants its Dask workers for itself"
    return VezaflowError(f"the Dask worker {address} {what}", hint=hint, code=ExitCode.REFUSED)


def _tell_apart(talks: Sequence[Conversation]) -> None:
    """Machines of one name, such as Dask workers on one host, get a number each."""
    hosts = Counter(talk.name for talk in talks)
    seen: Counter[str] = Counter()
    for talk in talks:
        if hosts[talk.facts.name] > 1:
            seen[talk.facts.name] += 1
            talk.name = f"{talk.facts.name} #{seen[talk.facts.name]}"


class Machines:
    """All machines of a run, from their hello to their end. A context manager."""

    def __init__(self, client: Client, addresses: Sequence[str]) -> None:
        self.conversations: tuple[Conversation, ...] = ()
        self._client = client
        self._addresses = tuple(addresses)
        self._run = secrets.token_hex(12)
        self._mails: list[Mail] = []
        self._by_nonce: dict[str, Conversation] = {}
        self._over = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="vezaflow from machines", daemon=True)
        self._tasks: list[Any] = []

    def __enter__(self) -> "Machines":
        try:
            self._greet()
        except SchedulerError as e:
            self._end()
            raise VezaflowError(f"the scheduler can't be reached any more: {e}", code=ExitCode.REFUSED) from None
        except BaseException:
            self._turn_away()
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _greet(self) -> None:
        """Start a task on each Dask worker, and speak to who says hello, once for each."""
        up = self._mail(up_queue(self._run))
        self._tasks = list(self._submitted())
        found: dict[int, Conversation] = {}
        begin = time.monotonic()
        while len(found) < len(self._addresses):
            self._raise_failed()
            for hello in up.take(1.0):
                self._raise_taken(hello)
                if self._hand_on(hello):
                    continue  # of one that was quick, and waits for the others
                if _is_hello(hello) and hello["hello"] not in found and self._is_number(hello["hello"]):
                    found[hello["hello"]] = self._begin(hello)
            waited = time.monotonic() - begin
            if len(found) < len(self._addresses):
                self._raise_otherwise(found, busy=waited >= _BUSY)
            if waited >= HELLO:
                self._raise_missing(found)
        self.conversations = tuple(found[number] for number in sorted(found))
        _tell_apart(self.conversations)
        self._listener.start()

    def _turn_away(self) -> None:
        """Who says hello only now is dismissed: it would wait for a welcome, and keep the next run waiting."""
        until = time.monotonic() + _TOO_LATE
        try:
            while self._mails and len(self._by_nonce) < len(self._addresses) and time.monotonic() < until:
                for hello in self._mails[0].take(0.2):
                    if _is_hello(hello) and self._is_number(hello["hello"]):
                        self._begin(hello)
        except (SchedulerError, VezaflowError):
            pass  # what it is refused for has been found

    def _submitted(self) -> Iterator[Any]:
        for number, address in enumerate(self._addresses):
            try:
                yield self._client.submit(
                    carry,
                    self._run,
                    number,
                    key=f"{_TASK}{self._run}-{number}",
                    workers=[address],
                    allow_other_workers=False,
                    pure=False,
                    retries=0,
                )
            except ClosedClientError as e:
                raise SchedulerError(str(e)) from e

    def _mail(self, name: str) -> Mail:
        made = Mail(name, self._client)
        self._mails.append(made)
        return made

    def _begin(self, hello: Mapping[str, Any]) -> Conversation:
        nonce: str = hello["nonce"]
        handshake = Handshake()
        down = self._mail(down_queue(self._run, nonce))
        down.put(handshake.public, _REPLY)
        sealed = handshake.with_machine(hello["key"], nonce)
        number: int = hello["hello"]
        talk = Conversation(number + 1, self._facts(number, hello["facts"]), self._addresses[number], sealed, down.put)
        self._by_nonce[nonce] = talk
        return talk

    def _facts(self, number: int, record: Any) -> MachineFacts:
        try:
            return MachineFacts.from_json(record)
        except ValueError as e:
            raise VezaflowError(
                f"the Dask worker {self._addresses[number]} has another version of vezaflow: {e} in what it is",
                hint=_SAME_VERSION,
                code=ExitCode.REFUSED,
            ) from None

    def _raise_failed(self) -> None:
        """A task that ended before it said hello: most likely the machine has no vezaflow."""
        for address, task in zip(self._addresses, self._tasks, strict=True):
            if task.status == "error":
                raise VezaflowError(
                    f"the Dask worker {address} can't take part: {task.exception()}",
                    hint=_SAME_VERSION,
                    code=ExitCode.REFUSED,
                )

    def _is_number(self, number: int) -> bool:
        """Whether it is one of these machines."""
        return 0 <= number < len(self._addresses)

    def _raise_taken(self, said: Any) -> None:
        """A machine says that it carries another run."""
        if not misfit(said, _TAKEN) and self._is_number(said["busy"]):
            raise _occupied(self._addresses[said["busy"]], (_TASK,))

    def _raise_otherwise(self, found: Mapping[int, Conversation], *, busy: bool) -> None:
        """What has not said hello may have left, or (`busy`) do something else, which the scheduler knows."""
        try:
            tasks = asked(self._client, self._client.processing, 0.0)
        except TimeoutError as e:
            raise SchedulerError(str(e)) from e
        for number, address in enumerate(self._addresses):
            if number not in found and address not in tasks:
                raise VezaflowError(
                    f"the Dask worker {address} left the cluster before the load",
                    hint="it ended, was killed or was retired: run again with those that are there",
                    code=ExitCode.REFUSED,
                )
            if not busy:
                continue
            others = [str(key) for key in tasks.get(address, ()) if not str(key).startswith(f"{_TASK}{self._run}")]
            if number not in found and others:
                raise _occupied(address, others)

    def _raise_missing(self, found: Mapping[int, Conversation]) -> None:
        missing = [address for number, address in enumerate(self._addresses) if number not in found]
        if not missing:
            return
        raise VezaflowError(
            f"no word of the Dask worker{'s' if len(missing) > 1 else ''} {', '.join(missing)} within {HELLO:g} s",
            hint="see their logs; they may be stopped, or out of reach of the scheduler",
            code=ExitCode.REFUSED,
        )

    def _listen(self) -> None:
        """The thread that hands on what machines say. A second hello of a machine is not replied to."""
        unheard, begin = 0.0, time.monotonic()
        while not self._over.is_set():
            try:
                said = self._mails[0].take(_LISTEN)
            except SchedulerError as e:
                for talk in self.conversations:
                    talk.give_up(f"the scheduler can't be reached: {e}")
                return
            now = time.monotonic()
            unheard, begin = unheard + min(now - begin, _LISTEN), now
            if unheard >= _LISTEN:  # of many machines something comes all the time
                for machine in self.conversations:
                    machine.missed(unheard)
                unheard = 0.0
            for each in said:
                self._hand_on(each)

    def _hand_on(self, said: Any) -> bool:
        """Whether it is of a machine that is spoken to, which has it then."""
        nonce = said.get("from") if isinstance(said, dict) else None
        talk = self._by_nonce.get(nonce) if isinstance(nonce, str) else None
        if talk is None:
            return False
        try:
            talk.take(said["sealed"])
        except (ValueError, KeyError, TypeError) as e:
            talk.trouble = f"it sent what can't be read: {e}"
        return True

    def _end(self) -> None:
        talks = tuple(self._by_nonce.values())
        for talk in talks:
            talk.dismiss()
        until = time.monotonic() + _FAREWELL
        for talk in talks:
            talk.join(until - time.monotonic())
        self._over.set()
        if self._listener.ident is not None:
            self._listener.join(_FAREWELL)
        for task in self._tasks:
            task.release()
        for mail in self._mails:  # else they stay on a scheduler that lives on
            mail.close()
