"""Bodies as the author means them: gzip, deflate and br taken off, never more than `limit` bytes made.

A decompression bomb stops at the limit; a body that is cut short or is not what its header says is an error,
as it would be to a browser.
"""

import zlib
from collections.abc import Callable
from typing import Any

_STEP = 256 * 1024


class TooLarge(Exception):  # noqa: N818 (a fact about the body, by its ErrorKind's name)
    """More than `limit` bytes."""


class Undecodable(Exception):  # noqa: N818
    """Not what Content-Encoding says; the text tells why."""


def decode(body: bytes, encodings: str, limit: int) -> bytes:
    """`body` without its Content-Encoding ("gzip", "br, gzip", …); unknown encodings are refused."""
    for name in reversed([part.strip().lower() for part in encodings.split(",")]):
        if name in ("", "identity"):
            continue
        decoder = _DECODERS.get(name)
        if decoder is None:
            raise Undecodable(f"content-encoding {name!r} is not known")
        if body:  # an empty body has no frame to take off
            body = decoder(body, limit)
    return body


def _gunzip(body: bytes, limit: int) -> bytes:
    return _inflate(body, limit, 16 + zlib.MAX_WBITS, "gzip")


def _deflate(body: bytes, limit: int) -> bytes:
    zlib_framed = body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _inflate(body, limit, zlib.MAX_WBITS if zlib_framed else -zlib.MAX_WBITS, "deflate")


def _inflate(body: bytes, limit: int, window: int, name: str) -> bytes:
    made: list[bytes] = []
    size = 0
    while body:  # gzip allows several members, one after the other
        decoder = zlib.decompressobj(window)
        while not decoder.eof:
            try:
                piece = decoder.decompress(body, _STEP)
            except zlib.error as error:
                raise Undecodable(f"bad {name} body: {error}") from None
            body = decoder.unconsumed_tail
            size += len(piece)
            if size > limit:
                raise TooLarge
            if not piece and not body and not decoder.eof:
                raise Undecodable(f"bad {name} body: it is cut short")
            made.append(piece)
        body = decoder.unused_data if name == "gzip" else b""
        body = body.lstrip(b"\0")  # padding
    return b"".join(made)


def _unbrotli(body: bytes, limit: int) -> bytes:
    import brotli

    decoder: Any = brotli.Decompressor()
    made: list[bytes] = []
    size = 0
    try:
        piece = decoder.process(body, output_buffer_limit=_STEP)
        while True:
            size += len(piece)
            if size > limit:
                raise TooLarge
            made.append(piece)
            if decoder.is_finished():
                return b"".join(made)
            if not piece and decoder.can_accept_more_data():
                raise Undecodable("bad br body: it is cut short")
            piece = decoder.process(b"", output_buffer_limit=_STEP)
    except brotli.error:
        raise Undecodable("bad br body") from None


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _deflate,
    "br": _unbrotli,
}
