"""The reference's examples: where each kind of mapping stands in them, and a target that answers what they ask."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import trio
from stage import FakeClient, Reply, Said, Target, Told

from vezaflow.diagnostics import Diagnostics, Source
from vezaflow.keys import STEPS, TABLES, Field, Table
from vezaflow.protocols import Body, Exchange, Origin, RequestOptions, Want
from vezaflow.sandbox.app import Api
from vezaflow.sandbox.catalog import Catalog
from vezaflow.sandbox.settings import SandboxSettings
from vezaflow.syntax import Mapping, Node, Scalar, Sequence, read_yaml

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
FILES = sorted(EXAMPLES.rglob("*.yml"))
TOKEN = "a-token-of-the-tests"
Place = tuple[Table, Mapping, tuple[str | int, ...]]


def tree(path: Path) -> Mapping:
    node = read_yaml(Source(path.name, path.read_text(encoding="utf-8")), Diagnostics())
    assert isinstance(node, Mapping)
    return node


def root_table(path: Path) -> Table:
    folders = {EXAMPLES: "flow", EXAMPLES / "audit": "audit"}
    return TABLES["suite" if path.stem == "suite" else folders.get(path.parent, "fragment")]


def places(node: Mapping, table: Table, at: tuple[str | int, ...] = ()) -> Iterator[Place]:
    """Every mapping below that follows a table, with that table and the way there."""
    yield table, node, at
    for entry in node.entries:
        field = table.field(entry.key.text)
        if field is not None:
            yield from _below(entry.value, _tables(field), (*at, entry.key.text))


def _tables(field: Field) -> tuple[Table, ...]:
    return tuple(TABLES[name] for name in field.tables) or STEPS


def _below(node: Node, tables: tuple[Table, ...], at: tuple[str | int, ...]) -> Iterator[Place]:
    if isinstance(node, Sequence):
        for number, item in enumerate(node.items):
            yield from _below(item, tables, (*at, number))
    elif isinstance(node, Mapping):
        followed = next((table for table in tables if _follows(node, table)), None)
        if followed is not None:
            yield from places(node, followed, at)
            return
        for entry in node.entries:
            yield from _below(entry.value, tables, (*at, entry.key.text))


def _follows(node: Mapping, table: Table) -> bool:
    keys = {entry.key.text for entry in node.entries}
    verbs = {field.key for field in table.one_of}
    named = next((e.value.text for e in node.entries if e.key.text == "executor" and isinstance(e.value, Scalar)), "")
    return keys <= set(table.keys()) and (not verbs or bool(verbs & keys)) and (not named or named == table.name)


def plain(node: Node) -> Any:
    """A node as the values that it is in YAML 1.2."""
    if isinstance(node, Mapping):
        return {entry.key.text: plain(entry.value) for entry in node.entries}
    return node.typed() if isinstance(node, Scalar) else [plain(item) for item in node.items]


_JSON, _TEXT = (("content-type", "application/json"),), (("content-type", "text/plain"),)
WRITTEN = {  # what the sandbox does not serve
    "/api/v1/health": Reply(
        body=b'{"status":"ok"}',
        headers=(*_JSON, ("content-length", "15"), ("server", "veza"), ("x-served-by", "veza-1"), ("x-version", "3")),
    ),
    "/forms/contact": Reply(headers=_JSON),
    "/robots.txt": Reply(body=b"User-agent: *\n", headers=_TEXT),
    "/tracks.html": Reply(body=b'<a class="track" href="/t/1">One</a>', headers=(("set-cookie", "visit=7"),)),
    "/feed.xml": Reply(body=b"<rss><channel><item><title> One </title></item></channel></rss>"),
}


def chat(heard: str | bytes) -> Iterator[Said]:
    """What the sandbox's chat says to who wrote it."""
    if heard:
        record = json.loads(heard)
        pong = record.get("type") == "ping"
        yield Said(json.dumps({"type": "pong"} if pong else {"type": "ack", "id": record.get("id")}))


def ticks(_last_id: str) -> Iterator[Told]:
    """What the sandbox's event stream says."""
    for number in range(1, 10):
        record = {"number": number, "sent_at": time.time() * 1000}
        yield Told(json.dumps(record), number / 20, "tick", str(number))


OPENED = {"/api/v1/ws": 101, "/api/v1/events": 200}


class SandboxTarget(Target):
    """The sandbox, without a socket between."""

    def __init__(self) -> None:
        super().__init__(lambda _method, path: Reply(OPENED.get(path.partition("?")[0], 404)), talk=chat, feed=ticks)
        self.api = Api(SandboxSettings(), TOKEN, Catalog())

    def client(self, _options: object = None) -> "SandboxClient":
        self.open_clients += 1
        return SandboxClient(self)


class SandboxClient(FakeClient):
    target: SandboxTarget

    async def send(self, origin: Origin, head: bytes, body: Body, options: RequestOptions) -> Exchange:
        above, _, begun = head.partition(b"\r\n\r\n")  # a small body comes with its head
        first, *lines = above.decode().split("\r\n")
        method, path, _ = first.split(" ", 2)
        begin = trio.current_time()
        await trio.sleep(0.01)
        content = begun + (b"".join(body) if isinstance(body, tuple) else body or b"")
        reply = WRITTEN.get(path) or await self._asked(method, path, lines, content)
        exchange = self.exchange = Exchange()
        exchange.started = exchange.sent = begin
        exchange.first = exchange.ended = trio.current_time()
        exchange.status, exchange.headers = reply.status, list(reply.headers)
        exchange.body = reply.body if options.want & Want.BODY else b""
        exchange.bytes_sent, exchange.bytes_received = len(head), len(reply.body)
        for name, value in reply.headers:
            if name == "set-cookie":
                self.cookies.take(origin, path, value)
        return exchange

    def certificate_ends(self) -> float:
        return time.time() + 90 * 86400

    async def _asked(self, method: str, path: str, lines: list[str], body: bytes) -> Reply:
        where, _, query = path.partition("?")
        pairs = [line.encode().split(b":", 1) for line in lines]
        headers = [(name.strip().lower(), value.strip()) for name, value in pairs]
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        scope = {"type": "http", "method": method, "path": where, "raw_path": where.encode(), "headers": headers}
        await self.target.api({**scope, "query_string": query.encode(), "root_path": ""}, receive, send)
        start, *rest = said
        content = b"".join(message.get("body", b"") for message in rest)
        return Reply(start["status"], content, tuple((n.decode(), v.decode()) for n, v in start["headers"]))
