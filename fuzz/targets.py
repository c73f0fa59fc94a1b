"""What is read of the outside, as functions of bytes: each takes any bytes, and raises only where there is a bug.

Laws: a target needs neither network nor clock, reads no file but its own, and asserts what the code promises (no
exception leaves, the same bytes mean the same however they are cut, bounds hold). It knows nothing of who draws the
bytes: atheris, led by coverage (`python -m fuzz`), or hypothesis in the tests.
"""

import gzip
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from vezaflow.control.server import response
from vezaflow.diagnostics import Diagnostics, Source, Span, render_json, render_text
from vezaflow.lint import lint as lint_suite
from vezaflow.profiles import PprofError, parse_pprof, shares_of
from vezaflow.protocols.body import TooLarge, Undecodable, decode
from vezaflow.protocols.event_stream import EventParser, EventTooLarge
from vezaflow.protocols.head import Unreadable
from vezaflow.protocols.http2_wire import Broken, Wire
from vezaflow.protocols.streamed_response import StreamedResponse
from vezaflow.sandbox.profiling import encoded
from vezaflow.syntax import Scalar, parse_bare, parse_condition, parse_pipeline, parse_value, walk
from vezaflow.tape import read_tape, write_tape

_FLOWS = Path(__file__).parent.parent / "flows"
_ROOT = Path("fuzzed")  # there is no such folder
_LIMIT = 100_000
_MOST_EVENT = 40
_CODINGS = ("gzip", "deflate", "br", "br, gzip", "identity", "UTF-8")


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads bytes of others. `seeds`: bytes that get far into it."""

    check: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def lint(data: bytes) -> None:
    """A flow file, or with an odd first byte a suite file, of any text: diagnostics whose spans lie in their source."""
    text = data[1:].decode("utf-8", "replace")
    files = {_ROOT / "flow.yml": "steps: [{get: http://127.0.0.1/}]\n"}
    files[_ROOT / ("suite.yml" if data[:1] and data[0] & 1 else "flow.yml")] = text
    _, diagnostics = lint_suite([_ROOT], overlay=files)
    _drawn(diagnostics)


def expression(data: bytes) -> None:
    """A text as a value, a bare expression, a pipeline and a condition."""
    text = data.decode("utf-8", "replace")
    scalar = Scalar(text, Span(Source("fuzzed.yml", text), 0, len(text)), True)
    for parse in (parse_value, parse_bare, parse_pipeline):
        diagnostics = Diagnostics()
        found = parse(scalar, diagnostics)
        if found is not None:
            assert all(0 <= part.span.start <= part.span.end <= len(text) for part in walk(found))
        else:
            assert diagnostics.failed
        _drawn(diagnostics)
    diagnostics = Diagnostics()
    assert parse_condition(scalar, diagnostics) is not None or diagnostics.failed
    _drawn(diagnostics)


def _drawn(diagnostics: Diagnostics) -> None:
    render_text(diagnostics.items, colour=False)
    orjson.loads(render_json(diagnostics.items))
    for diagnostic in diagnostics:
        if diagnostic.span is not None:
            assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(diagnostic.span.source.text)


def http1(data: bytes) -> None:
    """A response in one piece, and cut: two of its bytes say how it is read and how large the pieces are."""
    flags, size = (data[0], data[1] % 64 + 1) if len(data) > 1 else (0, 1)
    sent = data[2:]
    whole = _read(sent, len(sent) or 1, flags)
    assert _read(sent, size, flags) == whole


def _read(sent: bytes, size: int, flags: int) -> tuple[Any, ...] | str:
    """What is made of a response in pieces. How far one was read that is refused is nobody's business."""
    reader = StreamedResponse(keeps=bool(flags & 1), bodyless=bool(flags & 2), limit=_LIMIT)
    try:
        for at in range(0, len(sent), size):
            reader.feed(sent[at : at + size])
            if reader.interim:
                reader.interim = False
    except Unreadable:
        return "refused"
    body = b"".join(bytes(part) for part in reader.parts)
    assert len(body) <= _LIMIT + len(sent)
    return reader.done, reader.status, list(reader.fields), reader.codings, body, reader.extra, reader.state


def events(data: bytes) -> None:
    """An event stream in one piece, and cut in pieces as large as the first byte says."""
    sent, size = data[1:], data[0] + 1 if data else 1
    assert _events((sent,)) == _events(sent[at : at + size] for at in range(0, len(sent), size))


def _events(pieces: Iterable[bytes]) -> tuple[Any, ...]:
    parser = EventParser(_MOST_EVENT)
    found = []
    try:
        for piece in pieces:
            for event in parser.feed(piece):
                assert event.size <= 3 * _MOST_EVENT
                found.append(event)
    except EventTooLarge:
        return *found, "too large"
    return *found, parser.last_id, parser.retry


def body(data: bytes) -> None:
    """A body in a coding that its first byte chooses: at most so many bytes of it, or why not."""
    coding = _CODINGS[data[0] % len(_CODINGS)] if data else "gzip"
    try:
        assert len(decode(data[1:], coding, _LIMIT)) <= _LIMIT or coding in ("identity", "UTF-8")
    except (TooLarge, Undecodable):
        pass


def http2(data: bytes) -> None:
    """Frames of a server to whom a request is on its way, in pieces as large as the first byte says."""
    wire = Wire()
    wire.begin()
    wire.send_headers(1, [(":method", "GET"), (":scheme", "https"), (":authority", "x"), (":path", "/")], True)
    wire.data_to_send()
    size = data[0] + 1 if data else 1
    for at in range(1, len(data), size):
        events, left = wire.take(data[at : at + size], time.monotonic, 0.0)
        while left and not any(isinstance(event, Broken) for event in events):
            events, left = wire.take(b"", time.monotonic, 0.0)
        wire.data_to_send()
        if any(isinstance(event, Broken) for event in events):
            return


class _Run:
    """A running test to whom anything may be said."""

    def status(self) -> dict[str, Any]:
        return {}

    def pause(self, flow: str | None = None) -> str:
        return f"{flow} is paused"

    def resume(self, flow: str | None = None) -> str:
        return f"{flow} goes on"

    def scale(self, flow: str, vus: int) -> str:
        return f"{flow} has {vus:,} VUs"

    def mark(self, text: str) -> str:
        return f"marked: {text}"

    def stop(self) -> str:
        return "it stops"


def control(data: bytes) -> None:
    """Lines to a control socket: each has a reply that can be sent."""
    for line in data.split(b"\n"):
        assert orjson.dumps(response(_Run(), line))


def tape(data: bytes) -> None:
    """A tape's file: it can't be read, or it is the same once written and read again."""
    with tempfile.TemporaryDirectory(prefix="vezaflow-fuzz-") as folder:
        path = Path(folder, "tape.jsonl")
        path.write_bytes(data)
        try:
            read = read_tape(path)
        except ValueError:
            return
        assert read is not None
        write_tape(path, read)
        assert read_tape(path) == read


def pprof(data: bytes) -> None:
    """A profile: it can't be read, or its shares are shares."""
    try:
        profile = parse_pprof(data)
    except PprofError:
        return
    assert all(-1 <= each.flat <= 1 and -1 <= each.cum <= 1 for each in shares_of(profile))


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


_HELLO = _frame(4, 0, 0, b"") + _frame(4, 1, 0, b"")
_TAPE = (
    b'{"version":1,"flow":"f","inputs":{},"base_url":null}\n'
    b'{"key":["a",1,1],"method":"GET","url":"/x","status":200,"headers":[["a","b"]],"body":{"text":"{}"},'
    b'"sent":0.1,"first":0.2,"ended":0.3,"certificate":null,"at":1.0}\n'
)

_TAPED_CHANNEL = (
    b'{"version":2,"flow":"f","inputs":{},"base_url":null}\n'
    b'{"key":["a",1,1],"method":"GET","url":"/x","status":101,"headers":[],"body":null,"sent":0.1,"first":0.2,'
    b'"ended":0.3,"certificate":null,"at":1.0,"channel":{"kind":"websocket","refused":null,"detail":"","messages":['
    b'{"sent":true,"at":0.4,"data":{"text":"a"},"event":"","id":""},'
    b'{"sent":false,"at":0.5,"data":{"base64":"/w=="},"event":"","id":""}],"whole":true,"end":{"at":0.6,"code":1000,'
    b'"reason":"","by_server":true,"error":"reset","detail":"","asked":1000},"subprotocol":null,"retry":0.1,"pings":1,'
    b'"pongs":[0.1]}}\n'
)

_EXPRESSIONS = (
    b"${pick(ids)}", b"a ${b.c[0] ?? 'd'} e", b"p(95) < 500 ms", b"trim | int", b"len(json('$.data')) > 0",
    b"1.5s..2 min", b"not (a and b) or c == 'x' ? -1 : [1, 2]", b"rate < 0.5 %", b"$${x}",
)  # fmt: skip
_RESPONSES = (
    b"\1\3HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n\r\nok",
    b"\1\5HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;x=y\r\nok\r\n0\r\nA: b\r\n\r\n",
    b"\0\1HTTP/1.0 302 Found\nLocation: /x\nContent-Encoding: gzip\n\n",
)
_EVENTS = (
    b"\x03\xef\xbb\xbfretry: 10\n: beat\n\nid: 1\r\nevent: a\rdata: x\ndata:y\r\n\r\ndata\n\n",
    b"\x00data: " + b"z" * 50 + b"\n\n",
)
_BODIES = (b"\0" + gzip.compress(b"ok" * 50), b"\1" + zlib.compress(b"ok" * 50), b"\2\x0b\x02\x80hello\x03")
_FRAMES = (
    b"\xff" + _HELLO + _frame(1, 4, 1, b"\x88") + _frame(0, 1, 1, b"ok"),
    b"\x08" + _HELLO + _frame(1, 4, 1, b"\x88\x5c\x012") + _frame(0, 9, 1, b"\1ok\0"),
    b"\xff" + _HELLO + _frame(6, 0, 0, b"12345678") + _frame(3, 0, 1, b"\0\0\0\7") + _frame(7, 0, 0, b"\0" * 8),
)
_REQUESTS = (b'{"do":"status"}\n{"do":"scale","flow":"a","vus":3}\n', b'{"do":"pause"}\n{"do":"resume","flow":"a"}\n[]')
_FILES = tuple(bytes((path.name == "suite.yml",)) + path.read_bytes() for path in sorted(_FLOWS.glob("*.yml")))
_CPU = (("samples", "count"), ("cpu", "nanoseconds"))
_PROFILE = encoded({(("search", "s.go", 7), ("main", "m.go", 3)): (3, 30)}, _CPU)

TARGETS = {
    "lint": Target(lint, _FILES),
    "expression": Target(expression, _EXPRESSIONS),
    "http1": Target(http1, _RESPONSES),
    "events": Target(events, _EVENTS),
    "body": Target(body, _BODIES),
    "http2": Target(http2, _FRAMES),
    "control": Target(control, _REQUESTS),
    "tape": Target(tape, (_TAPE, _TAPED_CHANNEL)),
    "pprof": Target(pprof, (_PROFILE, gzip.compress(_PROFILE))),
}
