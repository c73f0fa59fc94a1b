"""The event stream at /api/v1/events: one event after the other, numbered, until the client goes away.

    ?every=0.05     seconds from one to the next
    ?last=20        the number of the last one: who asks for more gets a 204, which wants no reconnect
    Last-Event-ID   goes on behind that number

An event says when it was sent (`sent_at`, milliseconds since 1970). A comment is sent as a heartbeat, and at first how
long a client is to wait before it reconnects. The switches: the stream ends after so many events, or events come late.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from vezaflow.sandbox.reply import refusal
from vezaflow.sandbox.settings import SandboxSettings

ROUTE = "GET /api/v1/events"
PATH = "/api/v1/events"
EVERY = 0.05
LEAST_EVERY = 0.001
RETRY = 100  # milliseconds
HEARTBEAT = 10  # events from one to the next

Message = MutableMapping[str, Any]  # ASGI's own types
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Events:
    """All streams; each has events of its own."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings

    async def serve(self, scope: Message, receive: Receive, send: Send) -> int:
        """One stream from its request to its end; the status."""
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        try:
            every = max(LEAST_EVERY, float(asked.get("every", [str(EVERY)])[0]))
            last = int(asked.get("last", ["0"])[0])
            number = int(dict(scope["headers"]).get(b"last-event-id", b"0"))
        except ValueError:
            return await reply(send, 422, "every, last and Last-Event-ID are numbers")
        if last and number >= last:
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return 204
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await put(send, b"retry: %d\n\n" % RETRY)
        gone = asyncio.ensure_future(until_gone(receive))
        try:
            await self._send(send, gone, every, number, last)
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b""})
        return 200

    async def _send(self, send: Send, gone: "asyncio.Future[None]", every: float, number: int, last: int) -> None:
        most = self._settings.sse_close_events
        end = min((each for each in (last, number + most if most else 0) if each), default=0)
        while not gone.done() and (not end or number < end):
            number += 1
            await asyncio.wait((gone,), timeout=every)
            record = {"number": number, "sent_at": round(time.time() * 1000, 3)}
            if self._settings.sse_delay:
                await asyncio.sleep(self._settings.sse_delay)
            beat = b": heartbeat\n\n" if number % HEARTBEAT == 0 else b""
            await put(send, b"%bid: %d\nevent: tick\ndata: %b\n\n" % (beat, number, orjson.dumps(record)))


async def put(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def until_gone(receive: Receive) -> None:
    """Wait for the client to go away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def reply(send: Send, status: int, detail: str) -> int:
    """Answer with a refusal."""
    refused = refusal(ROUTE, status, detail)
    await send(refused.start)
    await send(refused.body)
    return status
