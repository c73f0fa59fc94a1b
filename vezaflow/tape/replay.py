"""Clients that response from a tape and know no network.

A request is answered with what its step got in the same run of it, or for the same method and URL in another; where
its step got nothing, with what another step got for them. `note` is told where the request is another than the one
that was recorded.
"""

from collections.abc import Callable

import trio

from vezaflow.plan import Secrets
from vezaflow.protocols import (
    Body,
    ClientOptions,
    CookieJar,
    ErrorKind,
    EventStreamOptions,
    Exchange,
    OnFrame,
    OnMessage,
    Origin,
    RequestOptions,
    Sender,
    StreamOpening,
    Upgrade,
    WebSocketOptions,
)
from vezaflow.tape.position import Position
from vezaflow.tape.take import Key, Take, Tape, written_url

_QUOTED_MASK = "%E2%80%A2%E2%80%A2%E2%80%A2"


class Replay:
    """The responses of a tape, and how often the requests were others than those recorded."""

    def __init__(
        self, tape: Tape, position: Position, base: Origin | None, secrets: Secrets, note: Callable[[str], None]
    ) -> None:
        self.position = position
        self.others = 0
        self._used: set[Key] = set()
        self._tape = tape
        self._base = base
        self._secrets = secrets
        self._note = note
        self._asked: dict[tuple[str, str], list[Take]] = {}  # by method and URL
        for take in tape.takes:
            self._asked.setdefault((take.method, self._plain(take.url)), []).append(take)

    def client(self, options: ClientOptions) -> Sender:
        return ReplayClient(self, options)

    def take(self, origin: Origin, head: bytes) -> Take | str:
        """The response to the request that is sent now, or why there is none."""
        key = self.position.next_key()
        method, target, _ = head.decode("utf-8", "replace").split(" ", 2)
        url = self._plain(written_url(origin, target, self._base))
        named = key._replace(step=self._secrets.mask(key.step))
        take, note = self._found(named, method, url)
        if take is None:
            return f"{_absence(self._tape, named)}; `vezaflow try` without --replay records one"
        if note:
            self._note(f"replay: {note}")
        if take.body is None:
            self._note(f"replay: the body of {_words(take.key)} was too large to record, and is empty here")
        self._used.add(take.key)
        return take

    def _found(self, key: Key, method: str, url: str) -> tuple[Take | None, str]:
        """The take that responses a request, and what there is to say of it.

        Rounds that run at the same time may come in another order than they did: of one step the URL decides.
        """
        exact = self._tape.by_key.get(key)
        same = self._asked.get((method, url), [])
        if exact in same:
            return exact, ""
        for take in same:
            if take.key.step == key.step and take.key not in self._used:
                return take, ""
        if exact is not None:
            self.others += 1
            return exact, f"the recorded response is for {exact.method} {exact.url}, and this is {method} {url}"
        if same:
            return same[0], f"no recording of {_words(key)}; using the response of {_words(same[0].key)}"
        return None, ""

    def _plain(self, url: str) -> str:
        """A URL as it stands on the tape, however its masked parts were written."""
        return self._secrets.mask(url).replace(_QUOTED_MASK, "•••")


class ReplayClient:
    """Has the shape of protocols.Sender."""

    def __init__(self, replay: Replay, options: ClientOptions) -> None:
        self.cookies = CookieJar()
        self._replay = replay
        self._cookies_on = options.cookies
        self._certificate: float | None = None
        self.exchange = Exchange()

    async def send(self, origin: Origin, head: bytes, body: Body, options: RequestOptions) -> Exchange:
        await trio.lowlevel.checkpoint()
        take = self._replay.take(origin, head)
        exchange = self.exchange = Exchange()
        exchange.started = exchange.sent = exchange.first = exchange.ended = trio.current_time()
        if isinstance(take, str):
            exchange.error, exchange.detail = ErrorKind.UNREACHABLE, take
            return exchange
        exchange.status, exchange.headers, exchange.body = take.status, list(take.headers), take.body or b""
        exchange.sent += take.sent
        exchange.first += take.first
        exchange.ended += take.ended
        exchange.bytes_sent, exchange.bytes_received = len(head), len(exchange.body)
        self._certificate = take.certificate
        if self._cookies_on:
            path = head.decode("utf-8", "replace").split(" ", 2)[1]
            for name, value in take.headers:
                if name == "set-cookie":
                    self.cookies.take(origin, path, value)
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
        """There is none: who replays refuses such flows before."""
        await trio.lowlevel.checkpoint()
        exchange = Exchange()
        exchange.begun = exchange.started = exchange.sent = exchange.first = exchange.ended = trio.current_time()
        exchange.error, exchange.detail = ErrorKind.UNREACHABLE, "messages of WebSockets are not recorded"
        return Upgrade(exchange, None)

    async def open_events(
        self, origin: Origin, head: bytes, options: EventStreamOptions, *, on_message: OnMessage | None = None
    ) -> StreamOpening:
        """As `open_websocket`."""
        await trio.lowlevel.checkpoint()
        exchange = Exchange()
        exchange.begun = exchange.started = exchange.sent = exchange.first = exchange.ended = trio.current_time()
        exchange.error, exchange.detail = ErrorKind.UNREACHABLE, "events of event streams are not recorded"
        return StreamOpening(exchange, None)

    def beside(self) -> "ReplayClient":
        return self

    def lane(self) -> "ReplayClient":
        return self

    def by(self, _options: ClientOptions) -> "ReplayClient":
        return self

    def certificate_ends(self) -> float | None:
        return self._certificate

    def close(self) -> None:
        """There is nothing to close."""


def _words(key: Key) -> str:
    return f"'{key.step}'{_nth(key)}"


def _nth(key: Key) -> str:
    run = f" in its run {key.run}" if key.run > 1 else ""
    turn = f", request {key.turn}" if key.turn > 1 else ""
    return run + turn


def _absence(tape: Tape, key: Key) -> str:
    runs = {take.key.run for take in tape.takes if take.key.step == key.step}
    if not runs:
        return f"no response is recorded for '{key.step}'"
    if key.run not in runs:
        count = "only one run" if len(runs) == 1 else f"only {len(runs)} runs"
        return f"no response is recorded for run {key.run} of '{key.step}', {count} of it"
    return f"no response is recorded for request {key.turn} of '{key.step}'"
