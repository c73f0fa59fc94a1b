"""Sound that is apart: what is heard with a segment, of a playlist of its own.

Laws: with each segment, or part of one, as much is fetched as belongs to it: by its number in a live stream, by its
time in any other. A playlist of sound is loaded once, and of a live stream again when it has nothing more.
"""

from vezaflow.engine.stream_cursor import KnownPlaylist, StreamCursor
from vezaflow.engine.stream_playlists import PlaylistLoader
from vezaflow.engine.stream_segments import SegmentLoader
from vezaflow.engine.stream_session import StreamSession
from vezaflow.engine.vu import VU
from vezaflow.plan import MediaPlaylist, MediaSegment

_HAIR = 0.001  # seconds


class SeparateAudio:
    """One session's, of all the playlists that its variants name."""

    __slots__ = ("_places", "_playlists", "_segments", "_session")

    def __init__(self, session: StreamSession, playlists: PlaylistLoader, segments: SegmentLoader) -> None:
        self._session = session
        self._playlists = playlists
        self._segments = segments
        self._places: dict[str, tuple[KnownPlaylist, StreamCursor | None]] = {}

    async def bring(self, vu: VU, uri: str, segment: MediaSegment, cursor: StreamCursor) -> bool:
        """Fetch what is heard with a segment, where the session is in the stream. Whether it came."""
        session, live = self._session, cursor.number is not None
        if uri not in self._places:
            self._places[uri] = KnownPlaylist(uri), None
        track, place = self._places[uri]
        while not session.signal and not session.failed:
            if session.player.left <= 0:
                return True
            media = track.media
            if media is None:
                await self._playlists.load_as(vu, track)
                if track.media is None:
                    return False
                continue
            if place is None:
                place = _beside(media, segment, cursor)
                self._places[uri] = track, place
            found = place.next(media)
            if found is None and not media.ended and (segment.part is None or media.parts):
                await self._playlists.reload_as(vu, track)
                continue
            if found is None or (_later(found, segment) if live else found.start >= segment.end - _HAIR):
                return True
            place.passed(found)
            if not found.gap and await self._segments.fetch(vu, found, None) is None:
                return False
        return False


def _beside(media: MediaPlaylist, segment: MediaSegment, cursor: StreamCursor) -> StreamCursor:
    """Where a segment is in a playlist of sound."""
    place = StreamCursor(media)
    place.position = segment.start
    if cursor.number is not None:
        place.number = segment.number
        place.part = (segment.part or 0) if media.parts else 0
    return place


def _later(found: MediaSegment, segment: MediaSegment) -> bool:
    """Whether sound of a live stream belongs to what comes behind a segment."""
    if found.number != segment.number or found.part is None or segment.part is None:
        return found.number > segment.number
    return found.part > segment.part
