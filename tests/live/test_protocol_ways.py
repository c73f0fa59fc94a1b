"""Ways to a server on real sockets: through proxies, from local addresses, with a certificate of the client's own."""

import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trustme
from scripted_server import Stream, always_ok, world
from tiny_proxy import tiny_proxy

from vezaflow.protocols import ClientOptions, ErrorKind, Exchange, Origin, Proxy, RequestOptions, Resolver, Want
from vezaflow.protocols.connection import Connection
from vezaflow.protocols.opening import Route, open_connection
from vezaflow.protocols.scratch import Scratch

pytestmark = pytest.mark.trio
BOTH = pytest.mark.parametrize("epoll", [True, False], ids=["epoll", "poll"])
SECRET = b"YW5uOmh1bnRlcjI="  # ann:hunter2


class Papers:
    """An authority, and what it has issued to a server and to a client."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.ca_file, self.cert_file = str(folder / "ca.pem"), str(folder / "client.pem")
        self.ca.cert_pem.write_to_path(self.ca_file)
        self.ca.issue_cert("ann@veza.test").private_key_and_cert_chain_pem.write_to_path(self.cert_file)
        self.client = ClientOptions(ca_file=self.ca_file)

    def server(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert("127.0.0.1").configure_cert(context)
        return context


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


# -- proxies -------------------------------------------------------------------------------------------------


@BOTH
async def test_a_proxy_that_forwards_is_asked_for_whole_urls(epoll: bool) -> None:
    async with tiny_proxy(credentials=SECRET) as proxy, world(always_ok, epoll=epoll) as w:
        options = ClientOptions(proxy=Proxy("127.0.0.1", proxy.port, "ann", "hunter2"))
        client = w.client(options)
        for body in (None, b"x" * 20_000):
            length = None if body is None else len(body)
            found = await client.send(
                w.origin, w.get("/tracks?q=1", length=length), None, RequestOptions(Want.BODY, 5.0)
            )
            assert (found.error, found.status, found.body) == (None, 200, b"ok"), found.detail
            assert found.reused is (body is not None)
        first = proxy.heads[0].split(b"\r\n")
        assert first[0] == f"GET http://{w.origin.authority}/tracks?q=1 HTTP/1.1".encode()
        assert f"Host: {w.origin.authority}".encode() in first
        assert first.count(b"Proxy-Authorization: Basic " + SECRET) == 1
        stranger = w.client(replace(options, proxy=proxy.address))
        wrong = await stranger.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert (wrong.error, wrong.status) == (None, 407)


@BOTH
async def test_an_https_target_is_reached_through_a_tunnel_that_credentials_stay_out_of(
    papers: Papers, epoll: bool
) -> None:
    seen: list[bytes] = []

    async def script(stream: Stream) -> None:
        seen.append(bytes(await stream.receive_some(65536)))
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await always_ok(stream)

    async with tiny_proxy(credentials=SECRET) as proxy, world(script, tls=papers.server(), epoll=epoll) as w:
        client = w.client(replace(papers.client, proxy=Proxy("127.0.0.1", proxy.port, "ann", "hunter2")))
        found = await client.send(w.origin, w.get("/x"), None, RequestOptions(Want.BODY, 5.0))
        assert (found.error, found.body, found.reused) == (None, b"ok", False), found.detail
        assert found.connecting > 0
        assert found.tls > 0
        again = await client.send(w.origin, w.get("/y"), None, RequestOptions(Want.NOTHING, 5.0))
        assert (again.error, again.reused) == (None, True)
    assert len(proxy.heads) == 1
    assert proxy.heads[0].startswith(f"CONNECT 127.0.0.1:{w.origin.port} HTTP/1.1\r\n".encode())
    assert seen[0].startswith(b"GET /x HTTP/1.1\r\n")
    assert b"Proxy-Authorization" not in seen[0]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407 Proxy Authentication Required (set its cred"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\nno route", "the proxy refused the tunnel: 502 Bad Gateway"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the proxy did not send an HTTP response"),
        (b"x" * 70_000, "the proxy did not send an HTTP response"),
        (b"", "closed the connection instead of opening a tunnel"),
    ],
)
async def test_a_proxy_that_opens_no_tunnel_says_why(papers: Papers, reply: bytes, reason: str) -> None:
    async with tiny_proxy(reply=reply) as proxy, world(always_ok) as w:
        client = w.client(replace(papers.client, proxy=proxy.address))
        found = await client.send(Origin("https", "127.0.0.1", 9), w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert found.error is ErrorKind.PROXY
        assert reason in found.detail


@pytest.mark.slow
async def test_a_proxy_that_says_nothing() -> None:
    async def script(stream: Stream) -> None:
        await trio.sleep_forever()

    async with world(script) as w:
        client = w.client(ClientOptions(proxy=Proxy("127.0.0.1", w.origin.port)))
        found = await client.send(Origin("https", "127.0.0.1", 9), w.get(), None, RequestOptions(Want.NOTHING, 0.12))
        assert (found.error, found.detail) == (
            ErrorKind.TIMEOUT_CONNECT, "the proxy did not open the tunnel in time",
        )  # fmt: skip


async def test_a_proxy_that_is_not_there_is_named() -> None:
    async with world(always_ok) as w:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        client = w.client(ClientOptions(proxy=Proxy("127.0.0.1", port)))
        found = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert found.error is ErrorKind.REFUSED
        assert found.detail.startswith(f"the proxy 127.0.0.1:{port}: ")


# -- local addresses -----------------------------------------------------------------------------------------


async def test_clients_are_dealt_over_the_local_addresses_in_turn() -> None:
    async with world(always_ok) as w:
        options = ClientOptions(local_addresses=("127.0.0.2", "127.0.0.3"))
        clients = [w.client(options) for _ in range(4)]
        for client in (*clients, clients[0]):
            found = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
            assert found.error is None, found.detail
        assert [peer.socket.getpeername()[0] for peer in w.peers] == ["127.0.0.2", "127.0.0.3"] * 2


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("192.0.2.1", "the local address 192.0.2.1: "),
        ("::1", ("the local address ::1 and the target have different address families")),
    ],
)
async def test_a_local_address_that_leads_nowhere(address: str, reason: str) -> None:
    async with world(always_ok) as w:
        client = w.client(ClientOptions(local_addresses=(address,)))
        found = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert found.error is ErrorKind.UNREACHABLE
        assert reason in found.detail


# -- certificates --------------------------------------------------------------------------------------------


async def test_a_client_shows_its_certificate_to_a_server_that_asks(papers: Papers) -> None:
    shown: list[object] = []

    async def script(stream: Stream) -> None:
        assert isinstance(stream, trio.SSLStream)
        await stream.do_handshake()
        certificate = stream.getpeercert()
        assert certificate is not None
        shown.append(certificate["subjectAltName"])
        await always_ok(stream)

    tls = papers.server()
    tls.verify_mode = ssl.CERT_REQUIRED
    papers.ca.configure_trust(tls)
    async with world(script, tls=tls) as w:
        client = w.client(replace(papers.client, cert_file=papers.cert_file))
        found = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert found.error is None, found.detail
    assert shown == [(("email", "ann@veza.test"),)]


async def test_a_server_that_wants_a_certificate_names_the_remedy(papers: Papers) -> None:
    tls = papers.server()
    tls.verify_mode = ssl.CERT_REQUIRED

    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as sock:
            sock.settimeout(5)
            with tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False) as secure:
                with pytest.raises(ssl.SSLError):  # OpenSSL says why in an alert
                    secure.do_handshake()
                while socket.socket.recv(secure, 65536):  # a close with the request unread would reset it away
                    pass

    async with world(always_ok) as w, trio.open_nursery() as nursery:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            nursery.start_soon(trio.to_thread.run_sync, serve, listener)
            origin = Origin("https", "127.0.0.1", listener.getsockname()[1])
            bare = await w.client(papers.client).send(origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
            assert bare.error is ErrorKind.TLS
            assert "`tls: {cert: path, key: path}`" in bare.detail


async def test_what_ends_a_new_connection_before_its_first_request_is_what_the_request_fails_of() -> None:
    class Refused(Connection):
        def settle(self, phase: int, now: float) -> None:
            super().settle(phase, now)
            self.fail(ErrorKind.TLS, "certificate required")  # an alert, read before the task that was woken runs

    async with world(always_ok) as w:
        exchange, clock, reactor = Exchange(), w.transport.reactor.clock, w.transport.reactor
        route = Route("127.0.0.1", w.origin.port, lambda sock: Refused(sock, reactor, Scratch(1024)), False)
        deadline = clock() + 5
        assert await open_connection(route, Resolver(), exchange, clock(), deadline, clock) is None
        assert (exchange.error, exchange.detail) == (ErrorKind.TLS, "certificate required")


async def test_an_unknown_authority_names_the_remedy(papers: Papers) -> None:
    async with world(always_ok, tls=papers.server()) as w:
        found = await w.client().send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert found.error is ErrorKind.TLS
        assert "`tls: {ca: path}`" in found.detail


async def test_a_client_that_closed_its_connections_goes_on_with_new_ones(papers: Papers) -> None:
    async with world(always_ok, tls=papers.server()) as w:
        client = w.client(papers.client)
        for _ in range(2):
            found = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
            assert (found.error, found.reused) == (None, False)
            assert found.connecting > 0
            assert found.tls > 0
            client.close()
        assert len(w.peers) == 2
