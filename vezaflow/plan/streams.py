"""HLS playlists as a player needs them: which variants there are, which segments, and when to look again (RFC 8216bis).

Laws: all URIs are absolute, a byte range is its Range header; what a player can't use (segments that are announced
only, keys of other systems than HTTP) is not there. What is parsed is kept by content, URL and imported variables, for
listeners read the same few playlists. It can be printed in one line, for people who look on.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from vezaflow.plan.playlists import NOTHING_DEFINED, Ranges, load, numbered, variables, whole
from vezaflow.plan.response import UndecodableError
from vezaflow.units import counted, duration

_KEPT = 256  # playlists
_LARGEST = 256 << 10  # bytes of one that is kept
_VIDEO = ("avc", "hvc", "hev", "vp0", "vp9", "av01", "dvh", "dva")  # how a video codec's name begins
_FEW = 0.001  # seconds


class Resource(NamedTuple):
    """What is fetched, and the Range header that asks for a part of it."""

    uri: str
    range: str | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """A variant; `audio` is the playlist of its sound, where that is apart; `sound_only`: its codecs say that there is
    nothing to see."""

    uri: str
    bandwidth: int  # bits per second
    average: int
    audio: str | None
    sound_only: bool = False


@dataclass(frozen=True, slots=True)
class MediaSegment:
    """Or a part of one. `start`: where it begins, in seconds from the playlist's first one; `part`: its number in its
    segment; `independent`: it can be played without what comes before it."""

    number: int  # by its media sequence
    start: float
    duration: float
    resource: Resource
    init: Resource | None
    key: str | None
    gap: bool
    part: int | None = None
    independent: bool = True

    @property
    def end(self) -> float:
        return self.start + self.duration


_NO_PARTS: Mapping[int, tuple[MediaSegment, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """A media playlist. `blocks`: it can be asked for before it has what comes next. `hold_back`: how far from its end
    to play, in seconds. `parts`: those of a low-latency stream by the number of their segment, the next one among them;
    none where the playlist does not block, for who polls gains nothing by them."""

    segments: tuple[MediaSegment, ...]
    first: int  # media sequence
    target: float  # seconds
    ended: bool
    hold_back: float
    blocks: bool
    parts: Mapping[int, tuple[MediaSegment, ...]]

    @property
    def next(self) -> int:
        """The number of the segment that comes behind the last."""
        return self.first + len(self.segments) if not self.segments else self.segments[-1].number + 1

    @property
    def edge(self) -> tuple[int, int]:
        """What comes next: the number of a segment, and that of its part."""
        return self.next, len(self.parts.get(self.next, ()))

    @property
    def seconds(self) -> float:
        newest = self.parts.get(self.next) or self.segments
        return newest[-1].end if newest else 0.0

    def pieces(self) -> Iterator[MediaSegment]:
        """What a player fetches one after another: parts where they are listed, segments elsewhere."""
        for segment in self.segments:
            yield from self.parts.get(segment.number, (segment,))
        yield from self.parts.get(self.next, ())

    def __str__(self) -> str:
        kind = "all of it" if self.ended else f"live, from number {self.first}"
        kind = f"{kind}, with parts" if self.parts else kind
        return f"{counted(len(self.segments), 'segment')}, {duration(self.seconds)}, {kind}"


@dataclass(frozen=True, slots=True)
class MasterPlaylist:
    """A master playlist: its variants by rising bandwidth, the position among them of the one that it lists first, and
    the variables that others may import."""

    levels: tuple[Level, ...]
    first: int
    defined: Mapping[str, str]

    def __str__(self) -> str:
        rates = ", ".join(f"{level.bandwidth // 1000}" for level in self.levels)
        return f"{counted(len(self.levels), 'variant')}: {rates} kbit/s"


Playlist = MasterPlaylist | MediaPlaylist
P = TypeVar("P", bound=Playlist)


class KeptPlaylists(Generic[P]):
    """Playlists that were read, kept for who gets the same. One for a process."""

    def __init__(self, read: Callable[[bytes, str, Mapping[str, str]], P]) -> None:
        self._read = read
        self._kept: OrderedDict[tuple[bytes, str, tuple[tuple[str, str], ...]], P] = OrderedDict()

    def take(self, body: bytes, url: str, imported: Mapping[str, str] = NOTHING_DEFINED) -> P:
        """The playlist that a response from `url` holds. Raises UndecodableError."""
        key = (body, url, tuple(imported.items()))
        found = self._kept.get(key)
        if found is None:
            found = self._read(body, url, imported)
            if len(body) <= _LARGEST:
                self._kept[key] = found
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return found


def _any(body: bytes, url: str, imported: Mapping[str, str]) -> Playlist:
    playlist = load(body, url, imported)
    return _master(playlist, url, variables(body, url)) if playlist.is_variant else _media_of(playlist, url)


def _media(body: bytes, url: str, imported: Mapping[str, str]) -> MediaPlaylist:
    playlist = load(body, url, imported)
    if playlist.is_variant:
        raise UndecodableError("this is a master playlist, where a media playlist was expected")
    return _media_of(playlist, url)


def _master(playlist: Any, url: str, defined: Mapping[str, str]) -> MasterPlaylist:
    """Of variants with the same bandwidth the first; where some have pictures, those alone that do."""
    audio = dict(_audio(playlist, url))
    listed = [variant for variant in playlist.playlists if variant.uri and variant.stream_info.bandwidth]
    seen = [variant for variant in listed if _has_pictures(variant.stream_info)] or listed
    levels: dict[int, Level] = {}
    for variant in seen:
        stream = variant.stream_info
        group = (stream.audio or "").strip('"')
        level = Level(
            whole(variant.uri, url),
            stream.bandwidth,
            stream.average_bandwidth or stream.bandwidth,
            audio.get(group),
            sound_only=bool(stream.codecs) and not _has_pictures(stream),
        )
        levels.setdefault(level.bandwidth, level)
    if not levels:
        raise UndecodableError("the master playlist has no variant with a BANDWIDTH")
    rising = sorted(levels)
    return MasterPlaylist(tuple(levels[bandwidth] for bandwidth in rising), rising.index(next(iter(levels))), defined)


def _has_pictures(stream: Any) -> bool:
    codecs = [codec.strip() for codec in (stream.codecs or "").strip('"').split(",")]
    return bool(stream.resolution) or any(codec.startswith(_VIDEO) for codec in codecs)


def _audio(playlist: Any, url: str) -> Iterator[tuple[str, str | None]]:
    """By group, the rendition that plays by default; None where it is in the variant's own segments."""
    found: dict[str, Any] = {}
    for media in playlist.media:
        if media.type == "AUDIO" and (media.group_id not in found or media.default == "YES"):
            found[media.group_id] = media
    return ((group, whole(media.uri, url) if media.uri else None) for group, media in found.items())


def _media_of(playlist: Any, url: str) -> MediaPlaylist:
    segments, control = tuple(_segments(playlist, url)), playlist.server_control
    longest = max((segment.duration for segment in segments), default=0.0)
    target = float(playlist.target_duration or longest or 1.0)
    hold_back, blocks = getattr(control, "hold_back", None), getattr(control, "can_block_reload", None) == "YES"
    parts, each = _NO_PARTS, getattr(playlist.part_inf, "part_target", None) or 0.0
    if blocks and each and not playlist.is_endlist:
        parts = _parts(playlist, url, segments)
    if parts:
        hold_back = getattr(control, "part_hold_back", None) or 3 * each
    return MediaPlaylist(
        segments,
        playlist.media_sequence or 0,
        target,
        bool(playlist.is_endlist),
        float(hold_back or 3 * target),
        blocks,
        parts,
    )


def _parts(playlist: Any, url: str, whole_ones: tuple[MediaSegment, ...]) -> Mapping[int, tuple[MediaSegment, ...]]:
    """The parts that are listed, by the number of their segment."""
    known = {segment.number: segment for segment in whole_ones}
    last = whole_ones[-1] if whole_ones else None
    start, ranges = last.end if last is not None else 0.0, Ranges()
    found = {}
    for number, listed in numbered(playlist):
        segment = known.get(number)
        like = segment or last  # one that is not whole is encrypted as the last that is
        at, parts = segment.start if segment is not None else start, list[MediaSegment]()
        for part in listed.parts:
            uri = whole(part.uri, url)
            resource, lasts = Resource(uri, ranges.header(uri, part.byterange)), max(_FEW, float(part.duration))
            init, key = (like.init, like.key) if like is not None else (None, None)
            alone = part.independent == "YES" or not parts
            parts.append(MediaSegment(number, at, lasts, resource, init, key, part.gap == "YES", len(parts), alone))
            at += lasts
        if parts:
            found[number] = tuple(parts)
    return found


def _segments(playlist: Any, url: str) -> Iterator[MediaSegment]:
    ranges, maps = Ranges(), Ranges()
    inits: dict[int, Resource] = {}  # by the library's own objects: one EXT-X-MAP stands for many segments
    start = 0.0
    for number, listed in numbered(playlist):
        if not listed.uri or listed.duration is None:
            continue  # only parts of it are there
        uri = whole(listed.uri, url)
        mapped, init = listed.init_section, None
        if mapped is not None and mapped.uri:
            if id(mapped) not in inits:
                at = whole(mapped.uri, url)
                inits[id(mapped)] = Resource(at, maps.header(at, mapped.byterange))
            init = inits[id(mapped)]
        resource = Resource(uri, ranges.header(uri, listed.byterange))
        lasts = max(_FEW, float(listed.duration))
        yield MediaSegment(number, start, lasts, resource, init, _key(listed.key, url), bool(listed.gap_tag))
        start += lasts


def _key(listed: Any, url: str) -> str | None:
    """Where an AES key is fetched; None for none, and for those of DRM systems."""
    if listed is None or not listed.uri or listed.method in (None, "NONE"):
        return None
    if listed.keyformat not in (None, "", "identity"):
        return None
    uri = whole(listed.uri, url)
    return uri if uri.startswith(("http://", "https://")) else None


STREAMS: KeptPlaylists[Playlist] = KeptPlaylists(_any)
MEDIA: KeptPlaylists[MediaPlaylist] = KeptPlaylists(_media)
