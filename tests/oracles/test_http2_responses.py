"""Drawn HTTP/2 responses, made with hyper's frames and header compression, against the client on a real socket.

Several streams of one connection, their frames interleaved and cut anywhere. What is well-formed is read as it was
sent; what is malformed (RFC 9113, 8.1.1) fails alone, and the connection serves the next request.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import trio
from h2_peer import Papers, Peer
from hpack import Encoder, HeaderTuple
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_server import Stream, world

from vezaflow.protocols import ErrorKind, RequestOptions, Want

pytestmark = [pytest.mark.trio, pytest.mark.slow]
Fields = list[tuple[bytes, bytes]]
ALL = Want.BODY | Want.HEADERS
OK: Fields = [(b":status", b"200")]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


# -- responses as frames -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Head:
    """A HEADERS frame and its CONTINUATIONs, encoded when it is sent."""

    fields: Fields
    end: bool = False
    cuts: tuple[int, ...] = ()
    padding: int = 0
    parent: bool = False  # it depends on its own stream


@dataclass(frozen=True)
class Piece:
    data: bytes
    end: bool = False
    padding: int = 0


@dataclass(frozen=True)
class Reset:
    code: int = 2


Step = Head | Piece | Reset


@dataclass(frozen=True)
class Reply:
    """What a stream gets; `error` None: it is well-formed, and what a client is to read is beside it."""

    steps: tuple[Step, ...]
    error: ErrorKind | None = None
    method: str = "GET"
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def frames_of(step: Step, stream: int, encoder: Encoder) -> list[Frame]:
    """The frames that must follow each other."""
    if isinstance(step, Reset):
        return [RstStreamFrame(stream, error_code=step.code)]
    if isinstance(step, Piece):
        piece = DataFrame(stream, step.data, pad_length=step.padding)
        piece.flags |= {name for name, on in (("END_STREAM", step.end), ("PADDED", step.padding)) if on}
        return [piece]
    block = encoder.encode([HeaderTuple(name, value) for name, value in step.fields])
    edges = sorted({0, *(cut % (len(block) + 1) for cut in step.cuts), *range(0, len(block), 16_000)})
    blocks = [block[start:stop] for start, stop in zip(edges, [*edges[1:], len(block)], strict=True)]
    head = HeadersFrame(stream, blocks[0], pad_length=step.padding, depends_on=stream if step.parent else 0)
    for name, on in (("END_STREAM", step.end), ("PADDED", step.padding), ("PRIORITY", step.parent)):
        if on:
            head.flags.add(name)
    frames: list[Frame] = [head, *(ContinuationFrame(stream, block) for block in blocks[1:])]
    frames[-1].flags.add("END_HEADERS")
    return frames


NOISE: list[Callable[[int], Frame]] = [
    lambda _: PingFrame(0, opaque_data=b"12345678"),
    lambda _: SettingsFrame(0, settings={SettingsFrame.MAX_CONCURRENT_STREAMS: 100, 0xABCD: 1}),
    lambda _: SettingsFrame(0, settings={SettingsFrame.HEADER_TABLE_SIZE: 2**32 - 1}),
    lambda _: SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 1000}),
    lambda _: WindowUpdateFrame(0, window_increment=1),
    lambda stream: WindowUpdateFrame(stream, window_increment=1),
    lambda stream: PriorityFrame(stream, depends_on=0, stream_weight=3),
    lambda stream: ExtensionFrame(type=0xBE, stream_id=stream, body=b""),
]

# -- what is drawn -------------------------------------------------------------------------------------------

small = st.integers(0, 9)
cuts = st.lists(st.integers(1, 300), max_size=3).map(tuple)
values = st.one_of(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x2FF, exclude_characters="\x7f"), max_size=30).map(
        str.encode
    ),
    st.binary(max_size=20).map(lambda raw: bytes(byte | 0x80 for byte in raw)),
)
names = st.from_regex(r"x-[a-z0-9!#$%&'*+.^_`|~-]{1,12}", fullmatch=True).map(str.encode)
plain = st.lists(st.tuples(names, values), max_size=4)


def text_of(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


@st.composite
def good(draw: st.DrawFn) -> Reply:
    method = draw(st.sampled_from(["GET", "POST", "HEAD"]))
    status = draw(st.one_of(st.integers(200, 599), st.sampled_from([204, 304, 200, 999])))
    fields = draw(plain)
    bodyless = method == "HEAD" or status in (204, 304)
    parts = [] if bodyless else draw(st.lists(st.binary(max_size=3000), max_size=4))
    body = b"".join(parts)
    if draw(st.booleans()):
        fields = [*fields, (b"content-length", str(7 if bodyless else len(body)).encode())]
    trailers = draw(st.booleans())
    interim = [Head([(b":status", draw(st.sampled_from([b"100", b"103", b"199"])))]) for _ in range(draw(small) % 3)]
    head = Head([(b":status", b"%d" % status), *fields], not parts and not trailers, draw(cuts), draw(small))
    pieces: list[Step] = [
        Piece(part, number == len(parts) and not trailers, draw(small)) for number, part in enumerate(parts, 1)
    ]
    last = [Head(draw(plain) or [(b"x-end", b"1")], True, draw(cuts))] if trailers else []
    headers = [(name.decode(), text_of(value)) for name, value in fields]
    return Reply((*interim, head, *pieces, *last), None, method, status, headers, body)


def malformed(*steps: Step, method: str = "GET") -> Reply:
    return Reply(steps, ErrorKind.MALFORMED, method)


def length(said: bytes, *steps: Step, end: bool = False) -> Reply:
    return malformed(Head([*OK, (b"content-length", said)], end), *steps)


STATUSES = [b"abc", b"", b"99", b"1000", b"9999", b"-800", b"-2000", b"+200", b"2_0_0", "٢٠٠".encode(), b"20", b"101"]
STATUSES += [b"1ab", b"1", b"2\xb20", b"0200", b"020", b"20 0", b"200.0", b"0x1"]
HEADS: list[Fields] = [
    *([(b":status", status)] for status in STATUSES),
    [],
    [(b"x-a", b"1")],
    [(b":status", b"200"), (b":status", b"200")],
    [(b":status", b"200"), (b":status", b"404")],
    [(b"x-a", b"1"), (b":status", b"200")],
    [(b":path", b"/"), (b":status", b"200")],
    [(b":status", b"200"), (b":method", b"GET")],
    [(b":status", b"200"), (b":protocol", b"x")],
    [(b":status", b"200"), (b":made-up", b"1")],
    *([*OK, (name, b"1")] for name in (b"X-A", b"x a", b"", b"x:a", b"x\x00", b"x\xff", b"x\n")),
    *([*OK, (b"x-a", value)] for value in (b"a\0b", b"a\nb", b"a\rb", b" a", b"a ", b"\ta")),
    *([*OK, (name, b"x")] for name in (b"connection", b"keep-alive", b"transfer-encoding", b"upgrade")),
    *([*OK, (b"content-length", said)] for said in (b"abc", b"-1", b"+2", b"1_0", b"2, 2", b"", b"\xb2", b"9" * 5000)),
    [*OK, (b"content-length", b"2"), (b"content-length", b"3")],
]
BAD = [
    *(malformed(Head(fields, end)) for fields in HEADS for end in (False, True)),
    *(malformed(Head(fields), Piece(b"ok", True)) for fields in HEADS),
    length(b"5", Piece(b"four", True)),
    length(b"3", Piece(b"four", True)),
    length(b"3", Piece(b"four"), Piece(b"", True)),
    length(b"3", Piece(b"fo"), Piece(b"ur"), Piece(b"on" * 5000, True)),
    length(b"5", end=True),
    length(b"5", Piece(b"four"), Head([(b"x-end", b"1")], True)),
    malformed(Piece(b"no head", True)),
    malformed(Piece(b"no head"), Head(OK, True)),
    malformed(Head(OK), Piece(b"x"), Head([(b":status", b"200")], True)),
    malformed(Head(OK), Piece(b"x"), Head([(b"x-a", b"1"), (b":path", b"/")], True)),
    malformed(Head(OK), Piece(b"x"), Head([(b"x-a", b"1")])),
    malformed(Head(OK), Piece(b"x"), Head([(b"X-A", b"1")], True)),
    malformed(Head(OK), Head([(b":status", b"103")]), Piece(b"x", True)),
    malformed(Head([(b":status", b"103")], True)),
    malformed(Head(OK, True, parent=True)),
    malformed(Head([(b":status", b"204")]), Piece(b"body", True)),
    malformed(Head([(b":status", b"304")]), Piece(b"body", True)),
    malformed(Head(OK), Piece(b"body", True), method="HEAD"),
    Reply((Head([*OK, *((b"x-%d" % n, b"v" * 1000) for n in range(70))]), Piece(b"x", True)), ErrorKind.TOO_LARGE),
    Reply((Head(OK), Piece(b"x"), Reset()), ErrorKind.RESET),
    Reply((Reset(),), ErrorKind.RESET, "POST"),
]


@dataclass(frozen=True)
class Case:
    replies: list[Reply]
    order: list[int]  # whose step is next, over and over
    noise: list[tuple[int, int]]  # after which step, and which
    cuts: list[int]  # sizes of what is handed to the socket, over and over


cases = st.builds(
    Case,
    st.lists(st.one_of(good(), st.sampled_from(BAD)), min_size=1, max_size=6),
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, len(NOISE) - 1)), max_size=6),
    st.lists(st.integers(1, 20_000), min_size=1, max_size=4),
)


def wire_of(case: Case, streams: list[int], encoder: Encoder) -> bytes:
    """All frames of all responses in the drawn order."""
    left = {number: list(reply.steps) for number, reply in enumerate(case.replies)}
    wire, turn = bytearray(), 0
    while left:
        number = sorted(left)[case.order[turn % len(case.order)] % len(left)]
        for frame in frames_of(left[number].pop(0), streams[number], encoder):
            wire += frame.serialize()
        if not left[number]:
            del left[number]
        for moment, kind in case.noise:
            if moment == turn:
                wire += NOISE[kind](streams[number]).serialize()
        turn += 1
    return bytes(wire)


@given(case=cases)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_each_stream_ends_as_its_response_deserves(papers: Papers, case: Case) -> None:
    async def script(stream: Stream) -> None:
        peer, encoder = Peer(stream), Encoder()
        requests = [await peer.request() for _ in case.replies]
        numbers = {request.path: request.stream for request in requests if request is not None}
        wire = wire_of(case, [numbers[f"/{number}"] for number in range(len(case.replies))], encoder)
        turn = 0
        while wire:
            size = case.cuts[turn % len(case.cuts)] if turn < 50 else 20_000
            await stream.send_all(wire[:size])
            await trio.lowlevel.checkpoint()
            wire, turn = wire[size:], turn + 1
        after = await peer.request()
        assert after is not None
        for step in (Head(OK), Piece(b"after", True)):
            for frame in frames_of(step, after.stream, encoder):
                await stream.send_all(frame.serialize())
        await peer.request()

    async with world(script, tls=papers.server()) as w:
        lanes = w.client(papers.options).beside()
        found: dict[int, tuple[object, ...]] = {}
        details: dict[int, str] = {}

        async def one(number: int, reply: Reply) -> None:
            body = b"sent" if reply.method == "POST" else None
            head = w.get(f"/{number}", method=reply.method, length=len(body) if body else None)
            ask = RequestOptions(ALL, 5.0, bodyless=reply.method == "HEAD", replayable=False)
            e = await lanes.send(w.origin, head, body, ask)
            assert bool(e.detail) == (e.error is not None)
            assert e.started <= e.ended
            found[number] = (e.error, e.status, e.headers, e.body) if e.error is None else (e.error,)
            details[number] = e.detail

        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                for number, reply in enumerate(case.replies):
                    nursery.start_soon(one, number, reply)
            for number, reply in enumerate(case.replies):
                right = (None, reply.status, reply.headers, reply.body) if reply.error is None else (reply.error,)
                assert found[number] == right, details
            last = await lanes.send(w.origin, w.get("/after"), None, RequestOptions(ALL, 5.0))
        assert (last.error, last.body, last.reused) == (None, b"after", True), last.detail
        assert len(w.peers) == 1
