"""HLS playlists (RFC 8216) as lists of mappings, parsed by the m3u8 library, absolute URIs included.

Parsing takes a quarter of a millisecond and listeners ask for the same few playlists again and again: the last 256,
by content and URL, are kept, where they are not large.
"""

from functools import lru_cache
from typing import Any

from vezaflow.plan.answer import Answer, UndecodableError
from vezaflow.syntax import look_over_playlist

_KEPT = 64 << 10  # bytes of a playlist that is kept


def variants(answer: Answer) -> list[dict[str, Any]]:
    """The variants of a master playlist: uri, bandwidth, average_bandwidth, codecs, resolution, frame_rate, name."""
    body = answer.body
    return (_variants if len(body) <= _KEPT else _variants.__wrapped__)(body, answer.url)


def segments(answer: Answer) -> list[dict[str, Any]]:
    """The segments of a media playlist: uri, duration (seconds), title, number (media sequence)."""
    body = answer.body
    return (_segments if len(body) <= _KEPT else _segments.__wrapped__)(body, answer.url)


def _load(body: bytes, url: str) -> Any:
    import m3u8  # not before a flow needs it: lint should start fast

    text = body.decode("utf-8", "replace")
    if not text.lstrip("\ufeff").startswith("#EXTM3U"):
        raise UndecodableError(f"the body is not a playlist: {' '.join(text[:80].split()) or 'it is empty'}")
    try:
        look_over_playlist(text)
        return m3u8.loads(text, uri=url)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, m3u8.ParseError) as e:
        raise UndecodableError(f"the playlist can't be read: {e}") from None


def _uri(listed: Any) -> str:
    """The absolute URI of a variant or a segment."""
    try:
        return str(listed.absolute_uri)
    except ValueError as e:
        raise UndecodableError(f"the playlist leads to no URL ({e}): {listed.uri}") from None


@lru_cache(maxsize=256)
def _variants(body: bytes, url: str) -> list[dict[str, Any]]:
    found = []
    for playlist in _load(body, url).playlists:
        stream = playlist.stream_info
        found.append(
            {
                "uri": _uri(playlist),
                "bandwidth": stream.bandwidth,
                "average_bandwidth": stream.average_bandwidth,
                "codecs": stream.codecs,
                "resolution": f"{stream.resolution[0]}x{stream.resolution[1]}" if stream.resolution else None,
                "frame_rate": stream.frame_rate,
                "name": stream.name if hasattr(stream, "name") else None,
            }
        )
    return found


@lru_cache(maxsize=256)
def _segments(body: bytes, url: str) -> list[dict[str, Any]]:
    playlist = _load(body, url)
    first = playlist.media_sequence or 0
    return [
        {"uri": _uri(s), "duration": s.duration, "title": s.title, "number": first + i}
        for i, s in enumerate(playlist.segments)
    ]
