"""The API: plain ASGI where the load is, starlette for the rest.

A read is one dictionary look-up and two messages that were made beforehand. Every request is counted under
its path's template with the time it took; faults strike all of /api/v1 but the health check.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from vezaflow.sandbox.catalog import Catalog
from vezaflow.sandbox.chunks import RawChunk, chunk_for
from vezaflow.sandbox.events import PATH as EVENTS
from vezaflow.sandbox.events import ROUTE as EVENTS_ROUTE
from vezaflow.sandbox.events import Events
from vezaflow.sandbox.exposition import CONTENT_TYPE, ProcessUse, exposition
from vezaflow.sandbox.exposition import PATH as METRICS
from vezaflow.sandbox.facets import PATH as SEARCH
from vezaflow.sandbox.facets import FacetedSearch, filters_in
from vezaflow.sandbox.faults import Faults
from vezaflow.sandbox.links import BROKEN, Links
from vezaflow.sandbox.profiling import PREFIX as PROFILES
from vezaflow.sandbox.profiling import Profiles
from vezaflow.sandbox.reply import Message, Reply, json_reply, refusal, reply
from vezaflow.sandbox.room import ROUTE as CHAT
from vezaflow.sandbox.room import Rooms
from vezaflow.sandbox.routes import KNOWN_USER, ROUTE, make_routes
from vezaflow.sandbox.settings import SandboxSettings
from vezaflow.sandbox.stats import Stats
from vezaflow.sandbox.tokens import Tokens
from vezaflow.sandbox.uploads import RefusedError, Uploads
from vezaflow.sandbox.web_pages import WebPages

Scope = MutableMapping[str, Any]  # ASGI's own types
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ARRIVED = "vezaflow.arrived"
API = "/api/v1/"
HEALTH = "/api/v1/health"
TRACKS = "/api/v1/tracks"
HLS = "/hls/"
UPLOADS = "/api/v1/uploads/"
SIMPLE = "/api/v1/uploads/simple"
STATS = "/__stats"
LOGIN = "/login"
LARGEST_FORM = 65536
CHUNK = "POST /api/v1/uploads/{id}/chunks/{index}"
SIMPLE_ROUTE = f"POST {SIMPLE}"


class DisconnectedError(Exception):
    """The client went away in the middle of its body."""


class Api:
    """The ASGI application."""

    def __init__(self, settings: SandboxSettings, token: str, catalog: Catalog) -> None:
        self._catalog = catalog
        self._tokens = Tokens(token, settings.ws_token_lifetime)
        self._uploads = Uploads()
        self._search = FacetedSearch(catalog.tracks, settings.wrong_facets, settings.seed)
        self._rooms = Rooms(settings, self._tokens)
        self._events = Events(settings)
        self._faults = Faults(settings)
        self._links = Links(settings)
        self._web = WebPages(settings, token, catalog.tracks)
        self._stats = Stats()
        self._use = ProcessUse()
        self._profiles = Profiles()
        self._rest = make_routes(self._tokens, catalog, self._uploads)
        healthy = {"status": "ok"}
        self._fixed = {
            "/health": json_reply("GET /health", healthy),
            HEALTH: json_reply("GET /api/v1/health", healthy),
            "/api/v1/marketplace/products": catalog.product_list,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived: float = scope.get(ARRIVED) or perf_counter()
        if scope["type"] == "websocket":
            status = await self._rooms.serve(scope, receive, send)
            self._stats.record(CHAT, status, perf_counter() - arrived)
            return
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        found: Reply | None = None
        if self._faults.active and path.startswith(API) and path != HEALTH:
            found = await self._strike(scope, path, receive)
        if found is None:
            found = await self._find(scope, path, receive)
        if found is None and path == EVENTS and scope["method"] == "GET":
            route, status = EVENTS_ROUTE, await self._events.serve(scope, receive, send)
        elif found is None:
            route, status = await self._pass_on(scope, receive, send)
        else:
            if self._links.active and (speed := self._links.speed(path)):
                await self._links.bring(found, speed, send)
            else:
                await send(found.start)
                await send(found.body)
            route, status = found.route, found.status
        if path not in (STATS, METRICS) and not path.startswith(PROFILES):
            self._stats.record(route, status, perf_counter() - arrived)

    async def _strike(self, scope: Scope, path: str, receive: Receive) -> Reply | None:
        pages = self._catalog.pages_before(scope["query_string"]) if path == TRACKS else 0
        filters = filters_in(scope["query_string"]) if path == SEARCH else 0
        refused = await self._faults.strike(upload=path.startswith(UPLOADS), pages=pages, filters=filters)
        if refused is not None:
            await drain(receive)
        return refused

    async def _find(self, scope: Scope, path: str, receive: Receive) -> Reply | None:
        method = scope["method"]
        if self._web.knows(path):
            return await self._page(scope, path, receive)
        if method == "GET" and path.startswith(PROFILES):
            return await self._profiles.find(path, scope["query_string"])
        if method in ("GET", "HEAD"):
            return await self._stream(scope, path) if HLS in path else self._read(path, scope["query_string"])
        if path == SIMPLE:
            return await self._take(SIMPLE_ROUTE, self._count_simple(scope, receive))
        if path.startswith(UPLOADS) and (place := chunk_place(path)) is not None:
            return await self._take(CHUNK, self._count_chunk(scope, place, receive))
        if path == STATS and method == "DELETE":
            self._stats.clear()
            return json_reply(STATS, {})
        return None

    async def _page(self, scope: Scope, path: str, receive: Receive) -> Reply | None:
        """A page of the web application, or what its login's form leads to."""
        if scope["method"] in ("GET", "HEAD"):
            return await self._web.find(path, scope["headers"])
        if scope["method"] == "POST" and path == LOGIN:
            return self._web.log_in(await drain(receive), KNOWN_USER)
        return None

    async def _stream(self, scope: Scope, path: str) -> Reply | None:
        """A playlist, when it has what is asked for, or what it leads to."""
        if self._links.active and self._links.breaks(path):
            return BROKEN
        tail = path[len(TRACKS) + 1 :]
        if seconds := self._catalog.streams.waits(tail[36:], scope["query_string"]):
            await asyncio.sleep(seconds)
        wanted = next((value for name, value in scope["headers"] if name == b"range"), None)
        return self._catalog.beneath(tail, wanted)

    def _read(self, path: str, query: bytes) -> Reply | None:
        if path.startswith(TRACKS):
            tail = path[len(TRACKS) :]
            if not tail:
                return self._catalog.list(query)
            if tail == "/search":
                return self._catalog.search(query)
            return self._catalog.beneath(tail[1:])
        if path == SEARCH:
            return self._search.find(query)
        if path == STATS:
            return json_reply(STATS, self._stats.report())
        if path == METRICS:
            return reply(METRICS, exposition(self._stats.tallies, self._use), kind=CONTENT_TYPE)
        return self._fixed.get(path)

    async def _take(self, route: str, reply: Awaitable[Reply]) -> Reply:
        try:
            return await reply
        except RefusedError as error:
            return refusal(route, error.status, error.detail)
        except DisconnectedError:
            return refusal(route, 400, "the body broke off")  # nobody reads it; it is counted

    async def _count_simple(self, scope: Scope, receive: Receive) -> Reply:
        upload = await self._read_bytes(dict(scope["headers"]), receive)
        if not upload.size:
            raise RefusedError(400, "the file is empty")
        told = {"track_id": str(uuid4()), "size": upload.size, "crc32": upload.checksum}
        return json_reply(SIMPLE_ROUTE, {"data": told}, status=201)

    async def _count_chunk(self, scope: Scope, place: tuple[str, str], receive: Receive) -> Reply:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        chunk = await self._read_bytes(headers, receive)
        given = (text(headers.get(b"x-upload-id")), text(headers.get(b"x-chunk-index")))
        identifier = place[0] or given[0] or chunk.fields.get("upload_id", "")
        index = place[1] or given[1] or chunk.fields.get("index", "")
        upload = self._uploads.receive(identifier, read_index(index), chunk.size)
        told = {"received": upload.received, "chunks": upload.chunks}
        return json_reply(CHUNK, {"data": {**told, "size": chunk.size, "crc32": chunk.checksum}})

    async def _read_bytes(self, headers: dict[bytes, bytes], receive: Receive) -> RawChunk:
        """A body's bytes, counted, in whichever form they come."""
        chunk = RawChunk()
        refused: RefusedError | None = None
        try:
            if not self._tokens.knows(text(headers.get(b"authorization"))):
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
        return chunk

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> tuple[str, int]:
        """Let starlette reply; the route's template and the status."""
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


async def drain(receive: Receive) -> bytes:
    """Take the rest of a body, so the connection can serve the next request; its first bytes."""
    message: MutableMapping[str, Any] | Message = {"more_body": True}
    body = b""
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")[: LARGEST_FORM - len(body)]
    return body
