"""`run` and `try` come to one verdict, whatever a server sends and whatever the step reads of it: over HTTP/1.1 and
HTTP/2, alone, retried, polled, in parallel. What they share is the engine; `try` has an observer, who looks at all."""

import gzip
import ssl
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import h2_peer
import pytest
import trio
import trustme
from loaded import loaded
from planned import plan_of
from scripted_server import Stream, World, read_head, world

pytestmark = [pytest.mark.trio, pytest.mark.slow]
Field = tuple[str, str]
JSON = b'{"id": 7, "next": null}'
COOKIE = ("Set-Cookie", "sid=caf\u00e9; Path=/")


def _deflated(data: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(data) + coder.flush()


# what is wrong with bodies and fields, over both versions: status, fields, body
RESPONSES: dict[str, tuple[int, list[Field], bytes]] = {
    "plain": (200, [COOKIE], JSON),
    "no content": (204, [COOKIE], b""),
    "not found": (404, [], JSON),
    "empty": (200, [], b""),
    "a coding that is none": (200, [("Content-Encoding", "UTF-8")], JSON),
    "zstd": (200, [("Content-Encoding", "zstd"), COOKIE], b"\x28\xb5\x2f\xfd\x04\x00"),
    "compress": (200, [("Content-Encoding", "compress")], JSON),
    "gzip": (200, [("Content-Encoding", "gzip"), COOKIE], gzip.compress(JSON)),
    "gzip in upper case": (200, [("CONTENT-ENCODING", "GZIP")], gzip.compress(JSON)),
    "gzip that is none": (200, [("Content-Encoding", "gzip")], JSON),
    "gzip cut short": (200, [("Content-Encoding", "gzip")], gzip.compress(JSON)[:-9]),
    "gzip with bytes behind": (200, [("Content-Encoding", "gzip")], gzip.compress(JSON) + b"behind"),
    "br": (200, [("Content-Encoding", "br")], brotli.compress(JSON)),
    "br with bytes behind": (200, [("Content-Encoding", "br")], brotli.compress(JSON) + b"behind"),
    "raw deflate": (200, [("Content-Encoding", "deflate")], _deflated(JSON)),
    "two codings in two lines": (
        200,
        [("Content-Encoding", "br"), ("Content-Encoding", "gzip")],
        gzip.compress(brotli.compress(JSON)),
    ),
    "six codings": (200, [("Content-Encoding", ", ".join(["gzip"] * 6))], JSON),
    "over the limit": (200, [COOKIE], b"[" + b"1," * 30_000 + b"1]"),
    "a bomb": (200, [("Content-Encoding", "gzip")], gzip.compress(b" " * 10_000_000)),
    "UTF-8 in a redirect": (302, [("Location", "/caf\u00e9")], b""),
    "a redirect with an odd coding": (302, [("Location", "/plain"), ("Content-Encoding", "zstd")], b"abc"),
    "a redirect to nowhere": (302, [("Location", "http://[")], b""),
    "not modified": (304, [("ETag", '"x"')], b""),
    "another charset": (200, [("Content-Type", "text/html; charset=iso-8859-1")], b"<p>caf\xe9</p>"),
    "half a surrogate": (200, [], b'{"id": 7, "x": "\\ud83d"}'),
    "a mark": (200, [], b"\xef\xbb\xbf" + JSON),
    "deep": (200, [], b"[" * 5000),
    "too busy": (503, [("Retry-After", "0")], JSON),
}
# what is wrong with the framing, over HTTP/1.1: the bytes; behind some the connection ends
HEAD = b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=1\r\n"
FRAMED: dict[str, bytes] = {
    "folded": HEAD + b"X: a\r\n b\r\nContent-Length: 7\r\n\r\n[7,8,9]",
    "bare LF": (HEAD + b"Content-Length: 7\r\n\r\n").replace(b"\r", b"") + b"[7,8,9]",
    "two equal lengths": HEAD + b"Content-Length: 7\r\nContent-Length: 7\r\n\r\n[7,8,9]",
    "two lengths": HEAD + b"Content-Length: 7\r\nContent-Length: 8\r\n\r\n[7,8,9]",
    "a length and chunks": HEAD + b"Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a tab behind chunked": HEAD + b"Transfer-Encoding: chunked\t\r\n\r\n7\r\n[7,8,9]\r\n0\r\n\r\n",
    "blanks behind a size": HEAD + b"Transfer-Encoding: chunked\r\n\r\n7  \r\n[7,8,9]\r\n0\r\n\r\n",
    "a wrong size": HEAD + b"Transfer-Encoding: chunked\r\n\r\n6\r\n[7,8,9]\r\n0\r\n\r\n",
    "trailers": HEAD + b"Transfer-Encoding: chunked\r\n\r\n7\r\n[7,8,9]\r\n0\r\nContent-Length: 3\r\n\r\n",
    "gzip below chunks": HEAD
    + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(z := gzip.compress(JSON)), z),
    "an unknown coding below chunks": HEAD + b"Transfer-Encoding: x, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "an interim response": b"HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n"
    + HEAD + b"Content-Length: 7\r\n\r\n[7,8,9]",
    "bytes behind the end": HEAD + b"Content-Length: 7\r\n\r\n[7,8,9]more",
    "RTSP": HEAD.replace(b"HTTP/1.1", b"RTSP/1.0") + b"Content-Length: 7\r\n\r\n[7,8,9]",
    "switching protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"a:\r\n" * 7500 + b"Content-Length: 0\r\n\r\n",
    "a long header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000 + b"\r\nContent-Length: 0\r\n\r\n",
}  # fmt: skip
CUT: dict[str, bytes] = {
    "to the end of the connection": HEAD + b"\r\n[7,8,9]",
    "cut in the body": HEAD + b"Content-Length: 70\r\n\r\n[7,8,9]",
    "cut in a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n70\r\n[7,8,9]",
    "cut in the head": HEAD,
    "HTTP/1.0": HEAD.replace(b"1.1", b"1.0") + b"\r\n[7,8,9]",
}
READS = {
    "nothing": "",
    "a header": "expect: {headers: {etag: '\"x\"'}}",
    "a cookie": "extract: {sid: {cookie: sid}}",
    "JSON": "extract: {id: $.id}",
    "a text": "expect: {body: {contains: caf\u00e9}}",
    "a pattern": "extract: {id: {regex: '(\\d)'}}",
    "an element": "extract: {p: {css: p}}",
    "the status": "expect: {status: 200}",
}
SHAPES = {
    "alone": "[{STEP}]",
    "retried": "[{STEP, retry: {max: 1, wait: 1ms}}]",
    "polled": "[{poll: {STEP}, until: status() > 199, every: 1ms, within: 5ms}]",
    "in parallel": "[{parallel: [{STEP}, {get: /plain}]}]",
}


class Onlooker:
    """What `try` is to the engine."""

    async def before(self, *_: object) -> int:
        return 0

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_: None


async def http1(stream: Stream) -> None:
    while head := await read_head(stream):
        name = head.split()[1].decode()[1:].replace("_", " ").partition("?")[0]
        if name in RESPONSES:
            status, fields, body = RESPONSES[name]
            lines = "".join(f"{key}: {value}\r\n" for key, value in fields)
            await stream.send_all(f"HTTP/1.1 {status} X\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        elif name in FRAMED:
            await stream.send_all(FRAMED[name])
        else:
            await stream.send_all(CUT.get(name, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
            if name in CUT:
                return


async def http2(stream: Stream) -> None:
    assert isinstance(stream, trio.SSLStream)
    await stream.do_handshake()
    peer = h2_peer.Peer(stream)
    while request := await peer.request():
        name = request.path[1:].replace("_", " ").partition("?")[0]
        status, fields, body = RESPONSES.get(name, (404, [], b""))
        said = [(key.lower().encode(), value.encode()) for key, value in fields]
        peer.wire.send_headers(request.stream, [(b":status", str(status).encode()), *said], end_stream=not body)
        while body:
            window = min(peer.wire.local_flow_control_window(request.stream), peer.wire.max_outbound_frame_size)
            piece, body = body[:window], body[window:]
            peer.wire.send_data(request.stream, piece, end_stream=not body)
        await peer.flush()


async def verdict(w: World, flow: str, suite: str, observer: Any) -> tuple[object, ...]:
    """What the engine says of a flow: its incidents, and the requests that failed."""
    engine, seen = await loaded(plan_of(flow, suite=suite), w.transport, observer)
    incidents = sorted((each.code, each.step, each.message) for each in engine.incidents.items)
    counts = [seen.select(name).aggregate("count", None) for name in ("http_reqs", "iterations_failed")]
    return incidents, counts, seen.select("http_req_failed").aggregate("rate", None)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("version", [1, 2])
async def test_run_says_what_try_says(shape: str, version: int) -> None:
    context, more = None, ""
    if version == 2:
        ca = trustme.CA()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(["h2"])
        ca.issue_cert("127.0.0.1").configure_cert(context)
        more = "http: {version: 2}\n"
    names = [*RESPONSES, *FRAMED, *CUT] if version == 1 else [*RESPONSES]
    async with world(http1 if version == 1 else http2, tls=context, max_body=50_000) as w:
        suite = f"suite: test\nbase_url: {w.origin.scheme}://{w.origin.authority}\ntimeout: 2s\n{more}"
        differing = []
        suite += "tls: {insecure: true}\n" if version == 2 else ""
        for name in names:
            for reads in READS.values() if shape == "alone" else (READS["nothing"], READS["JSON"]):
                for verb in ("get", "head") if reads == "" else ("get",):
                    step = f"{verb}: /{name.replace(' ', '_')}, name: it{', ' if reads else ''}{reads}"
                    steps = SHAPES[shape].replace("STEP", step)
                    load = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
                    flow = f"{load}steps: {steps}\ngates: {{http_req_failed: rate < 1 %}}\n"
                    run = await verdict(w, flow, suite, None)
                    tried = await verdict(w, flow, suite, Onlooker())
                    if run != tried:
                        differing.append((name, verb, reads, run, tried))
    assert differing == []
