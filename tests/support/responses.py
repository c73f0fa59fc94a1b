"""HTTP/1.1 responses, drawn: their framing, codings, charsets, the spellings of their headers, what comes before and
behind them, and where they are cut. And one way to have a real client read them, without a reactor."""

import gzip
import socket
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import brotli
from hypothesis import strategies as st

from vezaflow.protocols import Client, ErrorKind, Origin, RequestOptions, Transport, Want
from vezaflow.protocols.phases import IDLE

ORIGIN = Origin("http", "sut.test", 80)
LIMIT = 100_000


@dataclass(frozen=True)
class Seen:
    """What a client makes of a response."""

    error: ErrorKind | None
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    cookie: str | None
    alive: bool  # the connection takes another request


@contextmanager
def conversation() -> Iterator["Conversation"]:
    ours, theirs = socket.socketpair()
    client = Transport(max_body=LIMIT).client()
    client.adopt(ORIGIN, ours)
    with ours, theirs:
        yield Conversation(client, theirs)
        client.close()


class Conversation:
    """A client whose socket is read when the test says so."""

    def __init__(self, client: Client, theirs: socket.socket) -> None:
        self._client = client
        self._theirs = theirs

    @property
    def cookies(self) -> bytes | None:
        """What goes back in a Cookie header."""
        return self._client.cookies.header(ORIGIN, "/x")

    def ask(self, pieces: Sequence[bytes], want: Want, *, head: bool = False, eof: bool = False) -> Seen | None:
        """Send a request that is answered by `pieces`; None: the response has not ended."""
        client, exchange = self._client, self._client.exchange
        connection: Any = client.way_to(ORIGIN)
        exchange.error, exchange.status, exchange.headers, exchange.body = None, 0, [], b""
        exchange.bytes_received = 0
        request = b"%b /x HTTP/1.1\r\nHost: sut.test\r\n\r\n" % (b"HEAD" if head else b"GET")
        connection.start(exchange, request, None, RequestOptions(want, 5.0, bodyless=head))
        assert self._theirs.recv(1000) == request
        for piece in pieces:
            if connection.exchange is None:
                break
            self._theirs.sendall(piece)
            connection.read(0, connection.clock())
        if eof and connection.exchange is not None:
            self._theirs.shutdown(socket.SHUT_WR)
            connection.read(0, connection.clock())
        if connection.exchange is not None:
            return None
        if exchange.error is None and connection.response is not None:
            client._collect(ORIGIN, request, connection, connection.response)
        cookie = client.cookies.get("sid")
        return Seen(
            exchange.error, exchange.status, exchange.headers, exchange.body, cookie, alive=connection.phase == IDLE
        )


@dataclass(frozen=True)
class Drawn:
    """One response to a request."""

    sent: bytes
    head: bool  # it answers HEAD
    eof: bool  # the connection ends behind it
    old: bool = False  # HTTP/1.0
    coded: bool = False  # its Transfer-Encoding is "gzip, chunked"


_CODERS = {
    "gzip": partial(gzip.compress, mtime=0),
    "deflate": zlib.compress,
    "br": brotli.compress,
    "identity": bytes,
}
_WORDS = st.sampled_from(
    [
        "",
        "a",
        "x y",
        "caf\u00e9".encode().decode("latin-1"),
        "caf\u00e9",
        "\x01\x7f",
        'W/"7"',
        "a, b",
        "; , =",
        "\u00a0",
    ]
)
_NAMES = ["X-A", "ETag", "Date", "Vary", "X_B", "Content-Type", "X-Content-Length", "Trailer", "Location"]
_REASONS = ["", " ", " OK", " Not \xe9", " a b  c"]


@st.composite
def spelt(draw: st.DrawFn, name: str) -> str:
    """A name in any case."""
    kind = draw(st.sampled_from(["as is", "lower", "upper", "mixed"]))
    if kind == "mixed":
        upper = draw(st.sets(st.integers(0, len(name) - 1)))
        return "".join(c.upper() if i in upper else c.lower() for i, c in enumerate(name))
    return {"as is": name, "lower": name.lower(), "upper": name.upper()}[kind]


@st.composite
def line(draw: st.DrawFn, name: str, value: str) -> str:
    """A field as a line, with its white space."""
    before = draw(st.sampled_from([" ", " ", " ", "", "\t", "  "]))
    after = draw(st.sampled_from(["", "", "", " ", "\t"]))
    return f"{draw(spelt(name))}:{before}{value}{after}"


@st.composite
def others(draw: st.DrawFn) -> list[str]:
    """Fields that frame nothing."""
    lines = []
    for _ in range(draw(st.integers(0, 4))):
        value = draw(_WORDS)
        if draw(st.integers(0, 7)) == 0 and value:
            value += draw(st.sampled_from(["\r\n ", "\r\n\t", " \r\n  "])) + "folded"
        lines.append(draw(line(draw(st.sampled_from(_NAMES)), value)))
    if draw(st.booleans()):
        lines.append(draw(line("Set-Cookie", "sid=" + draw(st.sampled_from(["1; Path=/", "\xc3\xa9", "a b"])))))
    return lines


@st.composite
def chunked(draw: st.DrawFn, body: bytes, trailers: list[str]) -> bytes:
    sizes = draw(st.lists(st.integers(1, 40), max_size=6))
    made, at = b"", 0
    for size in [*sizes, len(body)]:
        chunk = body[at : at + size]
        at += size
        if chunk:
            digits = draw(st.sampled_from(["%x", "%X", "0%x"])) % len(chunk)
            made += digits.encode() + draw(st.sampled_from([b"", b"", b"", b" ", b";a", b';a="b c"', b"  "]))
            made += b"\r\n" + chunk + b"\r\n"
    ends = "".join(f"{each}\r\n" for each in trailers).encode("latin-1")
    return made + draw(st.sampled_from([b"0", b"000", b"0;x=y"])) + b"\r\n" + ends + b"\r\n"


@st.composite
def interims(draw: st.DrawFn) -> bytes:
    made = b""
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        status = draw(st.sampled_from(["100 Continue", "102 Processing", "103 Early Hints", "199"]))
        lines = draw(st.lists(st.sampled_from(["Link: </a>", "Connection: close", "X: y"]), max_size=2))
        version = draw(st.sampled_from(["1.1", "1.1", "1.0"]))
        made += "".join(f"{each}\r\n" for each in [f"HTTP/{version} {status}", *lines, ""]).encode()
    return made


@st.composite
def responses(draw: st.DrawFn, *, ended: bool = True) -> Drawn:
    """A response that a server may send; `ended` False: it may also be cut off or have bytes behind it."""
    version = draw(st.sampled_from(["1.1", "1.1", "1.1", "1.0"]))
    status = draw(st.sampled_from([200, 200, 200, 201, 204, 205, 206, 301, 304, 404, 500, 599]))
    head = draw(st.sampled_from([False, False, False, True]))
    coding = draw(st.sampled_from(["", "", "", "gzip", "deflate", "br", "identity", "utf-8", "none", "gzip, br"]))
    like_heads = [b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]
    plain = draw(st.sampled_from([b"", b"hello", *like_heads, bytes(range(256)), b"a" * 5000]))
    body = plain
    for name in coding.split(", "):
        body = _CODERS.get(name, bytes)(body)
    lines = draw(others())
    if coding:
        lines.append(draw(line("Content-Encoding", draw(spelt(coding)))))
    option = draw(st.sampled_from(["", "", "", "close", "keep-alive", "Keep-Alive, X", "x, Close", "closed", "close,"]))
    if option:
        lines.append(draw(line("Connection", option)))
    framing = draw(st.sampled_from(["sized", "sized", "chunked", "chunked", "open", "doubled", "gzip, chunked"]))
    eof, coded = framing == "open", framing == "gzip, chunked"
    if coded:
        lines.append(draw(line("Transfer-Encoding", framing)))
        body = gzip.compress(body, mtime=0)
    elif framing == "chunked":
        lines.append(draw(line("Transfer-Encoding", draw(spelt("chunked")))))
    elif framing == "doubled":
        lines += [f"Content-Length: {len(body)}"] * 2
    elif framing == "sized":
        lines.append(draw(line("Content-Length", f"{draw(st.sampled_from(['', '0']))}{len(body)}")))
    lines = draw(st.permutations(lines))
    first = f"HTTP/{version} {status}{draw(st.sampled_from(_REASONS))}"
    ends = draw(st.sampled_from(["\r\n", "\r\n", "\r\n", "\n"]))
    said = ends.join([first, *lines, "", ""]).encode("latin-1")
    if not (head or status in (204, 304)):
        trailers = draw(st.lists(st.sampled_from(["X: y", "Connection: close", "Content-Length: 3"]), max_size=2))
        said += draw(chunked(body, trailers)) if "chunked" in framing else body
    said = draw(interims()) + said
    if not ended and not (coding and framing == "open"):  # of that, the body would be another one
        behind = draw(st.sampled_from([b"", b"", b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"]))
        said += behind
        if not behind and draw(st.integers(0, 3)) == 0:
            said, eof = said[: draw(st.integers(0, len(said)))], True
    return Drawn(said, head, eof, version == "1.0", coded)


@st.composite
def cuts(draw: st.DrawFn, sent: bytes) -> list[bytes]:
    """The bytes in pieces: whole, in two, anywhere, one by one."""
    kind = draw(st.sampled_from(["whole", "two", "some", "every"]))
    if kind == "whole" or len(sent) < 2:
        return [sent] if sent else []
    if kind == "every":
        step = max(1, len(sent) // 600)
        return [sent[i : i + step] for i in range(0, len(sent), step)]
    places = sorted(draw(st.sets(st.integers(1, len(sent) - 1), min_size=1, max_size=1 if kind == "two" else 8)))
    return [sent[a:b] for a, b in zip([0, *places], [*places, len(sent)], strict=True)]
