"""Clients that response from a tape and know no network.

A request is answered with what its step got in the same run of it, or for the same method and URL in another; where
its step got nothing, with what another step got for them. `note` is told where the request is another than the one
that was recorded. A channel is opened and speaks as it was recorded (channel_replay.py); one that was played is not
played again in the same run of its step.
"""

from collections.abc import Callable
from functools import partial

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
from vezaflow.tape.channel_replay import ReplayedChannel
from vezaflow.tape.channel_take import ChannelKind, text_masked
from vezaflow.tape.credentials import blotted, credentials_of
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
        self.other_messages = 0
        self._used: set[Key] = set()
        self._tape = tape
        self._base = base
        self._secrets = secrets
        self._note = note
        self._asked: dict[tuple[str, str, ChannelKind | None], list[Take]] = {}  # by method, URL, and what it opens
        for take in tape.takes:
            self._asked.setdefault((take.method, self._plain(take.url), take.kind), []).append(take)
        self._players: trio.Nursery | None = None  # of channels

    def client(self, options: ClientOptions) -> Sender:
        return ReplayClient(self, options)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Let the channels speak, until cancelled."""
        async with trio.open_nursery() as self._players:
            task_status.started()
            await trio.sleep_forever()

    def take(self, origin: Origin, head: bytes, kind: ChannelKind | None = None) -> Take | str:
        """The response to the request that is sent now, or why there is none. `kind`: what it is to open."""
        key = self.position.next_key()
        method, target, _ = head.decode("utf-8", "replace").split(" ", 2)
        url = self._plain(written_url(origin, target, self._base))
        named = key._replace(step=self._secrets.mask(key.step))
        take, note = self._found(named, method, url, kind)
        if take is None:
            return f"{_absence(self._tape, named, kind)}; `vezaflow try` without --replay records one"
        if note:
            self._note(f"replay: {note}")
        if take.body is None:
            self._note(f"replay: the body of {_words(take.key)} was too large to record, and is empty here")
        self._used.add(take.key)
        return take

    def channel(
        self, take: Take, begun: float, on_message: OnMessage | None, last_id: str = ""
    ) -> ReplayedChannel | None:
        """The channel that a request has opened; None if its response opened none."""
        recorded = take.channel
        assert recorded is not None, "it was looked for"
        if recorded.refused is not None:
            return None
        where = f"'{take.key.step}'"
        if not recorded.whole:
            self._note(f"replay: the messages of {where} were too many to record all: the last ones do not come")
        channel = ReplayedChannel(
            recorded,
            begun,
            on_message,
            self._plain_message,
            differs=partial(self._differs, where),
            note=lambda text: self._note(f"replay: {where}: {text}"),
            last_id=last_id,
        )
        assert self._players is not None, "it runs"
        self._players.start_soon(channel.play)
        return channel

    def _differs(self, where: str, text: str) -> None:
        self.other_messages += 1
        self._note(f"replay: {where}: {text}")

    def _plain_message(self, data: str | bytes) -> str | bytes:
        """A message as it stands on the tape."""
        written = data if isinstance(data, bytes) else data.encode("utf-8", "replace")
        found = tuple(credentials_of((), written))
        secrets = self._secrets.and_of(found) if found else self._secrets
        return text_masked(data, lambda text: blotted(secrets.mask_bytes(text)))

    def _found(self, key: Key, method: str, url: str, kind: ChannelKind | None) -> tuple[Take | None, str]:
        """The take that responses a request, and what there is to say of it.

        Rounds that run at the same time may come in another order than they did: of one step the URL decides.
        """
        exact = self._tape.by_key.get(key)
        same = self._asked.get((method, url, kind), [])
        if exact is not None and (exact.kind is not kind or self._is_over(exact, key)):
            exact = None
        same = [take for take in same if not self._is_over(take, key)]
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

    def _is_over(self, take: Take, key: Key) -> bool:
        """Whether this is a channel that can't be opened (again) by the request: a reconnect opens the next one of its
        own run."""
        own = take.key[:2] == key[:2]
        return take.channel is not None and (take.key in self._used if own else key.turn > 1)

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
        self.exchange, take = self._exchange(origin, head, None)
        if take is not None:
            self._certificate = take.certificate
        return self.exchange

    async def open_websocket(
        self,
        origin: Origin,
        head: bytes,
        options: WebSocketOptions,
        *,
        on_message: OnMessage | None = None,
        on_frame: OnFrame | None = None,
    ) -> Upgrade:
        """There are no frames: `on_frame` is told nothing."""
        await trio.lowlevel.checkpoint()
        exchange, take = self._exchange(origin, head, ChannelKind.WEBSOCKET)
        return Upgrade(exchange, self._replay.channel(take, exchange.begun, on_message) if take is not None else None)

    async def open_events(
        self, origin: Origin, head: bytes, options: EventStreamOptions, *, on_message: OnMessage | None = None
    ) -> StreamOpening:
        await trio.lowlevel.checkpoint()
        exchange, take = self._exchange(origin, head, ChannelKind.EVENTS)
        if take is None:
            return StreamOpening(exchange, None)
        return StreamOpening(exchange, self._replay.channel(take, exchange.begun, on_message, options.last_id))

    def _exchange(self, origin: Origin, head: bytes, kind: ChannelKind | None) -> tuple[Exchange, Take | None]:
        """The recorded exchange, and its take; one that failed, where there is none."""
        take = self._replay.take(origin, head, kind)
        exchange = Exchange()
        exchange.begun = exchange.started = exchange.sent = exchange.first = exchange.ended = trio.current_time()
        if isinstance(take, str):
            exchange.error, exchange.detail = ErrorKind.UNREACHABLE, take
            return exchange, None
        exchange.status, exchange.headers, exchange.body = take.status, list(take.headers), take.body or b""
        exchange.sent += take.sent
        exchange.first += take.first
        exchange.ended += take.ended
        exchange.bytes_sent, exchange.bytes_received = len(head), len(exchange.body)
        if take.channel is not None:
            exchange.error, exchange.detail = take.channel.refused, take.channel.detail
        if self._cookies_on:
            path = head.decode("utf-8", "replace").split(" ", 2)[1]
            for name, value in take.headers:
                if name == "set-cookie":
                    self.cookies.take(origin, path, value)
        return exchange, take

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


def _absence(tape: Tape, key: Key, kind: ChannelKind | None) -> str:
    what = {None: "response", ChannelKind.WEBSOCKET: "WebSocket", ChannelKind.EVENTS: "event stream"}[kind]
    runs = {take.key.run for take in tape.takes if take.key.step == key.step and take.kind is kind}
    if not runs:
        return f"no {what} is recorded for '{key.step}'"
    if key.run not in runs:
        count = "only one run" if len(runs) == 1 else f"only {len(runs)} runs"
        return f"no {what} is recorded for run {key.run} of '{key.step}', {count} of it"
    return f"no {what} is recorded for request {key.turn} of '{key.step}'"
