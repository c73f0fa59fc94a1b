"""Frames by hand are what the `websockets` package makes of the same bytes, however they are cut."""

import math
import types
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import BINARY, CLOSE, CONT, PING, TEXT, Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.utils import accept_key

from vezaflow.protocols.channel import ChannelMessage, Voice
from vezaflow.protocols.channel_connection import ChannelConnection
from vezaflow.protocols.exchange import ErrorKind
from vezaflow.protocols.options import WebSocketOptions
from vezaflow.protocols.phases import CLOSED, IDLE
from vezaflow.protocols.plain_frames import plain_frame
from vezaflow.protocols.websocket import Rules, WebSocketChannel, rules_for

MOST = 70_000


class Wire:
    """A connection that keeps what is sent."""

    clear = True

    def __init__(self) -> None:
        self.reactor = types.SimpleNamespace(quiet=False, drained=math.inf)
        self.deadline = math.inf
        self.phase = IDLE
        self.sent = b""

    def clock(self) -> float:
        return 1.0

    def put(self, data: bytes | memoryview) -> int:
        self.sent += data
        return len(data)

    def close(self) -> None:
        self.phase = CLOSED


def opened(wire: Wire, heard: list[str | bytes], answer: str | None = None) -> WebSocketChannel:
    """A channel that is open, and answers each message by `answer`."""

    def came(channel: Voice, message: ChannelMessage) -> bool:
        heard.append(message.data)
        if answer is not None:
            channel.post(answer)
        return True

    options = WebSocketOptions(timeout=10.0, max_message=MOST)
    rules: Rules = rules_for(options)
    head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    rules.receive_data((head + accept_key(rules.key) + "\r\n\r\n").encode())
    assert rules.state is OPEN
    return WebSocketChannel(cast(ChannelConnection, wire), rules, options, came, None, 0.0)


def framed(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=False)


texts = st.text(max_size=40).map(lambda text: (text, [framed(TEXT, text.encode())]))
longer = st.integers(120, 400).map(lambda size: ("x" * size, [framed(TEXT, b"x" * size)]))
binaries = st.binary(max_size=140).map(lambda data: (data, [framed(BINARY, data)]))
pings = st.binary(max_size=9).map(lambda data: (None, [framed(PING, data)]))
fragmented = st.lists(st.text(max_size=5), min_size=2, max_size=4).map(
    lambda parts: (
        "".join(parts),
        [
            framed(CONT if number else TEXT, part.encode(), fin=number == len(parts) - 1)
            + (framed(PING, b"between") if number == 0 else b"")
            for number, part in enumerate(parts)
        ],
    )
)


@pytest.mark.slow
@given(st.lists(texts | longer | binaries | pings | fragmented, max_size=8), st.lists(st.integers(1, 90), max_size=40))
def test_messages_are_the_same_however_their_bytes_are_cut(said: list[Any], cuts: list[int]) -> None:
    wire, heard = Wire(), list[str | bytes]()
    channel = opened(wire, heard)
    rest = b"".join(frame for _, frames in said for frame in frames)
    for cut in [*cuts, len(rest) + 1]:
        piece, rest = rest[:cut], rest[cut:]
        if piece:
            channel.feed(memoryview(piece), len(piece), 1.0)
    assert heard == [message for message, _ in said if message is not None]
    assert channel.ending is None


@pytest.mark.slow
@given(st.binary(min_size=1, max_size=60))
def test_bytes_that_are_no_frames_end_as_the_package_says(said: bytes) -> None:
    wire, heard = Wire(), list[str | bytes]()
    channel = opened(wire, heard)
    channel.feed(memoryview(said), len(said), 1.0)
    slow, slowly = Wire(), list[str | bytes]()
    other = opened(slow, slowly)
    for number in range(len(said)):  # a frame in pieces is never one by hand
        other.feed(memoryview(said)[number : number + 1], 1, 1.0)
    assert heard == slowly
    assert (channel.ending is None) == (other.ending is None)
    if channel.ending is not None and other.ending is not None:
        assert (channel.ending.code, channel.ending.error) == (other.ending.code, other.ending.error)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_what_is_sent_is_read_by_the_package(size: int) -> None:
    wire = Wire()
    channel = opened(wire, [])
    assert channel.post("x" * size).sent
    assert channel.post(b"y" * size).size == size
    server = ServerProtocol(state=OPEN)
    server.receive_data(wire.sent)
    frames = [event for event in server.events_received() if isinstance(event, Frame)]
    assert [(frame.opcode, bytes(frame.data)) for frame in frames] == [(TEXT, b"x" * size), (BINARY, b"y" * size)]


def test_each_frame_has_a_mask_of_its_own() -> None:
    frames = {plain_frame(TEXT, b"") for _ in range(5000)}
    assert len(frames) > 4990


def test_what_is_not_utf8_is_refused_and_nothing_behind_a_close_is_read() -> None:
    wire, heard = Wire(), list[str | bytes]()
    channel = opened(wire, heard)
    said = framed(TEXT, b"one") + framed(TEXT, b"\xff")
    channel.feed(memoryview(said), len(said), 1.0)
    assert heard == ["one"]
    assert channel.ending is not None
    assert (channel.ending.code, channel.ending.error) == (1007, ErrorKind.MALFORMED)
    channel = opened(Wire(), heard)
    said = framed(CLOSE, b"\x03\xe8")
    channel.feed(memoryview(said), len(said), 1.0)
    said = framed(TEXT, b"two")
    channel.feed(memoryview(said), len(said), 1.0)
    assert heard == ["one"]


def test_a_message_over_the_limit_is_refused() -> None:
    heard: list[str | bytes] = []
    channel = opened(Wire(), heard)
    said = framed(BINARY, b"x" * (MOST + 1))
    channel.feed(memoryview(said), len(said), 1.0)
    assert not heard
    assert channel.ending is not None
    assert (channel.ending.code, channel.ending.error) == (1009, ErrorKind.TOO_LARGE)


def test_answers_from_within_go_out_as_messages_come() -> None:
    wire, heard = Wire(), list[str | bytes]()
    channel = opened(wire, heard, answer="yes")
    said = framed(TEXT, b"one") + framed(PING, b"p") + framed(TEXT, b"two")
    channel.feed(memoryview(said), len(said), 1.0)
    server = ServerProtocol(state=OPEN)
    server.receive_data(wire.sent)
    frames = [bytes(event.data) for event in server.events_received() if isinstance(event, Frame)]
    assert heard == ["one", "two"]
    assert sorted(frames) == [b"p", b"yes", b"yes"]
