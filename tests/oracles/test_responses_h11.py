"""A client reads a response as h11 does: status, headers, body, and whether the connection takes another request.

Where the two differ on purpose, the reason stands beside it. Thousands of examples: VEZAFLOW_LONG=1.
"""

import gzip
import re
from dataclasses import dataclass

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from responses import Drawn, conversation, cuts, responses

from vezaflow.protocols import ErrorKind, Want

ALL = Want.HEADERS | Want.BODY | Want.COOKIES
NEXT = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Read:
    """What h11 makes of it. `fault`: it refuses it; `ended` False: it waits for more."""

    fault: str = ""
    ended: bool = False
    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    alive: bool = False


def read_by_h11(pieces: list[bytes], drawn: Drawn) -> Read:
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="HEAD" if drawn.head else "GET", target="/x", headers=[("Host", "sut.test")]))
    peer.send(h11.EndOfMessage())
    coming = iter([*pieces, b""] if drawn.eof else pieces)
    status, body, ended = 0, b"", False
    headers: list[tuple[bytes, bytes]] = []
    try:
        while not ended:
            event = peer.next_event()
            match event:
                case h11.Response():
                    status, headers = event.status_code, list(event.headers)
                case h11.Data():
                    body += bytes(event.data)
                case h11.EndOfMessage():
                    ended = True
                case h11.NEED_DATA:
                    piece = next(coming, None)
                    if piece is None:
                        break
                    peer.receive_data(piece)
                case h11.ConnectionClosed():
                    break
    except h11.RemoteProtocolError as error:
        return Read(fault=str(error))
    alive = ended and peer.their_state is h11.DONE and peer.trailing_data == (b"", False)
    return Read("", ended, status, tuple((bytes(n), bytes(v)) for n, v in headers), body, alive)


def body_of(read: Read, drawn: Drawn) -> bytes:
    """The body as httpx decodes it, which passes over what is no coding, too."""
    body = gzip.decompress(read.body) if drawn.coded and read.body else read.body
    return httpx.Response(200, headers=list(read.headers), content=body).content if body else b""


def headers_of(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers but for what h11 rewrites: it says a doubled Content-Length once, and `chunked` in lower case. A fold is
    one blank or more (RFC 9112, 5.2): here it is one, and h11 keeps the blank before it."""
    once = dict.fromkeys(pair for pair in pairs if pair[0] == "content-length")
    rest = [(name, value) for name, value in pairs if name not in ("content-length", "transfer-encoding")]
    return [*once, *((name, re.sub(" +folded", " folded", value)) for name, value in rest)]


def text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


@given(st.data())
def test_responses_are_read_as_by_h11(data: st.DataObject) -> None:
    drawn = data.draw(responses(ended=False))
    pieces = data.draw(cuts(drawn.sent))
    # h11 knows no transfer coding but chunked: it is told of that alone, and the rest taken off behind it
    known = [re.sub(b"gzip, chunked", b"chunked", drawn.sent)] if drawn.coded else pieces
    read = read_by_h11(known, drawn)
    with conversation() as talk:
        seen = talk.ask(pieces, ALL, head=drawn.head, eof=drawn.eof)
        if seen is None:
            assert not read.ended
            assert not read.fault
        elif not read.ended:
            assert seen.error in (ErrorKind.MALFORMED, ErrorKind.CLOSED_EARLY), read.fault
        else:
            assert seen.error is None
            assert seen.status == read.status
            expected = [(name.decode(), text(value)) for name, value in read.headers]
            assert headers_of(seen.headers) == headers_of(expected)
            assert seen.body == body_of(read, drawn)
            # h11 keeps no HTTP/1.0 connection; RFC 9112, 9.3 does, where both ends say keep-alive
            assert seen.alive is read.alive or drawn.coded or (drawn.old and not read.alive)
            if seen.alive:
                after = talk.ask([NEXT], ALL)
                assert after is not None
                assert (after.error, after.status, after.body, after.alive) == (None, 200, b"next", True)
