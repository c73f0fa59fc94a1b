"""More streams of every track, beside the plain one of hls.py: encrypted fragments, ranges of one file, and live ones.

    /hls/protected.m3u8   VOD: an AES-128 key, an init segment, fragments
    /hls/ranges.m3u8      VOD: each segment a byte range of one file
    /hls/live.m3u8        live: a window of WINDOW segments that moves on with the clock
    /hls/blocking.m3u8    the same, and its playlists can be asked for what is still to come (`_HLS_msn`)

The music is noise here, too, and so needs no cipher.
"""

from collections.abc import Callable
from random import Random
from time import monotonic
from urllib.parse import parse_qs

from vezaflow.sandbox.hls import ROUTE, SEGMENT, VARIANTS, make_segment, master_of
from vezaflow.sandbox.reply import PLAYLIST, TRANSPORT_STREAM, Reply, refusal, reply

LIVE_SEGMENT = 2  # seconds
WINDOW = 6  # segments
FRAGMENTS = 12
OLDEST = 1000  # the first live segment's number
KEY = b"application/octet-stream"
FRAGMENT = b"video/iso.segment"


class SandboxStreams:
    """Replies by the path that follows a track's identifier. Live ones go by a clock of their own."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._files = dict[str, bytes]()  # served whole, or in ranges
        self._fixed = self._protected() | self._ranges() | self._live()
        self._segments = {rate: self._live_segment(rate) for rate in VARIANTS}
        self._gone = refusal(f"{ROUTE}/live/…", 404, "this segment is not there, or no more")

    def find(self, path: str, wanted: bytes | None) -> Reply | None:
        """What stands at a path; `wanted`: a Range header."""
        whole = self._files.get(path)
        if whole is not None:
            return part_of(whole, wanted)
        if path.startswith(("/hls/live/", "/hls/blocking/")):
            return self._of_now(path)
        return self._fixed.get(path)

    def waits(self, path: str, query: bytes) -> float:
        """How many seconds a playlist is held back, until it has the segment that is asked for."""
        if not path.startswith("/hls/blocking/") or b"_HLS_msn=" not in query:
            return 0.0
        (number, *_) = parse_qs(query.decode("latin-1")).get("_HLS_msn", [""])
        if not number.isdecimal():
            return 0.0
        due = self._begun + (int(number[:9]) - OLDEST - WINDOW + 1) * LIVE_SEGMENT
        return min(max(0.0, due - self._clock()), 3.0 * LIVE_SEGMENT)

    def _of_now(self, path: str) -> Reply:
        kind, variant, name = path.removeprefix("/hls/").split("/", 2) if path.count("/") == 4 else ("", "", "")
        rate = int(variant[:-1]) if variant[:-1].isdecimal() else 0
        if rate not in self._segments:
            return self._gone
        newest = OLDEST + WINDOW - 1 + int((self._clock() - self._begun) / LIVE_SEGMENT)
        if name == "playlist.m3u8":
            return reply(f"{ROUTE}/{kind}/…", window(newest, blocks=kind == "blocking"), kind=PLAYLIST)
        number = name.removeprefix("live-").removesuffix(".ts")
        there = number.isdecimal() and newest - 2 * WINDOW < int(number) <= newest
        return self._segments[rate] if there else self._gone

    def _live(self) -> dict[str, Reply]:
        return {
            f"/hls/{kind}.m3u8": reply(f"{ROUTE}/{kind}.m3u8", master_of(f"{kind}/"), kind=PLAYLIST)
            for kind in ("live", "blocking")
        }

    def _live_segment(self, rate: int) -> Reply:
        body = make_segment(rate)[: rate * 1000 // 8 * LIVE_SEGMENT]
        return reply(f"{ROUTE}/live/{{variant}}/{{segment}}.ts", body, kind=TRANSPORT_STREAM)

    def _protected(self) -> dict[str, Reply]:
        found = {"/hls/protected.m3u8": reply(f"{ROUTE}/protected.m3u8", master_of("protected/"), kind=PLAYLIST)}
        found["/hls/protected/key"] = reply(f"{ROUTE}/protected/key", Random(0).randbytes(16), kind=KEY)
        for rate in VARIANTS:
            place = f"/hls/protected/{rate}k"
            fragment = reply(f"{ROUTE}/protected/{{variant}}/{{fragment}}", make_segment(rate), kind=FRAGMENT)
            found[f"{place}/playlist.m3u8"] = reply(f"{ROUTE}/protected/…", protected_playlist(), kind=PLAYLIST)
            found[f"{place}/init.mp4"] = reply(f"{ROUTE}/protected/…", Random(rate).randbytes(800), kind=FRAGMENT)
            found |= {f"{place}/fragment-{number}.m4s": fragment for number in range(FRAGMENTS)}
        return found

    def _ranges(self) -> dict[str, Reply]:
        found = {"/hls/ranges.m3u8": reply(f"{ROUTE}/ranges.m3u8", master_of("ranges/"), kind=PLAYLIST)}
        for rate in VARIANTS:
            segment = make_segment(rate)
            lines = head(SEGMENT, "#EXT-X-VERSION:4", "#EXT-X-PLAYLIST-TYPE:VOD")
            for number in range(FRAGMENTS):
                offset = f"@{0}" if number == 0 else ""  # the others follow the one before them
                lines += [f"#EXTINF:{SEGMENT:.3f},", f"#EXT-X-BYTERANGE:{len(segment)}{offset}", "all.ts"]
            found[f"/hls/ranges/{rate}k/playlist.m3u8"] = playlist(*lines, "#EXT-X-ENDLIST")
            self._files[f"/hls/ranges/{rate}k/all.ts"] = segment * FRAGMENTS
        return found


def head(target: int, *tags: str) -> list[str]:
    return ["#EXTM3U", *tags, f"#EXT-X-TARGETDURATION:{target}"]


def playlist(*lines: str) -> Reply:
    return reply(f"{ROUTE}/…", "\n".join([*lines, ""]).encode(), kind=PLAYLIST)


def protected_playlist() -> bytes:
    lines = head(SEGMENT, "#EXT-X-VERSION:7", "#EXT-X-PLAYLIST-TYPE:VOD")
    lines += ['#EXT-X-MAP:URI="init.mp4"', '#EXT-X-KEY:METHOD=AES-128,URI="../key"']
    for number in range(FRAGMENTS):
        lines += [f"#EXTINF:{SEGMENT:.3f},", f"fragment-{number}.m4s"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()


def window(newest: int, *, blocks: bool) -> bytes:
    """The playlist when this is the newest segment."""
    first = newest - WINDOW + 1
    lines = head(LIVE_SEGMENT, "#EXT-X-VERSION:6")
    if blocks:
        lines.append("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES")
    lines.append(f"#EXT-X-MEDIA-SEQUENCE:{first}")
    for number in range(first, newest + 1):
        lines += [f"#EXTINF:{LIVE_SEGMENT:.3f},", f"live-{number}.ts"]
    return "\n".join([*lines, ""]).encode()


def part_of(whole: bytes, wanted: bytes | None) -> Reply:
    """The file, or the one range of it that is asked for (RFC 9110, 14)."""
    route = f"{ROUTE}/ranges/{{variant}}/all.ts"
    first, _, last = (wanted or b"").removeprefix(b"bytes=").partition(b"-")
    if not first.isdigit() or not last.isdigit():
        return reply(route, whole, kind=TRANSPORT_STREAM)
    start, end = int(first), min(int(last), len(whole) - 1)
    if start > end:
        return refusal(route, 416, "this range is not in the file")
    place = (b"content-range", b"bytes %d-%d/%d" % (start, end, len(whole)))
    return reply(route, whole[start : end + 1], status=206, kind=TRANSPORT_STREAM, headers=(place,))
