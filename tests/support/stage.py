"""A stage for engine tests: a fake client behind the one seam for it, on trio's mock clock."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import trio

from vezaflow.engine import RunEngine
from vezaflow.metrics import Recorder, Summary
from vezaflow.plan import Plan, Segment
from vezaflow.protocols import (
    Body,
    ChannelMessage,
    ClientOptions,
    CookieJar,
    Ending,
    ErrorKind,
    EventMessage,
    EventStreamOptions,
    Exchange,
    OnFrame,
    OnMessage,
    Origin,
    RequestOptions,
    SentMessage,
    StreamOpening,
    Upgrade,
    Want,
    WebSocketOptions,
)


class Reply(NamedTuple):
    """What the fake target answers, and how long it takes (seconds)."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    after: float = 0.01
    error: ErrorKind | None = None
    first: float | None = None  # when its first byte comes; None: with the last


Answer = Callable[[str, str], Reply]  # method, target → reply


class Said(NamedTuple):
    """What the fake target says over a WebSocket, so long after what it heard: a text, or the code of its close."""

    what: str | int
    after: float = 0.01


class Told(NamedTuple):
    """What the fake target says over an event stream, so long after it was opened: an event, or how it ends."""

    what: str | ErrorKind
    after: float = 0.01
    event: str = "message"
    id: str = ""


Feed = Callable[[str], Iterable[Told]]  # the Last-Event-ID → what is said
Talk = Callable[[str | bytes], Iterable[Said]]  # what was heard ("" when it was opened) → what is said


@dataclass
class Target:
    """A target in memory. `log` is what was asked for: (time, method, target, head)."""

    answer: Answer
    log: list[tuple[float, str, str, str]] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)  # of what was asked for; a small one may stand behind its head
    senders: list["FakeClient"] = field(default_factory=list)  # who asked
    open_clients: int = 0
    on_their_way: Counter[str] = field(default_factory=Counter)  # requests, by authority
    most: Counter[str] = field(default_factory=Counter)  # of them together
    closed: list[float] = field(default_factory=list)  # when connections were
    talk: Talk = lambda _heard: ()
    sockets: list["FakeSocket"] = field(default_factory=list)  # all that were opened
    feed: Feed = lambda _last_id: ()
    retry: float | None = None  # seconds that it wants who reconnects to wait
    streams: list["FakeStream"] = field(default_factory=list)
    read_late: float = 0.0  # seconds that the generator takes to come to an answer that is there

    @property
    def asked(self) -> list[str]:
        return [f"{method} {target}" for _, method, target, _ in self.log]

    @contextmanager
    def busy(self, authority: str) -> Iterator[None]:
        """While a request is on its way."""
        self.on_their_way[authority] += 1
        self.most |= self.on_their_way
        try:
            yield
        finally:
            self.on_their_way[authority] -= 1

    def client(self, options: ClientOptions = ClientOptions()) -> "FakeClient":  # noqa: B008 (frozen)
        self.open_clients += 1
        return FakeClient(self, options)


class FakeClient:
    """Has the shape of protocols.Sender."""

    def __init__(
        self,
        target: Target,
        options: ClientOptions = ClientOptions(),  # noqa: B008 (frozen)
        cookies: CookieJar | None = None,
    ) -> None:
        self.target = target
        self.options = options
        self.cookies = CookieJar() if cookies is None else cookies
        self.exchange = Exchange()
        self._others: dict[ClientOptions, FakeClient] = {}
        self._open = True

    async def send(self, origin: Origin, head: bytes, body: Body, options: RequestOptions) -> Exchange:
        text = head.decode()
        method, path, _ = text.split(" ", 2)
        self.target.log.append((trio.current_time(), method, path, text))
        self.target.bodies.append(body)
        self.target.senders.append(self)
        reply = self.target.answer(method, path)
        exchange = self.exchange = Exchange()
        exchange.started = exchange.sent = trio.current_time()
        with self.target.busy(origin.authority):
            await trio.sleep(reply.after)
        exchange.first = exchange.ended = trio.current_time()
        if reply.first is not None:
            exchange.first = exchange.started + reply.first
        await trio.sleep(self.target.read_late)
        exchange.detail = "no response in time" if reply.error is ErrorKind.TIMEOUT_WAIT else ""
        exchange.error, exchange.status = reply.error, 0 if reply.error else reply.status
        exchange.headers, exchange.body = list(reply.headers), reply.body if options.want & Want.BODY else b""
        exchange.bytes_sent, exchange.bytes_received = len(head), len(reply.body)
        return exchange

    async def open_websocket(
        self,
        origin: Origin,
        head: bytes,
        options: WebSocketOptions,
        *,
        on_message: OnMessage | None = None,
        on_frame: OnFrame | None = None,
    ) -> Upgrade:
        exchange, reply, path = await self._opening(head)
        if reply.error is not None or reply.status != 101:
            exchange.error = reply.error or ErrorKind.UPGRADE
            exchange.detail = f"the response to the upgrade has status {reply.status}"
            return Upgrade(exchange, None)
        socket = FakeSocket(self.target.talk, options, on_message, path)
        self.target.sockets.append(socket)
        socket.hear("")
        return Upgrade(exchange, socket)

    async def open_events(
        self, origin: Origin, head: bytes, options: EventStreamOptions, *, on_message: OnMessage | None = None
    ) -> StreamOpening:
        exchange, reply, _ = await self._opening(head)
        if reply.error is not None or reply.status != 200:
            exchange.error = reply.error or ErrorKind.STATUS
            exchange.detail = f"the response has status {reply.status}"
            return StreamOpening(exchange, None)
        stream = FakeStream(self.target, options, on_message)
        self.target.streams.append(stream)
        return StreamOpening(exchange, stream)

    async def _opening(self, head: bytes) -> tuple[Exchange, Reply, str]:
        """The exchange that is to open a channel, what the target says to it, and the path."""
        text = head.decode()
        method, path, _ = text.split(" ", 2)
        self.target.log.append((trio.current_time(), method, path, text))
        reply = self.target.answer(method, path)
        exchange = Exchange()
        exchange.begun = exchange.started = trio.current_time()
        await trio.sleep(reply.after)
        exchange.sent = exchange.first = exchange.ended = trio.current_time()
        exchange.reused = False
        exchange.status = reply.status
        return exchange, reply, path

    def beside(self) -> "FakeClient":
        return self

    def lane(self) -> "FakeClient":
        return type(self)(self.target, self.options, self.cookies)

    def by(self, options: ClientOptions) -> "FakeClient":
        if options not in self._others:
            self.target.open_clients += 1
            self._others[options] = type(self)(self.target, options, self.cookies)
        return self._others[options]

    def certificate_ends(self) -> float | None:
        return None

    def close(self) -> None:
        self.target.closed.append(trio.current_time())
        self.target.open_clients -= self._open
        self._open = False
        for other in self._others.values():
            other.close()


class FakeChannel:
    """What a WebSocket and an event stream have in common: messages that wait to be read, and one end."""

    def __init__(self, on_message: OnMessage | None) -> None:
        self.ending: Ending | None = None
        self.received = self.dropped = self.bytes_sent = self.bytes_received = 0
        self.opened = trio.current_time()
        self._on_message = on_message
        self._unread: list[ChannelMessage] = []
        self._news = trio.Event()

    def pass_on(self, message: ChannelMessage) -> None:
        """Give it to who listens, or keep it for who reads."""
        if self._on_message is None or not self._on_message(self, message):  # type: ignore[arg-type]
            self._unread.append(message)
            self._wake()

    def end(self, ending: Ending) -> None:
        self.ending = self.ending or ending
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def _wait(self, deadline: float) -> None:
        with trio.move_on_at(deadline):
            await self._news.wait()

    async def receive(self, deadline: float) -> ChannelMessage | Ending | None:
        while not self._unread and self.ending is None and trio.current_time() < deadline:
            await self._wait(deadline)
        return self._unread.pop(0) if self._unread else self.ending

    async def ended_by(self, deadline: float) -> Ending | None:
        while self.ending is None and trio.current_time() < deadline:
            await self._wait(deadline)
        return self.ending


class FakeSocket(FakeChannel):
    """Has the shape of protocols.WebSocket. `heard` is what came, with its time."""

    def __init__(self, talk: Talk, options: WebSocketOptions, on_message: OnMessage | None, path: str) -> None:
        super().__init__(on_message)
        self.path = path
        self.options = options
        self.heard: list[tuple[float, str | bytes]] = []
        self.subprotocol: str | None = None
        self._talk = talk

    def hear(self, data: str | bytes) -> None:
        for said in self._talk(data):
            trio.lowlevel.spawn_system_task(self._say, said)

    def say(self, said: Said) -> None:
        """Say something that was not asked for."""
        trio.lowlevel.spawn_system_task(self._say, said)

    async def _say(self, said: Said) -> None:
        await trio.sleep(said.after)
        now = trio.current_time()
        if self.ending is not None:
            return
        if isinstance(said.what, int):
            error = ErrorKind.CLOSED_EARLY if said.what == 1006 else None
            self.end(Ending(now, said.what, "", by_server=True, error=error, detail="cut off" if error else ""))
            return
        message = ChannelMessage(said.what, now, len(said.what))
        self.bytes_received += message.size
        self.pass_on(message)

    async def send(self, data: str | bytes, deadline: float) -> SentMessage:
        await trio.lowlevel.checkpoint()
        return self.post(data)

    def post(self, data: str | bytes) -> SentMessage:
        if self.ending is not None:
            return SentMessage(len(data), error=ErrorKind.CLOSED_EARLY, detail="it was closed before")
        self.heard.append((trio.current_time(), data))
        self.bytes_sent += len(data)
        self.hear(data)
        return SentMessage(len(data), trio.current_time())

    async def ping(self, deadline: float) -> float | None:
        await trio.sleep(0.004)
        return None if self.ending is not None or trio.current_time() > deadline else 0.004

    async def close(self, code: int = 1000, reason: str = "") -> Ending:
        await trio.sleep(0.001)
        self.end(Ending(trio.current_time(), code, reason, by_server=False))
        assert self.ending is not None
        return self.ending

    def begin_close(self, code: int = 1000, reason: str = "") -> None:
        self.end(Ending(trio.current_time(), code, reason, by_server=False))

    def drop(self) -> None:
        self.end(Ending(trio.current_time(), 1006, "", by_server=False, error=ErrorKind.INTERRUPTED))


class FakeStream(FakeChannel):
    """Has the shape of protocols.EventStream."""

    def __init__(self, target: Target, options: EventStreamOptions, on_message: OnMessage | None) -> None:
        super().__init__(on_message)
        self.options = options
        self.last_id = options.last_id
        self.retry = target.retry
        for told in target.feed(options.last_id):
            trio.lowlevel.spawn_system_task(self._say, told)

    async def _say(self, told: Told) -> None:
        await trio.sleep(told.after)
        now = trio.current_time()
        if self.ending is not None:
            return
        if isinstance(told.what, ErrorKind):
            self.end(Ending(now, 0, "", by_server=True, error=told.what, detail=f"it ended: {told.what.value}"))
            return
        self.last_id = told.id or self.last_id
        message = EventMessage(told.what, now, len(told.what), told.event, told.id)
        self.pass_on(message)

    def drop(self) -> None:
        self.end(Ending(trio.current_time(), 0, "", by_server=False))


@dataclass
class Played:
    """A run that was played to its end."""

    engine: RunEngine
    summary: Summary
    seconds: float
    said: list[str]

    def count(self, metric: str, **labels: str) -> float:
        value = self.summary.select(metric, None, tuple(sorted(labels.items()))).aggregate("count", None)
        return value or 0.0


async def play(
    plan: Plan,
    answer: Answer | Target,
    *,
    during: Callable[[RunEngine], object] | None = None,
    segment: Segment | None = None,
) -> Played:
    """Run a plan against a fake target. `during` is an async function that may steer the run while it goes."""
    target = answer if isinstance(answer, Target) else Target(answer)
    start = trio.current_time()
    recorder = Recorder(start)
    said: list[str] = []
    engine = RunEngine(
        plan, recorder=recorder, client=target.client, clock=trio.current_time, say=said.append, segment=segment
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.wheel.run)
        await engine.preflight()
        await engine.setup()
        begin = trio.current_time()
        if during is not None:
            nursery.start_soon(during, engine)  # type: ignore[arg-type]
        await engine.load(begin)
        seconds = trio.current_time() - begin
        await engine.teardown()
        nursery.cancel_scope.cancel()
    recorder.fold(trio.current_time())
    assert target.open_clients == 0, "every client is closed at the end"
    return Played(engine, recorder.snapshot(), seconds, said)


def always(reply: Reply) -> Answer:
    """A target of one answer."""
    return lambda _method, _target: reply
