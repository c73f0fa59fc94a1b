"""The tree of an expression: data only. plan/ turns it into callables, model/ checks its names."""

from dataclasses import dataclass
from typing import Literal as OneOf

from vezaflow.diagnostics import Span
from vezaflow.syntax.labels import Labels
from vezaflow.units import Quantity

Operator = OneOf["??", "or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/"]


@dataclass(frozen=True, slots=True)
class Literal:
    value: bool | int | float | str | Quantity | None
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """A variable: of the flow, of the suite, of a loop; or one of the given names env, vu, iteration."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """`target.name`: a key of a mapping. Never an attribute of a Python object."""

    target: "Expression"
    name: str
    span: Span  # of the whole expression


@dataclass(frozen=True, slots=True)
class Index:
    target: "Expression"
    index: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the table in functions.py; `name_span` is where its name stands."""

    function: str
    arguments: tuple["Expression", ...]
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    operator: OneOf["-", "not"]
    operand: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    operator: Operator
    left: "Expression"
    right: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """`then if condition else otherwise`."""

    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple["Expression", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Range:
    """`0.5s..1.5s`: both ends of one dimension."""

    low: "Expression"
    high: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Template:
    """Text with `${…}` in it, rendered part by part. A scalar that is one `${…}` is that expression."""

    parts: tuple["Expression", ...]  # text parts are Literals
    span: Span


Expression = Literal | Name | Member | Index | Call | Unary | Binary | Conditional | ListOf | Range | Template


@dataclass(frozen=True, slots=True)
class Reference:
    """What a gate compares with, `1.5 * p(95){page:1} + 10 ms`: another figure of the gate's own metric.

    Its labels stand in the place of the gate's own of the same names; all others hold here, too.
    """

    aggregate: str
    argument: float | None
    labels: Labels
    factor: float
    plus: float | Quantity | None
    text: str  # the figure alone, `p(95){page:1}`
    span: Span

    def labels_beside(self, labels: Labels) -> Labels:
        """Which samples it is of, in a gate with these labels."""
        return tuple(sorted({**dict(labels), **dict(self.labels)}.items()))


@dataclass(frozen=True, slots=True)
class OfBaseline:
    """What a gate compares with, `110 % of baseline`: the same figure of earlier runs, times a factor."""

    factor: float
    span: Span


@dataclass(frozen=True, slots=True)
class Condition:
    """A gate's condition, `p(95) < 500 ms`."""

    aggregate: str  # p, avg, min, max, med, count, rate, value
    argument: float | None  # 95 in p(95)
    operator: OneOf["<", "<=", ">", ">=", "==", "!="]
    bound: float | Quantity | Reference | OfBaseline
    text: str  # as written
    span: Span
