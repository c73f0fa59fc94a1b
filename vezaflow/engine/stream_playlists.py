"""Playlists of a session: loaded when they are needed, those of a live stream again when they are due (RFC 8216bis).

Laws: one that can't be had ends the session, but for one that is known already and a step that goes on. Where the
server can say when there is something new, it is asked to, for a part where the stream has them, under a name that no
gate judges; where it answers at once without anything new, it is asked again when it is due, as any other.
"""

from math import inf

import trio

from vezaflow.engine.bitrate import Throughput
from vezaflow.engine.cmcd import Purpose
from vezaflow.engine.stream_cursor import KnownPlaylist, StreamCursor
from vezaflow.engine.stream_session import StreamSession
from vezaflow.engine.vu import VU
from vezaflow.model import Fetched
from vezaflow.plan import Failure, MediaPlaylist, Resource
from vezaflow.protocols import ErrorKind
from vezaflow.units import duration

_PLAYLIST = Purpose(Fetched.PLAYLIST)


class PlaylistLoader:
    """One session's."""

    __slots__ = ("_newest", "_session")

    def __init__(self, session: StreamSession) -> None:
        self._session = session
        self._newest: KnownPlaylist | None = None  # of those of variants the one that was loaded last

    async def loaded(self, track: KnownPlaylist, cursor: StreamCursor | None) -> bool:
        """Whether the level's playlist is there, and as new as one that was loaded for another level."""
        media = track.media
        if media is not None:
            if media.ended or self._newest in (track, None) or cursor is None or cursor.number is None:
                return True
            behind = (cursor.number, cursor.part) >= media.edge
            if not behind or track.asked + media.target > self._session.clock():
                return True
        await self.load(track)
        return track.media is not None and not self._session.signal

    async def load(self, track: KnownPlaylist, *, blocking: bool = False) -> None:
        """Ask for a variant's playlist; `blocking`: the server is to wait until it has something new."""
        session, self._newest = self._session, track
        took, rule = await self.load_as(session.vu, track, blocking=blocking), session.variants.rule
        if took is not None and isinstance(rule, Throughput):
            rule.playlist(took)

    async def load_as(self, vu: VU, track: KnownPlaylist, *, blocking: bool = False) -> float | None:
        """Ask for any playlist: how long it took from its first byte on, if it came."""
        session, media = self._session, track.media
        source = session.shared.sources[Fetched.PLAYLIST]
        uri, via, asked = track.uri, source, session.clock()
        if blocking and media is not None:
            uri, via = _what_comes_next(uri, media), session.shared.blocking
        session.reading.forget()
        outcome = None
        if via is source:
            outcome = await session.fetch(via, vu, Resource(uri), _PLAYLIST)
        else:
            with trio.move_on_after(self._patience()):
                outcome = await session.fetch(via, vu, Resource(uri), _PLAYLIST)
        if outcome is None:
            via.given_up(vu.client.exchange)
            return None
        found = session.reading.found
        if outcome.failure is None and isinstance(found, MediaPlaylist) and outcome.exchange is not None:
            track.take(found, session.clock() if blocking else asked)  # it was held back until it was new
            return outcome.exchange.ended - outcome.exchange.first
        track.asked, track.changed, track.grew = asked, False, False
        if outcome.failure is not None:
            session.end(source, outcome.failure, goes_on=media is not None)
        return None

    async def reload(self, track: KnownPlaylist) -> None:
        """A live stream has nothing new: look again when it is due, or ask the server to say when there is."""
        if self._may_block(track):
            await self.load(track, blocking=True)
        elif await self._due(track):
            await self.load(track)

    async def reload_as(self, vu: VU, track: KnownPlaylist) -> None:
        """The same for a playlist of another kind."""
        if self._may_block(track):
            await self.load_as(vu, track, blocking=True)
        elif await self._due(track):
            await self.load_as(vu, track)

    def _may_block(self, track: KnownPlaylist) -> bool:
        """Whether the server is asked to wait: not again where it answered at once with nothing new."""
        return track.media is not None and track.media.blocks and track.grew

    def _patience(self) -> float:
        """How many seconds the server may wait: as long as the player plays."""
        session, player = self._session, self._session.player
        session.tick(session.clock())
        return player.left if player.started is not None and player.buffered >= player.left else inf

    async def _due(self, track: KnownPlaylist) -> bool:
        """Wait until it is, or all is played; whether it is to be loaded then."""
        session, player = self._session, self._session.player
        seconds = max(0.0, track.due - session.clock())
        await session.sleep(seconds if player.started is None else min(seconds, player.left))
        return player.left > 0 and session.clock() >= track.due and not self._late()

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


def _what_comes_next(uri: str, media: MediaPlaylist) -> str:
    """The URI of a playlist that has what this one has not yet."""
    number, part = media.edge
    asked = f"_HLS_msn={number}&_HLS_part={part}" if media.parts else f"_HLS_msn={number}"
    return f"{uri}{'&' if '?' in uri else '?'}{asked}"
