"""What JSON from elsewhere has to look like, and where it does not: shares' files, workers' reports, tapes.

A shape is a type (`str`, `bool`, `int`, `float`), a set of constants, a list of one shape, a mapping of fields, or one
of the shapes below. Numbers are finite and of a size that can be added up; an `int` is a count, so no less than zero. A
field that a shape does not name is let pass; one that it names has to be there, unless it is Maybe.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from math import isfinite
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

Shape = Any  # a type, a set, a list, a mapping, or one of the classes below

_LARGEST = 2**62


@dataclass(frozen=True, slots=True)
class Maybe:
    """A field that may be missing."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class Null:
    """Nothing, or a value of this shape."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class MappingOf:
    """A mapping from texts to values of one shape."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class TupleOf:
    """A list of so many values, each of a shape of its own."""

    shapes: Sequence[Shape]


def misfit(value: Any, shape: Shape, place: str = "") -> str:
    """Where a value is not of a shape, as a path such as `workers[0].name`; empty where it is."""
    match shape:
        case type():
            return "" if _is(value, shape) else place or "."
        case frozenset():
            return "" if isinstance(value, str) and value in shape else place or "."
        case Null(shape=inner):
            return "" if value is None else misfit(value, inner, place)
        case MappingOf(shape=inner):
            if not isinstance(value, dict):
                return place or "."
            return _first(misfit(item, inner, f"{place}.{key}"[:80]) for key, item in value.items())
        case TupleOf(shapes=shapes):
            if not isinstance(value, list) or len(value) != len(shapes):
                return place or "."
            return _first(
                misfit(item, inner, f"{place}[{n}]") for n, (item, inner) in enumerate(zip(value, shapes, strict=True))
            )
        case [inner]:
            if not isinstance(value, list):
                return place or "."
            return _first(misfit(item, inner, f"{place}[{number}]") for number, item in enumerate(value))
        case Mapping():
            return _fields(value, shape, place)
    raise TypeError(shape)


def _fields(value: Any, shape: Mapping[str, Shape], place: str) -> str:
    if not isinstance(value, dict):
        return place or "."
    for name, inner in shape.items():
        if isinstance(inner, Maybe):
            if name not in value:
                continue
            inner = inner.shape
        if name in value and isinstance(inner, type) and _is(value[name], inner):
            continue  # most fields: no path is written for them
        at = f"{place}.{name}" if place else name
        if name not in value:
            return at
        if found := misfit(value[name], inner, at):
            return found
    return ""


def shape_of(record: type) -> dict[str, Shape]:
    """The shape of a dataclass's fields as JSON. One that may be None by default may be missing: earlier versions did
    not have it."""
    hints = get_type_hints(record)
    shapes = {item.name: _shape(hints[item.name]) for item in fields(record)}
    return shapes | {item.name: Maybe(shapes[item.name]) for item in fields(record) if item.default is None}


def _shape(hint: Any) -> Shape:
    if is_dataclass(hint) and isinstance(hint, type):
        return shape_of(hint)
    if isinstance(hint, type) and not get_args(hint):
        return hint
    arguments = get_args(hint)
    if isinstance(hint, UnionType):
        return Null(_shape(next(kind for kind in arguments if kind is not type(None))))
    if issubclass(get_origin(hint), Mapping):
        return MappingOf(_shape(arguments[1]))
    return [_shape(arguments[0])]


def _first(found: Iterable[str]) -> str:
    return next((place for place in found if place), "")


def _is(value: Any, kind: type) -> bool:
    if kind not in (int, float):
        return isinstance(value, kind)
    if type(value) is int and 0 <= value < _LARGEST:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if not (isfinite(value) and abs(value) < _LARGEST):
        return False
    return kind is float or (isinstance(value, int) and value >= 0)
