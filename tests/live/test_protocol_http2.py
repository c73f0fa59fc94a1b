"""HTTP/2 on real sockets, against a server that does as a script says."""

import gzip
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import trio.testing
from h2.errors import ErrorCodes
from h2.events import PingAckReceived, StreamReset
from h2_peer import BOTH, Papers, Peer, Request, always_ok, goaway, settled
from scripted_server import Stream, World, world
from scripted_server import always_ok as always_ok_1
from tiny_proxy import tiny_proxy

from vezaflow.protocols import ErrorKind, RequestOptions, Want

pytestmark = pytest.mark.trio
ALL = Want.BODY | Want.HEADERS | Want.COOKIES


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


def answering(
    answer: Callable[[Peer, Request], Awaitable[None]], **settings: int
) -> Callable[[Stream], Awaitable[None]]:
    async def script(stream: Stream) -> None:
        peer = Peer(stream, **settings)
        while request := await peer.request():
            await answer(peer, request)

    return script


async def served(peer: Peer) -> None:
    """One good answer, so that the connection is one that was kept."""
    request = await peer.request()
    assert request is not None
    await peer.respond(request)


# -- what is sent --------------------------------------------------------------------------------------------


@BOTH
async def test_requests_follow_each_other_on_one_connection(papers: Papers, epoll: bool) -> None:
    seen: list[Request] = []

    async def answer(peer: Peer, request: Request) -> None:
        seen.append(request)
        await peer.respond(
            request, b"ok" + bytes(request.body), fields=[(b"x-served", b"yes"), (b"set-cookie", b"a=1")]
        )

    async with world(answering(answer), tls=papers.server(), epoll=epoll) as w:
        client = w.client(papers.options)
        head = w.get("/a?b=1", method="POST", length=3).replace(
            b"\r\n\r\n", b"\r\nConnection: close\r\nX-Mine: 1\r\n\r\n"
        )
        first = await client.send(w.origin, head + b"xyz", None, RequestOptions(ALL, 5.0))
        assert (first.error, first.status, first.body, first.reused) == (None, 200, b"okxyz", False), first.detail
        assert ("x-served", "yes") in first.headers
        assert first.tls > 0
        assert first.started <= first.sent <= first.first <= first.ended
        assert first.bytes_sent > len(b"xyz")
        assert first.bytes_received > len(b"okxyz")
        again = await client.send(w.origin, w.get("/c"), None, RequestOptions(Want.NOTHING, 5.0))
        assert (again.error, again.status, again.body, again.reused) == (None, 200, b"", True), again.detail
        assert again.bytes_received > 0
    assert len(w.peers) == 1
    authority = w.origin.authority.encode()
    assert seen[0].fields == [
        (b":method", b"POST"), (b":scheme", b"https"), (b":authority", authority), (b":path", b"/a?b=1"),
        (b"content-length", b"3"), (b"x-mine", b"1"),
    ]  # fmt: skip
    assert (b"cookie", b"a=1") in seen[1].fields


@BOTH
@pytest.mark.parametrize("window", [1_000, 65_535, 5_000_000])
async def test_uploads_keep_to_the_servers_windows(papers: Papers, epoll: bool, window: int) -> None:
    piece = bytes(range(256)) * 1_500
    digests: list[str] = []

    async def answer(peer: Peer, request: Request) -> None:
        if request.body:
            digests.append(hashlib.sha256(request.body).hexdigest())
        await peer.respond(request)

    async with world(answering(answer, window=window), tls=papers.server(), epoll=epoll) as w:
        client = w.client(papers.options)
        await settled(w, client)
        head = w.get(method="PUT", length=2 * len(piece))
        for _ in range(2):
            found = await client.send(w.origin, head, (memoryview(piece),) * 2, RequestOptions(Want.BODY, 20.0))
            assert (found.error, found.body) == (None, b"ok"), found.detail
            assert found.bytes_sent > 2 * len(piece)
            assert found.started < found.sent <= found.first
    assert digests == [hashlib.sha256(piece * 2).hexdigest()] * 2


@BOTH
async def test_downloads_beyond_every_window_are_whole(papers: Papers, epoll: bool) -> None:
    body = bytes(range(256)) * 80_000  # 20 MiB

    async def answer(peer: Peer, request: Request) -> None:
        await peer.respond(request, body)

    async with world(answering(answer), tls=papers.server(), epoll=epoll) as w:
        client = w.client(papers.options)
        for want in (Want.NOTHING, Want.BODY):
            found = await client.send(w.origin, w.get(), None, RequestOptions(want, 20.0))
            assert found.error is None, found.detail
            assert found.body == (body if want else b"")
            assert found.bytes_received > len(body)


# -- answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "status", "length"), [("HEAD", 200, b"2000"), ("GET", 204, None), ("GET", 304, None)]
)
async def test_answers_without_a_body(papers: Papers, method: str, status: int, length: bytes | None) -> None:
    async def answer(peer: Peer, request: Request) -> None:
        await peer.respond(request, b"", status=status, fields=[(b"content-length", length)] if length else None)

    async with world(answering(answer), tls=papers.server()) as w:
        client = w.client(papers.options)
        for reused in (False, True):
            found = await client.send(
                w.origin, w.get(method=method), None, RequestOptions(ALL, 5.0, bodyless=method == "HEAD")
            )
            assert (found.error, found.status, found.body, found.reused) == (None, status, b"", reused), found.detail


async def test_interim_answers_and_trailers_are_passed_over_and_encodings_taken_off(papers: Papers) -> None:
    async def answer(peer: Peer, request: Request) -> None:
        peer.wire.send_headers(request.stream, [(b":status", b"103"), (b"link", b"</a.css>")])
        await peer.flush()
        peer.wire.send_headers(request.stream, [(b":status", b"200"), (b"content-encoding", b"gzip")])
        peer.wire.send_data(request.stream, gzip.compress(b"hello" * 100))
        peer.wire.send_headers(request.stream, [(b"x-checksum", b"7")], end_stream=True)
        await peer.flush()

    async with world(answering(answer), tls=papers.server()) as w:
        found = await w.client(papers.options).send(w.origin, w.get(), None, RequestOptions(ALL, 5.0))
        assert (found.error, found.status, found.body) == (None, 200, b"hello" * 100), found.detail
        assert found.headers == [("content-encoding", "gzip")]


async def test_a_body_over_the_limit(papers: Papers) -> None:
    async def answer(peer: Peer, request: Request) -> None:
        await peer.respond(request, b"x" * 200_000)

    async with world(answering(answer), tls=papers.server(), max_body=100_000) as w:
        found = await w.client(papers.options).send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))
        assert found.error is ErrorKind.TOO_LARGE


async def test_an_answer_before_the_whole_request_ends_its_stream_alone(papers: Papers) -> None:
    peers: list[Peer] = []

    async def script(stream: Stream) -> None:
        peer = Peer(stream, window=10)
        peers.append(peer)
        await served(peer)
        request = await peer.begun()
        await peer.respond(request, b"too large", status=413)
        while other := await peer.request():
            await peer.respond(other)

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        await settled(w, client)
        head = w.get(method="POST", length=1_000_000)
        found = await client.send(w.origin, head, b"x" * 1_000_000, RequestOptions(Want.BODY, 5.0, replayable=False))
        assert (found.error, found.status, found.body) == (None, 413, b"too large"), found.detail
        after = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))
        assert (after.error, after.reused) == (None, True), after.detail
    assert any(isinstance(event, StreamReset) for event in peers[0].seen)


async def test_pings_are_answered_while_nothing_is_asked(papers: Papers) -> None:
    answered = trio.Event()

    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        request = await peer.request()
        assert request is not None
        await peer.respond(request)
        peer.wire.ping(b"12345678")
        while not any(isinstance(event, PingAckReceived) and event.ping_data for event in peer.seen):
            await peer.receive()
        answered.set()
        while other := await peer.request():
            await peer.respond(other)

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        assert (await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))).error is None
        with trio.fail_after(5):
            await answered.wait()
        again = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert (again.error, again.reused) == (None, True), again.detail


# -- ends ----------------------------------------------------------------------------------------------------


async def twice(w: World, papers: Papers, method: str = "GET") -> tuple[ErrorKind | None, str, bool]:
    client = w.client(papers.options)
    first = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))
    assert first.error is None, first.detail
    found = await client.send(
        w.origin, w.get(method=method), None, RequestOptions(Want.BODY, 5.0, replayable=method == "GET")
    )
    return found.error, found.detail, found.reused


async def test_a_graceful_goaway_lets_the_stream_finish_and_the_next_one_goes_elsewhere(papers: Papers) -> None:
    async def answer(peer: Peer, request: Request) -> None:
        peer.wire.send_headers(request.stream, [(b":status", b"200")])
        last = peer.wire
        await peer.flush()
        await peer.stream.send_all(goaway(request.stream, ErrorCodes.NO_ERROR))
        last.send_data(request.stream, b"ok", end_stream=True)
        await peer.flush()

    async with world(answering(answer), tls=papers.server()) as w:
        client = w.client(papers.options)
        for _ in range(2):
            found = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))
            assert (found.error, found.body, found.reused) == (None, b"ok", False), found.detail
        assert len(w.peers) == 2


async def test_what_a_goaway_says_was_not_taken_goes_out_again_even_a_post(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        await served(peer)
        request = await peer.request()
        if request is not None:
            await stream.send_all(goaway(request.stream - 2, ErrorCodes.NO_ERROR))

    async with world(script, tls=papers.server()) as w:
        assert await twice(w, papers, "POST") == (None, "", False)
        assert len(w.peers) == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_goaway_in_anger_is_a_failure(papers: Papers, method: str) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        await served(peer)
        request = await peer.request()
        if request is not None:
            await stream.send_all(goaway(request.stream, ErrorCodes.ENHANCE_YOUR_CALM))

    async with world(script, tls=papers.server()) as w:
        kind, detail, _ = await twice(w, papers, method)
        assert kind is ErrorKind.CLOSED_EARLY
        assert detail == "the server ended the connection (GOAWAY): ENHANCE_YOUR_CALM"
        assert len(w.peers) == 1


async def test_a_goaway_while_nothing_is_asked_makes_the_next_request_connect_anew(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        await served(peer)
        await stream.send_all(goaway(1, ErrorCodes.NO_ERROR))
        await stream.receive_some(1)

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        for _ in range(3):
            found = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0, replayable=False))
            assert (found.error, found.body) == (None, b"ok"), found.detail
            await trio.testing.wait_all_tasks_blocked(0.01)


async def test_a_stream_that_is_reset_fails_alone(papers: Papers) -> None:
    async def answer(peer: Peer, request: Request) -> None:
        if request.path == "/reset":
            peer.wire.reset_stream(request.stream, ErrorCodes.INTERNAL_ERROR)
            await peer.flush()
        else:
            await peer.respond(request)

    async with world(answering(answer), tls=papers.server()) as w:
        client = w.client(papers.options)
        assert (await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))).error is None
        found = await client.send(w.origin, w.get("/reset"), None, RequestOptions(Want.BODY, 5.0))
        assert (found.error, found.detail) == (ErrorKind.RESET, "the server reset the stream: INTERNAL_ERROR")
        after = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))
        assert (after.error, after.body, after.reused) == (None, b"ok", True), after.detail
        assert len(w.peers) == 1


async def test_a_refused_stream_goes_out_again_even_a_post(papers: Papers) -> None:
    refused: list[int] = []

    async def answer(peer: Peer, request: Request) -> None:
        if request.stream > 1 and not refused:
            refused.append(request.stream)
            peer.wire.reset_stream(request.stream, ErrorCodes.REFUSED_STREAM)
            await peer.flush()
        else:
            await peer.respond(request)

    async with world(answering(answer), tls=papers.server()) as w:
        assert await twice(w, papers, "POST") == (None, "", False)
    assert refused == [3]


async def test_a_connection_that_ends_within_an_answer(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        request = await peer.request()
        assert request is not None
        peer.wire.send_headers(request.stream, [(b":status", b"200")])
        await peer.flush()
        await peer.receive()  # what is left unread would make the end a reset

    async with world(script, tls=papers.server()) as w:
        found = await w.client(papers.options).send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))
        assert found.error is ErrorKind.CLOSED_EARLY
        assert "during its response" in found.detail


@pytest.mark.parametrize(
    "wire",
    [
        bytes([0, 0, 4, 5, 4, 0, 0, 0, 1, 0, 0, 0, 2]),  # PUSH_PROMISE
        bytes([0, 0, 1, 4, 0, 0, 0, 0, 0, 9]),  # SETTINGS of one byte
        bytes([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]),  # WINDOW_UPDATE by nothing
    ],
)
async def test_what_is_no_http_2_is_malformed(papers: Papers, wire: bytes) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        await peer.request()
        await stream.send_all(wire)
        await peer.receive()

    async with world(script, tls=papers.server()) as w:
        found = await w.client(papers.options).send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))
        assert found.error is ErrorKind.MALFORMED
        assert "HTTP/2" in found.detail


async def test_a_server_that_takes_no_streams(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream, streams=0)
        await peer.flush()
        while await peer.receive():
            pass

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        found = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 0.3))
        assert found.error is not None
        assert found.detail


@pytest.mark.parametrize("spoken", ["http/1.1", "other/1"])
async def test_a_server_that_speaks_1_1_only_is_not_loaded_with_it_instead(papers: Papers, spoken: str) -> None:
    async with world(always_ok_1, tls=papers.server(spoken)) as w:
        found = await w.client(papers.options).send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert (found.error, found.status) == (ErrorKind.TLS, 0)
        assert "does not support HTTP/2" in found.detail
        other = w.client(replace(papers.options, http2=False))
        plain = await other.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert (plain.error, plain.status) == (None, 200)


async def test_without_tls_there_is_no_http_2(papers: Papers) -> None:
    async with world(always_ok_1) as w:
        found = await w.client(papers.options).send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert found.error is ErrorKind.TLS
        assert "HTTP/2 needs TLS" in found.detail


async def test_through_a_proxys_tunnel(papers: Papers) -> None:
    async with tiny_proxy() as proxy, world(always_ok, tls=papers.server()) as w:
        client = w.client(replace(papers.options, proxy=proxy.address))
        for reused in (False, True):
            found = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))
            assert (found.error, found.body, found.reused) == (None, b"ok", reused), found.detail


@pytest.mark.slow
@pytest.mark.parametrize(
    ("window", "kind", "words"),
    [(0, ErrorKind.TIMEOUT_SEND, "flow-control window"), (65_535, ErrorKind.TIMEOUT_WAIT, "no response")],
)
async def test_what_is_too_slow(papers: Papers, window: int, kind: ErrorKind, words: str) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream, window=window)
        await served(peer)
        while await peer.receive():
            pass

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        await settled(w, client)
        head = w.get(method="POST", length=1_000)
        found = await client.send(w.origin, head, b"x" * 1_000, RequestOptions(Want.NOTHING, 0.3))
        assert found.error is kind
        assert words in found.detail


async def test_many_clients_have_a_connection_each(papers: Papers) -> None:
    done: list[bool] = []

    async def user(w: World) -> None:
        client = w.client(papers.options)
        for _ in range(5):
            found = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 10.0))
            assert (found.error, found.body) == (None, b"ok"), found.detail
        done.append(True)

    async with world(always_ok, tls=papers.server()) as w:
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(user, w)
        assert len(w.peers) == len(done) == 10
