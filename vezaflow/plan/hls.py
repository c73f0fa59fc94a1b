"""`hls`, decided: the requests of a listener, and how it plays.

The request for the URL of the step is compiled as any other. The others are made of it as it went out, sent on to where
a playlist leads: the guard stands before each, and other origins get no credentials.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from vezaflow.diagnostics import Span
from vezaflow.model import Abr, Chosen, Cmcd, Fetched, Hls, Loop, Pace, Whole
from vezaflow.plan.checks import Failure
from vezaflow.plan.compiled import Constant, Evaluate
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.extractors import PlannedExtract
from vezaflow.plan.forecast import Reason
from vezaflow.plan.outgoing import Outgoing, PlannedRequest
from vezaflow.plan.playlists import NOTHING_DEFINED
from vezaflow.plan.rendering import show
from vezaflow.plan.response import UndecodableError
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.settings import Settings
from vezaflow.plan.streams import MEDIA, STREAMS, KeptPlaylists, Level, MasterPlaylist, MediaPlaylist, Resource
from vezaflow.plan.targets import Target
from vezaflow.protocols import ErrorKind, Want
from vezaflow.recurring import Recurring
from vezaflow.units import counted, duration

BUFFER = 30.0  # seconds, hls.js's maxBufferLength
_OK, _PARTIAL = 200, 206
_CLIENT_DATA = re.compile("[?&]CMCD=[^&]*$")  # of one player alone: the playlist is kept for all
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip

Choose = Callable[[tuple[Level, ...], Scope], Level]


class PlaylistReading:
    """What a listener's slot holds: what the next playlist may import, and the playlist that was read last. Printed as
    one line, and so no dataclass, which would be printed field by field."""

    __slots__ = ("found", "imported")

    def __init__(self) -> None:
        self.imported: Mapping[str, str] = NOTHING_DEFINED
        self.found: MasterPlaylist | MediaPlaylist | None = None

    def forget(self) -> None:
        """Nothing was read."""
        self.found = None

    def __str__(self) -> str:
        return str(self.found)


@dataclass(frozen=True, slots=True)
class PlannedHls(Whole):
    """A listener's step. `choose`: the one variant that is played; None: `abr` says which."""

    name: str
    requests: Mapping[Fetched, PlannedRequest]
    slot: int  # of its PlaylistReading
    lead: Callable[[Outgoing, Resource], Outgoing]  # raises RequestError
    choose: Choose | None
    abr: Abr
    play: float  # seconds; inf: all of it
    segments: int | None
    realtime: bool
    buffer: float
    cmcd: Cmcd | None
    span: Span

    @property
    def shape(self) -> "Loop[PlannedRequest]":
        return Loop(tuple(self.requests.values()), 0, None, plays=True)


def plan_hls(
    hls: Hls, first: PlannedRequest, compiler: Compiler, settings: Settings, resolve: Callable[[str], Target]
) -> PlannedHls:
    """The step, from the request for its URL."""
    slot = compiler.names.slot(f"hls:{hls.span.start}")
    lead = _lead(first, resolve)
    play, variant = hls.play, hls.variant
    return PlannedHls(
        name=hls.name,
        requests=dict(zip(Fetched, _requests(hls, first, slot, settings), strict=True)),
        slot=slot,
        lead=_kept(lead, first.prepare.value) if isinstance(first.prepare, Constant) else lead,
        choose=None if variant is Chosen.ABR else _choice(hls, compiler),
        abr=hls.abr,
        play=settings.seconds(play) if play is not None else float("inf"),
        segments=settings.count(hls.segments) if hls.segments is not None else None,
        realtime=hls.pace is Pace.REALTIME,
        buffer=settings.seconds(hls.buffer) if hls.buffer is not None else BUFFER,
        cmcd=hls.cmcd,
        span=hls.span,
    )


def _requests(hls: Hls, first: PlannedRequest, slot: int, settings: Settings) -> tuple[PlannedRequest, ...]:
    """One for each purpose, in the order of Fetched."""
    accepts = bytearray(first.accepts)
    accepts[_PARTIAL] = accepts[_PARTIAL] or accepts[_OK]  # where a part was asked for, it is what 200 is of the whole
    reads = replace(first.options, want=first.options.want | Want.BODY)
    reason = (Reason(Want.BODY, "hls"),)
    forecast = replace(first.forecast, origin=None, url=f"what {first.forecast.url} leads to", sends=0)
    rest = replace(first, accepts=bytes(accepts), forecast=forecast)
    of: dict[Fetched, PlannedRequest] = {
        Fetched.MASTER: replace(
            first,
            options=reads,
            extracts=(_reader(STREAMS, slot, hls.span),),
            forecast=replace(first.forecast, reasons=reason, plays=(hls.name, _in_words(hls, settings))),
        ),
        Fetched.PLAYLIST: replace(
            rest,
            options=reads,
            extracts=(_reader(MEDIA, slot, hls.span),),
            forecast=replace(forecast, reasons=reason),
        ),
    }
    return tuple(
        replace(of.get(fetched, rest), name=request.name)
        for fetched, request in zip(Fetched, hls.requests, strict=True)
    )


def _in_words(hls: Hls, settings: Settings) -> str:
    """What is known of it before the stream is."""
    how_much = "the whole stream"
    if hls.segments is not None:
        how_much = counted(settings.count(hls.segments), "segment")
    elif hls.play is not None:
        how_much = duration(settings.seconds(hls.play))
    if hls.pace is Pace.NONE:
        how = f"fetches {how_much if hls.play is None else f'{how_much} of media'}, one segment after another"
    else:
        ahead = settings.seconds(hls.buffer) if hls.buffer is not None else BUFFER
        how = f"plays {how_much} in real time, fetched up to {duration(ahead)} ahead"
    return f"{how}; how many requests that takes depends on the stream"


def _reader(
    kept: "KeptPlaylists[MasterPlaylist | MediaPlaylist] | KeptPlaylists[MediaPlaylist]", slot: int, span: Span
) -> PlannedExtract:
    """Reads the response as a playlist, into the slot's PlaylistReading."""

    def read(scope: Scope) -> Failure | None:
        response, reading = scope.response, scope.slots[slot]
        assert response is not None
        try:
            reading.found = kept.take(response.body, _CLIENT_DATA.sub("", response.url), reading.imported)
        except UndecodableError as e:
            return Failure(ErrorKind.EXTRACTION, "VF603", f"{response.url}: {e}", span)
        return None

    return PlannedExtract("playlist", slot, read)


def _lead(first: PlannedRequest, resolve: Callable[[str], Target]) -> Callable[[Outgoing, Resource], Outgoing]:
    """The first request, sent on to a resource."""

    def lead(sent: Outgoing, resource: Resource) -> Outgoing:
        outgoing = first.move(sent, resolve(resource.uri), to_get=False)
        if resource.range is None:
            return outgoing
        return outgoing._replace(head=b"%bRange: %b\r\n\r\n" % (outgoing.head[:-2], resource.range.encode()))

    return lead


def _kept(lead: Callable[[Outgoing, Resource], Outgoing], first: Outgoing) -> Callable[[Outgoing, Resource], Outgoing]:
    """The same where the first request is always this one: each resource's is made once."""
    whole = Recurring[str, Outgoing](lambda uri: lead(first, Resource(uri)))

    def kept(sent: Outgoing, resource: Resource) -> Outgoing:
        return whole[resource.uri] if resource.range is None else lead(sent, resource)

    return kept


def _choice(hls: Hls, compiler: Compiler) -> Choose:
    variant = hls.variant
    if variant is Chosen.LOWEST:
        return lambda levels, _scope: levels[0]
    if not isinstance(variant, tuple):
        return lambda levels, _scope: levels[-1]
    limits = [(each.sign, compiler.expression(each.bound), each.bound.span) for each in variant]

    def choose(levels: tuple[Level, ...], scope: Scope) -> Level:
        """Raises EvaluationError where none is as asked."""
        known = [(_SIGNS[sign], _bits(bound, span, scope), span) for sign, bound, span in limits]
        meant = [level for level in levels if all(compare(level.bandwidth, bits) for compare, bits, _ in known)]
        if meant:
            return meant[-1]
        there = ", ".join(str(level.bandwidth) for level in levels)
        raise EvaluationError(f"no variant has such a bandwidth; there are {there}", known[0][2])

    return choose


def _bits(bound: Evaluate, span: Span, scope: Scope) -> float:
    value = bound(scope)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise EvaluationError(f"'bandwidth' is compared with a number, got {show(value)}", span) from None
