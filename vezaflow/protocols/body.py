"""Bodies as the author means them: gzip, deflate and br taken off, never more than `limit` bytes made.

A decompression bomb stops at the limit; a body that is cut short or is not what its header says is an error,
as it would be to a browser.
"""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

from vezaflow.protocols.bounds import MOST_CODINGS, MOST_MEMBERS

_STEP = 256 * 1024
_WINDOW = 64 * 1024  # of a body at a time: what is behind a member's end is copied once for each member
_GZIP = b"\x1f\x8b"
_FOREIGN = frozenset((  # codings, by IANA's registry and in the wild
    "aes128gcm", "bzip2", "compress", "dcb", "dcz", "exi", "lz4", "lzma", "pack200-gzip", "snappy", "x-bzip2",
    "x-compress", "x-snappy-framed", "xz", "zstd",
))  # fmt: skip


class TooLarge(Exception):  # noqa: N818 (a fact about the body, by its ErrorKind's name)
    """More than `limit` bytes."""


class Undecodable(Exception):  # noqa: N818
    """Not what Content-Encoding says; the text tells why."""


def decode(body: bytes, encodings: str, limit: int, transfer: Sequence[str] = ()) -> bytes:
    """`body` without its transfer codings and its Content-Encoding ("gzip", "br, gzip", …). A Content-Encoding that is
    no coding (UTF-8, none, binary) is passed over, as by browsers; one that can't be decoded here is refused."""
    said = [part.strip(" \t").lower() for part in encodings.split(",")]
    names = [name for name in said if name in _DECODERS or name in _FOREIGN]
    names += [name for name in transfer if name != "identity"]
    if len(names) > MOST_CODINGS:
        raise Undecodable(f"the body has {len(names)} content codings; the maximum is {MOST_CODINGS}")
    for name in reversed(names):
        decoder = _DECODERS.get(name)
        if decoder is None:
            raise Undecodable(f"unsupported content coding {name!r}: gzip, deflate and br are supported")
        if body:  # an empty body has no frame to take off
            body = decoder(body, limit)
    return body


def _gunzip(body: bytes, limit: int) -> bytes:
    """gzip may have several members, one after the other; what is no member is let pass, as by browsers and curl."""
    made: list[bytes] = []
    at = size = members = 0
    while members == 0 or body.startswith(_GZIP, at):
        members += 1
        if members > MOST_MEMBERS:
            raise Undecodable(f"bad gzip body: more than {MOST_MEMBERS:,} members")
        at, size = _member(body, at, made, size, limit, 16 + zlib.MAX_WBITS, "gzip")
        while body.startswith(b"\0", at):  # padding
            window = body[at : at + _WINDOW]
            at += len(window) - len(window.lstrip(b"\0"))
    return b"".join(made)


def _deflate(body: bytes, limit: int) -> bytes:
    zlib_framed = body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    made: list[bytes] = []
    _member(body, 0, made, 0, limit, zlib.MAX_WBITS if zlib_framed else -zlib.MAX_WBITS, "deflate")
    return b"".join(made)


def _member(body: bytes, at: int, made: list[bytes], size: int, limit: int, window: int, name: str) -> tuple[int, int]:
    """Decode what begins at `at` into `made`, which has `size` bytes; where it ends, and the size then."""
    decoder = zlib.decompressobj(window)
    piece = b""
    while not decoder.eof:
        if not piece:
            piece = body[at : at + _WINDOW]
            at += len(piece)
        try:
            part = decoder.decompress(piece, _STEP)
        except zlib.error as error:
            raise Undecodable(f"bad {name} body: {error}") from None
        piece = decoder.unconsumed_tail
        size += len(part)
        if size > limit:
            raise TooLarge
        if part:
            made.append(part)
        elif not piece and at == len(body) and not decoder.eof:
            raise Undecodable(f"bad {name} body: truncated")
    return at - len(decoder.unused_data), size


def _unbrotli(body: bytes, limit: int) -> bytes:
    import brotli

    decoder: Any = brotli.Decompressor()  # which has no types
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
                raise Undecodable("bad br body: truncated")
            piece = decoder.process(b"", output_buffer_limit=_STEP)
    except brotli.error:
        raise Undecodable("bad br body, or data after its end") from None


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _deflate,
    "br": _unbrotli,
}
