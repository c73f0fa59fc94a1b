"""Clients whose responses are kept. What a step gets is the client's own response, untouched.

Only responses are kept: where none came, what was recorded before stays worth more.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from vezaflow.plan import Plan, Secrets
from vezaflow.protocols import (
    Body,
    ClientOptions,
    EventStreamOptions,
    Exchange,
    OnFrame,
    OnMessage,
    Origin,
    RequestOptions,
    Sender,
    SenderAround,
    StreamOpening,
    Upgrade,
    WebSocketOptions,
)
from vezaflow.tape.channel_recording import ChannelRecording
from vezaflow.tape.channel_take import ChannelKind, ChannelTake, Passed, text_masked
from vezaflow.tape.credentials import blotted, credentials_of
from vezaflow.tape.position import Position
from vezaflow.tape.take import Key, Take, Tape, bounded, written_url

MOST_BODY = 4 << 20  # bytes of one body, and of the messages of one channel
MOST = 32 << 20  # bytes of a recording
SEARCHED = 256 << 10  # bytes of a request's body, for credentials
Make = Callable[[ClientOptions], Sender]


class Recording:
    """What one rehearsal got; `secrets` and `tape` know all credentials that came by."""

    def __init__(self, position: Position, base: Origin | None, secrets: Secrets) -> None:
        self.position = position
        self._base = base
        self._secrets = secrets
        self._takes: list[Take] = []
        self._channels: dict[Key, ChannelRecording] = {}
        self._room = MOST
        self._credentials: dict[str, None] = {}

    def of(self, make: Make) -> Make:
        """Clients as `make` makes them, with their responses recorded."""
        return lambda options: _Recorded(make(options), self)

    @property
    def secrets(self) -> Secrets:
        """The plan's secrets, and the credentials that were seen."""
        return self._secrets.and_of(self._credentials)

    def tape(self, plan: Plan, flow: str, older: Tape | None) -> Tape:
        """What was recorded, masked, and what an older tape has of steps that did not run."""
        secrets = self.secrets
        base_url = plan.inputs.base_url and secrets.mask(plan.inputs.base_url)
        takes = tuple(_masked(self._completed(take), secrets) for take in self._takes)
        fresh = Tape(flow, dict(plan.shown_inputs), base_url, takes)
        whole = fresh.over(older)
        return replace(whole, takes=bounded(whole.takes, MOST))

    def note(
        self, key: Key, origin: Origin, head: bytes, body: Body, exchange: Exchange, certificate: float | None
    ) -> None:
        """Keep a response, as far as there is room."""
        method, target, headers, small = _request(head)
        url = written_url(origin, target, self._base)
        pieces = (body,) if isinstance(body, bytes) else (body or (small,))
        for piece in pieces:
            self._saw(credentials_of(headers, bytes(piece[:SEARCHED]), url))
        self._saw(credentials_of(exchange.headers, exchange.body))
        fits = len(exchange.body) <= min(MOST_BODY, self._room)
        started = exchange.started
        take = Take(
            key=key,
            method=method,
            url=url,
            status=exchange.status,
            headers=tuple(exchange.headers),
            body=exchange.body if fits else None,
            sent=exchange.sent - started,
            first=exchange.first - started,
            ended=exchange.ended - started,
            certificate=certificate,
            at=time.time(),
        )
        if take.size <= self._room:
            self._room -= take.size
            self._takes.append(take)

    def channel(self, kind: ChannelKind) -> ChannelRecording:
        """For a channel that is about to be opened."""
        left = MOST_BODY

        def keep(message: Passed) -> bool:
            nonlocal left
            data = message.data
            self._saw(credentials_of((), data if isinstance(data, bytes) else data.encode("utf-8", "replace")))
            if message.size > min(left, self._room):
                return False
            left -= message.size
            self._room -= message.size
            return True

        return ChannelRecording(kind, keep)

    def note_channel(
        self, key: Key, origin: Origin, head: bytes, exchange: Exchange, channel: ChannelRecording
    ) -> None:
        """Keep the response that opened a channel, or did not, and later what passed over it."""
        if exchange.status:
            self.note(key, origin, head, None, exchange, None)
            self._channels[key] = channel
            for name, value in _request(head)[2]:
                if name.lower() == "sec-websocket-protocol":  # the one header that a page can put a token in
                    self._saw(credentials_of((), value.encode()))

    def _completed(self, take: Take) -> Take:
        channel = self._channels.get(take.key)
        return take if channel is None else replace(take, channel=channel.take())

    def _saw(self, credentials: Iterable[str]) -> None:
        self._credentials.update(dict.fromkeys(credentials))


class _Recorded(SenderAround):
    """A client of which a recording keeps the responses."""

    def __init__(self, client: Sender, recording: Recording) -> None:
        self.cookies = client.cookies
        self._client = client
        self._recording = recording

    async def send(self, origin: Origin, head: bytes, body: Body, options: RequestOptions) -> Exchange:
        key = self._recording.position.next_key()
        exchange = await self._client.send(origin, head, body, options)
        if exchange.error is None:
            self._recording.note(key, origin, head, body, exchange, self._client.certificate_ends())
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
        key = self._recording.position.next_key()
        channel = self._recording.channel(ChannelKind.WEBSOCKET)
        came, frame = channel.listening(on_message), channel.watching(on_frame)
        found = await self._client.open_websocket(origin, head, options, on_message=came, on_frame=frame)
        channel.opened(found.exchange, found.channel)
        self._recording.note_channel(key, origin, head, found.exchange, channel)
        return found

    async def open_events(
        self, origin: Origin, head: bytes, options: EventStreamOptions, *, on_message: OnMessage | None = None
    ) -> StreamOpening:
        key = self._recording.position.next_key()
        channel = self._recording.channel(ChannelKind.EVENTS)
        found = await self._client.open_events(origin, head, options, on_message=channel.listening(on_message))
        channel.opened(found.exchange, found.channel)
        self._recording.note_channel(key, origin, head, found.exchange, channel)
        return found

    def beside(self) -> Sender:
        return _Recorded(self._client.beside(), self._recording)

    def lane(self) -> Sender:
        return _Recorded(self._client.lane(), self._recording)

    def by(self, options: ClientOptions) -> Sender:
        return _Recorded(self._client.by(options), self._recording)


def _request(head: bytes) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """Method, target and headers of a request's head, and a small body that came with it."""
    whole, _, body = head.partition(b"\r\n\r\n")
    first, *lines = whole.decode("utf-8", "replace").split("\r\n")
    method, _, rest = first.partition(" ")
    pairs = (line.partition(":") for line in lines)
    return method, rest.rpartition(" ")[0], [(name, value.strip()) for name, _, value in pairs], body


def _masked(take: Take, secrets: Secrets) -> Take:
    headers = tuple(
        (name, _cookie(value) if name == "set-cookie" else secrets.mask(value)) for name, value in take.headers
    )
    return replace(
        take,
        key=take.key._replace(step=secrets.mask(take.key.step)),
        url=secrets.mask(take.url),
        headers=headers,
        body=None if take.body is None else blotted(secrets.mask_bytes(take.body)),
        channel=None if take.channel is None else _masked_channel(take.channel, secrets),
    )


def _masked_channel(channel: ChannelTake, secrets: Secrets) -> ChannelTake:
    mask, end = secrets.mask, channel.end
    messages = tuple(
        replace(
            each,
            data=text_masked(each.data, lambda data: blotted(secrets.mask_bytes(data))),
            event=mask(each.event),
            id=mask(each.id),
        )
        for each in channel.messages
    )
    return replace(
        channel,
        detail=mask(channel.detail),
        messages=messages,
        end=None if end is None else replace(end, reason=mask(end.reason), detail=mask(end.detail)),
        subprotocol=None if channel.subprotocol is None else mask(channel.subprotocol),
    )


def _cookie(line: str) -> str:
    """A Set-Cookie without the cookie's value, however short."""
    pair, semicolon, rest = line.partition(";")
    return f"{pair.partition('=')[0]}=•••{semicolon}{rest}"
