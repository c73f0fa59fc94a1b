"""What a channel's recording keeps of it, and what it does not."""

from vezaflow.plan import Secrets
from vezaflow.protocols import ChannelMessage, EventMessage, Exchange, Origin, SentMessage
from vezaflow.tape import Position, Recording
from vezaflow.tape.channel_recording import ChannelRecording
from vezaflow.tape.channel_take import ChannelKind, Passed
from vezaflow.tape.take import Key

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10


class _Mute:
    dropped = bytes_sent = bytes_received = 0

    def post(self, data: str | bytes) -> SentMessage:
        raise AssertionError(data)


def _opened(recording: ChannelRecording, status: int = 101) -> Exchange:
    exchange = Exchange()
    exchange.begun, exchange.status = 100.0, status
    recording.opened(exchange, None)
    return exchange


def test_messages_both_ways_are_kept_in_their_order() -> None:
    recording = ChannelRecording(ChannelKind.WEBSOCKET, lambda _message: True)
    came, frame = recording.listening(None), recording.watching(None)
    _opened(recording)
    frame(True, _TEXT, b"hello", 101.0)
    assert not came(_Mute(), ChannelMessage("ack", 102.0, 3))
    frame(True, _BINARY, b"\xff", 103.0)
    frame(False, _TEXT, b"ack", 104.0)  # told by `came`
    frame(True, _PING, b"1", 105.0)
    frame(False, _PONG, b"1", 105.5)
    frame(True, _PING, b"2", 106.0)
    take = recording.take()
    assert take.messages == (Passed(True, 1.0, "hello"), Passed(False, 2.0, "ack"), Passed(True, 3.0, b"\xff"))
    assert (take.pings, take.pongs, take.end, take.whole) == (2, (0.5,), None, True)


def test_who_looks_on_is_told_as_before() -> None:
    recording = ChannelRecording(ChannelKind.EVENTS, lambda _message: True)
    frames: list[int] = []
    came = recording.listening(lambda _channel, message: message.data == "mine")
    recording.watching(lambda _sent, opcode, _payload, _at: frames.append(opcode))(True, _CLOSE, b"\x03\xe8", 1.0)
    assert came(_Mute(), EventMessage("mine", 101.0, 4, "tick", "7"))
    assert frames == [_CLOSE]
    _opened(recording)
    assert recording.take().messages == (Passed(False, 1.0, "mine", "tick", "7"),)


def test_after_a_message_without_room_none_is_kept() -> None:
    recording = ChannelRecording(ChannelKind.EVENTS, lambda message: len(message.data) < 5)
    came = recording.listening(None)
    _opened(recording)
    for data in ("one", "too long", "two"):
        came(_Mute(), ChannelMessage(data, 101.0, 1))
    take = recording.take()
    assert ([message.data for message in take.messages], take.whole) == (["one"], False)


def test_a_token_in_a_subprotocol_is_a_credential() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
    recording = Recording(Position(), None, Secrets.of(()))
    channel = recording.channel(ChannelKind.WEBSOCKET)
    head = f"GET /x HTTP/1.1\r\nSec-WebSocket-Protocol: chat, {token}\r\n\r\n".encode()
    recording.note_channel(Key("a", 1, 1), Origin("http", "x", 80), head, _opened(channel), channel)
    assert token not in recording.secrets.mask(f"chat, {token}")
