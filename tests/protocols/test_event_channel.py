"""Event streams over connections: what opens one, what does not, and how it ends. Each end is a named ending."""

import ssl

import pytest
import trio
import trustme
from scripted_server import Script, Stream, World, read_head, reset, world

from vezaflow.protocols import (
    ChannelMessage,
    ClientOptions,
    Ending,
    ErrorKind,
    EventMessage,
    EventStreamOptions,
    OpenChannel,
    StreamOpening,
    Voice,
)
from vezaflow.protocols.bounds import MOST_UNREAD

pytestmark = pytest.mark.trio
BOTH = pytest.mark.parametrize("epoll", [True, False], ids=["epoll", "poll"])
BYTEWISE = pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "bytewise"])
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
OPEN = HEAD + b"\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
Found = list[tuple[str, str, str]]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def says(response: bytes, *, bytewise: bool = False, then_end: bool = True, heard: list[bytes] | None = None) -> Script:
    async def script(stream: Stream) -> None:
        head = await read_head(stream)
        if heard is not None:
            heard.append(head)
        for piece in [response[at : at + 1] for at in range(len(response))] if bytewise else [response]:
            await stream.send_all(piece)
        if not then_end:
            await trio.sleep_forever()

    return script


async def ask(w: World, **how: object) -> StreamOpening:
    options = EventStreamOptions(**{"timeout": 5.0, **how})  # type: ignore[arg-type]
    return await w.client().open_events(w.origin, w.get("/events"), options)


async def all_of(found: StreamOpening) -> tuple[Found, Ending]:
    """The events, and the ending."""
    assert found.channel is not None, found.exchange.detail
    came: Found = []
    with trio.fail_after(5):
        while True:
            message = await found.channel.receive(float("inf"))
            if isinstance(message, Ending):
                return came, message
            assert isinstance(message, EventMessage)
            assert isinstance(message.data, str)
            came.append((message.event, message.id, message.data))


@BOTH
@BYTEWISE
async def test_events_come_in_chunks_until_the_last_one(epoll: bool, bytewise: bool) -> None:
    response = CHUNKED + chunk(b"data: a\n") + chunk(b"\nid: 2\nevent: add\nda") + chunk(b"ta: b\n\n") + b"0\r\n\r\n"
    async with world(says(response, bytewise=bytewise, then_end=False), epoll=epoll) as w:
        found = await ask(w)
        came, ending = await all_of(found)
    exchange = found.exchange
    assert came == [("message", "", "a"), ("add", "2", "b")]
    assert (ending.error, ending.by_server) == (ErrorKind.CLOSED, True)
    assert (exchange.status, exchange.error) == (200, None)
    assert ("content-type", "text/event-stream") in exchange.headers
    assert exchange.begun < exchange.started <= exchange.first <= exchange.ended <= ending.at
    assert found.channel is not None
    assert found.channel.last_id == "2"


@BYTEWISE
async def test_events_come_until_the_connection_ends(bytewise: bool) -> None:
    async with world(says(OPEN + b"retry: 50\n\ndata: a\n\ndata: lost", bytewise=bytewise)) as w:
        found = await ask(w)
        came, ending = await all_of(found)
    assert came == [("message", "", "a")]
    assert (ending.error, ending.detail) == (ErrorKind.CLOSED, "the server ended the event stream")
    assert found.channel is not None
    assert found.channel.retry == 0.05


async def test_an_interim_response_is_passed_over() -> None:
    async with world(says(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OPEN + b"data: a\n\n")) as w:
        came, _ = await all_of(await ask(w))
    assert came == [("message", "", "a")]


async def test_a_head_with_bare_line_feeds_opens_one() -> None:
    async with world(says(OPEN.replace(b"\r\n", b"\n") + b"data: a\n\n")) as w:
        came, _ = await all_of(await ask(w))
    assert came == [("message", "", "a")]


async def test_a_connection_cut_within_a_chunk_is_closed_early() -> None:
    async with world(says(CHUNKED + chunk(b"data: a\n\n") + b"ff\r\ndata: b\n\n")) as w:
        came, ending = await all_of(await ask(w))
    assert [data for _, _, data in came] == ["a", "b"]
    assert ending.error is ErrorKind.CLOSED_EARLY


async def test_a_reset_is_one() -> None:
    came = trio.Event()

    async def script(stream: Stream) -> None:
        await read_head(stream)
        await stream.send_all(OPEN + b"data: a\n\n")
        await came.wait()
        assert isinstance(stream, trio.SocketStream)
        reset(stream)

    async with world(script) as w:
        found = await ask(w)
        assert found.channel is not None
        assert isinstance(await found.channel.receive(float("inf")), ChannelMessage)
        came.set()
        _, ending = await all_of(found)
    assert ending.error is ErrorKind.RESET


async def test_an_invalid_chunk_is_malformed() -> None:
    opened = trio.Event()

    async def script(stream: Stream) -> None:
        await read_head(stream)
        await stream.send_all(CHUNKED)
        await opened.wait()
        await stream.send_all(b"zz\r\n")
        await trio.sleep_forever()

    async with world(script) as w:
        found = await ask(w)
        opened.set()
        _, ending = await all_of(found)
    assert ending.error is ErrorKind.MALFORMED


async def test_an_event_over_the_limit_ends_the_stream() -> None:
    async with world(says(OPEN + b"data: a\n\ndata: " + b"b" * 2000, then_end=False)) as w:
        came, ending = await all_of(await ask(w, max_event=1000))
    assert came == [("message", "", "a")]
    assert (ending.error, ending.detail) == (ErrorKind.TOO_LARGE, "an event is larger than 1000 bytes")


@pytest.mark.parametrize(
    ("response", "error", "detail"),
    [
        (
            b"HTTP/1.1 204 No Content\r\n\r\n",
            ErrorKind.STATUS,
            "the response has status 204: the server has no events, and wants no reconnect",
        ),
        (
            b"HTTP/1.1 503 Busy\r\nContent-Type: text/event-stream\r\nContent-Length: 4\r\n\r\nbusy",
            ErrorKind.STATUS,
            "the response has status 503",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>",
            ErrorKind.CONTENT_TYPE,
            "the response has the Content-Type 'text/html', and not text/event-stream",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            ErrorKind.CONTENT_TYPE,
            "the response has no Content-Type, and not text/event-stream",
        ),
        (
            HEAD + b"Content-Encoding: gzip\r\n\r\n",
            ErrorKind.MALFORMED,
            "the event stream is compressed (gzip), which is not supported",
        ),
        (b"HTTP/1.1 OK\r\n\r\n", ErrorKind.MALFORMED, "invalid status line 'HTTP/1.1 OK'"),
        (b"", ErrorKind.CLOSED_EARLY, "the server closed the connection without a response"),
    ],
)
@BYTEWISE
async def test_what_opens_no_stream_says_why(response: bytes, error: ErrorKind, detail: str, bytewise: bool) -> None:
    async with world(says(response, bytewise=bytewise)) as w:
        found = await ask(w)
    assert found.channel is None
    assert found.exchange.error is error
    assert found.exchange.detail.startswith(detail)


async def test_an_endless_response_that_is_no_stream_is_no_hang() -> None:
    async def script(stream: Stream) -> None:
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n")
        while True:
            await stream.send_all(bytes(10_000))

    async with world(script) as w:
        with trio.fail_after(5):
            found = await ask(w)
    assert found.exchange.error is ErrorKind.CONTENT_TYPE
    assert len(found.exchange.body) == 64 * 1024


async def test_no_head_in_time_is_a_timeout() -> None:
    async with world(says(HEAD, then_end=False)) as w:
        found = await ask(w, timeout=0.05)
    assert found.exchange.error is ErrorKind.TIMEOUT_RECEIVE


async def test_the_timeout_is_for_the_head_alone() -> None:
    async def script(stream: Stream) -> None:
        await read_head(stream)
        await stream.send_all(OPEN)
        await trio.sleep(0.1)
        await stream.send_all(b"data: a\n\n")

    async with world(script) as w:
        came, _ = await all_of(await ask(w, timeout=0.05))
    assert came == [("message", "", "a")]


async def test_a_reconnect_says_which_event_was_the_last() -> None:
    heard: list[bytes] = []
    async with world(says(OPEN + b"data: a\n\n", heard=heard)) as w:
        client, options = w.client(), EventStreamOptions(5.0, last_id="41ä")
        head = w.get()[:-2] + b"last-event-id: 1\r\nx-a: b\r\n\r\n"
        came, _ = await all_of(await client.open_events(w.origin, head, options))
    assert heard[0].lower().count(b"last-event-id") == 1
    assert "\r\nLast-Event-ID: 41ä\r\n\r\n" in heard[0].decode()
    assert came == [("message", "41ä", "a")]


async def test_cookies_are_taken_of_a_stream() -> None:
    async with world(says(HEAD + b"Set-Cookie: a=1\r\n\r\n")) as w:
        client = w.client()
        found = await client.open_events(w.origin, w.get(), EventStreamOptions(5.0))
        assert found.channel is not None
        assert client.cookies.get("a") == "1"


async def test_a_listener_takes_events_as_they_come() -> None:
    taken: list[str | bytes] = []

    def listener(_channel: Voice, message: ChannelMessage) -> bool:
        taken.append(message.data)
        return message.data != "b"

    async with world(says(OPEN + b"data: a\n\ndata: b\n\ndata: c\n\n")) as w:
        found = await w.client().open_events(w.origin, w.get(), EventStreamOptions(5.0), on_message=listener)
        came, _ = await all_of(found)
    assert taken == ["a", "b", "c"]
    assert [data for _, _, data in came] == ["b"]


async def test_events_that_nobody_reads_are_dropped_the_oldest_first() -> None:
    async with world(says(OPEN + b"".join(b"data: %d\n\n" % n for n in range(MOST_UNREAD + 5)))) as w:
        found = await ask(w)
        channel = found.channel
        assert channel is not None
        await channel.ended_by(float("inf"))
        came, _ = await all_of(found)
    assert (channel.received, channel.dropped, came[0][2]) == (MOST_UNREAD + 5, 5, "5")


async def test_a_client_that_closes_ends_its_streams() -> None:
    gone = trio.Event()

    async def script(stream: Stream) -> None:
        await read_head(stream)
        await stream.send_all(OPEN)
        assert await stream.receive_some(1) == b""
        gone.set()

    async with world(script) as w:
        client = w.client()
        found = await client.open_events(w.origin, w.get(), EventStreamOptions(5.0))
        channel: OpenChannel | None = found.channel
        assert channel is not None
        client.close()
        with trio.fail_after(5):
            await gone.wait()
        assert channel.ending is not None
        assert channel.ending.error is None


@BYTEWISE
async def test_events_come_over_tls(bytewise: bool) -> None:
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(server_tls)
    response = CHUNKED + chunk(b"data: a\n\n") + b"0\r\n\r\n"
    async with world(says(response, bytewise=bytewise), tls=server_tls, host="localhost") as w:
        client = w.client(ClientOptions(insecure=True))
        came, _ = await all_of(await client.open_events(w.origin, w.get(), EventStreamOptions(5.0)))
    assert came == [("message", "", "a")]


async def test_a_cancelled_dial_leaves_nothing_behind() -> None:
    async with world(says(b"", then_end=False)) as w:
        with trio.move_on_after(0.02) as scope:
            await ask(w)
        assert scope.cancelled_caught
