"""More streams of every track, beside the plain one of hls.py: encrypted fragments, ranges of one file, and live ones.

    /hls/protected.m3u8   VOD: an AES-128 key, an init segment, fragments
    /hls/ranges.m3u8      VOD: each segment a byte range of one file
    /hls/live.m3u8        live: a window of WINDOW segments that moves on with the clock
    /hls/blocking.m3u8    the same, and its playlists can be asked for what is still to come (`_HLS_msn`)
    /hls/low-latency.m3u8 the same again, with parts of PART seconds (`_HLS_part`)

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
PART = 0.5  # seconds
PARTS = 4  # of a segment
IN_PARTS = 3  # segments whose parts are listed
FRAGMENTS = 12
OLDEST = 1000  # the first live segment's number
_LIVE = ("/hls/live/", "/hls/blocking/", "/hls/low-latency/")
KEY = b"application/octet-stream"
FRAGMENT = b"video/iso.segment"
_PARTS_AS_WRITTEN = frozenset(map(str, range(PARTS)))
_HAIR = 0.001  # seconds: who was told to wait until a part is there finds it


class SandboxStreams:
    """Replies by the path that follows a track's identifier. Live ones go by a clock of their own."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._files = dict[str, bytes]()  # served whole, or in ranges
        self._fixed = self._protected() | self._ranges() | self._live()
        self._segments = {rate: self._live_segment(rate) for rate in VARIANTS}
        self._parts = {rate: self._live_segment(rate, PARTS) for rate in VARIANTS}
        self._gone = refusal(f"{ROUTE}/live/…", 404, "this segment is not there, or no more")

    def find(self, path: str, wanted: bytes | None) -> Reply | None:
        """What stands at a path; `wanted`: a Range header."""
        whole = self._files.get(path)
        if whole is not None:
            return part_of(whole, wanted)
        if path.startswith(_LIVE):
            return self._of_now(path)
        return self._fixed.get(path)

    def waits(self, path: str, query: bytes) -> float:
        """How many seconds a playlist is held back, until it has the segment that is asked for."""
        if not path.startswith(_LIVE[1:]) or b"_HLS_msn=" not in query:
            return 0.0
        asked = parse_qs(query.decode("latin-1"))
        (number, *_), (part, *_) = asked["_HLS_msn"], asked.get("_HLS_part", [""])
        if not number.isdecimal():
            return 0.0
        due = self._begun + (int(number[:9]) - OLDEST - WINDOW + 1) * LIVE_SEGMENT
        if path.startswith(_LIVE[2]) and part.isdecimal():
            due -= LIVE_SEGMENT - (min(int(part[:9]), PARTS) + 1) * PART
        return min(max(0.0, due - self._clock()), 3.0 * LIVE_SEGMENT)

    def _of_now(self, path: str) -> Reply:
        kind, variant, name = path.removeprefix("/hls/").split("/", 2) if path.count("/") == 4 else ("", "", "")
        rate = int(variant[:-1]) if variant[:-1].isdecimal() else 0
        if rate not in self._segments:
            return self._gone
        in_parts = int((self._clock() - self._begun + _HAIR) / PART)
        newest, parts = OLDEST + WINDOW - 1 + in_parts // PARTS, in_parts % PARTS
        if name == "playlist.m3u8":
            if kind == "low-latency":
                return reply(f"{ROUTE}/{kind}/…", low_latency_window(newest, parts), kind=PLAYLIST)
            return reply(f"{ROUTE}/{kind}/…", window(newest, blocks=kind == "blocking"), kind=PLAYLIST)
        number, _, part = name.removeprefix("live-").removesuffix(".ts").partition(".")
        if not number.isdecimal() or not newest - 2 * WINDOW < int(number) <= newest + 1:
            return self._gone
        if part in _PARTS_AS_WRITTEN and (int(number) <= newest or int(part) < parts):
            return self._parts[rate]
        return self._segments[rate] if int(number) <= newest and not part else self._gone

    def _live(self) -> dict[str, Reply]:
        return {
            f"/hls/{kind}.m3u8": reply(f"{ROUTE}/{kind}.m3u8", master_of(f"{kind}/"), kind=PLAYLIST)
            for kind in ("live", "blocking", "low-latency")
        }

    def _live_segment(self, rate: int, parts: int = 1) -> Reply:
        """One of so many equal parts of a segment."""
        body = make_segment(rate)[: rate * 1000 // 8 * LIVE_SEGMENT // parts]
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


def low_latency_window(newest: int, parts: int) -> bytes:
    """The same with parts, of which the next segment has so many."""
    first = newest - WINDOW + 1
    lines = head(LIVE_SEGMENT, "#EXT-X-VERSION:9", f"#EXT-X-PART-INF:PART-TARGET={PART}")
    lines.append(f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={3 * PART}")
    lines.append(f"#EXT-X-MEDIA-SEQUENCE:{first}")
    for number in range(first, newest + 1):
        if number > newest - IN_PARTS:
            lines += listed_parts(number, PARTS)
        lines += [f"#EXTINF:{LIVE_SEGMENT:.3f},", f"live-{number}.ts"]
    lines += listed_parts(newest + 1, parts)
    lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="live-{newest + 1}.{parts}.ts"')
    return "\n".join([*lines, ""]).encode()


def listed_parts(number: int, parts: int) -> list[str]:
    return [f'#EXT-X-PART:DURATION={PART},INDEPENDENT=YES,URI="live-{number}.{part}.ts"' for part in range(parts)]


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
