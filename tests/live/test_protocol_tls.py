"""TLS on real sockets: verified unless told otherwise, each refusal with its reason."""

import datetime
import hashlib
import ssl
from pathlib import Path

import pytest
import trio
import trustme
from scripted_server import OK, Stream, always_ok, read_head, world

from vezaflow.protocols import ClientOptions, ErrorKind, Origin, RequestOptions, Resolver, Want

pytestmark = pytest.mark.trio
BOTH = pytest.mark.parametrize("epoll", [True, False], ids=["epoll", "poll"])


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


def serving(ca: trustme.CA, *names: str, **how: object) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(*names, **how).configure_cert(context)  # type: ignore[arg-type]
    return context


@BOTH
async def test_a_trusted_server_by_address(ca: trustme.CA, ca_file: str, epoll: bool) -> None:
    async with world(always_ok, tls=serving(ca, "127.0.0.1"), epoll=epoll) as w:
        client = w.client(ClientOptions(ca_file=ca_file))
        found = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY | Want.HEADERS, 5.0))
        assert (found.error, found.status, found.body) == (None, 200, b"ok"), found.detail
        assert found.tls > 0
        assert found.connecting > 0
        assert found.bytes_received == len(OK)
        again = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert (again.error, again.reused, again.tls, again.bytes_sent) == (None, True, 0, len(w.get()))


async def test_the_certificate_tells_when_it_ends(ca: trustme.CA, ca_file: str) -> None:
    ends = datetime.datetime(2040, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    async with world(always_ok, tls=serving(ca, "127.0.0.1", not_after=ends)) as w:
        client = w.client(ClientOptions(ca_file=ca_file))
        assert client.certificate_ends() is None
        await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert client.certificate_ends() == ends.timestamp()
        unverified = w.client(ClientOptions(insecure=True))
        await unverified.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert unverified.certificate_ends() is None


async def test_a_name_is_sent_and_verified(ca: trustme.CA, ca_file: str) -> None:
    async def lookup(host: str, port: int) -> list[object]:
        import socket

        return [(socket.AF_INET, ("127.0.0.1", port))]

    asked: list[str | None] = []
    tls = serving(ca, "sut.test")
    tls.sni_callback = lambda _socket, name, _context: asked.append(name)
    async with world(always_ok, tls=tls, host="sut.test") as w:
        w.transport.resolver = Resolver(lookup)  # type: ignore[arg-type]
        client = w.client(ClientOptions(ca_file=ca_file))
        assert (await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))).error is None
        other = Origin("https", "other.test", w.origin.port)
        found = await client.send(other, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert found.error is ErrorKind.TLS
        assert "other.test" in found.detail
    assert asked == ["sut.test", "other.test"]


async def test_an_unknown_authority_is_refused(ca: trustme.CA) -> None:
    async with world(always_ok, tls=serving(ca, "127.0.0.1")) as w:
        found = await w.client().send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert (found.error, found.status) == (ErrorKind.TLS, 0)
        assert "certificate verify failed" in found.detail
        assert found.tls > 0
        lax = await w.client(ClientOptions(insecure=True)).send(
            w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0)
        )
        assert lax.error is None


async def test_another_address_is_refused(ca: trustme.CA, ca_file: str) -> None:
    async with world(always_ok, tls=serving(ca, "127.0.0.9")) as w:
        found = await w.client(ClientOptions(ca_file=ca_file)).send(
            w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0)
        )
        assert found.error is ErrorKind.TLS
        assert "127.0.0.1" in found.detail


async def test_an_expired_certificate_is_refused(ca: trustme.CA, ca_file: str) -> None:
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    async with world(always_ok, tls=serving(ca, "127.0.0.1", not_before=past, not_after=past)) as w:
        found = await w.client(ClientOptions(ca_file=ca_file)).send(
            w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0)
        )
        assert found.error is ErrorKind.TLS
        assert "expired" in found.detail


@BOTH
async def test_a_server_that_speaks_no_tls(epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await trio.sleep_forever()

    async with world(script, epoll=epoll) as w:
        origin = Origin("https", "127.0.0.1", w.origin.port)
        found = await w.client().send(origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert found.error is ErrorKind.TLS
        assert "wrong version number" in found.detail


@BOTH
async def test_a_server_that_hangs_up_in_the_handshake(epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        await stream.receive_some(10000)

    async with world(script, epoll=epoll) as w:
        origin = Origin("https", "127.0.0.1", w.origin.port)
        found = await w.client().send(origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert found.error is ErrorKind.TLS
        assert "during the handshake" in found.detail


@pytest.mark.slow
async def test_a_handshake_that_stalls() -> None:
    async def script(stream: Stream) -> None:
        await trio.sleep_forever()

    async with world(script) as w:
        origin = Origin("https", "127.0.0.1", w.origin.port)
        found = await w.client().send(origin, w.get(), None, RequestOptions(Want.NOTHING, 0.12))
        assert found.error is ErrorKind.TIMEOUT_TLS


async def test_an_authority_file_that_is_missing_is_a_fault_not_a_crash() -> None:
    async with world(always_ok) as w:
        origin = Origin("https", "127.0.0.1", w.origin.port)
        client = w.client(ClientOptions(ca_file="/no/such.pem"))
        found = await client.send(origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert found.error is ErrorKind.TLS
        assert "/no/such.pem" in found.detail


@BOTH
async def test_uploads_and_downloads_are_whole(ca: trustme.CA, ca_file: str, epoll: bool) -> None:
    piece = bytes(range(256)) * 4096
    size = 6 * len(piece)
    digests: list[str] = []

    async def script(stream: Stream) -> None:
        while data := await read_head(stream):
            rest = data.partition(b"\r\n\r\n")[2]
            digest, left = hashlib.sha256(rest), size - len(rest)
            while left:
                more = await stream.receive_some(left)
                digest.update(more)
                left -= len(more)
            digests.append(digest.hexdigest())
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(piece))
            await stream.send_all(piece)

    async with world(script, tls=serving(ca, "127.0.0.1"), epoll=epoll) as w:
        client = w.client(ClientOptions(ca_file=ca_file))
        head = w.get(method="PUT", length=size)
        for want in (Want.BODY, Want.NOTHING, Want.BODY):
            found = await client.send(w.origin, head, (memoryview(piece),) * 6, RequestOptions(want, 10.0))
            assert found.error is None, found.detail
            assert found.body == (piece if want else b"")
            assert found.bytes_sent == len(head) + size
    assert digests == [hashlib.sha256(piece * 6).hexdigest()] * 3


@BOTH
@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 300_000])
async def test_a_body_of_any_size_goes_out_behind_its_head(
    ca: trustme.CA, ca_file: str, size: int, epoll: bool
) -> None:
    came: list[bytes] = []

    async def script(stream: Stream) -> None:
        while data := await read_head(stream):
            rest = data.partition(b"\r\n\r\n")[2]
            while len(rest) < size:
                rest += await stream.receive_some()
            came.append(rest)
            await stream.send_all(OK)

    async with world(script, tls=serving(ca, "127.0.0.1"), epoll=epoll) as w:
        client = w.client(ClientOptions(ca_file=ca_file))
        head = w.get(method="PUT", length=size)
        for _ in range(2):
            found = await client.send(w.origin, head, b"x" * size, RequestOptions(Want.BODY, 10.0))
            assert (found.error, found.body, found.bytes_sent) == (None, b"ok", len(head) + size), found.detail
            assert found.started <= found.sent <= found.first <= found.ended
    assert came == [b"x" * size] * 2


@BOTH
async def test_a_connection_that_the_server_ended_is_replaced_and_its_session_resumed(
    ca: trustme.CA, ca_file: str, epoll: bool
) -> None:
    resumed: list[bool] = []

    async def once(stream: Stream) -> None:
        assert isinstance(stream, trio.SSLStream)
        await read_head(stream)
        resumed.append(bool(stream._ssl_object.session_reused))
        await stream.send_all(OK)
        await stream.aclose()

    async with world(once, tls=serving(ca, "127.0.0.1"), epoll=epoll) as w:
        client = w.client(ClientOptions(ca_file=ca_file))
        for _ in range(3):
            found = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
            assert (found.error, found.reused) == (None, False), found.detail
            await trio.sleep(0.01)
    assert resumed == [False, True, True]


async def test_a_body_that_only_the_end_delimits_needs_tlss_own_end(ca: trustme.CA, ca_file: str) -> None:
    body = b"hello" * 20_000

    async def script(stream: Stream) -> None:
        assert isinstance(stream, trio.SSLStream)
        head = await read_head(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n" + body)
        if b"/polite" in head:
            await stream.aclose()

    async with world(script, tls=serving(ca, "127.0.0.1")) as w:
        client = w.client(ClientOptions(ca_file=ca_file))
        polite = await client.send(w.origin, w.get("/polite"), None, RequestOptions(Want.BODY, 5.0))
        assert (polite.error, polite.body) == (None, body)
        cut = await client.send(w.origin, w.get("/rude"), None, RequestOptions(Want.BODY, 5.0))
        assert cut.error is ErrorKind.CLOSED_EARLY
