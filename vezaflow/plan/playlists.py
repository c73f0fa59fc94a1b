"""HLS playlists (RFC 8216 and its successor's low latency) as lists of mappings, parsed by the m3u8 library.

Laws: URIs come out absolute, a byte range as the Range header that asks for it, variables of EXT-X-DEFINE replaced;
what is announced and not there yet is left out. Parsing takes a quarter of a millisecond and listeners ask for the same
few playlists again and again: the last ones are kept by content and URL, with all that was read of them in 4 MB, about
200 playlists of 30 segments. A segment of 13 bytes becomes 500, so bodies alone would say nothing.
"""

import re
from collections.abc import Callable, Mapping
from sys import getsizeof
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from vezaflow.plan.response import ResponseView, UndecodableError
from vezaflow.syntax import look_over_playlist

_ROOM = 4 << 20  # bytes
_LARGEST = _ROOM // 8  # of a playlist that is kept
_COST = 512  # of a key and its place

NOTHING_DEFINED: Mapping[str, str] = MappingProxyType({})
_VARIABLE = re.compile(r"\{\$([A-Za-z0-9_-]+)\}")
_DEFINE = re.compile(r'#EXT-X-DEFINE:(?:.*,)?(NAME|QUERYPARAM|IMPORT)="([^"]*)"')
_VALUE = re.compile(r'[:,]VALUE="([^"]*)"')
Items = list[dict[str, Any]]
Read = Callable[[bytes, str], Items]  # of a body and its URL


def load(body: bytes, url: str, imported: Mapping[str, str] = NOTHING_DEFINED) -> Any:
    """A playlist as the library has it; `imported` are the variables of the master playlist that led here. Raises
    UndecodableError."""
    import m3u8  # not before a flow needs it: lint should start fast

    text = body.decode("utf-8", "replace")
    if not text.lstrip("\ufeff").startswith("#EXTM3U"):
        raise UndecodableError(f"the body is not a playlist: {' '.join(text[:80].split()) or 'it is empty'}")
    try:
        look_over_playlist(text)
        return m3u8.loads(_defined(text, url, imported)[0], uri=url)
    except KeyError as e:
        raise UndecodableError(f"the playlist can't be read: {str(e).strip(chr(39)).upper()} is missing") from None
    except (ValueError, TypeError, IndexError, AttributeError, ArithmeticError, m3u8.ParseError) as e:
        raise UndecodableError(f"the playlist can't be read: {e}") from None


def variables(body: bytes, url: str) -> Mapping[str, str]:
    """The variables that a playlist defines."""
    return _defined(body.decode("utf-8", "replace"), url, NOTHING_DEFINED)[1]


def _defined(text: str, url: str, imported: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """The text with the variables that it defines replaced, and these."""
    if "#EXT-X-DEFINE:" not in text:
        return text, NOTHING_DEFINED
    known: dict[str, str] = {}
    lines = []
    for line in text.splitlines():
        line = _VARIABLE.sub(lambda found: known.get(found[1], found[0]), line)
        if found := _DEFINE.match(line):
            if found[1] == "QUERYPARAM":
                known[found[2]] = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)).get(found[2], "")
            elif found[1] == "IMPORT":
                if found[2] in imported:
                    known[found[2]] = imported[found[2]]
            elif value := _VALUE.search(line):
                known[found[2]] = value[1]
        lines.append(line)
    return "\n".join(lines), known


def whole(uri: str, url: str) -> str:
    """The absolute URI of what a playlist lists."""
    if found := _VARIABLE.search(uri):
        raise UndecodableError(f"the playlist does not define {found[0]}, which a URI uses: {uri}")
    try:
        return urljoin(url, uri)
    except ValueError as e:
        raise UndecodableError(f"the playlist has an invalid URL ({e}): {uri}") from None


class Ranges:
    """Byte ranges in their order: one without an offset follows the one before it in the same file."""

    def __init__(self) -> None:
        self._ends: dict[str, int] = {}

    def header(self, uri: str, written: str | None) -> str | None:
        """`1000@812` → `bytes=812-1811`."""
        if not written:
            return None
        length, _, offset = written.strip('"').partition("@")
        try:
            start = int(offset) if offset else self._ends.get(uri, 0)
            self._ends[uri] = end = start + int(length)
        except ValueError:
            raise UndecodableError(f"the playlist has an invalid byte range: {written}") from None
        return f"bytes={start}-{end - 1}"


def _variants(body: bytes, url: str) -> Items:
    """The variants of a master playlist."""
    playlist = load(body, url)
    names = [written["stream_info"].get("name") for written in playlist.data["playlists"]]
    return [_variant(listed, name, url) for listed, name in zip(playlist.playlists, names, strict=True)]


def _variant(listed: Any, name: str | None, url: str) -> dict[str, Any]:
    stream = listed.stream_info
    return {
        "uri": whole(listed.uri, url),
        "bandwidth": stream.bandwidth,
        "average_bandwidth": stream.average_bandwidth,
        "codecs": stream.codecs,
        "resolution": f"{stream.resolution[0]}x{stream.resolution[1]}" if stream.resolution else None,
        "frame_rate": stream.frame_rate,
        "name": name.strip('"') if name else None,
        "audio": _group(stream.audio),
        "subtitles": _group(stream.subtitles),
    }


def _group(written: str | None) -> str | None:
    return written.strip('"') if written else None


def _renditions(body: bytes, url: str) -> Items:
    """The alternative audio, subtitles and the like of a master playlist."""
    return [
        {
            "uri": whole(media.uri, url) if media.uri else None,
            "type": media.type,
            "group": media.group_id,
            "name": media.name,
            "language": media.language,
            "default": media.default == "YES",
        }
        for media in load(body, url).media
    ]


def _segments(body: bytes, url: str) -> Items:
    """The segments of a media playlist; `duration` in seconds, `number` by its media sequence."""
    playlist = load(body, url)
    ranges, maps = Ranges(), Ranges()
    return [
        {
            "uri": (uri := whole(segment.uri, url)),
            "duration": segment.duration,
            "title": segment.title,
            "number": number,
            "range": ranges.header(uri, segment.byterange),
            "map": _map(segment.init_section, url, maps),
            "key": _key(segment.key, url),
            "gap": bool(segment.gap_tag),
            "discontinuity": bool(segment.discontinuity),
        }
        for number, segment in numbered(playlist)
        if segment.uri
    ]


def _map(listed: Any, url: str, ranges: Ranges) -> dict[str, Any] | None:
    if listed is None or not listed.uri:
        return None
    uri = whole(listed.uri, url)
    return {"uri": uri, "range": ranges.header(uri, listed.byterange)}


def _key(listed: Any, url: str) -> dict[str, Any] | None:
    if listed is None or not listed.uri:
        return None
    return {"uri": whole(listed.uri, url), "method": listed.method, "iv": listed.iv}


def _parts(body: bytes, url: str) -> Items:
    """The partial segments of a low-latency playlist, also those whose segment is not whole yet."""
    ranges = Ranges()
    return [
        {
            "uri": (uri := whole(part.uri, url)),
            "duration": part.duration,
            "number": number,
            "range": ranges.header(uri, part.byterange),
            "independent": part.independent == "YES",
        }
        for number, segment in numbered(load(body, url))
        for part in segment.parts
        if part.uri
    ]


def numbered(playlist: Any) -> list[tuple[int, Any]]:
    """The segments with their numbers; the last may be one that has only parts so far."""
    first = (playlist.media_sequence or 0) + (playlist.skip.skipped_segments if playlist.skip else 0)
    return list(enumerate(playlist.segments, first))


class Playlists:
    """Reads playlists for all users. One for a process."""

    __slots__ = ("_held", "_kept")

    def __init__(self) -> None:
        self._kept: dict[tuple[Read, bytes, str], tuple[int, Items]] = {}
        self._held = 0  # bytes

    def reads(self, read: Read) -> Callable[[ResponseView], Items]:
        """What `read` finds in a response, read once for all who get the same."""

        def items(response: ResponseView) -> Items:
            key = (read, response.body, response.url)
            kept = self._kept.get(key)
            return self._first(key) if kept is None else kept[1]

        return items

    def _first(self, key: tuple[Read, bytes, str]) -> Items:
        read, body, url = key
        items = read(body, url)
        size = _COST + getsizeof(body) + getsizeof(url) + getsizeof(items) + sum(map(_size, items))
        if size <= _LARGEST:
            self._held += size
            self._kept[key] = size, items
            while self._held > _ROOM:
                self._held -= self._kept.pop(next(iter(self._kept)))[0]
        return items


def _size(item: dict[str, Any]) -> int:
    values = item.values()
    return getsizeof(item) + sum(_size(value) if isinstance(value, dict) else getsizeof(value) for value in values)


_reads = Playlists().reads
PLAYLISTS: dict[str, Callable[[ResponseView], Items]] = {
    "variants": _reads(_variants),
    "renditions": _reads(_renditions),
    "segments": _reads(_segments),
    "parts": _reads(_parts),
}
