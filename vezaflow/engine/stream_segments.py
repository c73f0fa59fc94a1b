"""Segments of a session, each with its key and its init segment before it; and when one under way is given up.

Laws: a key and an init segment are fetched once a session. A segment that would starve the buffer is given up as the
bitrate rule says, which looks at it as often as hls.js does; its request is neither a success nor a failure.
"""

from typing import NamedTuple

import trio

from vezaflow.engine.bitrate import Fetch
from vezaflow.engine.cmcd import Purpose
from vezaflow.engine.judging import RequestOutcome
from vezaflow.engine.stream_session import StreamRequests, StreamSession
from vezaflow.engine.vu import VU
from vezaflow.model import Fetched
from vezaflow.plan import Level, MediaSegment, Resource
from vezaflow.protocols import Exchange
from vezaflow.units import duration

_LOOK = 0.1  # seconds between two looks at a segment under way, as hls.js's
_HAIR = 0.001  # seconds


class UnderWay(NamedTuple):
    """A segment that may be given up, and who fetches it."""

    scope: trio.CancelScope
    vu: VU
    level: int
    plays: float
    began: float


class SegmentLoader:
    """One session's. `given_up`: whether the last segment was."""

    __slots__ = ("_had", "_session", "_under_way", "_watches", "given_up")

    def __init__(self, session: StreamSession) -> None:
        self._session = session
        self._had: set[object] = set()  # keys and init segments
        self._watches = False
        self._under_way: UnderWay | None = None
        self.given_up = False

    async def fetch(self, vu: VU, segment: MediaSegment, level: Level | None) -> Exchange | None:
        """A segment of a level, with its key and its init segment before it; of no level: of sound that is apart. None:
        it did not come."""
        self.given_up = False
        session = self._session
        sources = session.shared.sources
        key = Resource(segment.key) if segment.key is not None else None
        for resource, of in ((key, Fetched.KEY), (segment.init, Fetched.INIT)):
            if resource is not None and resource not in self._had:
                self._had.add(resource)  # before it is there: sound that is apart needs no second one
                failure = (await session.fetch(sources[of], vu, resource, Purpose(of))).failure
                if failure is not None:
                    session.end(sources[of], failure)
                    return None
        fetched = Fetched.SEGMENT if segment.part is None else Fetched.PART
        source, began = sources[fetched], session.clock()
        purpose = Purpose(fetched, segment.duration, level)
        outcome = await self._unless_too_slow(source, vu, segment.resource, purpose)
        if outcome is None:
            self._give_up(source, vu)
            return None
        if outcome.failure is not None:
            session.end(source, outcome.failure, goes_on=True)
            return None
        session.shared.record.fetched(session.clock() - began)
        return outcome.exchange

    async def watch(self) -> None:
        """Look at what is under way, until this is cancelled."""
        self._watches = True
        session = self._session
        while True:
            now, under_way = session.clock(), self._under_way
            if under_way is None:
                await session.until(now + 5 * _LOOK)
            elif (half := under_way.began + under_way.plays / 2) > now:
                await session.until(min(half, now + 1.0) + _HAIR)
            else:
                self._look(under_way, now)
                await session.until(now + _LOOK)

    async def _unless_too_slow(
        self, source: StreamRequests, vu: VU, resource: Resource, purpose: Purpose
    ) -> RequestOutcome | None:
        """What came of a segment's request; None: it is given up."""
        session = self._session
        if not self._watches or purpose.level is None:  # of sound there is nothing smaller
            return await session.fetch(source, vu, resource, purpose)
        with trio.CancelScope() as scope:
            self._under_way = UnderWay(scope, vu, session.variants.at, purpose.seconds, session.clock())
            try:
                return await session.fetch(source, vu, resource, purpose)
            finally:
                self._under_way = None
        return None

    def _look(self, under_way: UnderWay, now: float) -> None:
        session = self._session
        rule, exchange, variants = session.variants.rule, under_way.vu.client.exchange, session.variants
        if rule is None or session.player.started is None or exchange.started < under_way.began:
            return
        session.tick(now)
        came = exchange.bytes_received
        streaming = now - exchange.first if came else 0.0
        fetch = Fetch(under_way.level, under_way.plays, now - under_way.began, streaming, came)
        if rule.instead(fetch, session.player.buffered, variants.known, live=variants.live) is not None:
            under_way.scope.cancel()

    def _give_up(self, source: StreamRequests, vu: VU) -> None:
        session = self._session
        self.given_up = True
        source.given_up(vu.client.exchange)
        session.shared.record.abandoned()
        if session.shared.shown:
            session.tell(f"a segment is given up, {duration(session.player.buffered)} in the buffer")
