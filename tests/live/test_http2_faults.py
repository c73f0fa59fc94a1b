"""HTTP/2 peers that misbehave: floods, deadlines of streams that share a connection, faults of the connection."""

from collections.abc import Callable
from time import process_time

import pytest
import trio
from h2.errors import ErrorCodes
from h2_peer import BOTH, Papers, Peer, crowd, goaway, send_all, settled
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from scripted_server import Stream, world

from vezaflow.protocols import ErrorKind, RequestOptions, Want
from vezaflow.protocols.http2_stream import fields_of

pytestmark = pytest.mark.trio
ALL = Want.BODY | Want.HEADERS | Want.COOKIES


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


def ended_block(stream: int, block: bytes) -> Frame:
    frame = HeadersFrame(stream, block)
    frame.flags.add("END_HEADERS")
    return frame


FLOODS: dict[str, Callable[[int], Frame]] = {
    "settings": lambda _: SettingsFrame(0),
    "large settings": lambda _: SettingsFrame(0, settings=dict.fromkeys(range(100, 150), 1)),
    "larger settings": lambda _: SettingsFrame(0, settings=dict.fromkeys(range(100, 256), 1)),
    "interim": lambda stream: ended_block(stream, b"\x08\x03100"),
    "ping": lambda _: PingFrame(0, opaque_data=b"12345678"),
    "priority": lambda stream: PriorityFrame(stream + 2, depends_on=0, stream_weight=3),
    "reset": lambda _: RstStreamFrame(1, error_code=8),
    "window": lambda stream: WindowUpdateFrame(stream, window_increment=1),
    "empty data": lambda stream: DataFrame(stream),
    "unknown": lambda _: ExtensionFrame(type=0xBE, stream_id=0),
    "goaway": lambda _: GoAwayFrame(0, last_stream_id=2**31 - 1),
    "continuation": lambda stream: ContinuationFrame(stream),
}


@BOTH
@pytest.mark.slow
@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_of_frames_ends_with_a_named_error_and_holds_nobody_up(
    papers: Papers, kind: str, epoll: bool
) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        await served(peer)
        request = await peer.request()
        assert request is not None
        begin = {"empty data": ended_block(request.stream, b"\x88"), "continuation": HeadersFrame(request.stream)}
        await stream.send_all(begin[kind].serialize() if kind in begin else b"")
        flood = FLOODS[kind](request.stream).serialize()
        flood *= max(1, 30_000 // len(flood))
        while True:
            await stream.send_all(flood)

    late = 0.0

    async def watch(scope: trio.CancelScope) -> None:
        nonlocal late
        with scope:
            while True:
                before = process_time()  # not what others take of a busy machine
                await trio.lowlevel.checkpoint()
                late = max(late, process_time() - before)

    async with world(script, tls=papers.server(), epoll=epoll) as w:
        client, scope = w.client(papers.options), trio.CancelScope()
        await settled(w, client)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, scope)
            found = await client.send(w.origin, w.get(), None, RequestOptions(ALL, 10.0, replayable=False))
            scope.cancel()
        assert found.error is ErrorKind.MALFORMED, found.detail
        assert "too many" in found.detail.lower()
        assert late < 0.1, "it was seconds; a collection of garbage takes half of this"


async def served(peer: Peer) -> None:
    request = await peer.request()
    assert request is not None
    await peer.respond(request)


@BOTH
@pytest.mark.slow
async def test_each_stream_of_a_connection_keeps_its_own_deadline(papers: Papers, epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        while await peer.receive():
            pass

    async with world(script, tls=papers.server(), epoll=epoll) as w:
        lanes = w.client(papers.options).beside()
        found: list[tuple[str, ErrorKind | None]] = []

        async def one(path: str, timeout: float) -> None:
            e = await lanes.send(w.origin, w.get(path), None, RequestOptions(Want.NOTHING, timeout))
            found.append((path, e.error))

        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                for number in (2, 1, 3):
                    nursery.start_soon(one, f"/{number}", number / 10)
        assert found == [(f"/{number}", ErrorKind.TIMEOUT_WAIT) for number in (1, 2, 3)]


async def test_responses_before_a_fault_of_the_connection_count(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        first, second = sorted(await crowd(peer, 2), key=lambda request: request.path)
        whole = ended_block(first.stream, b"\x88")
        whole.flags.add("END_STREAM")
        cut = ended_block(second.stream, b"\xff\xff\xff")  # no header compression
        await stream.send_all(whole.serialize() + cut.serialize())
        await peer.receive()

    async with world(script, tls=papers.server()) as w:
        found = await send_all(w.client(papers.options).beside(), w, ["/1", "/2"])
        assert {path: o.error for path, o in found.items()} == {"/1": None, "/2": ErrorKind.MALFORMED}
        assert "can't be decoded" in found["/2"].detail


async def test_a_frame_too_large_is_refused_before_it_has_come(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        await peer.request()
        await stream.send_all(b"\xff\xff\xff\0\0\0\0\0\1" + b"x" * 1000)
        await trio.sleep_forever()

    async with world(script, tls=papers.server()) as w:
        found = await w.client(papers.options).send(w.origin, w.get(), None, RequestOptions(ALL, 5.0))
        assert found.error is ErrorKind.MALFORMED
        assert "a frame of 16777215 bytes" in found.detail


async def test_a_window_that_shrinks_below_zero_is_waited_for(papers: Papers) -> None:
    """SETTINGS_INITIAL_WINDOW_SIZE changes in the middle of an upload (RFC 9113, 6.9.2)."""
    sizes: list[int] = []

    async def script(stream: Stream) -> None:
        peer = Peer(stream, window=20_000)
        await served(peer)
        await peer.begun()
        for size in (10, 200_000):
            peer.wire.update_settings({4: size})
            await peer.flush()
        request = await peer.request()
        assert request is not None
        sizes.append(len(request.body))
        await peer.respond(request)
        await peer.request()

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        await settled(w, client)
        head = w.get(method="PUT", length=100_000)
        found = await client.send(w.origin, head, b"x" * 100_000, RequestOptions(Want.BODY, 5.0))
        assert (found.error, found.body) == (None, b"ok"), found.detail
    assert sizes == [100_000]


async def test_who_is_left_out_again_and_again_goes_out_until_it_is_taken(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        request = await peer.request()
        assert request is not None
        with trio.move_on_after(0.02):
            await peer.request()
        await stream.send_all(goaway(request.stream, ErrorCodes.NO_ERROR))
        await peer.respond(request)
        while await peer.receive():
            pass

    async with world(script, tls=papers.server()) as w:
        lanes = w.client(papers.options).beside()
        found = await send_all(lanes, w, [f"/{number}" for number in range(5)], method="POST")
        assert {o.error for o in found.values()} == {None}, [o.detail for o in found.values()]
        assert len(w.peers) == 5


async def test_who_is_never_taken_goes_out_twice(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        if len(w.peers) == 1:
            await served(peer)
        await peer.request()
        await stream.send_all(goaway(1 if len(w.peers) == 1 else 0, ErrorCodes.NO_ERROR))
        await peer.receive()

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        await settled(w, client)
        found = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))
        assert (found.error, len(w.peers)) == (ErrorKind.CLOSED_EARLY, 2), found.detail


async def test_header_values_are_utf_8_where_they_can_be_and_cookies_go_back_byte_for_byte(papers: Papers) -> None:
    cookies: list[bytes] = []

    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        while request := await peer.request():
            cookies.append(dict(request.fields).get(b"cookie", b""))
            sent = [(b"x-city", "Zürich".encode()), (b"x-old", b"Z\xfcrich"), (b"location", "/café".encode())]
            sent += [(b"set-cookie", b"a=" + "Zürich".encode()), (b"set-cookie", b"b=Z\xfcrich")]
            await peer.respond(request, fields=sent)

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        for _ in range(2):
            found = await client.send(w.origin, w.get(), None, RequestOptions(ALL, 5.0))
        told = dict(found.headers)
        assert (told["x-city"], told["x-old"], told["location"]) == ("Zürich", "Zürich", "/café")
    assert cookies == [b"", b"a=" + "Zürich".encode() + b"; b=Z\xfcrich"]


async def test_what_belongs_to_a_connection_of_http_1_1_is_left_out() -> None:
    head = b"POST /a?b=c d HTTP/1.1\r\nHOST: here:1\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
    head += b"Proxy-Connection: x\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\nTE: gzip\r\n"
    head += b"X-Mine:  a:b \r\nte: Trailers"
    assert fields_of(head) == (
        (b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"here:1"), (b":path", b"/a?b=c d"),
        (b"x-mine", b"a:b"), (b"te", b"Trailers"),
    )  # fmt: skip


async def test_a_limit_of_streams_that_is_lowered_to_none_ends_what_waits_with_a_named_error(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream, streams=2)
        await served(peer)
        requests = await crowd(peer, 2)
        peer.wire.update_settings({3: 0})
        await peer.flush()
        for request in requests:
            await peer.respond(request)
        await peer.receive()

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        await settled(w, client)
        with trio.fail_after(5):
            found = await send_all(client.beside(), w, [f"/{number}" for number in range(3)], timeout=1.0)
        errors = [o.error for o in found.values()]
        assert errors.count(None) == 2
        assert [o.detail for o in found.values() if o.error] == [
            "the server allows no request (SETTINGS_MAX_CONCURRENT_STREAMS is 0)"
        ]


async def test_a_response_that_ends_the_request_before_all_of_it_is_sent_counts(papers: Papers) -> None:
    """RST_STREAM with NO_ERROR behind it (RFC 9113, 8.1)."""

    async def script(stream: Stream) -> None:
        peer = Peer(stream, window=10)
        await served(peer)
        request = await peer.begun()
        whole = ended_block(request.stream, b"\x88")
        whole.flags.add("END_STREAM")
        await stream.send_all(whole.serialize() + RstStreamFrame(request.stream, error_code=0).serialize())
        await peer.receive()

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        await settled(w, client)
        head = w.get(method="POST", length=1000)
        found = await client.send(w.origin, head, b"x" * 1000, RequestOptions(Want.BODY, 5.0, replayable=False))
        assert (found.error, found.status) == (None, 200), found.detail
