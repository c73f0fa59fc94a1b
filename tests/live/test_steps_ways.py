"""Steps that connect otherwise than their flow, on real sockets: a certificate, HTTP/2, a proxy, an address."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import h2_peer
import pytest
import trio
import trustme
from loaded import loaded
from planned import plan_of
from scripted_server import Stream, World, read_head, world
from tiny_proxy import tiny_proxy

from vezaflow.metrics import Summary
from vezaflow.protocols import ClientOptions, RequestOptions, Want

pytestmark = pytest.mark.trio
ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 2}\n"
SET_COOKIE = b"HTTP/1.1 200 OK\r\nSet-Cookie: who=ann\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Door:
    """A server that asks for a certificate and speaks both versions of HTTP, and what it saw of each request."""

    folder: Path
    seen: list[tuple[str, str, bool]] = field(default_factory=list)  # path, version, whether a certificate was shown
    cookies: dict[str, bool] = field(default_factory=dict)  # by path
    connections: int = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[World]:
        ca = trustme.CA()
        ca.cert_pem.write_to_path(str(self.folder / "ca.pem"))
        ca.issue_cert("ann@veza.test").private_key_and_cert_chain_pem.write_to_path(str(self.folder / "client.pem"))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.folder / "ca.pem"))
        context.verify_mode = ssl.CERT_OPTIONAL
        context.set_alpn_protocols(["h2", "http/1.1"])
        ca.issue_cert("127.0.0.1").configure_cert(context)
        async with world(self.script, tls=context) as w:
            yield w

    async def script(self, stream: Stream) -> None:
        assert isinstance(stream, trio.SSLStream)
        await stream.do_handshake()
        self.connections += 1
        known = bool(stream.getpeercert())
        if stream.selected_alpn_protocol() == "h2":
            peer = h2_peer.Peer(stream)
            while request := await peer.request():
                self.note(request.path, "2", known, any(name == b"cookie" for name, _ in request.fields))
                peer.wire.send_headers(request.stream, [(b":status", b"200")], end_stream=True)
                await peer.flush()
            return
        while head := await read_head(stream):
            self.note(head.split()[1].decode(), "1.1", known, b"Cookie: who=ann" in head)
            await stream.send_all(SET_COOKIE)

    def note(self, path: str, version: str, known: bool, cookie: bool) -> None:
        self.seen.append((path, version, known))
        self.cookies[path] = cookie


async def play(w: World, flow: str, root: Path) -> Summary:
    suite = f"suite: test\nbase_url: https://{w.origin.authority}\ntls: {{ca: ca.pem}}\n"
    plan = plan_of(ONCE + dedent(flow), suite=suite, root=root)
    _, summary = await loaded(plan, w.transport)
    assert w.transport.reactor.connections == {}, "all are closed, those of single steps too"
    return summary


def failed(summary: Summary) -> float | None:
    return summary.select("http_req_failed").aggregate("rate", None)


async def test_one_step_shows_a_certificate_and_one_speaks_http_2_and_they_are_one_user(tmp_path: Path) -> None:
    steps = """
    steps:
      - get: /first
      - {get: /proven, tls: {cert: client.pem}}
      - {get: /second, http: {version: 2}}
      - get: /last
    gates: {http_req_failed: rate < 1 %}
    """
    door = Door(tmp_path)
    async with door.open() as w:
        assert failed(await play(w, steps, tmp_path)) == 0
    assert door.seen == [
        ("/first", "1.1", False),
        ("/proven", "1.1", True),
        ("/second", "2", False),
        ("/last", "1.1", False),
    ] * 2  # fmt: skip
    assert door.connections == 3, "each way keeps its connection"
    assert door.cookies["/proven"]
    assert door.cookies["/second"]


async def test_branches_go_each_its_way(tmp_path: Path) -> None:
    steps = """
    steps:
      - parallel:
          - {get: /a, tls: {cert: client.pem}}
          - {get: /b, http: {version: 2}}
          - {get: /c, http: {version: 2}}
          - {get: /d}
    gates: {http_req_failed: rate < 1 %}
    """
    door = Door(tmp_path)
    async with door.open() as w:
        assert failed(await play(w, steps, tmp_path)) == 0
    once = [("/a", "1.1", True), ("/b", "2", False), ("/c", "2", False), ("/d", "1.1", False)]
    assert sorted(door.seen) == sorted(once * 2)
    assert door.connections == 3, "one for each way: over HTTP/2 both share it"


async def test_one_step_goes_through_a_proxy(tmp_path: Path) -> None:
    door = Door(tmp_path)
    async with tiny_proxy() as proxy, door.open() as w:
        far = f"{{get: /far, http: {{proxy: 'http://127.0.0.1:{proxy.port}'}}}}"
        steps = f"steps: [{{get: /near}}, {far}]\ngates: {{http_req_failed: rate < 1 %}}\n"
        assert failed(await play(w, steps, tmp_path)) == 0
        assert [head.split()[0] for head in proxy.heads] == [b"CONNECT"]
    assert [path for path, _, _ in door.seen] == ["/near", "/far"] * 2


async def test_the_addresses_of_a_step_are_dealt_over_the_users_and_a_user_keeps_the_flow_s_if_it_may() -> None:
    froms: dict[str, list[str]] = {}

    async def script(stream: Stream) -> None:
        assert isinstance(stream, trio.SocketStream)
        while head := await read_head(stream):
            froms.setdefault(head.split()[1].decode(), []).append(stream.socket.getpeername()[0])
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    usual = ClientOptions(local_addresses=("127.0.0.2", "127.0.0.3"))
    far = ClientOptions(local_addresses=("127.0.0.4", "127.0.0.5"))
    kept = ClientOptions(local_addresses=usual.local_addresses, insecure=True)
    async with world(script) as w:
        for client in [w.client(usual) for _ in range(3)]:
            for path, sender in (("/", client), ("/far", client.by(far)), ("/kept", client.by(kept).beside())):
                found = await sender.send(w.origin, w.get(path), None, RequestOptions(Want.NOTHING, 5.0))
                assert found.error is None, found.detail
    assert froms["/"] == froms["/kept"] == ["127.0.0.2", "127.0.0.3", "127.0.0.2"]
    assert froms["/far"] == ["127.0.0.4", "127.0.0.5", "127.0.0.4"]
