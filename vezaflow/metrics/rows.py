"""What every row of a summary can do, derived from its fields: be copied, added to, have an earlier state of itself
taken away, be narrowed to one histogram, and be JSON.

The type of a field says how: counts and tallies are added, histograms merged (they share their buckets until someone
records). A field that is not of these says so itself: `figure(LEAST, default=inf)`.
"""

from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from math import inf, isinf
from typing import Any, Self

from vezaflow.metrics.histogram import Histogram
from vezaflow.untrusted import MappingOf, Maybe, Shape

Json = dict[str, Any]
_RULE = "rule"


def _same(value: Any) -> Any:
    return value


def _now(value: Any, earlier: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How the values of a field are treated. `add` may change its first argument; what `write` makes None is left
    out."""

    shape: Shape
    add: Callable[[Any, Any], Any]
    minus: Callable[[Any, Any], Any] = _now
    copy: Callable[[Any], Any] = _same
    write: Callable[[Any], Any] = _same
    read: Callable[[Any], Any] = _same
    empty: Callable[[], Any] | None = None  # of fields that hold histograms


def _added(mine: Histogram, theirs: Histogram) -> Histogram:
    mine.add(theirs)
    return mine


def _all_added(mine: dict[str, Histogram], theirs: dict[str, Histogram]) -> dict[str, Histogram]:
    for name, histogram in theirs.items():
        mine.setdefault(name, Histogram()).add(histogram)
    return mine


def _all_since(now: dict[str, Histogram], earlier: dict[str, Histogram]) -> dict[str, Histogram]:
    return {name: held.minus(earlier.get(name, Histogram())) for name, held in now.items()}


def _union(mine: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    return mine if mine == theirs else tuple(sorted({*mine, *theirs}))


def _finite(value: float) -> float | None:
    return None if isinf(value) else value


_TIMES: Shape = {"count": int}  # Histogram.from_json looks at the rest
_RULES: dict[Any, FieldRule] = {
    int: FieldRule(int, lambda mine, theirs: mine + theirs, lambda now, earlier: now - earlier),
    Histogram: FieldRule(
        _TIMES, _added, Histogram.minus, Histogram.copy, Histogram.to_json, Histogram.from_json, Histogram
    ),
    dict[str, Histogram]: FieldRule(
        MappingOf(_TIMES),
        _all_added,
        _all_since,
        lambda held: {name: histogram.copy() for name, histogram in held.items()},
        lambda held: {name: histogram.to_json() for name, histogram in held.items()},
        lambda record: {name: Histogram.from_json(times) for name, times in record.items()},
        dict,
    ),
    Tally[str]: FieldRule(
        MappingOf(int), lambda mine, theirs: mine + theirs, lambda now, earlier: now - earlier, Tally, dict, Tally
    ),
    tuple[str, ...]: FieldRule([str], _union, write=list, read=tuple),
}
LEAST = FieldRule(Maybe(float), min, write=_finite)  # inf: never
MOST = FieldRule(Maybe(float), max, write=_finite)  # -inf: never
LONGEST = FieldRule(float, max, lambda now, earlier: now - earlier)  # of workers beside one another
HIGHEST = FieldRule(int, max)
OWN = FieldRule(str, _now)  # the row itself says which one is kept


def _is_counted(value: Any) -> bool:
    match value:
        case Histogram():
            return bool(value.samples)
        case dict():
            return any(_is_counted(each) for each in value.values())
        case int() | float():
            return 0 < value < inf
    return False


def figure(rule: FieldRule, default: Any) -> Any:
    """A field that is treated by this rule."""
    return field(default=default, metadata={_RULE: rule})


_rules_of: dict[Any, tuple[tuple[str, FieldRule], ...]] = {}


def rules(row: Any) -> tuple[tuple[str, FieldRule], ...]:
    """The fields of a kind of row, in their order."""
    found = _rules_of.get(row)
    if found is None:
        found = tuple((each.name, each.metadata.get(_RULE) or _RULES[each.type]) for each in fields(row))
        _rules_of[row] = found
    return found


class SummaryRow:
    """Base of the rows, which are dataclasses of numbers, tallies and histograms."""

    __slots__ = ()

    def copy(self) -> Self:
        return type(self)(*[rule.copy(getattr(self, name)) for name, rule in rules(type(self))])

    def add(self, other: Self) -> None:
        """Take in the same series from elsewhere."""
        for name, rule in rules(type(self)):
            setattr(self, name, rule.add(getattr(self, name), getattr(other, name)))

    def minus(self, earlier: Self) -> Self:
        """What came since an earlier state of this row."""
        return type(self)(
            *[rule.minus(getattr(self, name), getattr(earlier, name)) for name, rule in rules(type(self))]
        )

    def only(self, *histograms: str) -> Self:
        """The same counts with these histograms, or none."""
        return type(self)(
            *[
                rule.empty() if rule.empty is not None and name not in histograms else getattr(self, name)
                for name, rule in rules(type(self))
            ]
        )

    @property
    def counts(self) -> bool:
        """Whether anything is counted: a number or a tally is above zero, or a histogram has samples."""
        return any(_is_counted(getattr(self, name)) for name, _ in rules(type(self)))

    def times(self, name: str) -> Any:
        """The histogram of this name."""
        return getattr(self, name)

    def to_json(self) -> Json:
        written = ((name, rule.write(getattr(self, name))) for name, rule in rules(type(self)))
        return {name: value for name, value in written if value is not None}

    @classmethod
    def from_json(cls, record: Json) -> Self:
        return cls(**{name: rule.read(record[name]) for name, rule in rules(cls) if name in record})

    @classmethod
    def shape(cls) -> dict[str, Shape]:
        """What its JSON looks like."""
        return {name: rule.shape for name, rule in rules(cls)}
