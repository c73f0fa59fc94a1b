"""A listener: playlists, keys, init segments and segments as a player asks for them, and what it hears.

    first URL ─▶ master ─▶ playlist ─▶ [key] ─▶ [init] ─▶ segment ─▶ buffer ─▶ playing, or standing still
                              ▲                             │  ▲
                              └── live: reload when due ────┘  └── as long as there is room in the buffer

Laws: every request is one like any other in the figures, under a name of its own; a failed one fails the step as its
`on_failure` says. A listener that waits, for room or for a live playlist, sleeps on the wheel and holds nothing but its
connection. A key and an init segment are fetched once a session. Playback is figured, not done: nothing is decoded.
"""

from dataclasses import replace
from typing import NamedTuple

import trio

from vezaflow.engine.bitrate import BitrateRule, Bola, Fetch, Throughput
from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.judging import RequestOutcome, ResponseJudge
from vezaflow.engine.own_time import HANDLING
from vezaflow.engine.pauses import wait_until
from vezaflow.engine.player import Player
from vezaflow.engine.stream_cursor import KnownPlaylist, StreamCursor
from vezaflow.engine.together import Branches, ParallelTask, as_branch
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import INTERRUPTED, ListenerRecorder, RequestRecorder
from vezaflow.model import BLOCKING, Abr, Fetched
from vezaflow.plan import (
    EvaluationError,
    Failure,
    Level,
    MasterPlaylist,
    MediaPlaylist,
    MediaSegment,
    Outgoing,
    PlannedHls,
    PlannedRequest,
    PlaylistReading,
    RequestError,
    Resource,
)
from vezaflow.protocols import ErrorKind, Exchange
from vezaflow.units import counted, duration

GO_ON = Signal.GO_ON
_LONGEST = 86_400.0  # seconds of a session: a stream without an end is left then
_LOOK = 0.1  # seconds between two looks at a segment under way, as hls.js's
_HAIR = 0.001  # seconds


class StreamRequests:
    """The requests of one purpose."""

    __slots__ = ("_context", "_record", "_request", "_simple", "judge")

    def __init__(self, request: PlannedRequest, record: RequestRecorder, context: FlowContext) -> None:
        self.judge = ResponseJudge(request, record, context)
        self._request = request
        self._record = record
        self._context = context
        self._simple = context.observer is None and not request.checks and not request.extracts

    async def fetch(self, vu: VU, outgoing: Outgoing) -> RequestOutcome:
        """Send it and judge the response."""
        exchange = await vu.client.send(outgoing.target.origin, outgoing.head, outgoing.body, self.judge.options)
        vu.time.own += exchange.took + HANDLING
        if self._simple and exchange.error is None and exchange.status < 300 and self._request.accepts[exchange.status]:
            self._answered(exchange)
            return RequestOutcome(None, exchange)
        return await self.judge.outcome(vu, outgoing, exchange)

    def given_up(self, exchange: Exchange) -> None:
        """The player cut it off: neither a success nor a failure."""
        now, sent, received = self._context.clock(), exchange.bytes_sent, exchange.bytes_received
        self._record.unanswered(INTERRUPTED, now, bytes_sent=sent, bytes_received=received)

    def _answered(self, exchange: Exchange) -> None:
        record, started, ended = self._record, exchange.started, exchange.ended
        if not exchange.reused:
            record.connected(exchange.blocked, exchange.connecting, exchange.tls)
        record.answered(
            exchange.status,
            ended - started,
            exchange.sent - started,
            ended - exchange.first,
            exchange.bytes_sent,
            exchange.bytes_received,
            "",
            ended,
        )


class Listeners(NamedTuple):
    """What all sessions of a step share."""

    step: PlannedHls
    context: FlowContext
    sources: dict[Fetched, StreamRequests]
    blocking: StreamRequests  # reloads that wait at the server: no gate judges their requests
    record: ListenerRecorder
    shown: bool


class UnderWay(NamedTuple):
    """A segment that may be given up."""

    scope: trio.CancelScope
    level: int
    plays: float
    began: float


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
        session = ListeningSession(shared, vu, began)
        try:
            signal = await session.listen()
        except EvaluationError:
            attempts.ended(clock() - began, failed=True)
            raise
        finally:
            session.close()
        attempts.ended(clock() - began, failed=session.failed)
        return signal

    return run


class ListeningSession:
    """One VU that listens once."""

    def __init__(self, shared: Listeners, vu: VU, began: float) -> None:
        step = shared.step
        self._shared = shared
        self._step = step
        self._vu = vu
        self._began = began
        self._clock = shared.context.clock
        self._player = Player(min(step.play, _LONGEST))
        self._signal: int = GO_ON
        self._over = False
        self._said = (0.0, 0.0, 0)  # played, stalled, stalls, as they are recorded
        self._fetched = 0  # segments
        self._media = 0.0  # seconds of them
        self._had: set[object] = set()  # keys and init segments
        self._reading = PlaylistReading()
        self._sent: Outgoing | None = None  # the first request, of which the others are made
        self._levels: tuple[Level, ...] = ()
        self._tracks: list[KnownPlaylist] = []
        self._audio: dict[str, tuple[KnownPlaylist, StreamCursor | None]] = {}
        self._at = 0  # the level of the last segment
        self._rule: BitrateRule | None = None
        self._watches = False  # whether segments that come too slowly are given up
        self._under_way: UnderWay | None = None
        self._given_up = False  # whether the last segment was
        self.failed = False

    # -- the session ----------------------------------------------------------------------------------------------

    async def listen(self) -> int:
        """From the first request to the last sound: what the iteration does then. Raises EvaluationError."""
        self._vu.slots[self._step.slot] = self._reading
        if await self._open():
            self._watches = self._rule is not None and self._step.realtime and not self._levels[0].audio
            if self._watches:
                await self._watched()
            else:
                await self._play()
        self._over = True
        return self._signal

    def close(self) -> None:
        """Record what has not been yet, also where the session is cut off."""
        player, record, now = self._player, self._shared.record, self._clock()
        self._tick(now)
        if player.started is not None:
            standing = 0.0 if self._over else player.standing(now)
            if standing:
                record.stall()
                record.lasted(0.0, standing)
            record.over(player.stalled + standing)
        elif not self._fetched and (self.failed or self._over):
            record.not_started()
        if self._shared.shown:
            self._shared.context.tell(self._summary())

    def _summary(self) -> str:
        player = self._player
        if player.started is None:
            return f"{counted(self._fetched, 'segment')}, {duration(self._media)} of media"
        stalls = f"{counted(player.stalls, 'stall')} ({duration(player.stalled)})" if player.stalls else "no stall"
        return f"played {duration(player.played)}, {stalls}, {duration(player.buffered)} left in the buffer"

    async def _open(self) -> bool:
        """The first request, and what the session plays of what it leads to."""
        source = self._shared.sources[Fetched.MASTER]
        try:
            self._sent = self._step.requests[Fetched.MASTER].prepare(self._vu)
        except EvaluationError as e:
            self._end(source, source.judge.unsent(e))
            return False
        asked = self._clock()
        outcome = await source.fetch(self._vu, self._sent)
        found = self._reading.found
        if outcome.failure is not None or found is None:
            if outcome.failure is not None:
                self._end(source, outcome.failure)
            return False
        match found:
            case MediaPlaylist():
                self._levels = (Level(self._sent.target.url, 0, 0, None),)
                self._tracks = [KnownPlaylist(self._sent.target.url, found, asked)]
            case MasterPlaylist():
                self._reading.imported = found.defined
                levels = found.levels
                try:
                    chosen = None if self._step.choose is None else self._step.choose(levels, self._vu)
                except EvaluationError:
                    self.failed = True
                    raise
                self._levels = levels if chosen is None else (chosen,)
                self._tracks = [KnownPlaylist(level.uri) for level in self._levels]
        if len(self._levels) > 1:
            assert isinstance(found, MasterPlaylist)
            bola = self._step.abr is Abr.BOLA
            self._rule = Bola(self._levels, self._step.buffer) if bola else Throughput(self._levels, found.first)
            self._at = self._rule.next(0.0, 1.0, [False] * len(self._levels), live=False)
        return True

    async def _watched(self) -> None:
        """Play, with an eye on segments that come too slowly."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch)
                await self._play()
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if group.split(trio.Cancelled)[1] is None:
                await trio.lowlevel.checkpoint_if_cancelled()  # as a plain step is cut off: by one Cancelled
            raise

    async def _play(self) -> None:
        """Fetch as there is room, until all was played that is to be."""
        step, player = self._step, self._player
        cursor: StreamCursor | None = None
        while not self._signal and not self.failed:
            self._tick(self._clock())
            if player.left <= _HAIR or self._enough():
                break
            track = self._tracks[self._at]
            if step.realtime and player.buffered > step.buffer:
                await self._rest(track)
                continue
            if not await self._loaded(track, cursor):
                continue
            media = track.media
            assert media is not None
            if cursor is None:
                cursor = StreamCursor(media)
            segment = cursor.next(media)
            if segment is None:
                if media.ended:
                    break
                await self._reload(track, cursor)
            elif segment.gap:
                cursor.passed(segment)
            else:
                await self._take(segment, cursor)
        if not self._signal and step.realtime:
            await self._play_out()

    def _enough(self) -> bool:
        """Whether no further segment is wanted."""
        step = self._step
        if step.segments is not None and self._fetched >= step.segments:
            return True
        return not step.realtime and self._media >= min(step.play, _LONGEST)

    async def _play_out(self) -> None:
        """Nothing more comes: play what is there."""
        player = self._player
        while (rest := min(player.buffered, player.left)) > _HAIR:
            await self._sleep(rest)

    async def _rest(self, track: KnownPlaylist) -> None:
        """The buffer is full: until there is room, or the end of what is played, or a live playlist is due."""
        player = self._player
        now = self._clock()
        seconds = min(player.buffered - self._step.buffer + _HAIR, max(_HAIR, player.left))
        live = track.media is not None and not track.media.ended
        if live and track.due - now < seconds:
            await self._sleep(max(0.0, track.due - now))
            await self._load(track)
        else:
            await self._sleep(seconds)

    # -- playlists ------------------------------------------------------------------------------------------------

    async def _loaded(self, track: KnownPlaylist, cursor: StreamCursor | None) -> bool:
        """Whether the level's playlist is there, and as new as one that was loaded for another level."""
        media = track.media
        if media is not None:
            behind = cursor is not None and cursor.number is not None and cursor.number >= media.next
            if media.ended or not behind or track.asked + media.target > self._clock():
                return True
        await self._load(track)
        return track.media is not None and not self._signal

    async def _load(self, track: KnownPlaylist, *, blocking: bool = False) -> None:
        """Ask for a playlist. One that can't be had ends the session, but for one that is known already and a step that
        goes on."""
        shared, media = self._shared, track.media
        source = shared.sources[Fetched.PLAYLIST]
        uri, via = track.uri, source
        if blocking and media is not None:
            uri, via = f"{uri}{'&' if '?' in uri else '?'}_HLS_msn={media.next}", shared.blocking
        asked = self._clock()
        self._reading.forget()
        outcome = await self._fetch(via, self._vu, Resource(uri))
        found, rule = self._reading.found, self._rule
        if outcome.failure is None and isinstance(found, MediaPlaylist):
            track.take(found, asked)
            if isinstance(rule, Throughput) and outcome.exchange is not None:
                rule.playlist(outcome.exchange.ended - outcome.exchange.first)
            return
        track.asked, track.changed, track.grew = asked, False, False
        if outcome.failure is not None:
            self._end(source, outcome.failure, goes_on=media is not None)

    async def _reload(self, track: KnownPlaylist, cursor: StreamCursor) -> None:
        """A live stream has nothing new: look again when it is due, or ask the server to say when there is."""
        media = track.media
        assert media is not None
        if media.blocks and track.grew:
            await self._load(track, blocking=True)
            return
        await self._sleep(max(0.0, track.due - self._clock()))
        if self._player.left > 0 and not self._late():
            await self._load(track)

    def _late(self) -> bool:
        """Whether a session has waited for its first segment as long as for a response: then it fails."""
        source = self._shared.sources[Fetched.PLAYLIST]
        seconds = source.judge.options.timeout
        if self._fetched or self._clock() - self._began < seconds:
            return False
        message = f"the live stream had no segment to play within {duration(seconds)}"
        self._end(source, Failure(ErrorKind.EXTRACTION, "VF603", message, self._step.span))
        return True

    # -- segments -------------------------------------------------------------------------------------------------

    async def _take(self, segment: MediaSegment, cursor: StreamCursor) -> None:
        """Choose a level, fetch the segment, and put it into the buffer."""
        rule, step, player = self._rule, self._step, self._player
        live = cursor.number is not None
        if rule is not None:
            known = [track.media is not None for track in self._tracks]
            buffered = player.buffered if step.realtime else step.buffer
            level = rule.next(buffered, segment.duration, known, live=live)
            if level != self._at:
                self._switch(level)
                track = self._tracks[level]
                if not await self._loaded(track, cursor) or track.media is None:
                    return
                found = cursor.next(track.media)
                if found is None or found.gap:
                    return  # the loop knows what to do with it
                segment = found
        if await self._bring(segment, cursor):
            self._arrived(segment, cursor)

    async def _bring(self, segment: MediaSegment, cursor: StreamCursor) -> bool:
        """Fetch a segment, and what is heard with it."""
        audio = self._levels[self._at].audio
        if audio is None:
            return await self._main(self._vu, segment, cursor)
        vu, came = self._vu, []

        async def main(branch: VU) -> int:
            came.append(await self._main(branch, segment, cursor))
            return GO_ON

        async def beside(branch: VU) -> int:
            came.append(await self._sound(branch, audio, segment, cursor))
            return GO_ON

        client = vu.client.beside()
        tasks = [ParallelTask(run, (), as_branch(vu, client, vu.random)) for run in (main, beside)]
        await Branches(vu, tasks, self._clock).run(len(tasks))
        return all(came)

    async def _main(self, vu: VU, segment: MediaSegment, cursor: StreamCursor) -> bool:
        exchange = await self._segment(vu, segment)
        if exchange is None:
            if not self._signal and not self._given_up:
                cursor.passed(segment)  # a step that goes on leaves it out
            return False
        if self._rule is not None:
            self._rule.came(self._at, *_measured(exchange))
        bandwidth = self._levels[self._at].bandwidth
        self._shared.record.plays(bandwidth or 8 * exchange.bytes_received / segment.duration)
        return True

    async def _segment(self, vu: VU, segment: MediaSegment) -> Exchange | None:
        """A segment, with its key and its init segment before it. None: it did not come."""
        self._given_up = False
        sources = self._shared.sources
        key = Resource(segment.key) if segment.key is not None else None
        for resource, fetched in ((key, Fetched.KEY), (segment.init, Fetched.INIT)):
            if resource is not None and resource not in self._had:
                failure = (await self._fetch(sources[fetched], vu, resource)).failure
                if failure is not None:
                    self._end(sources[fetched], failure)
                    return None
                self._had.add(resource)
        source, began = sources[Fetched.SEGMENT], self._clock()
        outcome = await self._unless_too_slow(source, vu, segment)
        if outcome is None:
            self._give_up(source, vu)
            return None
        if outcome.failure is not None:
            self._end(source, outcome.failure, goes_on=True)
            return None
        self._shared.record.fetched(self._clock() - began)
        return outcome.exchange

    async def _unless_too_slow(self, source: StreamRequests, vu: VU, segment: MediaSegment) -> RequestOutcome | None:
        """What came of a segment's request; None: it is given up."""
        if not self._watches:
            return await self._fetch(source, vu, segment.resource)
        with trio.CancelScope() as scope:
            self._under_way = UnderWay(scope, self._at, segment.duration, self._clock())
            try:
                return await self._fetch(source, vu, segment.resource)
            finally:
                self._under_way = None
        return None

    async def _sound(self, vu: VU, uri: str, segment: MediaSegment, cursor: StreamCursor) -> bool:
        """What is heard with a segment, of a playlist of its own."""
        if uri not in self._audio:
            self._audio[uri] = KnownPlaylist(uri), None
        track, place = self._audio[uri]
        while not self._signal:
            media = track.media
            if media is None or (place is not None and not media.ended and place.next(media) is None):
                if media is not None:
                    await self._sleep(max(0.0, track.due - self._clock()))
                self._reading.forget()
                asked = self._clock()
                source = self._shared.sources[Fetched.PLAYLIST]
                outcome = await self._fetch(source, vu, Resource(uri))
                if outcome.failure is not None or not isinstance(self._reading.found, MediaPlaylist):
                    if outcome.failure is not None:
                        self._end(source, outcome.failure)
                    return False
                track.take(self._reading.found, asked)
                continue
            if place is None:
                place = StreamCursor(media)
                place.position = segment.start
                if cursor.number is not None:
                    place.number = segment.number
                self._audio[uri] = track, place
            found = place.next(media)
            if found is None or (
                found.number > segment.number if cursor.number is not None else found.start >= segment.end - _HAIR
            ):
                return True
            place.passed(found)
            if not found.gap and await self._segment(vu, found) is None:
                return False
        return False

    def _arrived(self, segment: MediaSegment, cursor: StreamCursor) -> None:
        """A segment is there to be played."""
        now, player, record = self._clock(), self._player, self._shared.record
        plays = segment.duration - cursor.skips
        cursor.passed(segment)
        self._fetched += 1
        self._media += segment.duration
        if self._fetched == 1:
            record.started(now - self._began)
            if self._shared.shown:
                self._shared.context.tell(f"plays after {duration(now - self._began)}{self._quality()}")
        if not self._step.realtime:
            return
        stalls = player.stalls
        player.take(plays, now)
        if player.stalls > stalls and self._shared.shown:
            self._shared.context.tell(f"a stall at {duration(player.played)}, {duration(player.stalled)} in all")
        self._tick(now)
        media, track = self._tracks[self._at].media, self._tracks[self._at]
        if cursor.number is not None and media is not None:
            record.behind(max(0.0, media.seconds - segment.end + player.buffered + now - track.updated))

    def _switch(self, level: int) -> None:
        before, self._at = self._at, level
        if self._fetched:  # before that nothing was heard
            self._shared.record.switched()
            if self._shared.shown:
                rates = " → ".join(_kilobits(self._levels[each]) for each in (before, level))
                ahead = duration(self._player.buffered)
                self._shared.context.tell(f"at {duration(self._player.played)}: {rates}, {ahead} in the buffer")

    def _quality(self) -> str:
        level = self._levels[self._at]
        return f", {_kilobits(level)}" if level.bandwidth else ""

    # -- a segment that comes too slowly --------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            now, under_way = self._clock(), self._under_way
            if under_way is None:
                await self._until(now + 5 * _LOOK)
            elif (half := under_way.began + under_way.plays / 2) > now:
                await self._until(min(half, now + 1.0) + _HAIR)
            else:
                self._look(under_way, now)
                await self._until(now + _LOOK)

    def _look(self, under_way: UnderWay, now: float) -> None:
        rule, exchange = self._rule, self._vu.client.exchange
        if rule is None or self._player.started is None or exchange.started < under_way.began:
            return
        self._tick(now)
        came = exchange.bytes_received
        streaming = now - exchange.first if came else 0.0
        fetch = Fetch(under_way.level, under_way.plays, now - under_way.began, streaming, came)
        live = any(track.media is not None and not track.media.ended for track in self._tracks)
        known = [track.media is not None for track in self._tracks]
        if rule.instead(fetch, self._player.buffered, known, live=live) is not None:
            under_way.scope.cancel()

    def _give_up(self, source: StreamRequests, vu: VU) -> None:
        self._given_up = True
        source.given_up(vu.client.exchange)
        self._shared.record.abandoned()
        if self._shared.shown:
            self._shared.context.tell(f"a segment is given up, {duration(self._player.buffered)} in the buffer")

    # -- one request, one wait ------------------------------------------------------------------------------------

    async def _fetch(self, source: StreamRequests, vu: VU, resource: Resource) -> RequestOutcome:
        assert self._sent is not None
        try:
            outgoing = self._step.lead(self._sent, resource)
        except RequestError as e:
            return RequestOutcome(source.judge.unsent(e))
        return await source.fetch(vu, outgoing)

    def _end(self, source: StreamRequests, failure: Failure, *, goes_on: bool = False) -> None:
        """A request has failed. `goes_on`: the session may do without, where the step's `on_failure` lets it."""
        signal = source.judge.fail(self._vu, failure)
        self._signal = max(self._signal, signal)
        self.failed = self.failed or not goes_on or signal != GO_ON

    async def _until(self, moment: float) -> None:
        await wait_until(moment, self._clock, self._shared.context.sleep_until)

    async def _sleep(self, seconds: float) -> None:
        """Wait as the stream asks for."""
        moment = self._clock() + seconds
        await self._until(moment)
        now = self._clock()
        self._vu.time.waited(seconds, now - moment)
        self._tick(now)

    def _tick(self, now: float) -> None:
        """Play until now, and record it."""
        player, record = self._player, self._shared.record
        player.at(now)
        played, stalled, stalls = self._said
        record.lasted(player.played - played, player.stalled - stalled)
        for _ in range(player.stalls - stalls):
            record.stall()
        self._said = player.played, player.stalled, player.stalls


def _measured(exchange: Exchange) -> tuple[float, float, int]:
    """Seconds in all, those to the first byte, and bytes."""
    begun = exchange.ended - exchange.took
    return exchange.took, max(0.0, exchange.first - begun), exchange.bytes_received


def _kilobits(level: Level) -> str:
    return f"{level.bandwidth // 1000} kbit/s"
