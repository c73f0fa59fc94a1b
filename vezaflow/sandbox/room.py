"""The chat at /api/v1/ws: who writes gets an ack, all others in the room get the message, heartbeats are answered.

    {id, text, …}   ─▶ {type: ack, id} to its sender, {type: message, id, from, text} to every other one in the room
    {type: ping}    ─▶ {type: pong}

Acks and messages meet the faults that were asked for: dropped, sent twice, late, behind those that came after them, and
the connection closed after so much time, so many messages, or when the token of its upgrade expires. Seeded, as
faults.py is; pongs meet none.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any
from urllib.parse import parse_qs

import orjson

from vezaflow.sandbox.reply import refusal
from vezaflow.sandbox.settings import SandboxSettings
from vezaflow.sandbox.tokens import Tokens

ROUTE = "GET /api/v1/ws"
PATH = "/api/v1/ws"
LOBBY = "lobby"
BEHIND = 0.1  # seconds that a reordered message comes later
EXPIRED = 4401  # the close code of whose token expires meanwhile
IDLE = 4408  # the close code of who said nothing for too long
UNREADABLE = 1007
FAILED = 1011

Event = MutableMapping[str, Any]  # ASGI's own types
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Record = dict[str, Any]  # a JSON object


@dataclass(eq=False, slots=True)
class ChatMember:
    """One connection: what it is to be sent, in that order. A number is the code that it is closed with."""

    name: str
    heard: int = 0
    out: "asyncio.Queue[Record | int]" = field(default_factory=asyncio.Queue)


class Rooms:
    """All rooms, by name."""

    def __init__(self, settings: SandboxSettings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens
        self._secured = settings.ws_auth or settings.ws_token_lifetime > 0
        self._code = settings.ws_close_code or FAILED
        self._random = Random(settings.seed)
        self._members: dict[str, set[ChatMember]] = {}
        self._numbers = count(1)

    async def serve(self, scope: Event, receive: Receive, send: Send) -> int:
        """One connection from its upgrade to its end; the status of the upgrade."""
        await receive()  # websocket.connect
        if scope["path"] != PATH:
            return await refuse(send, 404, "there is nothing here")
        left = self._tokens.left(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))
        if self._secured and not left:
            return await refuse(send, 401, "a bearer token is needed that has not expired")
        await send({"type": "websocket.accept"})
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        room = asked.get("room", [LOBBY])[0]
        member = ChatMember(f"user-{next(self._numbers)}")
        members = self._members.setdefault(room, set())
        members.add(member)
        writing = asyncio.create_task(write(member, send))
        timers = self._timers(member, left)
        try:
            await self._listen(member, members, receive)
        finally:
            members.discard(member)
            if not members:
                self._members.pop(room, None)
            for timer in timers:
                timer.cancel()
            writing.cancel()
        return 101

    def _timers(self, member: ChatMember, left: float) -> list[asyncio.TimerHandle]:
        """What closes a connection after some time: the switch, and the end of its token."""
        call_later, settings = asyncio.get_running_loop().call_later, self._settings
        timers = []
        if settings.ws_close_after:
            timers.append(call_later(settings.ws_close_after, member.out.put_nowait, self._code))
        if settings.ws_token_lifetime:
            timers.append(call_later(left, member.out.put_nowait, settings.ws_close_code or EXPIRED))
        return timers

    async def _listen(self, member: ChatMember, members: set[ChatMember], receive: Receive) -> None:
        while True:
            try:
                async with asyncio.timeout(self._settings.ws_idle or None):
                    event = await receive()
            except TimeoutError:
                member.out.put_nowait(IDLE)
                event = await receive()
            if event["type"] == "websocket.disconnect":
                return
            self._heard(member, members, event.get("text") or event.get("bytes") or "")

    def _heard(self, member: ChatMember, members: set[ChatMember], data: str | bytes) -> None:
        try:
            record = orjson.loads(data)
        except orjson.JSONDecodeError:
            record = None
        if not isinstance(record, dict):
            member.out.put_nowait(UNREADABLE)
            return
        if record.get("type") == "ping":
            member.out.put_nowait({"type": "pong"})
            return
        member.heard += 1
        name = record.get("id")
        self._deal(member, {"type": "ack", "id": name})
        message = {"type": "message", "id": name, "from": member.name, "text": record.get("text")}
        for other in members:
            if other is not member:
                self._deal(other, message)
        if member.heard == self._settings.ws_close_messages:
            member.out.put_nowait(self._code)

    def _deal(self, member: ChatMember, record: Record) -> None:
        """Send a record, if its fate allows."""
        settings, chance = self._settings, self._random.random
        if settings.ws_drop and chance() < settings.ws_drop:
            return
        delay = settings.ws_delay
        if settings.ws_reorder and chance() < settings.ws_reorder:
            delay += BEHIND
        for _ in range(2 if settings.ws_duplicate and chance() < settings.ws_duplicate else 1):
            if delay:
                asyncio.get_running_loop().call_later(delay, member.out.put_nowait, record)
            else:
                member.out.put_nowait(record)


async def write(member: ChatMember, send: Send) -> None:
    """Send what a member is to be sent, until it is closed."""
    while True:
        record = await member.out.get()
        if isinstance(record, int):
            await send({"type": "websocket.close", "code": record})
            return
        await send({"type": "websocket.send", "text": orjson.dumps(record).decode()})


async def refuse(send: Send, status: int, detail: str) -> int:
    """Answer the upgrade with a response."""
    reply = refusal(ROUTE, status, detail)
    for message in (reply.start, reply.body):
        await send({**message, "type": f"websocket.{message['type']}"})
    return status
