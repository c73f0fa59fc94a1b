"""The shapes of steps: how a VU goes through what stands within a step, whichever kind it is.

Laws: shapes are a closed set, `match` with assert_never. Who only walks steps matches on them and asks a step for its
`name`, what it uses and what it sets; a new kind of step with one of these shapes is walked at once. Kinds themselves
are known to keys, model, read, plan and the interpreter alone. Steps as written and as planned have the same shapes; a
number is None where only the plan or the run tells it.
"""

from dataclasses import dataclass
from typing import ClassVar, Generic, Self, TypeVar, assert_never

S = TypeVar("S", covariant=True)  # steps
Inner = TypeVar("Inner")
R = TypeVar("R", covariant=True)  # requests, which are steps themselves


class Nameless:
    """A kind of step that authors give no name."""

    __slots__ = ()
    name: ClassVar[str] = ""


class Whole:
    """A kind with no steps within it, or none that could be others."""

    __slots__ = ()

    def rebuilt(self, change: object) -> Self:
        """The step with each list of steps within it changed."""
        return self


@dataclass(frozen=True, slots=True)
class Leaf:
    """Done at once, with nothing within it; `may_wait`: mostly it waits for the target first, but it need not."""

    may_wait: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Waits so many seconds; both are None where only the run tells."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Sends(Generic[R]):
    """Sends a request: that of the step itself, or the one within it. Retries and redirects are not counted."""

    request: R
    least: int | None = 1  # times
    most: int | None = 1
    at_once: int | None = 1  # of these times
    sent: int = 0  # bytes of all times together, at least
    waits: bool = False  # for a response that is as asked
    by_page: bool = False  # each time has figures of its own


@dataclass(frozen=True, slots=True)
class Block(Generic[S]):
    """Steps in their order."""

    steps: tuple[S, ...]
    group: str = ""  # the label that their samples carry
    own_names: bool = False  # they neither see nor set the names around them
    holds: bool = False  # the first of them is a request whose connection is theirs while the others run


@dataclass(frozen=True, slots=True)
class OneOf(Generic[S]):
    """One of several ways: dealt by weight, or taken by a condition."""

    ways: tuple[tuple[S, ...], ...]
    weights: tuple[int | None, ...] = ()  # empty: a condition decides
    taken: int | None = None  # the way that is always taken


@dataclass(frozen=True, slots=True)
class Loop(Generic[S]):
    """Steps that are gone through again and again."""

    steps: tuple[S, ...]
    least: int | None  # rounds
    most: int | None
    at_once: int | None = 1
    asks: bool = False  # before each round, so that there may be none
    plays: bool = False  # what is fetched is media, and those who listen have figures of their own


@dataclass(frozen=True, slots=True)
class Beside(Generic[S]):
    """Ways that all begin at the same time."""

    ways: tuple[tuple[S, ...], ...]
    per_host: int | None  # requests on their way together, at most


@dataclass(frozen=True, slots=True)
class Ends:
    """Nothing behind it runs in this iteration."""


Shape = Leaf | Pause | Sends[R] | Block[S] | OneOf[S] | Loop[S] | Beside[S] | Ends


def lists_within(step: Inner, shape: Shape[Inner, Inner]) -> tuple[tuple[Inner, ...], ...]:
    """The lists of steps within a step of this shape."""
    match shape:
        case Sends(request=request):
            return () if request is step else ((request,),)
        case Block(steps=steps) | Loop(steps=steps):
            return (steps,)
        case OneOf(ways=ways) | Beside(ways=ways):
            return ways
        case Leaf() | Pause() | Ends():
            return ()
        case never:
            assert_never(never)
