"""What the parts of one listening session share: its requests, its waits, its variants, and what is heard.

Laws: every request is one like any other in the figures; a failed one ends the session as its `on_failure` says. A wait
sleeps on the wheel and is the user's own. What is played is recorded as it goes on.
"""

from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from vezaflow.engine.bitrate import BitrateRule
from vezaflow.engine.cmcd import ClientData, PlayerState, Purpose, Value, header_lines, with_query
from vezaflow.engine.context import FlowContext
from vezaflow.engine.judging import RequestOutcome, ResponseJudge
from vezaflow.engine.own_time import HANDLING
from vezaflow.engine.pauses import wait_until
from vezaflow.engine.player import Player
from vezaflow.engine.stream_cursor import KnownPlaylist
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import INTERRUPTED, ListenerRecorder, RequestRecorder
from vezaflow.model import Cmcd, Fetched
from vezaflow.plan import (
    EvaluationError,
    Failure,
    Level,
    Outgoing,
    PlannedHls,
    PlannedRequest,
    PlaylistReading,
    RequestError,
    Resource,
)
from vezaflow.protocols import Exchange

LONGEST = 86_400.0  # seconds of a session: a stream without an end is left then


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
        if exchange.trace:
            record.traced(exchange.status, "", ended - started, ended, exchange.trace)


class Listeners(NamedTuple):
    """What all sessions of a step share."""

    step: PlannedHls
    context: FlowContext
    sources: dict[Fetched, StreamRequests]
    blocking: StreamRequests  # reloads that wait at the server: no gate judges their requests
    record: ListenerRecorder
    shown: bool


class Variants:
    """The variants of a session by rising bandwidth, each with its playlist; `at`: that of the last segment."""

    __slots__ = ("at", "levels", "rule", "tracks")

    def __init__(self) -> None:
        self.levels: tuple[Level, ...] = ()
        self.tracks: list[KnownPlaylist] = []
        self.at = 0
        self.rule: BitrateRule | None = None  # None: there is but one

    @property
    def level(self) -> Level:
        return self.levels[self.at]

    @property
    def track(self) -> KnownPlaylist:
        return self.tracks[self.at]

    @property
    def known(self) -> list[bool]:
        """Whose playlists are there."""
        return [track.media is not None for track in self.tracks]

    @property
    def live(self) -> bool:
        return any(track.media is not None and not track.media.ended for track in self.tracks)


class StreamSession:
    """One VU that listens once."""

    __slots__ = (
        "_client_data", "_said", "began", "clock", "failed", "fetched", "player", "reading", "sent", "shared", "signal",
        "step", "variants", "vu",
    )  # fmt: skip

    def __init__(self, shared: Listeners, vu: VU, began: float) -> None:
        self.shared = shared
        self.step = shared.step
        self.vu = vu
        self.began = began
        self.clock = shared.context.clock
        self.player = Player(min(shared.step.play, LONGEST))
        self.variants = Variants()
        self.reading = PlaylistReading()
        self.sent: Outgoing | None = None  # the first request, of which the others are made
        self.signal: int = Signal.GO_ON
        self.failed = False
        self.fetched = 0  # segments
        self._client_data: ClientData | None = None
        self._said = (0.0, 0.0, 0)  # played, stalled, stalls, as they are recorded

    async def begin(self, source: StreamRequests) -> RequestOutcome:
        """Make the first request, and send it."""
        try:
            sent = self.sent = self.step.requests[Fetched.MASTER].prepare(self.vu)
        except EvaluationError as e:
            return RequestOutcome(source.judge.unsent(e))
        if self.step.cmcd is None:
            return await source.fetch(self.vu, sent)
        sid = UUID(int=self.vu.random.getrandbits(128), version=4)
        self._client_data = ClientData(urlsplit(sent.target.url).path, str(sid))
        return await self.fetch(source, self.vu, Resource(sent.target.url), Purpose(Fetched.MASTER))

    async def fetch(self, source: StreamRequests, vu: VU, resource: Resource, purpose: Purpose) -> RequestOutcome:
        """A resource of the stream."""
        assert self.sent is not None
        data = self._client_data
        try:
            if data is None:
                outgoing = self.step.lead(self.sent, resource)
            else:
                outgoing = self._telling(data.values(purpose, self._state()), resource)
        except RequestError as e:
            return RequestOutcome(source.judge.unsent(e))
        return await source.fetch(vu, outgoing)

    def measured(self, exchange: Exchange) -> tuple[float, float, int]:
        """What a segment's response took: seconds in all, those to the first byte, and bytes."""
        took, size = exchange.took, exchange.bytes_received
        waited = max(0.0, exchange.first - (exchange.ended - took))
        if self._client_data is not None:
            self._client_data.sample(took - waited, size)
        return took, waited, size

    def _telling(self, values: dict[str, Value], resource: Resource) -> Outgoing:
        """A request with Common Media Client Data. Raises RequestError."""
        assert self.sent is not None
        if self.step.cmcd is Cmcd.QUERY:
            return self.step.lead(self.sent, resource._replace(uri=with_query(resource.uri, values)))
        outgoing = self.step.lead(self.sent, resource)
        return outgoing._replace(head=b"%b%b\r\n" % (outgoing.head[:-2], header_lines(values)))

    def _state(self) -> PlayerState:
        player, variants, now = self.player, self.variants, self.clock()
        self.tick(now)
        media = variants.track.media if variants.tracks else None
        return PlayerState(
            player.buffered if self.step.realtime else None,
            None if media is None else not media.ended,
            player.stalls + (player.standing(now) > 0),
            variants.levels[-1].bandwidth if variants.levels else 0,
        )

    def end(self, source: StreamRequests, failure: Failure, *, goes_on: bool = False) -> None:
        """A request has failed. `goes_on`: the session may do without, where the step's `on_failure` lets it."""
        signal = source.judge.fail(self.vu, failure)
        self.signal = max(self.signal, signal)
        self.failed = self.failed or not goes_on or signal != Signal.GO_ON

    async def until(self, moment: float) -> None:
        await wait_until(moment, self.clock, self.shared.context.sleep_until)

    async def sleep(self, seconds: float) -> None:
        """Wait as the stream asks for."""
        moment = self.clock() + seconds
        await self.until(moment)
        now = self.clock()
        self.vu.time.waited(seconds, now - moment)
        self.tick(now)

    def tick(self, now: float) -> None:
        """Play until now, and record it."""
        player, record = self.player, self.shared.record
        player.at(now)
        played, stalled, stalls = self._said
        record.lasted(player.played - played, player.stalled - stalled)
        for _ in range(player.stalls - stalls):
            record.stall()
        self._said = player.played, player.stalled, player.stalls

    def tell(self, message: str) -> None:
        """Show a message to who looks on."""
        self.shared.context.tell(message)
