"""A stage for engine tests: a fake client behind the one seam for it, on trio's mock clock."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import trio

from vezaflow.engine import RunEngine
from vezaflow.metrics import Recorder, Summary
from vezaflow.plan import Plan
from vezaflow.protocols import Body, ClientOptions, CookieJar, ErrorKind, Exchange, Origin, RequestOptions, Want


class Reply(NamedTuple):
    """What the fake target answers, and how long it takes (seconds)."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    after: float = 0.01
    error: ErrorKind | None = None
    first: float | None = None  # when its first byte comes; None: with the last


Answer = Callable[[str, str], Reply]  # method, target → reply


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

    def beside(self) -> "FakeClient":
        return self

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


async def play(plan: Plan, answer: Answer | Target, *, during: Callable[[RunEngine], object] | None = None) -> Played:
    """Run a plan against a fake target. `during` is an async function that may steer the run while it goes."""
    target = answer if isinstance(answer, Target) else Target(answer)
    start = trio.current_time()
    recorder = Recorder(start)
    said: list[str] = []
    engine = RunEngine(plan, recorder=recorder, client=target.client, clock=trio.current_time, say=said.append)
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
