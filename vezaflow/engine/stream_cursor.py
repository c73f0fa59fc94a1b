"""Where a listener is in a stream, and what it knows of its playlists.

Law: pure: no request is made here and no clock is read; whoever plays says when it is.
"""

from bisect import bisect_right
from operator import attrgetter

from vezaflow.plan import MediaPlaylist, MediaSegment

_SOONEST = 0.1  # seconds between two reloads of a live playlist, whatever its target duration
_STALE = 3  # reloads in a row that are older than what is known: the server has begun anew
_HAIR = 0.001  # seconds
_end = attrgetter("end")


class KnownPlaylist:
    """A playlist as one session knows it."""

    __slots__ = ("asked", "changed", "grew", "media", "stale", "updated", "uri")

    def __init__(self, uri: str, media: MediaPlaylist | None = None, now: float = 0.0) -> None:
        self.uri = uri
        self.media = media
        self.asked = self.updated = now  # when it was asked for, and when it was last another one
        self.changed = self.grew = True  # by what it had that was new, and whether that were segments
        self.stale = 0  # how often in a row it was older than what is known

    def take(self, media: MediaPlaylist, asked: float) -> None:
        """It is loaded."""
        known, self.asked = self.media, asked
        if known is not None and known.edge > media.edge and not media.ended and self.stale < _STALE:
            self.stale += 1  # of a cache that is behind, most likely
            self.changed = self.grew = False
            return
        self.changed = known is None or media is not known
        self.grew = known is None or media.edge != known.edge
        self.stale, self.media = 0, media
        if self.changed:
            self.updated = asked

    @property
    def due(self) -> float:
        """When to load it again (RFC 8216bis, 6.3.4)."""
        target = self.media.target if self.media is not None else 1.0
        return self.asked + max(_SOONEST, target if self.changed else target / 2)


class StreamCursor:
    """Where a session is in a stream: by the clock of the media, or in a live one by the numbers of its segments and,
    in one of low latency, of their parts."""

    __slots__ = ("_had", "number", "part", "position", "skips")

    def __init__(self, media: MediaPlaylist) -> None:
        self.position = 0.0
        self.skips = 0.0  # seconds of the next segment that lie before the place where a live stream is joined
        self.number: int | None = None
        self.part = 0
        self._had = 0.0  # seconds of parts that were taken of this segment
        if not media.ended:
            self.join(media)

    def join(self, media: MediaPlaylist) -> None:
        """As far behind the end of a live playlist as it asks for."""
        wanted = media.seconds - media.hold_back
        found = None
        for piece in media.pieces():
            if piece.start > wanted:
                break
            found = piece if piece.independent else found
        self._had = 0.0
        if found is not None:
            self.number, self.part = found.number, found.part or 0
            self.skips = min(wanted - found.start, found.duration / 2)
        else:
            self.number, self.part = media.segments[0].number if media.segments else media.first, 0
            self.skips = 0.0

    def next(self, media: MediaPlaylist) -> MediaSegment | None:
        """What comes next; None: nothing that is there."""
        segments = media.segments
        if self.number is None:
            at = bisect_right(segments, self.position + _HAIR, key=_end)
            return segments[at] if at < len(segments) else None
        if not segments and not media.parts:
            return None
        first = segments[0].number if segments else media.first
        if not first <= self.number <= media.next + _STALE:  # it fell out of the window
            self.join(media)
        parts = media.parts.get(self.number, ())
        if parts and self.part >= len(parts) and self.number < media.next:
            self.number, self.part, self._had = self.number + 1, 0, 0.0
            parts = media.parts.get(self.number, ())
        if self.part < len(parts):
            return parts[self.part]
        at = self.number - first
        if parts or at >= len(segments):
            return None
        if self.part:  # its parts are listed no more: the segment, of which some has been played
            self.skips = min(self._had, segments[at].duration)
        return segments[at]

    def passed(self, segment: MediaSegment) -> None:
        """This one is done."""
        self.position, self.skips = segment.end, 0.0
        if self.number is None:
            return
        if segment.part is None:
            self.number, self.part, self._had = segment.number + 1, 0, 0.0
        else:
            self.number, self.part, self._had = segment.number, segment.part + 1, self._had + segment.duration
