"""What a server may do to a WebSocket: each a named ending, nothing stuck, memory bounded."""

import struct

import pytest
import trio
import trio.testing
from scripted_server import Script, Stream, World, read_head, reset, world
from ws_peer import get
from ws_script import BINARY, CLOSE, CONT, PING, PONG, TEXT, Heard, accept, close, frame, sends, upgraded

from vezaflow.protocols import ChannelMessage, Ending, ErrorKind, Upgrade, WebSocketOptions
from vezaflow.protocols.bounds import MOST_FRAGMENTS, MOST_UNREAD
from vezaflow.protocols.websocket import WebSocketChannel

pytestmark = pytest.mark.trio
BOTH = pytest.mark.parametrize("epoll", [True, False], ids=["epoll", "poll"])
BYTEWISE = pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "bytewise"])


async def silent(*_: object) -> None:
    await trio.sleep_forever()


async def ask(w: World, **how: object) -> Upgrade:
    options = WebSocketOptions(**{"timeout": 5.0, "close_timeout": 0.2, **how})  # type: ignore[arg-type]
    return await w.client().open_websocket(w.origin, get(w.origin), options)


async def opened_in(w: World, **how: object) -> WebSocketChannel:
    found = await ask(w, **how)
    assert isinstance(found.channel, WebSocketChannel), found.exchange.detail
    return found.channel


async def all_of(channel: WebSocketChannel) -> tuple[list[str | bytes], Ending]:
    """What came, and the ending."""
    came: list[str | bytes] = []
    with trio.fail_after(5):
        while True:
            found = await channel.receive(float("inf"))
            if isinstance(found, Ending):
                return came, found
            assert found is not None
            came.append(found.data)


# -- the upgrade ---------------------------------------------------------------------------------------------


def says(response: bytes, *, bytewise: bool = False, then_end: bool = True) -> Script:
    async def script(stream: Stream) -> None:
        await read_head(stream)
        for piece in [response[at : at + 1] for at in range(len(response))] if bytewise else [response]:
            await stream.send_all(piece)
        if not then_end:
            await trio.sleep_forever()

    return script


@BOTH
@BYTEWISE
async def test_a_refused_upgrade_is_a_response_with_status_and_body(epoll: bool, bytewise: bool) -> None:
    reply = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 401 Unauthorized\r\nSet-Cookie: a=1\r\n"
        b"Content-Length: 5\r\n\r\nno!!!"
    )
    async with world(says(reply, bytewise=bytewise, then_end=False), epoll=epoll) as w:
        client = w.client()
        found = await client.open_websocket(w.origin, get(w.origin), WebSocketOptions(5.0))
        exchange = found.exchange
        assert found.channel is None
        assert (exchange.error, exchange.status, exchange.body) == (ErrorKind.UPGRADE, 401, b"no!!!")
        assert ("set-cookie", "a=1") in exchange.headers
        assert exchange.begun < exchange.started <= exchange.first <= exchange.ended
        assert client.cookies.get("a") == "1"


async def test_a_refusal_with_bare_line_feeds_is_one() -> None:
    async with world(says(b"HTTP/1.1 403 No\nContent-Length: 2\n\nno", then_end=False)) as w:
        found = await ask(w)
        assert (found.exchange.error, found.exchange.status, found.exchange.body) == (ErrorKind.UPGRADE, 403, b"no")


async def test_an_endless_refusal_is_cut_off() -> None:
    async def script(stream: Stream) -> None:
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 503 Busy\r\n\r\n")
        while True:
            await stream.send_all(b"x" * 65536)

    async with world(script) as w:
        found = await ask(w)
        assert (found.exchange.error, found.exchange.status) == (ErrorKind.UPGRADE, 503)
        assert len(found.exchange.body) == 64 * 1024


UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@BYTEWISE
@pytest.mark.parametrize(
    ("response", "kind", "detail"),
    [
        (UPGRADE + b"Sec-WebSocket-Accept: bm8=\r\n\r\n", ErrorKind.UPGRADE, "invalid Sec-WebSocket-Accept header"),
        (UPGRADE + b"\r\n", ErrorKind.UPGRADE, "missing Sec-WebSocket-Accept header"),
        (b"HTTP/1.1 101 OK\r\n\r\n", ErrorKind.UPGRADE, "missing Connection header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ErrorKind.UPGRADE, "status 200"),
        (b"SSH-2.0-OpenSSH\r\n", ErrorKind.MALFORMED, ""),
        (b"HTTP/1.1 101 Swi", ErrorKind.CLOSED_EARLY, "without a response"),
        (b"", ErrorKind.CLOSED_EARLY, "without a response"),
        (b"HTTP/1.1 101 S\r\n" + b"x: " + b"y" * 300_000, ErrorKind.TOO_LARGE, ""),
    ],
    ids=["wrong accept", "no accept", "no upgrade", "200", "ssh", "broken off", "nothing", "endless head"],
)
async def test_a_response_that_opens_nothing(response: bytes, kind: ErrorKind, detail: str, bytewise: bool) -> None:
    if bytewise and len(response) > 10_000:
        pytest.skip("the same, slowly")
    async with world(says(response, bytewise=bytewise)) as w:
        found = await ask(w)
        assert (found.channel, found.exchange.error) == (None, kind), found.exchange.detail
        assert detail in found.exchange.detail


@pytest.mark.parametrize(
    ("field", "detail"),
    [
        (b"Sec-WebSocket-Protocol: never-asked\r\n", "no subprotocols supported"),
        (b"Sec-WebSocket-Extensions: permessage-deflate\r\n", "no extensions supported"),
    ],
)
async def test_what_was_not_offered_is_not_taken(field: bytes, detail: str) -> None:
    async def script(stream: Stream) -> None:
        await stream.send_all(accept(await read_head(stream), field))
        await trio.sleep_forever()

    async with world(script) as w:
        found = await ask(w)
        assert found.exchange.error is ErrorKind.UPGRADE
        assert detail in found.exchange.detail


@pytest.mark.slow
async def test_a_server_that_never_answers_the_upgrade() -> None:
    async with world(silent) as w:
        found = await ask(w, timeout=0.1)
        assert (found.channel, found.exchange.error) == (None, ErrorKind.TIMEOUT_WAIT)


async def test_frames_that_come_with_the_response_are_messages() -> None:
    async def script(stream: Stream) -> None:
        await stream.send_all(accept(await read_head(stream)) + frame(TEXT, b"hello") + close(4001, b"bye"))
        await trio.sleep_forever()

    async with world(script) as w:
        came, ending = await all_of(await opened_in(w))
        assert came == ["hello"]
        assert (ending.code, ending.reason, ending.by_server, ending.error) == (4001, "bye", True, None)


# -- frames --------------------------------------------------------------------------------------------------


@BYTEWISE
@pytest.mark.parametrize(
    ("data", "code", "kind"),
    [
        (frame(TEXT, b"x", reserved=4), 1002, ErrorKind.MALFORMED),
        (frame(TEXT, b"x", reserved=1), 1002, ErrorKind.MALFORMED),
        (frame(3, b"x"), 1002, ErrorKind.MALFORMED),
        (frame(11), 1002, ErrorKind.MALFORMED),
        (frame(TEXT, b"x", masked=True), 1002, ErrorKind.MALFORMED),
        (frame(CONT, b"x"), 1002, ErrorKind.MALFORMED),
        (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002, ErrorKind.MALFORMED),
        (frame(PING, b"x", fin=False), 1002, ErrorKind.MALFORMED),
        (frame(PING, b"x" * 126), 1002, ErrorKind.MALFORMED),
        (close(1005), 1002, ErrorKind.MALFORMED),
        (close(1006), 1002, ErrorKind.MALFORMED),
        (close(999), 1002, ErrorKind.MALFORMED),
        (frame(CLOSE, b"\x03"), 1002, ErrorKind.MALFORMED),
        (close(1000, b"\xff"), 1007, ErrorKind.MALFORMED),
        (frame(TEXT, b"\xff"), 1007, ErrorKind.MALFORMED),
        (frame(TEXT, b"\xc3", fin=False) + frame(CONT, b"("), 1007, ErrorKind.MALFORMED),
        (frame(TEXT, b"\xc3"), 1007, ErrorKind.MALFORMED),
        (frame(BINARY, b"x" * 1001), 1009, ErrorKind.TOO_LARGE),
        (frame(BINARY, b"x" * 999, fin=False) + frame(CONT, b"xx", fin=False), 1009, ErrorKind.TOO_LARGE),
        (struct.pack("!BBQ", 0x82, 127, 1 << 62), 1009, ErrorKind.TOO_LARGE),
        (struct.pack("!BBQ", 0x82, 127, (1 << 64) - 1), 1009, ErrorKind.TOO_LARGE),
    ],
    ids=[
        "rsv1", "rsv3", "opcode 3", "opcode 11", "masked", "continuation of nothing", "text in text", "ping in pieces",
        "long ping", "1005 sent", "1006 sent", "999 sent", "close of one byte", "close with bad reason", "bad text",
        "bad text in pieces", "cut text", "too large", "too large in pieces", "2^62", "2^64 - 1",
    ],
)  # fmt: skip
async def test_what_breaks_the_protocol_is_closed_with_its_code(
    data: bytes, code: int, kind: ErrorKind, bytewise: bool
) -> None:
    heard = Heard()
    async with world(sends(frame(TEXT, b"before") + data, heard, bytewise=bytewise)) as w:
        channel = await opened_in(w, max_message=1000)
        came, ending = await all_of(channel)
        assert came == ["before"]
        assert (ending.code, ending.error, ending.by_server) == (code, kind, False)
        await channel.gone()
    assert heard.frames[-1][0] == CLOSE
    assert heard.frames[-1][1][:2] == code.to_bytes(2, "big")


@BYTEWISE
async def test_control_frames_between_fragments_are_answered_at_once(bytewise: bool) -> None:
    data = (
        frame(TEXT, "é".encode()[:1], fin=False) + frame(PING, b"now") + frame(CONT, b"", fin=False) + frame(PONG)
        + frame(CONT, "é".encode()[1:]) + frame(BINARY, b"\0\1") + frame(TEXT) + close(1000)
    )  # fmt: skip
    heard = Heard()
    async with world(sends(data, heard, bytewise=bytewise)) as w:
        channel = await opened_in(w)
        came, ending = await all_of(channel)
        assert came == ["é", b"\0\1", ""]
        assert (ending.code, ending.error) == (1000, None)
        await channel.gone()
    assert heard.frames == [(PONG, b"now"), (CLOSE, b"\x03\xe8")]


async def test_a_close_without_a_code_is_1005_and_is_answered_without_one() -> None:
    heard = Heard()
    async with world(sends(close(None), heard)) as w:
        channel = await opened_in(w)
        _, ending = await all_of(channel)
        assert (ending.code, ending.reason, ending.error) == (1005, "", None)
        await channel.gone()
    assert heard.frames == [(CLOSE, b"")]


async def test_a_close_between_fragments_is_a_close() -> None:
    heard = Heard()
    async with world(sends(frame(TEXT, b"x", fin=False) + close(1000), heard)) as w:
        came, ending = await all_of(await opened_in(w))
        assert (came, ending.code, ending.error) == ([], 1000, None)


async def test_what_comes_after_a_close_is_no_message() -> None:
    heard = Heard()
    async with world(sends(close(1000) + frame(TEXT, b"late") + frame(PING) + b"\xff" * 100, heard)) as w:
        channel = await opened_in(w)
        came, ending = await all_of(channel)
        assert (came, ending.code) == ([], 1000)
        await channel.gone()
    assert [kind for kind, _ in heard.frames] == [CLOSE]


@BOTH
@pytest.mark.parametrize("how", ["end", "reset", "end within a frame"])
async def test_an_end_without_a_close_frame_is_1006(epoll: bool, how: str) -> None:
    async def scene(stream: Stream, heard: Heard) -> None:
        await heard.until(stream, TEXT)
        if how == "end within a frame":
            await stream.send_all(frame(TEXT, b"hello")[:3])
        if how == "reset":
            assert isinstance(stream, trio.SocketStream)
            reset(stream)

    async with world(upgraded(scene, Heard()), epoll=epoll) as w:
        channel = await opened_in(w)
        assert channel.post("go").error is None
        _, ending = await all_of(channel)
        assert (ending.code, ending.by_server) == (1006, True)
        assert ending.error is (ErrorKind.RESET if how == "reset" else ErrorKind.CLOSED_EARLY)


# -- closing -------------------------------------------------------------------------------------------------


async def test_pings_during_the_close_are_answered_and_hold_nothing_up() -> None:
    async def scene(stream: Stream, heard: Heard) -> None:
        await heard.until(stream, CLOSE)
        await stream.send_all(frame(PING, b"p") * 1000 + frame(TEXT, b"late") + close(1000))
        await heard.until(stream, 99)

    heard = Heard()
    async with world(upgraded(scene, heard)) as w:
        channel = await opened_in(w)
        with trio.fail_after(5):
            ending = await channel.close()
            assert (ending.code, ending.error, ending.by_server) == (1000, None, False)
            message = await channel.receive(0.0)
            assert isinstance(message, ChannelMessage)
            assert message.data == "late"
            assert await channel.receive(0.0) == ending


@pytest.mark.slow
async def test_a_server_that_never_confirms_the_close() -> None:
    async with world(upgraded(silent, Heard())) as w:
        channel = await opened_in(w)
        ending = await channel.close(4000)
        assert (ending.code, ending.error) == (1006, ErrorKind.TIMEOUT_CLOSE)


@pytest.mark.slow
async def test_a_server_that_answers_no_ping_is_dead() -> None:
    async with world(upgraded(silent, Heard())) as w:
        channel = await opened_in(w, ping_every=0.05, ping_timeout=0.1)
        _, ending = await all_of(channel)
        assert (ending.code, ending.error) == (1006, ErrorKind.TIMEOUT_PING)


@pytest.mark.slow
async def test_a_server_that_closes_but_keeps_the_connection_is_left() -> None:
    async def scene(stream: Stream, heard: Heard) -> None:
        await stream.send_all(close(1000))
        await trio.sleep_forever()

    async with world(upgraded(scene, Heard())) as w:
        channel = await opened_in(w)
        with trio.fail_after(3):
            await channel.gone()
        assert channel.ending is not None
        assert channel.ending.error is None


# -- floods --------------------------------------------------------------------------------------------------


async def test_the_oldest_messages_that_nobody_reads_are_dropped_and_counted() -> None:
    many = MOST_UNREAD + 100
    data = b"".join(frame(TEXT, b"%d" % number) for number in range(many)) + close(1000)
    async with world(sends(data, Heard())) as w:
        channel = await opened_in(w)
        await channel.ended_by(float("inf"))
        came, _ = await all_of(channel)
        assert (channel.received, channel.dropped, len(came)) == (many, 100, MOST_UNREAD)
        assert came[0] == "100"


async def test_large_messages_that_nobody_reads_are_bounded_by_bytes() -> None:
    data = frame(BINARY, b"x" * (3 << 20)) * 3 + close(1000)
    async with world(sends(data, Heard())) as w:
        channel = await opened_in(w)
        await channel.ended_by(float("inf"))
        assert (channel.received, channel.dropped, channel.unread_bytes) == (3, 2, 3 << 20)


@pytest.mark.slow
async def test_four_mebibytes_in_fragments_of_64_bytes_keep_nobody_waiting() -> None:
    pieces = (4 << 20) // 64
    data = frame(TEXT, b"x" * 64, fin=False) + frame(CONT, b"x" * 64, fin=False) * (pieces - 2) + frame(CONT, b"x" * 64)
    gaps: list[float] = []

    async with world(sends(data, Heard())) as w:
        channel = await opened_in(w)
        clock = w.transport.reactor.clock

        async def beat() -> None:
            while True:
                begun = clock()
                await trio.sleep(0.001)
                gaps.append(clock() - begun)

        w.nursery.start_soon(beat)
        with trio.fail_after(20):
            message = await channel.receive(float("inf"))
        assert isinstance(message, ChannelMessage)
        assert message.size == 4 << 20
    assert max(gaps) < 1.0  # unbounded, the whole of it is one


@pytest.mark.slow
async def test_a_message_of_endless_empty_fragments_is_refused() -> None:
    async def scene(stream: Stream, heard: Heard) -> None:
        await stream.send_all(frame(BINARY, fin=False))
        for _ in range(MOST_FRAGMENTS // 1000 + 1):
            await stream.send_all(frame(CONT, fin=False) * 1000)
        await heard.until(stream, CLOSE)

    async with world(upgraded(scene, Heard())) as w:
        channel = await opened_in(w)
        with trio.fail_after(30):
            ending = await channel.ended_by(float("inf"))
        assert ending is not None
        assert (ending.code, ending.error) == (1009, ErrorKind.TOO_LARGE)


@pytest.mark.slow
async def test_a_ping_storm_of_a_server_that_reads_nothing_is_bounded() -> None:
    over = trio.Event()

    async def scene(stream: Stream, heard: Heard) -> None:
        for _ in range(400):
            await stream.send_all(frame(PING, b"x" * 125) * 200)
        await stream.send_all(frame(TEXT, b"done"))
        await over.wait()

    async with world(upgraded(scene, Heard())) as w:
        channel = await opened_in(w)
        with trio.fail_after(20):
            await channel.receive(float("inf"))
        assert channel.unsent < 100_000
        over.set()


@BOTH
async def test_a_server_that_does_not_read_bounds_what_is_unsent(epoll: bool) -> None:
    async with world(upgraded(silent, Heard()), epoll=epoll) as w:
        channel = await opened_in(w)
        whole = b"x" * (16 << 20)
        first = channel.post(whole)
        assert (first.sent, first.error) == (0.0, None)
        second = channel.post(b"y")
        assert second.error is ErrorKind.TIMEOUT_SEND
        third = await channel.send(b"z", w.transport.reactor.clock())
        assert third.error is ErrorKind.TIMEOUT_SEND
        channel.drop()
        assert first.error is ErrorKind.INTERRUPTED


async def test_a_message_to_a_slow_reader_arrives_whole() -> None:
    whole = bytes(range(256)) * (16 << 12)

    async def scene(stream: Stream, heard: Heard) -> None:
        left = len(whole) + 14
        while left:
            left -= len(await stream.receive_some(100_000))
        await stream.send_all(frame(TEXT, b"all"))

    async with world(upgraded(scene, Heard())) as w:
        channel = await opened_in(w)
        with trio.fail_after(20):
            outgoing = await channel.send(whole, float("inf"))
            answer = await channel.receive(float("inf"))
        assert isinstance(answer, ChannelMessage)
        assert (outgoing.error, answer.data) == (None, "all")
        assert 0 < outgoing.sent <= answer.at


async def test_a_wait_that_is_cancelled_leaves_the_channel_open() -> None:
    async def scene(stream: Stream, heard: Heard) -> None:
        await heard.until(stream, TEXT)
        await stream.send_all(frame(TEXT, b"still here"))
        await heard.until(stream, CLOSE)

    async with world(upgraded(scene, Heard())) as w:
        channel = await opened_in(w)
        with trio.CancelScope() as scope:
            w.nursery.start_soon(_cancel_soon, scope)
            await channel.receive(float("inf"))
        assert scope.cancelled_caught
        assert await channel.receive(0.0) is None
        channel.post("hello?")
        found = await channel.receive(float("inf"))
        assert isinstance(found, ChannelMessage)
        assert found.data == "still here"


async def _cancel_soon(scope: trio.CancelScope) -> None:
    await trio.testing.wait_all_tasks_blocked()
    scope.cancel()
