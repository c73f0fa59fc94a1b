"""What came of a profile, as it stands in results, reports and the history: the functions by their shares.

Small: the functions that lead, and those that gates name; all others are below `rest`. Shares are of the profile's
total. Nothing in a record is secret.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from vezaflow.profiles.pprof import SampledProfile
from vezaflow.untrusted import Maybe, Shape

Json = dict[str, Any]
KEPT = 60  # functions by each of the two shares
_LONGEST = 300  # characters of a function's name
_COUNTED = ("samples", "sample")


@dataclass(frozen=True, slots=True)
class FunctionShare:
    """`flat`: while the function itself ran (or held, or allocated); `cum`: with all that it called."""

    function: str
    flat: float
    cum: float


@dataclass(frozen=True, slots=True)
class Growth:
    """A function with a greater share than in an earlier run. Where that does not list it, it had at most what is said
    here."""

    function: str
    flat_before: float
    flat: float
    cum_before: float
    cum: float


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """A profile. `begin` and `end` in seconds of the load. Without functions there is a `problem`."""

    name: str  # of its event
    begin: float
    end: float
    kind: str = ""  # `cpu`, `inuse_space`
    unit: str = ""  # `nanoseconds`, `bytes`
    total: float = 0.0  # in that unit
    samples: int = 0  # 0: what it counts is no samples
    seconds: float = 0.0  # over which it was sampled; 0: a snapshot
    functions: int = 0  # in all
    top: tuple[FunctionShare, ...] = ()
    rest: float = 0.0  # the flat and cumulative share that no function has which is not in `top`
    problem: str = ""  # why there is none; empty: there is
    file: str = ""  # where the profile itself is kept
    against: str = ""  # the run that `grown` compares with; empty: none
    grown: tuple[Growth, ...] = ()

    @property
    def flat_rest(self) -> float:
        """The flat share that no function has which is not in `top`: the flattest are kept, so none of the others has
        more than the last of these."""
        flats = sorted((each.flat for each in self.top), reverse=True)
        return min(self.rest, flats[KEPT - 1]) if len(flats) >= KEPT else self.rest

    def by_flat(self) -> tuple[FunctionShare, ...]:
        """The functions, the greatest flat share first."""
        return tuple(sorted(self.top, key=lambda each: (-each.flat, -each.cum, each.function)))

    def by_cum(self) -> tuple[FunctionShare, ...]:
        """The functions, the greatest cumulative share first."""
        return tuple(sorted(self.top, key=lambda each: (-each.cum, -each.flat, each.function)))

    def of(self, function: str) -> FunctionShare | None:
        return next((each for each in self.top if each.function == function), None)

    def masked(self, mask: Callable[[str], str]) -> "ProfileRecord":
        """The same with no secret in what the server said."""
        top = tuple(replace(each, function=mask(each.function)) for each in self.top)
        return replace(self, top=top, problem=mask(self.problem), file=mask(self.file))


def shares_of(profile: SampledProfile) -> list[FunctionShare]:
    """All functions of a profile by its usual kind, in no order; empty where it is of nothing."""
    flat: dict[str, int] = {}
    cum: dict[str, int] = {}
    for stack in profile.stacks:
        value = stack.values[profile.usual]
        if stack.functions and value:
            flat[stack.functions[0]] = flat.get(stack.functions[0], 0) + value
            for function in set(stack.functions):  # once, however often it called itself
                cum[function] = cum.get(function, 0) + value
    total = total_of(profile)
    if not total:
        return []
    return [FunctionShare(function, flat.get(function, 0) / total, amount / total) for function, amount in cum.items()]


def total_of(profile: SampledProfile) -> int:
    """What all stacks have together, by the usual kind."""
    return sum(abs(stack.values[profile.usual]) for stack in profile.stacks)


def record_of(
    profile: SampledProfile, name: str, begin: float, end: float, *, file: str = "", named: Iterable[str] = ()
) -> ProfileRecord:
    """What is kept of a profile. `named`: functions that are kept however small their share is."""
    kind = profile.kinds[profile.usual]
    shares = shares_of(profile)
    kept = {each.function: each for each in sorted(shares, key=lambda each: (-each.flat, each.function))[:KEPT]}
    kept |= {each.function: each for each in sorted(shares, key=lambda each: (-each.cum, each.function))[:KEPT]}
    rest = max((each.cum for each in shares if each.function not in kept), default=0.0)
    wanted = set(named)
    kept |= {each.function: each for each in shares if each.function in wanted}
    return ProfileRecord(
        name=name,
        begin=begin,
        end=end,
        kind=kind.kind,
        unit=kind.unit,
        total=float(total_of(profile)),
        samples=_samples(profile),
        seconds=profile.seconds,
        functions=len(shares),
        top=tuple(replace(each, function=each.function[:_LONGEST]) for each in kept.values()),
        rest=rest,
        problem="" if shares else "it has no samples",
        file=file,
    )


def _samples(profile: SampledProfile) -> int:
    """How many samples it is of, where it says so: the more, the less of a share is chance."""
    at = next((n for n, kind in enumerate(profile.kinds) if kind.kind in _COUNTED and kind.unit == "count"), None)
    return 0 if at is None else sum(stack.values[at] for stack in profile.stacks)


PROFILE_SHAPE: Shape = {
    "name": str, "begin": float, "end": float, "kind": str, "unit": str, "total": float, "samples": int,
    "seconds": float, "functions": int, "top": [{"function": str, "flat": float, "cum": float}], "rest": float,
    "problem": str, "file": str, "against": Maybe(str),
    "grown": Maybe([{"function": str, "flat_before": float, "flat": float, "cum_before": float, "cum": float}]),
}  # fmt: skip


def profile_to_json(record: ProfileRecord) -> Json:
    """The record as a JSON object."""
    top, grown = ([asdict(each) for each in found] for found in (record.by_flat(), record.grown))
    return {**asdict(record), "top": top, "grown": grown}


def profile_from_json(found: Json) -> ProfileRecord:
    """The record of an object that has PROFILE_SHAPE."""
    known = {name: found[name] for name in PROFILE_SHAPE if name in found}
    top = tuple(FunctionShare(each["function"], each["flat"], each["cum"]) for each in found["top"])
    names = ("function", "flat_before", "flat", "cum_before", "cum")
    grown = tuple(Growth(**{name: each[name] for name in names}) for each in found.get("grown", ()))
    return ProfileRecord(**{**known, "top": top, "grown": grown})
