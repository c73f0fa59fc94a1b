"""What a client makes of a response's bytes, in one piece, byte by byte, and cut anywhere."""

import gzip
import socket
import weakref
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import brotli
import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from responses import conversation

from vezaflow.protocols import ErrorKind, Exchange, Origin, RequestOptions, Transport, Want
from vezaflow.protocols.plain_response import BodyResponse, PlainResponse

ORIGIN = Origin("http", "sut.test", 80)
HEAD = b"GET /x HTTP/1.1\r\nHost: sut.test\r\n\r\n"
ALL = Want.HEADERS | Want.BODY | Want.COOKIES
LIMIT = 100_000


@dataclass(frozen=True)
class Case:
    sent: bytes
    status: int = 200
    body: bytes = b""
    want: Want = ALL
    error: ErrorKind | None = None
    alive: bool = True  # the connection may carry the next request
    eof: bool = False
    bodyless: bool = False


async def exchange(case: Case, pieces: Sequence[bytes]) -> tuple[Exchange, bool, str | None]:
    """Send one request over a socket pair whose other end says `pieces`."""
    transport = Transport(max_body=LIMIT)
    client = transport.client()
    ours, theirs = socket.socketpair()
    client.adopt(ORIGIN, ours)
    found: list[Exchange] = []

    async def send() -> None:
        ask = RequestOptions(case.want, 5.0, bodyless=case.bodyless, replayable=False)
        found.append(await client.send(ORIGIN, HEAD, None, ask))

    with theirs:
        async with trio.open_nursery() as nursery:
            await nursery.start(transport.run)
            nursery.start_soon(send)
            await trio.testing.wait_all_tasks_blocked()
            assert theirs.recv(1000) == HEAD
            for piece in (part[i : i + 50_000] for part in pieces for i in range(0, len(part), 50_000)):
                if ours.fileno() < 0:
                    break
                theirs.sendall(piece)
                transport.drain()
            if case.eof and ours.fileno() >= 0:
                theirs.shutdown(socket.SHUT_WR)
                transport.drain()
            await trio.testing.wait_all_tasks_blocked()
            alive = ours.fileno() >= 0
            nursery.cancel_scope.cancel()
    assert len(found) == 1, "the response did not end"
    return found[0], alive, client.cookies.get("sid")


def response(*headers: str, body: bytes = b"", status: str = "200 OK", version: str = "1.1") -> bytes:
    lines = [f"HTTP/{version} {status}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def sized(body: bytes, *headers: str) -> bytes:
    return response(f"Content-Length: {len(body)}", *headers, body=body)


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return response("Transfer-Encoding: chunked", body=framed + b"0\r\n" + trailer + b"\r\n")


def raw_deflate(body: bytes) -> bytes:
    encoder = zlib.compressobj(wbits=-15)
    return encoder.compress(body) + encoder.flush()


TEXT = b"the quick brown fox " * 20
ZIPPED = gzip.compress(TEXT)
CASES = {
    "sized": Case(sized(b"hello"), body=b"hello"),
    "empty": Case(sized(b"")),
    "lower-case names": Case(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", body=b"ok"),
    "chunked": Case(chunked(b"hello ", b"world"), body=b"hello world"),
    "chunked, with a header that speaks of lengths": Case(
        response("X: Content-Length: 3", "Transfer-Encoding: chunked", body=b"2\r\nhi\r\n0\r\n\r\n"), body=b"hi"
    ),
    "sized in capitals": Case(response("CONTENT-LENGTH:5", body=b"hello"), body=b"hello"),
    "chunked with a trailer": Case(chunked(b"hi", trailer=b"Set-Cookie: sid=no\r\n"), body=b"hi"),
    "no content": Case(response(status="204 No Content"), status=204),
    "not modified, with a length": Case(response("Content-Length: 9", status="304 Not Modified"), status=304),
    "continue first": Case(response(status="100 Continue") + sized(b"hello"), body=b"hello"),
    "early hints first": Case(
        response("Link: </a>", "Content-Length: 7", status="103 Early Hints") + sized(b"hello"), body=b"hello"
    ),
    "to HEAD": Case(response("Content-Length: 5"), bodyless=True),
    "to HEAD, undelimited": Case(response("X: y"), bodyless=True),
    "to HEAD, closing": Case(response("Connection: close"), bodyless=True, alive=False),
    "to HEAD, with a body that must not be": Case(sized(b"hello"), bodyless=True, alive=False),
    "close asked for": Case(sized(b"hello", "Connection: close"), body=b"hello", alive=False),
    "HTTP/1.0": Case(response("Content-Length: 2", body=b"ok", version="1.0"), body=b"ok", alive=False),
    "HTTP/1.0 kept alive": Case(
        response("Content-Length: 2", "Connection: keep-alive", body=b"ok", version="1.0"), body=b"ok"
    ),
    "delimited by the end": Case(response("X: y", body=b"hello"), body=b"hello", eof=True, alive=False),
    "delimited by the end, empty": Case(response("X: y"), eof=True, alive=False),
    "gzip": Case(sized(gzip.compress(TEXT), "Content-Encoding: gzip"), body=TEXT),
    "deflate": Case(sized(zlib.compress(TEXT), "Content-Encoding: deflate"), body=TEXT),
    "raw deflate": Case(sized(raw_deflate(TEXT), "Content-Encoding: deflate"), body=TEXT),
    "brotli": Case(sized(brotli.compress(TEXT), "content-encoding: BR"), body=TEXT),
    "not found": Case(response("Content-Length: 2", body=b"no", status="404 Not Found"), status=404, body=b"no"),
    "unwanted second response": Case(sized(b"hello") * 2, body=b"hello", alive=False),
    "unwanted bytes": Case(sized(b"hello") + b"garbage", body=b"hello", alive=False),
    "garbage": Case(b"SSH-2.0-OpenSSH_9.2\r\n" * 3, error=ErrorKind.MALFORMED, alive=False),
    "bad status line": Case(b"HTTP/1.1 xyz\r\n\r\n", error=ErrorKind.MALFORMED, alive=False),
    "two lengths": Case(
        response("Content-Length: 3", "Content-Length: 5", body=b"hello"), error=ErrorKind.MALFORMED, alive=False
    ),
    "length and chunked": Case(
        response("Content-Length: 3", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        error=ErrorKind.MALFORMED,
        alive=False,
    ),
    "bad chunk": Case(response("Transfer-Encoding: chunked", body=b"zz\r\n"), error=ErrorKind.MALFORMED, alive=False),
    "protocols switched": Case(
        response("Upgrade: websocket", "Connection: upgrade", status="101 Switching Protocols"),
        error=ErrorKind.MALFORMED,
        alive=False,
    ),
    "nothing": Case(b"", error=ErrorKind.CLOSED_EARLY, eof=True, alive=False),
    "half a head": Case(b"HTTP/1.1 200 OK\r\nConte", error=ErrorKind.CLOSED_EARLY, eof=True, alive=False),
    "half a body": Case(sized(b"hello")[:-2], error=ErrorKind.CLOSED_EARLY, eof=True, alive=False),
    "half a chunk": Case(chunked(b"hello")[:-8], error=ErrorKind.CLOSED_EARLY, eof=True, alive=False),
    "only an interim response": Case(
        response(status="100 Continue"), error=ErrorKind.CLOSED_EARLY, eof=True, alive=False
    ),
    "bad gzip": Case(sized(b"not gzip", "Content-Encoding: gzip"), error=ErrorKind.MALFORMED, alive=False),
    "cut gzip": Case(sized(gzip.compress(TEXT)[:-9], "Content-Encoding: gzip"), error=ErrorKind.MALFORMED, alive=False),
    "unknown encoding": Case(sized(b"x", "Content-Encoding: snappy"), error=ErrorKind.MALFORMED, alive=False),
    "no coding": Case(sized(b"hello", "Content-Encoding: UTF-8"), body=b"hello"),
    "a coding in another case": Case(sized(gzip.compress(TEXT), "Content-EncodinG: gzip"), body=TEXT),
    "a folded header": Case(sized(b"hello", "X-Policy: default-src 'self';\r\n\timg-src *"), body=b"hello"),
    "lines that end with LF": Case(b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", body=b"hello"),
    "blanks behind a chunk's size": Case(
        response("Transfer-Encoding: chunked", body=b"5  \r\nhello\r\n0 \r\n\r\n"), body=b"hello"
    ),
    "chunks whose lines end with LF": Case(
        response("Transfer-Encoding: chunked", body=b"5\nhello\n0\n\n"), body=b"hello"
    ),
    "chunked with a tab": Case(
        response("Transfer-Encoding:\tchunked\t", body=b"5\r\nhello\r\n0\r\n\r\n"), body=b"hello"
    ),
    "the same length twice": Case(sized(b"hello", "Content-Length: 5"), body=b"hello"),
    "the same length twice in a list": Case(response("Content-Length: 5, 5", body=b"hello"), body=b"hello"),
    "compressed on the way": Case(
        response("Transfer-Encoding: gzip, chunked", body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(ZIPPED), ZIPPED)), body=TEXT
    ),
    "an interim response that closes": Case(
        response("Connection: close", status="103 Early Hints") + sized(b"hello"), body=b"hello"
    ),
    "an interim response in HTTP/1.0": Case(
        response(status="100 Continue", version="1.0") + sized(b"hello"), body=b"hello"
    ),
    "trailers with framing's names": Case(
        chunked(b"hi", trailer=b"Content-Length: 3\r\nConnection: close\r\nTransfer-Encoding: x\r\n"), body=b"hi"
    ),
    "a later HTTP/1": Case(response("Content-Length: 5", body=b"hello", version="1.9"), body=b"hello"),
    "chunks in HTTP/1.0": Case(
        chunked(b"hi").replace(b"1.1 200 OK\r\n", b"1.0 200 OK\r\nConnection: keep-alive\r\n"), body=b"hi", alive=False
    ),
    "RTSP": Case(b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", error=ErrorKind.MALFORMED, alive=False),
    "a space before the colon": Case(
        response("Content-Length : 5", body=b"hello"), error=ErrorKind.MALFORMED, alive=False
    ),
    "NUL in a header": Case(sized(b"", "X: a\0b"), error=ErrorKind.MALFORMED, alive=False),
    "a bare CR in a header": Case(sized(b"", "X: a\rb"), error=ErrorKind.MALFORMED, alive=False),
    "a head without end": Case(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50_000, error=ErrorKind.TOO_LARGE, alive=False),
    "a header without end": Case(b"HTTP/1.1 200 OK\r\na: " + b"b" * 300_000, error=ErrorKind.TOO_LARGE, alive=False),
    "interim responses without end": Case(
        response("X: " + "y" * 100, status="103 Early Hints") * 2500, error=ErrorKind.TOO_LARGE, alive=False
    ),
    "trailers without end": Case(chunked(b"hi")[:-2] + b"a: b\r\n" * 50_000, error=ErrorKind.TOO_LARGE, alive=False),
    "a bomb": Case(
        sized(gzip.compress(bytes(LIMIT + 1)), "Content-Encoding: gzip"), error=ErrorKind.TOO_LARGE, alive=False
    ),
}
WANTS = [Want.NOTHING, Want.BODY, Want.HEADERS, Want.COOKIES, Want.BODY | Want.COOKIES, ALL]
NAMED = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
SHORT = pytest.mark.parametrize("case", [case for case in CASES.values() if len(case.sent) < 10_000])


async def check(case: Case, pieces: Sequence[bytes]) -> None:
    found, alive, _ = await exchange(case, pieces)
    assert found.error is case.error, found.detail
    assert alive is case.alive
    if case.error is None:
        assert found.status == case.status
        assert found.body == (case.body if case.want & Want.BODY else b"")
        assert found.started <= found.sent <= found.first <= found.ended
        assert found.bytes_sent == len(HEAD)
        assert found.bytes_received <= len(case.sent)
    else:
        assert found.detail
        assert found.body == b""


def unwanted(case: Case, want: Want) -> Case:
    """The same response for who wants less of it: decoding is only done for who wants the body."""
    undecodable = b"Content-Encoding" in case.sent and case.error is not None
    if undecodable and not want & Want.BODY:
        case = replace(case, error=None, alive=not case.eof)
    return replace(case, want=want)


@NAMED
@pytest.mark.trio
async def test_in_one_piece(case: Case) -> None:
    await check(case, [case.sent])


@SHORT
@pytest.mark.trio
async def test_byte_by_byte(case: Case) -> None:
    await check(case, [case.sent[i : i + 1] for i in range(len(case.sent))])


@pytest.mark.parametrize("want", WANTS)
@NAMED
@pytest.mark.trio
async def test_whatever_is_wanted(case: Case, want: Want) -> None:
    """What is wanted changes what is kept, never how the response ends."""
    for pieces in ([case.sent], [case.sent[:30], case.sent[30:]]):
        await check(unwanted(case, want), [piece for piece in pieces if piece])


@pytest.mark.parametrize("want", WANTS)
@SHORT
@pytest.mark.trio
async def test_the_head_in_one_piece_and_the_rest_byte_by_byte(case: Case, want: Want) -> None:
    end = case.sent.find(b"\r\n\r\n") + 4
    await check(unwanted(case, want), [case.sent[:end], *(case.sent[i : i + 1] for i in range(end, len(case.sent)))])


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(CASES)), want=st.sampled_from(WANTS), data=st.data())
def test_cut_anywhere(name: str, want: Want, data: st.DataObject) -> None:
    case = unwanted(CASES[name], want)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(case.sent) - 1)), max_size=6)))
    pieces = [case.sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(case.sent)], strict=True) if case.sent[a:b]]
    trio.run(check, case, pieces)


@pytest.mark.trio
async def test_headers_are_lower_case_and_only_given_to_who_wants_them() -> None:
    said = sized(b"", "X-Request-ID: 7", "X-Twice: a", "X-Twice: b")
    found, _, _ = await exchange(Case(said, want=Want.HEADERS), [said])
    assert found.headers == [("content-length", "0"), ("x-request-id", "7"), ("x-twice", "a"), ("x-twice", "b")]
    found, _, _ = await exchange(Case(said, want=Want.BODY), [said])
    assert found.headers == []


@pytest.mark.trio
async def test_headers_are_read_as_utf_8_where_they_are_that_and_cookies_go_back_byte_for_byte() -> None:
    said = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-City: Z\xc3\xbcrich\r\nX-Old: Z\xfcrich\r\n"
        b"Set-Cookie: sid=\xc3\xa0; Path=/\r\nSet-Cookie: old=\xe0\r\n\r\n"
    )
    with conversation() as talk:
        seen = talk.ask([said], ALL)
        assert seen is not None
        assert ("x-city", "Zürich") in seen.headers
        assert ("x-old", "Zürich") in seen.headers
        assert seen.cookie == "à"
        assert talk.cookies == b"sid=\xc3\xa0; old=\xe0"


@pytest.mark.parametrize("said", ["zstd", "gzip"])
def test_a_body_that_can_not_be_decoded_fails_nobody_who_only_looks_at_it(said: str) -> None:
    sent = sized(b"no such thing", f"Content-Encoding: {said}")
    with conversation() as talk:
        seen = talk.ask([sent], ALL | Want.SHOWN)
        assert seen is not None
        assert (seen.error, seen.status, seen.body, seen.alive) == (None, 200, b"no such thing", True)


@pytest.mark.trio
async def test_a_redirect_always_has_its_headers() -> None:
    said = response("Location: /there", "Content-Length: 0", status="302 Found")
    found, alive, _ = await exchange(Case(said, want=Want.NOTHING), [said])
    assert (found.status, alive) == (302, True)
    assert ("location", "/there") in found.headers


@pytest.mark.parametrize("name", ["Set-Cookie", "set-cookie", "SET-COOKIE"])
@pytest.mark.parametrize("cut", [10, 25, 500])
@pytest.mark.trio
async def test_cookies_are_kept_where_wanted(name: str, cut: int) -> None:
    said = sized(b"hello", f"{name}: sid=42; Path=/")
    pieces = [piece for piece in (said[:cut], said[cut:]) if piece]
    assert (await exchange(Case(said, want=Want.COOKIES), pieces))[2] == "42"
    assert (await exchange(Case(said, want=Want.BODY), pieces))[2] is None


@pytest.mark.trio
async def test_a_cookie_in_a_trailer_is_none() -> None:
    said = chunked(b"hi", trailer=b"Set-Cookie: sid=1\r\n")
    assert (await exchange(Case(said, want=ALL), [said]))[2] is None


@pytest.mark.parametrize("want", [Want.BODY, ALL])
@pytest.mark.parametrize("frame", [lambda b: sized(b), lambda b: chunked(b[:70_000], b[70_000:])])
@pytest.mark.trio
async def test_a_kept_body_over_the_limit_is_refused(want: Want, frame: object) -> None:
    said = frame(bytes(LIMIT + 1))  # type: ignore[operator]
    found, alive, _ = await exchange(Case(said, want=want), [said[:60_000], said[60_000:]])
    assert found.error is ErrorKind.TOO_LARGE
    assert not alive


@pytest.mark.parametrize("frame", [lambda b: sized(b), lambda b: chunked(b[:70_000], b[70_000:])])
@pytest.mark.trio
async def test_a_dropped_body_has_no_limit(frame: object) -> None:
    said = frame(b"HTTP/1.1 200 OK\r\n" * 20_000)  # type: ignore[operator]
    pieces = [said[i : i + 50_000] for i in range(0, len(said), 50_000)]
    found, alive, _ = await exchange(Case(said, want=Want.NOTHING), pieces)
    assert (found.error, found.status, found.bytes_received, alive) == (None, 200, len(said), True)


@pytest.mark.trio
async def test_bytes_after_a_dropped_body_close_the_connection() -> None:
    said = sized(bytes(50_000)) + b"HTTP/1.1 200 OK\r\n"
    found, alive, _ = await exchange(Case(said, want=Want.NOTHING), [said[:1000], said[1000:]])
    assert (found.error, found.status, alive) == (None, 200, False)


@pytest.mark.trio
async def test_one_connection_carries_answers_of_every_kind_in_turn() -> None:
    """Parsers go round between exchanges: none may remember the last one."""
    transport = Transport(max_body=LIMIT)
    client = transport.client()
    ours, theirs = socket.socketpair()
    client.adopt(ORIGIN, ours)
    cases = [c for c in CASES.values() if c.alive and c.error is None]
    wants = [Want.NOTHING, Want.BODY, ALL]

    async def peer() -> None:
        stream = trio.socket.from_stdlib_socket(theirs)
        for case in cases:
            for _ in wants:
                await stream.recv(1000)
                middle = len(case.sent) // 2
                await stream.send(case.sent[:middle])
                await trio.lowlevel.checkpoint()
                await stream.send(case.sent[middle:])

    async with trio.open_nursery() as nursery:
        await nursery.start(transport.run)
        nursery.start_soon(peer)
        for case in cases:
            for want in wants:
                found = await client.send(ORIGIN, HEAD, None, RequestOptions(want, 5.0, bodyless=case.bodyless))
                assert (found.error, found.status, found.reused) == (None, case.status, True), found.detail
                assert found.body == (case.body if want & Want.BODY else b"")
        nursery.cancel_scope.cancel()
    theirs.close()


@pytest.mark.parametrize("kind", [PlainResponse, BodyResponse])
def test_a_response_that_was_released_is_gone_at_once(kind: type[PlainResponse]) -> None:
    class Watched(kind):  # type: ignore[misc, valid-type]
        __slots__ = ("__weakref__",)

    response = Watched()
    response.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    gone = weakref.ref(response)
    response.release()
    del response
    assert gone() is None
