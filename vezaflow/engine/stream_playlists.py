"""Playlists of a session: loaded when they are needed, those of a live stream again when they are due (RFC 8216bis).

Laws: one that can't be had ends the session, but for one that is known already and a step that goes on. Where the
server can say when there is something new, it is asked to, under a name that no gate judges.
"""

from vezaflow.engine.bitrate import Throughput
from vezaflow.engine.cmcd import Asked
from vezaflow.engine.stream_cursor import KnownPlaylist, StreamCursor
from vezaflow.engine.stream_session import StreamSession
from vezaflow.model import Fetched
from vezaflow.plan import Failure, MediaPlaylist, Resource
from vezaflow.protocols import ErrorKind
from vezaflow.units import duration


class PlaylistLoader:
    """One session's."""

    __slots__ = ("_session",)

    def __init__(self, session: StreamSession) -> None:
        self._session = session

    async def loaded(self, track: KnownPlaylist, cursor: StreamCursor | None) -> bool:
        """Whether the level's playlist is there, and as new as one that was loaded for another level."""
        media = track.media
        if media is not None:
            behind = cursor is not None and cursor.number is not None and cursor.number >= media.next
            if media.ended or not behind or track.asked + media.target > self._session.clock():
                return True
        await self.load(track)
        return track.media is not None and not self._session.signal

    async def load(self, track: KnownPlaylist, *, blocking: bool = False) -> None:
        """Ask for a playlist; `blocking`: the server is to wait until it has something new."""
        session, media = self._session, track.media
        source = session.shared.sources[Fetched.PLAYLIST]
        uri, via = track.uri, source
        if blocking and media is not None:
            uri, via = f"{uri}{'&' if '?' in uri else '?'}_HLS_msn={media.next}", session.shared.blocking
        asked = session.clock()
        session.reading.forget()
        outcome = await session.fetch(via, session.vu, Resource(uri), Asked(Fetched.PLAYLIST))
        found, rule = session.reading.found, session.variants.rule
        if outcome.failure is None and isinstance(found, MediaPlaylist):
            track.take(found, asked)
            if isinstance(rule, Throughput) and outcome.exchange is not None:
                rule.playlist(outcome.exchange.ended - outcome.exchange.first)
            return
        track.asked, track.changed, track.grew = asked, False, False
        if outcome.failure is not None:
            session.end(source, outcome.failure, goes_on=media is not None)

    async def reload(self, track: KnownPlaylist) -> None:
        """A live stream has nothing new: look again when it is due, or ask the server to say when there is."""
        session, media = self._session, track.media
        assert media is not None
        if media.blocks and track.grew:
            await self.load(track, blocking=True)
            return
        await session.sleep(max(0.0, track.due - session.clock()))
        if session.player.left > 0 and not self._late():
            await self.load(track)

    def _late(self) -> bool:
        """Whether a session has waited for its first segment as long as for a response: then it fails."""
        session = self._session
        source = session.shared.sources[Fetched.PLAYLIST]
        seconds = source.judge.options.timeout
        if session.fetched or session.clock() - session.began < seconds:
            return False
        message = f"the live stream had no segment to play within {duration(seconds)}"
        session.end(source, Failure(ErrorKind.EXTRACTION, "VF603", message, session.step.span))
        return True
