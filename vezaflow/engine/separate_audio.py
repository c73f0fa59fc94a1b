"""Sound that is apart: what is heard with a segment, of a playlist of its own.

Laws: with each segment as much is fetched as belongs to it, by its number in a live stream, by its time in any other. A
playlist of sound is loaded once, and of a live stream again when it is due.
"""

from vezaflow.engine.cmcd import Asked
from vezaflow.engine.stream_cursor import KnownPlaylist, StreamCursor
from vezaflow.engine.stream_segments import SegmentLoader
from vezaflow.engine.stream_session import StreamSession
from vezaflow.engine.vu import VU
from vezaflow.model import Fetched
from vezaflow.plan import MediaPlaylist, MediaSegment, Resource

_HAIR = 0.001  # seconds


class SeparateAudio:
    """One session's, of all the playlists that its variants name."""

    __slots__ = ("_places", "_segments", "_session")

    def __init__(self, session: StreamSession, segments: SegmentLoader) -> None:
        self._session = session
        self._segments = segments
        self._places: dict[str, tuple[KnownPlaylist, StreamCursor | None]] = {}

    async def bring(self, vu: VU, uri: str, segment: MediaSegment, cursor: StreamCursor) -> bool:
        """Fetch what is heard with a segment, where the session is in the stream. Whether it came."""
        session, live = self._session, cursor.number is not None
        if uri not in self._places:
            self._places[uri] = KnownPlaylist(uri), None
        track, place = self._places[uri]
        while not session.signal:
            media = track.media
            if media is None or (place is not None and not media.ended and place.next(media) is None):
                if not await self._load(track):
                    return False
                continue
            if place is None:
                place = StreamCursor(media)
                place.position = segment.start
                if live:
                    place.number = segment.number
                self._places[uri] = track, place
            found = place.next(media)
            if found is None or (found.number > segment.number if live else found.start >= segment.end - _HAIR):
                return True
            place.passed(found)
            if not found.gap and await self._segments.fetch(vu, found, None) is None:
                return False
        return False

    async def _load(self, track: KnownPlaylist) -> bool:
        session = self._session
        if track.media is not None:
            await session.sleep(max(0.0, track.due - session.clock()))
        session.reading.forget()
        asked = session.clock()
        source = session.shared.sources[Fetched.PLAYLIST]
        outcome = await session.fetch(source, session.vu, Resource(track.uri), Asked(Fetched.PLAYLIST))
        if outcome.failure is not None:
            session.end(source, outcome.failure)
        if outcome.failure is not None or not isinstance(session.reading.found, MediaPlaylist):
            return False
        track.take(session.reading.found, asked)
        return True
