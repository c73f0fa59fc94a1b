"""The API: plain ASGI where the load is, starlette for the rest.

A read is one dictionary look-up and two messages that were made beforehand. Every request is counted under
its path's template with the time it took; faults strike all of /api/v1 but the health check.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any
from urllib.parse import unquote

from vezaflow.sandbox.answer import Answer, Message, json_answer, refusal
from vezaflow.sandbox.catalog import Catalog
from vezaflow.sandbox.chunks import RawChunk, chunk_for
from vezaflow.sandbox.faults import Faults
from vezaflow.sandbox.routes import ROUTE, make_routes
from vezaflow.sandbox.settings import SandboxSettings
from vezaflow.sandbox.stats import Stats
from vezaflow.sandbox.uploads import RefusedError, Uploads

Scope = MutableMapping[str, Any]  # ASGI's own types
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ARRIVED = "vezaflow.arrived"
API = "/api/v1/"
HEALTH = "/api/v1/health"
TRACKS = "/api/v1/tracks"
UPLOADS = "/api/v1/uploads/"
STATS = "/__stats"
CHUNK = "POST /api/v1/uploads/{id}/chunks/{index}"


class DisconnectedError(Exception):
    """The client went away in the middle of its body."""


class Api:
    """The ASGI application."""

    def __init__(self, settings: SandboxSettings, token: str, catalog: Catalog) -> None:
        self._catalog = catalog
        self._bearer = b"Bearer " + token.encode()
        self._uploads = Uploads()
        self._faults = Faults(settings)
        self._stats = Stats()
        self._rest = make_routes(token, catalog, self._uploads)
        healthy = {"status": "ok"}
        self._fixed = {
            "/health": json_answer("GET /health", healthy),
            HEALTH: json_answer("GET /api/v1/health", healthy),
            "/api/v1/marketplace/products": catalog.product_list,
        }
        self._fault = refusal("503 on purpose", 503, "a fault, as asked for")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        arrived: float = scope.get(ARRIVED) or perf_counter()
        path: str = scope["path"]
        if self._faults.active and path.startswith(API) and path != HEALTH and await self._faults.strike():
            await drain(receive)
            found: Answer | None = self._fault
        else:
            found = await self._find(scope, path, receive)
        if found is None:
            route, status = await self._pass_on(scope, receive, send)
        else:
            await send(found.start)
            await send(found.body)
            route, status = found.route, found.status
        if path != STATS:
            self._stats.record(route, status, perf_counter() - arrived)

    async def _find(self, scope: Scope, path: str, receive: Receive) -> Answer | None:
        method = scope["method"]
        if method in ("GET", "HEAD"):
            return self._read(path, scope["query_string"])
        if path.startswith(UPLOADS) and (place := chunk_place(path)) is not None:
            return await self._take_chunk(scope, place, receive)
        if path == STATS and method == "DELETE":
            self._stats.clear()
            return json_answer(STATS, {})
        return None

    def _read(self, path: str, query: bytes) -> Answer | None:
        if path.startswith(TRACKS):
            tail = path[len(TRACKS) :]
            if not tail:
                return self._catalog.list(query)
            if tail == "/search":
                return self._catalog.search(query)
            return self._catalog.beneath(tail[1:])
        if path == STATS:
            return json_answer(STATS, self._stats.report())
        return self._fixed.get(path)

    async def _take_chunk(self, scope: Scope, place: tuple[str, str], receive: Receive) -> Answer | None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            return await self._count_chunk(headers, place, receive)
        except RefusedError as error:
            return refusal(CHUNK, error.status, error.detail)
        except DisconnectedError:
            return refusal(CHUNK, 400, "the body broke off")  # nobody reads it; it is counted

    async def _count_chunk(self, headers: dict[bytes, bytes], place: tuple[str, str], receive: Receive) -> Answer:
        chunk = RawChunk()
        refused: RefusedError | None = None
        try:
            if headers.get(b"authorization") != self._bearer:
                raise RefusedError(401, "a bearer token is needed")
            chunk = chunk_for(headers.get(b"content-type", b""))
        except RefusedError as error:
            refused = error
        more = True
        while more:  # also of a body that is refused: the connection has to serve the next request
            message = await receive()
            if message["type"] == "http.disconnect":
                raise DisconnectedError
            more = message.get("more_body", False)
            if refused is None:
                try:
                    chunk.feed(message.get("body", b""))
                except RefusedError as error:
                    refused = error
        if refused is not None:
            raise refused
        chunk.finish()
        given = (text(headers.get(b"x-upload-id")), text(headers.get(b"x-chunk-index")))
        identifier = place[0] or given[0] or chunk.fields.get("upload_id", "")
        index = place[1] or given[1] or chunk.fields.get("index", "")
        upload = self._uploads.receive(identifier, read_index(index), chunk.size)
        told = {"received": upload.received, "chunks": upload.chunks}
        return json_answer(CHUNK, {"data": {**told, "size": chunk.size, "crc32": chunk.checksum}})

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> tuple[str, int]:
        """Let starlette answer; the route's template and the status."""
        statuses: list[int] = []

        async def watch(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        await self._rest(scope, receive, watch)
        return scope.get(ROUTE, "no such route"), statuses[0] if statuses else 500


def chunk_place(path: str) -> tuple[str, str] | None:
    """The upload and the index that a chunk's path names, either may be empty; None for any other path.

    `/uploads/{id}/chunks/{index}`, `/uploads/{id}/chunks`, and `/uploads/chunk` (all in headers or fields).
    """
    match path[len(UPLOADS) :].split("/"):
        case ["chunk"]:
            return "", ""
        case [identifier, "chunks"]:
            return unquote(identifier), ""
        case [identifier, "chunks", index]:
            return unquote(identifier), index
    return None


def text(value: bytes | None) -> str:
    return (value or b"").decode("latin-1")


def read_index(index: str) -> int | None:
    if not index:
        return None
    if not (index.isascii() and index.isdigit() and len(index) < 10):
        raise RefusedError(400, "a chunk's index is a number")
    return int(index)


async def drain(receive: Receive) -> None:
    """Take the rest of a body that nobody wants, so the connection can serve the next request."""
    message: MutableMapping[str, Any] | Message = {"more_body": True}
    while message.get("more_body", False):
        message = await receive()
