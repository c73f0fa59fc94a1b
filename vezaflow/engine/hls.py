"""A listener: playlists and segments as a player asks for them, and what it hears.

    first URL ─▶ master ─▶ playlist ─▶ [key] ─▶ [init] ─▶ segment ─▶ buffer ─▶ playing, or standing still
                              ▲                             │  ▲
                              └── live: reload when due ────┘  └── as long as there is room in the buffer

Laws: a listener that waits, for room or for a live playlist, holds nothing but its connection. Variants change between
segments only. Playback is figured, not done: nothing is decoded.
"""

from dataclasses import replace

import trio

from vezaflow.engine.bitrate import Bola, Throughput
from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.separate_audio import SeparateAudio
from vezaflow.engine.stream_cursor import KnownPlaylist, StreamCursor
from vezaflow.engine.stream_playlists import PlaylistLoader
from vezaflow.engine.stream_segments import SegmentLoader
from vezaflow.engine.stream_session import LONGEST, Listeners, StreamRequests, StreamSession
from vezaflow.engine.together import Branches, ParallelTask, as_branch
from vezaflow.engine.vu import VU, Signal
from vezaflow.model import BLOCKING, Abr, Fetched
from vezaflow.plan import EvaluationError, Level, MasterPlaylist, MediaPlaylist, MediaSegment, PlannedHls
from vezaflow.units import counted, duration

GO_ON = Signal.GO_ON
_HAIR = 0.001  # seconds


def hls_step(step: PlannedHls, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU."""
    import m3u8  # noqa: F401  # its 20 ms now, not in the first listener's startup

    first = step.requests[Fetched.MASTER]
    sources = {
        fetched: StreamRequests(request, context.step(request.name, request.method, request.tags), context)
        for fetched, request in step.requests.items()
    }
    waits = replace(step.requests[Fetched.PLAYLIST], name=f"{step.name} {BLOCKING}")
    unjudged = context.step(waits.name, waits.method, waits.tags, judged=False)
    whole = context.step(step.name, "", first.tags)
    shared = Listeners(
        step,
        context,
        sources,
        StreamRequests(waits, unjudged, context),
        whole.listeners(),
        context.observer is not None,
    )
    attempts, clock = whole.attempts(), context.clock

    async def run(vu: VU) -> int:
        began = clock()
        session = StreamSession(shared, vu, began)
        listening = ListeningSession(session)
        try:
            signal = await listening.listen()
        except EvaluationError:
            attempts.ended(clock() - began, failed=True)
            raise
        finally:
            listening.close()
        attempts.ended(clock() - began, failed=session.failed)
        return signal

    return run


class ListeningSession:
    """From the first request to the last sound."""

    __slots__ = ("_audio", "_begun", "_last", "_media", "_over", "_playlists", "_segments", "_session", "_step")

    def __init__(self, session: StreamSession) -> None:
        self._session = session
        self._step = session.step
        self._playlists = PlaylistLoader(session)
        self._segments = SegmentLoader(session)
        self._audio = SeparateAudio(session, self._playlists, self._segments)
        self._over = False
        self._media = 0.0  # seconds of all segments that were fetched
        self._begun = 0  # segments of which anything was fetched
        self._last: MediaSegment | None = None

    async def listen(self) -> int:
        """What the iteration does when it is over. Raises EvaluationError."""
        session, step = self._session, self._step
        session.vu.slots[step.slot] = session.reading
        if await self._open():
            variants = session.variants
            if variants.rule is not None and step.realtime:
                await self._watched()
            else:
                await self._play()
        self._over = True
        return session.signal

    def close(self) -> None:
        """Record what has not been yet, also where the session is cut off."""
        session = self._session
        player, record, now = session.player, session.shared.record, session.clock()
        session.tick(now)
        if player.started is not None:
            standing = 0.0 if self._over else player.standing(now)
            if standing:
                record.stall()
                record.lasted(0.0, standing)
            record.over(player.stalled + standing)
        elif not session.fetched and (session.failed or self._over):
            record.not_started()
        if session.shared.shown:
            session.tell(self._summary())

    def _summary(self) -> str:
        player = self._session.player
        if player.started is None:
            return f"{counted(self._session.fetched, 'segment')}, {duration(self._media)} of media"
        stalls = f"{counted(player.stalls, 'stall')} ({duration(player.stalled)})" if player.stalls else "no stall"
        return f"played {duration(player.played)}, {stalls}, {duration(player.buffered)} left in the buffer"

    async def _open(self) -> bool:
        """The first request, and what the session plays of what it leads to."""
        session = self._session
        source, asked = session.shared.sources[Fetched.MASTER], session.clock()
        outcome = await session.begin(source)
        if outcome.failure is not None:
            session.end(source, outcome.failure)
            return False
        assert session.sent is not None
        url = session.sent.target.url
        match session.reading.found:
            case None:
                return False
            case MediaPlaylist() as media:
                session.variants.levels = (Level(url, 0, 0, None),)
                session.variants.tracks = [KnownPlaylist(url, media, asked)]
            case MasterPlaylist() as master:
                session.reading.imported = master.defined
                self._choose(master)
        return True

    def _choose(self, master: MasterPlaylist) -> None:
        """The variants of a master playlist that are played. Raises EvaluationError."""
        session, step, variants = self._session, self._step, self._session.variants
        levels = master.levels
        try:
            chosen = None if step.choose is None else step.choose(levels, session.vu)
        except EvaluationError:
            session.failed = True
            raise
        variants.levels = levels = levels if chosen is None else (chosen,)
        variants.tracks = [KnownPlaylist(level.uri) for level in levels]
        if len(levels) > 1:
            rule = Bola(levels, step.buffer) if step.abr is Abr.BOLA else Throughput(levels, master.first)
            variants.rule = rule
            variants.at = rule.next(0.0, 1.0, variants.known, live=False)

    async def _watched(self) -> None:
        """Play, with an eye on segments that come too slowly."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._segments.watch)
                await self._play()
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if group.split(trio.Cancelled)[1] is None:
                await trio.lowlevel.checkpoint_if_cancelled()  # as a plain step is cut off: by one Cancelled
            raise

    async def _play(self) -> None:
        """Fetch as there is room, until all was played that is to be."""
        session, step, player = self._session, self._step, self._session.player
        cursor: StreamCursor | None = None
        while not session.signal and not session.failed:
            session.tick(session.clock())
            if player.left <= _HAIR or self._enough(None):
                break
            track = session.variants.track
            if step.realtime and player.buffered > step.buffer:
                await self._rest(track)
                continue
            if not await self._playlists.loaded(track, cursor):
                continue
            media = track.media
            assert media is not None
            if cursor is None:
                cursor = StreamCursor(media)
            segment = cursor.next(media)
            if segment is None:
                if media.ended:
                    break
                await self._playlists.reload(track)
            elif self._enough(segment):
                break
            elif segment.gap:
                cursor.passed(segment)
            else:
                await self._take(segment, cursor)
        if not session.signal and step.realtime:
            await self._play_out()

    def _enough(self, coming: MediaSegment | None) -> bool:
        """Whether no further segment is wanted; `coming`: what would be next, where it is known already."""
        step, last = self._step, self._last
        if step.segments is not None and last is not None and self._begun >= step.segments:
            return last.part is None or (coming is not None and coming.number != last.number)
        return not step.realtime and self._media >= min(step.play, LONGEST)

    async def _play_out(self) -> None:
        """Nothing more comes: play what is there."""
        player = self._session.player
        while (rest := min(player.buffered, player.left)) > _HAIR:
            await self._session.sleep(rest)

    async def _rest(self, track: KnownPlaylist) -> None:
        """The buffer is full: until there is room, or the end of what is played, or a live playlist is due."""
        session, player = self._session, self._session.player
        now = session.clock()
        seconds = min(player.buffered - self._step.buffer + _HAIR, max(_HAIR, player.left))
        live = track.media is not None and not track.media.ended
        if live and track.due - now < seconds:
            await session.sleep(max(0.0, track.due - now))
            await self._playlists.load(track)
        else:
            await session.sleep(seconds)

    # -- segments -------------------------------------------------------------------------------------------------

    async def _take(self, segment: MediaSegment, cursor: StreamCursor) -> None:
        """Choose a level, fetch the segment, and put it into the buffer."""
        session, step, variants = self._session, self._step, self._session.variants
        if variants.rule is not None and segment.independent:
            buffered = session.player.buffered if step.realtime else step.buffer
            level = variants.rule.next(buffered, segment.duration, variants.known, live=cursor.number is not None)
            if level != variants.at:
                self._switch(level)
                track = variants.track
                if not await self._playlists.loaded(track, cursor) or track.media is None:
                    return
                found = cursor.next(track.media)
                if found is None or found.gap:
                    return  # the loop knows what to do with it
                segment = found
        if await self._bring(segment, cursor):
            self._arrived(segment, cursor)

    async def _bring(self, segment: MediaSegment, cursor: StreamCursor) -> bool:
        """Fetch a segment, and what is heard with it."""
        vu, audio = self._session.vu, self._session.variants.level.audio
        if audio is None:
            return await self._main(vu, segment, cursor)
        came = []

        async def main(branch: VU) -> int:
            came.append(await self._main(branch, segment, cursor))
            return GO_ON

        async def beside(branch: VU) -> int:
            came.append(await self._audio.bring(branch, audio, segment, cursor))
            return GO_ON

        tasks = [ParallelTask(run, (), as_branch(vu, vu.client.lane(), vu.random)) for run in (main, beside)]
        await Branches(vu, tasks, self._session.clock).run(len(tasks))
        return all(came)

    async def _main(self, vu: VU, segment: MediaSegment, cursor: StreamCursor) -> bool:
        session, variants = self._session, self._session.variants
        exchange = await self._segments.fetch(vu, segment, variants.level)
        if exchange is None:
            if not session.signal and not self._segments.given_up:
                cursor.passed(segment)  # a step that goes on leaves it out
            return False
        measured = session.measured(exchange)
        if variants.rule is not None:
            variants.rule.came(variants.at, *measured)
        session.shared.record.plays(variants.level.bandwidth or 8 * exchange.bytes_received / segment.duration)
        return True

    def _arrived(self, segment: MediaSegment, cursor: StreamCursor) -> None:
        """A segment is there to be played."""
        session, player, record = self._session, self._session.player, self._session.shared.record
        now, plays = session.clock(), segment.duration - cursor.skips
        cursor.passed(segment)
        session.fetched += 1
        self._begun += self._last is None or segment.part is None or segment.number != self._last.number
        self._last = segment
        self._media += segment.duration
        if session.fetched == 1:
            record.started(now - session.began)
            if session.shared.shown:
                session.tell(f"plays after {duration(now - session.began)}{self._quality()}")
        if not self._step.realtime:
            return
        stalls = player.stalls
        player.take(plays, now)
        if player.stalls > stalls and session.shared.shown:
            session.tell(f"a stall at {duration(player.played)}, {duration(player.stalled)} in all")
        session.tick(now)
        track = session.variants.track
        if cursor.number is not None and track.media is not None:
            record.behind(max(0.0, track.media.seconds - segment.end + player.buffered + now - track.updated))

    def _switch(self, level: int) -> None:
        session, variants = self._session, self._session.variants
        before, variants.at = variants.at, level
        if session.fetched:  # before that nothing was heard
            session.shared.record.switched()
            if session.shared.shown:
                rates = " → ".join(_kilobits(variants.levels[each]) for each in (before, level))
                ahead = duration(session.player.buffered)
                session.tell(f"at {duration(session.player.played)}: {rates}, {ahead} in the buffer")

    def _quality(self) -> str:
        level = self._session.variants.level
        return f", {_kilobits(level)}" if level.bandwidth else ""


def _kilobits(level: Level) -> str:
    return f"{level.bandwidth // 1000} kbit/s"
