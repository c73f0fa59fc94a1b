"""A few words of the Chrome DevTools Protocol: cookies and local storage go into a browser before a page is loaded.

They go over the browser's own WebSocket on the loopback, so that no session's cookie stands on a command line or in a
file. One call at a time; events that nobody waits for are let pass.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import trio
from websockets.client import ClientProtocol
from websockets.frames import CLOSE, TEXT, Frame
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from vezaflow.protocols import Cookie

_LARGEST = 16 << 20  # bytes of a message
_LIMIT = 20.0  # seconds for an answer
_CHUNK = 65536
Json = dict[str, Any]


class DevToolsError(Exception):
    """The browser did not do what it was asked for."""


class DevTools:
    """A connection to a browser. Make one with `connect`, and `close` it."""

    def __init__(self, stream: trio.SocketStream, protocol: ClientProtocol) -> None:
        self._stream = stream
        self._protocol = protocol
        self._calls = 0

    @classmethod
    async def connect(cls, port: int, path: str) -> "DevTools":
        """The browser's own target. Raises DevToolsError, OSError; and as all calls trio.TooSlowError."""
        with trio.fail_after(_LIMIT):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}{path}"), max_size=_LARGEST)
            protocol.send_request(protocol.connect())
            devtools = cls(stream, protocol)
            while protocol.state is not OPEN:
                for event in await devtools._exchange():
                    if not isinstance(event, Response) or protocol.handshake_exc is not None:
                        raise DevToolsError("the browser refused the connection")
            return devtools

    async def close(self) -> None:
        await self._stream.aclose()

    async def set_cookies(self, cookies: Sequence[Cookie]) -> None:
        """Give the browser a session."""
        if cookies:
            await self._call("Storage.setCookies", {"cookies": [_cookie(cookie) for cookie in cookies]})

    async def set_local_storage(self, origin: str, values: Mapping[str, str]) -> None:
        """Set items of an origin's local storage, without asking that origin for anything."""
        if not values:
            return
        target = (await self._call("Target.createTarget", {"url": "about:blank"}))["targetId"]
        session = (await self._call("Target.attachToTarget", {"targetId": target, "flatten": True}))["sessionId"]
        await self._call("Fetch.enable", {}, session)
        navigated = await self._send("Page.navigate", {"url": f"{origin}/"}, session)
        paused = await self._event("Fetch.requestPaused")
        body = base64.b64encode(b"<!doctype html><title>storage</title>").decode()
        html = {"name": "content-type", "value": "text/html"}
        answer = {"requestId": paused["requestId"], "responseCode": 200, "responseHeaders": [html], "body": body}
        fulfilled = await self._send("Fetch.fulfillRequest", answer, session)
        await self._answers({navigated, fulfilled})
        items = json.dumps(dict(values))
        script = f"for (const [key, value] of Object.entries({items})) localStorage.setItem(key, value)"
        done = await self._call("Runtime.evaluate", {"expression": script}, session)
        if "exceptionDetails" in done:
            raise DevToolsError("the local storage could not be set")
        await self._call("Target.closeTarget", {"targetId": target})

    async def _call(self, method: str, parameters: Json, session: str = "") -> Json:
        number = await self._send(method, parameters, session)
        return (await self._answers({number}))[number]

    async def _send(self, method: str, parameters: Json, session: str = "") -> int:
        self._calls += 1
        message: Json = {"id": self._calls, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._protocol.send_text(json.dumps(message).encode())
        return self._calls

    async def _answers(self, numbers: set[int]) -> dict[int, Json]:
        """The results of calls, by their numbers."""
        found: dict[int, Json] = {}
        with trio.fail_after(_LIMIT):
            while found.keys() < numbers:
                for message in await self._messages():
                    if message.get("id") in numbers:
                        if "error" in message:
                            raise DevToolsError(str(message["error"].get("message", "the browser refused a call")))
                        found[message["id"]] = message.get("result", {})
        return found

    async def _event(self, method: str) -> Json:
        """The parameters of the next event of this name."""
        with trio.fail_after(_LIMIT):
            while True:
                for message in await self._messages():
                    if message.get("method") == method:
                        return dict(message["params"])

    async def _messages(self) -> list[Json]:
        found = []
        for event in await self._exchange():
            if isinstance(event, Frame) and event.opcode is TEXT:
                found.append(json.loads(bytes(event.data)))
            elif isinstance(event, Frame) and event.opcode is CLOSE:
                raise DevToolsError("the browser closed the connection")
        return found

    async def _exchange(self) -> list[Any]:
        """Send what is to be sent, and what came then."""
        for data in self._protocol.data_to_send():
            if data:
                await self._stream.send_all(data)
        received = await self._stream.receive_some(_CHUNK)
        if not received:
            raise DevToolsError("the browser closed the connection")
        self._protocol.receive_data(received)
        return list(self._protocol.events_received())


def _cookie(cookie: Cookie) -> Json:
    """A cookie as Storage.setCookies wants it. Without a domain it is its URL's host's alone."""
    scheme = "https" if cookie.secure else "http"
    found: Json = {
        "name": _text(cookie.name),
        "value": _text(cookie.value),
        "url": f"{scheme}://{cookie.domain}{cookie.path}",
        "path": cookie.path,
        "secure": cookie.secure,
    }
    if not cookie.host_only:
        found["domain"] = f".{cookie.domain}"
    if cookie.expires is not None:
        found["expires"] = cookie.expires
    return found


def _text(latin: str) -> str:
    """What a jar keeps byte for byte, as text."""
    return latin.encode("latin-1", "replace").decode("utf-8", "replace")
