"""What a VU does: one dataclass a kind of step, as written. Step kinds are a closed set.

Each kind says its `shape`, its `name`, the expressions that it `uses` itself, the names that it `sets` for the steps
behind it and `lends` to those within it, and makes itself anew with other steps within (`rebuilt`). So whoever walks
steps needs to know no kind.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from math import ceil
from typing import NamedTuple

from vezaflow.diagnostics import Related, Source, Span
from vezaflow.model.hls import Abr, Cmcd, Pace, Variant
from vezaflow.model.input_types import InputType
from vezaflow.model.numbers import constant, length, whole
from vezaflow.model.requests import (
    Body,
    Expect,
    Extract,
    FileBytes,
    GeneratedBytes,
    Parameters,
    Place,
    RequestDefaults,
    Retry,
    Tree,
    Use,
    in_trees,
    leaves,
    plain,
)
from vezaflow.model.shapes import Beside, Block, Ends, Leaf, Loop, Nameless, OneOf, Pause, Sends, Whole
from vezaflow.model.websockets import Ack, Close, Message, Reconnect, Repeated, SocketReply
from vezaflow.syntax import Expression

Steps = tuple["Step", ...]
Change = Callable[[Steps], Steps]


class Binding(NamedTuple):
    """A name that a step gives a value, and where; `written`: by who wrote the step, so that it is meant to be used."""

    name: str
    span: Span
    written: bool = True


class _SetsNothing:
    __slots__ = ()

    def sets(self) -> Iterator[Binding]:
        """What the steps behind it see, but for what the steps within it set."""
        return iter(())


class _LendsNothing:
    __slots__ = ()

    def lends(self) -> tuple[str, ...]:
        """What the steps within it see while they run, and nobody else."""
        return ()


class _Plain(Nameless, _SetsNothing, _LendsNothing, Whole):
    """A kind that is only what its shape says."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Request(_LendsNothing, Whole):
    method: str  # GET, POST, …: upper case
    url: Expression
    name: str  # identity: `name`, or method and path as written
    named: bool  # whether the author gave the name
    query: Parameters
    body: Body | None
    options: RequestDefaults
    expect: Expect | None
    extract: tuple[Extract, ...]
    retry: Retry | None
    span: Span  # of the verb's key
    url_span: Span
    upgrades: bool = False  # it opens a WebSocket, and has no figures of a request
    streams: bool = False  # it opens an event stream, and has none either

    @property
    def shape(self) -> "Sends[Request]":
        return Sends(self)

    def uses(self) -> Iterator[Use]:
        """But for those of `extract` and `expect`, which come after the response and see more."""
        yield from self.made_of(self.options)
        yield from self.retry.uses() if self.retry is not None else ()

    def made_of(self, options: RequestDefaults) -> Iterator[Use]:
        """What is sent, with these options."""
        yield Use(self.url, Place.URL)
        yield from (Use(leaf, Place.URL) for _, tree in self.query for leaf in leaves(tree))
        yield from self.body.uses() if self.body is not None else ()
        yield from options.uses()

    def sets(self) -> Iterator[Binding]:
        return (Binding(extract.name, extract.span) for extract in self.extract)


@dataclass(frozen=True, slots=True)
class Poll(_SetsNothing, _LendsNothing, Whole):
    """Send a request until its response is as `until` says."""

    request: Request
    until: Expression
    every: Expression | None  # TIME or Range of TIME, from attempt to attempt
    within: Expression  # a bound is mandatory
    span: Span

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def shape(self) -> Sends[Request]:
        return Sends(self.request, most=None, waits=True)

    def uses(self) -> Iterator[Use]:
        yield Use(self.until, Place.EXPECT)
        yield from plain(self.every, self.within)


@dataclass(frozen=True, slots=True)
class Paginate(_SetsNothing, _LendsNothing, Whole):
    """Send a request for one page after the other."""

    request: Request
    next: Extract  # where a response says what comes next
    parameter: str  # of the query, in which the next request says it; empty: it is the next page's URL
    parameter_span: Span
    pages: Expression  # a bound is mandatory
    span: Span

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def shape(self) -> Sends[Request]:
        return Sends(self.request, most=whole(self.pages), by_page=True)

    def uses(self) -> Iterator[Use]:
        yield Use(self.pages)
        yield from self.next.uses()


@dataclass(frozen=True, slots=True)
class Upload(_SetsNothing, Whole):
    """Send bytes in parts. The request is that of each part, which sees itself as `part`."""

    request: Request  # its body is a Slice, or a form that holds one
    source: GeneratedBytes | FileBytes
    part: Expression  # SIZE
    at_once: Expression | None
    span: Span

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def parts(self) -> int | None:
        """How many there are; None if the file does not say."""
        total = constant(self.source.size) if isinstance(self.source, GeneratedBytes) else None
        part = constant(self.part)
        return ceil(total / part) if total is not None and part else None

    @property
    def shape(self) -> Sends[Request]:
        return Sends(self.request, least=self.parts, most=self.parts, at_once=_at_once(self.at_once))

    def uses(self) -> Iterator[Use]:
        yield from self.source.uses()
        yield from plain(self.part, self.at_once)

    def lends(self) -> tuple[str, ...]:
        return ("part",)


@dataclass(frozen=True, slots=True)
class Hls(_SetsNothing, _LendsNothing, Whole):
    """Play a stream. Only the first of its requests is written out; the others are sent where playlists lead."""

    name: str
    requests: tuple[Request, ...]  # in the order of Fetched
    variant: Variant
    abr: Abr
    play: Expression | None  # TIME; None: all of it
    segments: Expression | None  # at most so many
    pace: Pace
    buffer: Expression | None  # TIME
    cmcd: Cmcd | None
    span: Span

    @property
    def shape(self) -> "Loop[Step]":
        return Loop(self.requests, 0, None, plays=True)

    def uses(self) -> Iterator[Use]:
        yield from plain(self.play, self.segments, self.buffer)
        if isinstance(self.variant, tuple):
            yield from plain(*(each.bound for each in self.variant))


@dataclass(frozen=True, slots=True)
class Think(_Plain):
    duration: Expression  # TIME or Range of TIME
    span: Span

    @property
    def shape(self) -> Pause:
        return Pause()

    def uses(self) -> Iterator[Use]:
        return plain(self.duration)


@dataclass(frozen=True, slots=True)
class Branch:
    weight: Expression  # integer >= 1
    name: str
    steps: Steps
    span: Span


@dataclass(frozen=True, slots=True)
class Choose(Nameless, _SetsNothing, _LendsNothing):
    branches: tuple[Branch, ...]
    span: Span

    @property
    def shape(self) -> "OneOf[Step]":
        weights = tuple(whole(branch.weight) for branch in self.branches)
        return OneOf(tuple(branch.steps for branch in self.branches), weights)

    def uses(self) -> Iterator[Use]:
        return plain(*(branch.weight for branch in self.branches))

    def rebuilt(self, change: Change) -> "Choose":
        return replace(self, branches=tuple(replace(each, steps=change(each.steps)) for each in self.branches))


@dataclass(frozen=True, slots=True)
class Repeat(Nameless, _SetsNothing, _LendsNothing):
    times: Expression
    steps: Steps
    span: Span

    @property
    def shape(self) -> "Loop[Step]":
        return Loop(self.steps, whole(self.times), whole(self.times))

    def uses(self) -> Iterator[Use]:
        return plain(self.times)

    def rebuilt(self, change: Change) -> "Repeat":
        return replace(self, steps=change(self.steps))


@dataclass(frozen=True, slots=True)
class For(Nameless, _SetsNothing):
    variable: str
    items: Expression
    at_once: Expression | None  # rounds at the same time; None: one
    steps: Steps
    span: Span

    @property
    def shape(self) -> "Loop[Step]":
        count = length(self.items)
        return Loop(self.steps, count, count, _at_once(self.at_once))

    def uses(self) -> Iterator[Use]:
        return plain(self.items, self.at_once)

    def lends(self) -> tuple[str, ...]:
        return (self.variable,)

    def rebuilt(self, change: Change) -> "For":
        return replace(self, steps=change(self.steps))


@dataclass(frozen=True, slots=True)
class While(Nameless, _SetsNothing, _LendsNothing):
    condition: Expression
    max: Expression  # a bound is mandatory (key `max`)
    steps: Steps
    span: Span

    @property
    def shape(self) -> "Loop[Step]":
        return Loop(self.steps, 0, whole(self.max), asks=True)

    def uses(self) -> Iterator[Use]:
        return plain(self.condition, self.max)

    def rebuilt(self, change: Change) -> "While":
        return replace(self, steps=change(self.steps))


@dataclass(frozen=True, slots=True)
class If(Nameless, _SetsNothing, _LendsNothing):
    condition: Expression
    then: Steps  # key `do` (alias `then` is refused with a suggestion)
    otherwise: Steps  # key `else`
    span: Span

    @property
    def shape(self) -> "OneOf[Step]":
        return OneOf((self.then, self.otherwise))

    def uses(self) -> Iterator[Use]:
        return plain(self.condition)

    def rebuilt(self, change: Change) -> "If":
        return replace(self, then=change(self.then), otherwise=change(self.otherwise))


@dataclass(frozen=True, slots=True)
class Group(_SetsNothing, _LendsNothing):
    name: str
    steps: Steps
    span: Span

    @property
    def shape(self) -> "Block[Step]":
        return Block(self.steps, group=self.name)

    def uses(self) -> Iterator[Use]:
        return plain()

    def rebuilt(self, change: Change) -> "Group":
        return replace(self, steps=change(self.steps))


@dataclass(frozen=True, slots=True)
class Parallel(_SetsNothing, _LendsNothing):
    """Each step at the same time as the others."""

    branches: Steps
    name: str  # of its own figures; empty: there are none
    per_host: Expression | None
    span: Span

    @property
    def shape(self) -> "Beside[Step]":
        return Beside(tuple((branch,) for branch in self.branches), whole(self.per_host))

    def uses(self) -> Iterator[Use]:
        return plain(self.per_host)

    def rebuilt(self, change: Change) -> "Parallel":
        return replace(self, branches=change(self.branches))


@dataclass(frozen=True, slots=True)
class OpenWebSocket(_SetsNothing, _LendsNothing):
    """Steps that run while a WebSocket is open."""

    request: Request  # that opens it
    room: Expression | None
    alias: str  # by which steps within it mean this one; empty: they can't
    subprotocols: tuple[str, ...]
    compress: Expression | None
    max_message: Expression | None
    ping_every: Expression | None
    every: tuple[Repeated, ...]
    reply: tuple[SocketReply, ...]
    close: Close | None
    reconnect: Reconnect | None
    steps: Steps
    span: Span

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def shape(self) -> "Block[Step]":
        return Block((self.request, *self.steps), holds=True)

    def uses(self) -> Iterator[Use]:
        yield from plain(self.room, self.compress, self.max_message, self.ping_every)
        for part in (*self.every, *self.reply, self.close, self.reconnect):
            yield from part.uses() if part is not None else ()

    def rebuilt(self, change: Change) -> "OpenWebSocket":
        return replace(self, steps=change(self.steps))


@dataclass(frozen=True, slots=True)
class OpenEventStream(_SetsNothing, _LendsNothing):
    """Steps that run while an event stream is open."""

    request: Request  # that opens it
    alias: str  # by which steps within it mean this one; empty: they can't
    max_event: Expression | None
    sent: Expression | None  # when an event was sent, by what it says itself
    reconnect: Reconnect | None
    steps: Steps
    span: Span

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def shape(self) -> "Block[Step]":
        return Block((self.request, *self.steps), holds=True)

    def uses(self) -> Iterator[Use]:
        yield from plain(self.max_event)
        if self.sent is not None:
            yield Use(self.sent, Place.MESSAGE)
        yield from self.reconnect.uses() if self.reconnect is not None else ()

    def rebuilt(self, change: Change) -> "OpenEventStream":
        return replace(self, steps=change(self.steps))


@dataclass(frozen=True, slots=True)
class Send(_Plain):
    """Send a message over an open WebSocket: the one of this alias, or the innermost."""

    message: Message
    ack: Ack | None
    deliver: Ack | None  # by which the others in its room get it
    to: str
    to_span: Span
    span: Span

    @property
    def shape(self) -> Leaf:
        return Leaf()

    def uses(self) -> Iterator[Use]:
        yield from self.message.uses()
        for part in (self.ack, self.deliver):
            yield from part.uses() if part is not None else ()


@dataclass(frozen=True, slots=True)
class Receive(Nameless, _LendsNothing, Whole):
    """Wait for a message."""

    where: Expression | None
    within: Expression | None
    expect: Expect | None
    extract: tuple[Extract, ...]
    to: str  # key `from`
    to_span: Span
    span: Span

    @property
    def shape(self) -> Leaf:
        return Leaf()

    def uses(self) -> Iterator[Use]:
        if self.where is not None:
            yield Use(self.where, Place.MESSAGE)
        yield from plain(self.within)
        for expectation in self.expect.expectations if self.expect is not None else ():
            for use in expectation.uses():
                yield replace(use, place=Place.MESSAGE) if use.place is Place.EXPECT else use
        for extract in self.extract:
            yield from extract.uses()

    def sets(self) -> Iterator[Binding]:
        return (Binding(extract.name, extract.span) for extract in self.extract)


@dataclass(frozen=True, slots=True)
class Ping(_Plain):
    """Send a ping and wait for its pong."""

    within: Expression | None
    to: str
    to_span: Span
    span: Span

    @property
    def shape(self) -> Leaf:
        return Leaf()

    def uses(self) -> Iterator[Use]:
        return plain(self.within)


@dataclass(frozen=True, slots=True)
class Set(Nameless, _LendsNothing, Whole):
    values: tuple[tuple[str, Tree, Span], ...]
    span: Span

    @property
    def shape(self) -> Leaf:
        return Leaf()

    def uses(self) -> Iterator[Use]:
        return in_trees(tree for _, tree, _ in self.values)

    def sets(self) -> Iterator[Binding]:
        return (Binding(name, span) for name, _, span in self.values)


@dataclass(frozen=True, slots=True)
class Log(_Plain):
    message: Expression
    span: Span

    @property
    def shape(self) -> Leaf:
        return Leaf()

    def uses(self) -> Iterator[Use]:
        return plain(self.message)


@dataclass(frozen=True, slots=True)
class Skip(_Plain):
    """End this iteration (it counts as done). The value is the reason, a text."""

    reason: Expression
    span: Span

    @property
    def shape(self) -> Ends:
        return Ends()

    def uses(self) -> Iterator[Use]:
        return plain(self.reason)


class StopScope(Enum):
    """What a `stop` ends."""

    VU = "vu"
    FLOW = "flow"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Stop(_Plain):
    """End this VU (`stop: vu`) or the whole flow (`stop: flow`) or the run (`stop: run`)."""

    scope: StopScope
    span: Span

    @property
    def shape(self) -> Ends:
        return Ends()

    def uses(self) -> Iterator[Use]:
        return plain()


@dataclass(frozen=True, slots=True)
class Input:
    """What a fragment is given under a name; without a default it must be."""

    name: str
    type: InputType
    default: Tree | None
    span: Span


@dataclass(frozen=True, slots=True)
class Fragment:
    """A file of steps. They see its inputs and what they set themselves; its outputs are what others see."""

    path: str  # from the suite's folder on
    source: Source
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, Span], ...]
    steps: Steps
    size: int  # steps, those of other fragments counted where they are included
    chain: Related  # where it is included first, and where the file is that does so


@dataclass(frozen=True, slots=True)
class Include(Nameless, _LendsNothing, Whole):
    path: str
    path_span: Span
    values: tuple[tuple[str, Tree, Span], ...]  # `with`
    into: tuple[tuple[str, str, Span], ...]  # output, its name here
    fragment: Fragment | None  # None: not to be read, which was reported
    span: Span

    @property
    def shape(self) -> "Block[Step]":
        return Block(self.steps, own_names=True)

    @property
    def steps(self) -> Steps:
        return self.fragment.steps if self.fragment is not None else ()

    @property
    def outputs(self) -> tuple[tuple[str, str], ...]:
        """Each output with its name here."""
        names = {output: name for output, name, _ in self.into}
        outputs = self.fragment.outputs if self.fragment is not None else ()
        return tuple((name, names.get(name, name)) for name, _ in outputs)

    def uses(self) -> Iterator[Use]:
        return in_trees(tree for _, tree, _ in self.values)

    def sets(self) -> Iterator[Binding]:
        """Outputs that keep their names were chosen by who wrote the fragment."""
        yield from (Binding(name, span) for _, name, span in self.into)
        yield from (Binding(here, self.path_span, written=False) for _, here in self.outputs)


Step = (
    Request
    | Include
    | Poll
    | Paginate
    | Upload
    | Hls
    | Think
    | Choose
    | Repeat
    | For
    | While
    | If
    | Group
    | Parallel
    | OpenWebSocket
    | OpenEventStream
    | Send
    | Receive
    | Ping
    | Set
    | Log
    | Skip
    | Stop
)


def _at_once(written: Expression | None) -> int | None:
    return 1 if written is None else whole(written)
