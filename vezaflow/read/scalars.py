"""One scalar → an Expression, checked against the kind that its key wants.

A constant is checked whole and comes out as a Literal in base types (a Quantity for durations and sizes).
Of a `${…}` those constants are checked that may become its value (`${env.DURATION ?? 5m}`: the `5m`); the
rest is the plan's, which knows the values. What is wrong becomes a diagnostic, and the value a Literal of
None, so that reading goes on.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from vezaflow.diagnostics import Diagnostics, Edit, Span, did_you_mean, slip, suggest
from vezaflow.keys import MOST_WEIGHT, Field, Kind
from vezaflow.syntax import (
    Binary,
    Call,
    Conditional,
    Expression,
    Literal,
    Mapping,
    Node,
    Range,
    Scalar,
    Sequence,
    Template,
    parse_bare,
    parse_expression,
    parse_template,
    parse_value,
)
from vezaflow.units import EXAMPLES, Dimension, Quantity, parse

_DRAWN = ("random", "uniform")
_NUMBERS = (*_DRAWN, "len", "int", "float", "round", "sum", "mod", "abs")  # functions that give one without a unit
_TEXTS = (Kind.TEMPLATE, Kind.URL, Kind.SOCKET, Kind.PATH, Kind.PROXY)
Constant = None | bool | int | float | str | Quantity


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a constant does not fit, as a diagnostic without its place."""

    code: str
    message: str
    label: str = ""
    help: str = ""
    meant: str = ""  # what stands there once it is mended, if there is no doubt


# A range as people write it.
_COMMA = re.compile(r"[0-9]+,[0-9]+ *[A-Za-z]+$")
_FROM_TO = re.compile(r"random\(\s*([\d.]+)\s*,\s*([\d.]+)\s*\)")
_AS_RANGE = "for a random duration write a range: `{0}s..{1}s`"
_DASHED = re.compile(r"(?P<low>[\d.]+) ?(?P<unit>[a-z]*) ?(?:-|–|to) ?(?P<high>[\d.]+) ?(?P<last>[a-z]+)")

Check = Callable[[Constant, str], Constant | Wrong]


def nothing(span: Span) -> Literal:
    """What stands for a value that could not be read; rules pass over it."""
    return Literal(None, span)


def describe(node: Node) -> str:
    """What a node is, in an author's words."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    return called(node.typed())


def called(value: Constant) -> str:
    """What a constant is, in an author's words."""
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a text"}
    return names.get(type(value), "nothing")


def expression(node: Node, field: Field, diagnostics: Diagnostics) -> Expression:
    """The value of a key whose kind is one scalar; any expression where `${…}` is allowed."""
    empty = isinstance(node, Scalar) and node.plain and (node.text == "" or _is_no_condition(node, field))
    if not isinstance(node, Scalar) or empty:
        _misshapen(node, field, diagnostics)
        return nothing(node.span)
    if field.kind is Kind.EXPRESSION:
        return bare_expression(node, diagnostics)
    if field.kind in (Kind.PAUSE, Kind.WAIT, Kind.DURATION) and ".." in node.text and "${" not in node.text:
        found = parse_expression(node, diagnostics) or nothing(node.span)
    else:
        found = (parse_template if field.kind in _TEXTS else parse_value)(node, diagnostics)
    if field.kind in _TEXTS:
        return found
    if isinstance(found, Literal):
        return _constant(found, node, field, diagnostics)
    _tails(found, field, diagnostics)
    return found


def _is_no_condition(node: Scalar, field: Field) -> bool:
    """`if: null`, in which YAML sees nothing at all."""
    return field.kind is Kind.EXPRESSION and node.typed() is None


def bare_expression(node: Scalar, diagnostics: Diagnostics) -> Expression:
    """An expression written with or without `${…}` around it."""
    return parse_bare(node, diagnostics) or nothing(node.span)


def text(node: Node, field: Field, diagnostics: Diagnostics) -> str:
    """A constant text; numbers stay as they were written. Empty (and a diagnostic) if it is none."""
    if not isinstance(node, Scalar) or (node.plain and node.typed() is None):
        _misshapen(node, field, diagnostics)
        return ""
    if "${" in node.text.replace("$${", ""):
        diagnostics.error(
            "VF125",
            node.span,
            f"'{field.key}' must be {field.wanted}",
            label="`${…}` is not allowed here",
            help=""
            if field.kind is Kind.FRAGMENT
            else "names are used by metrics, gates and comparisons, so they must be constant",
        )
    return node.text


def may_become(found: Expression) -> Iterator[Expression]:
    """The parts of an expression that may be its whole value."""
    match found:
        case Binary(operator="??", left=left, right=right):
            yield from may_become(left)
            yield from may_become(right)
        case Conditional(then=then, otherwise=otherwise):
            yield from may_become(then)
            yield from may_become(otherwise)
        case _:
            yield found


def _constant(found: Literal, node: Scalar, field: Field, diagnostics: Diagnostics) -> Expression:
    outcome = _check(found, node.text, field)
    if not isinstance(outcome, Wrong):
        return Literal(outcome, found.span)
    if outcome.code == "VF222" and type(found.value) is not int and field.example:
        outcome = replace(outcome, help=f"for instance `{field.key}: {field.example}`")
    _report(outcome, node.span, diagnostics, Edit(node.span, outcome.meant) if outcome.meant else None)
    return nothing(node.span)


def _tails(found: Expression, field: Field, diagnostics: Diagnostics) -> None:
    for part in may_become(found):
        if isinstance(part, Range):
            _range(part, field, diagnostics)
        elif isinstance(part, Literal) and part.value is not None and field.kind in _CHECKS:
            outcome = _check(part, part.span.text, field)
            if isinstance(outcome, Wrong):
                _report(outcome, part.span, diagnostics)
        elif isinstance(part, Call) and part.function in _NUMBERS and field.kind in (Kind.PAUSE, Kind.WAIT):
            said = f"`${{{part.span.text}}}s`"
            help_ = f"{said} are seconds; a random duration is `1s..3s`" if part.function in _DRAWN else said
            diagnostics.error("VF220", part.span, "missing unit of a duration", label="got a number", help=help_)
        elif isinstance(part, Template) and field.kind in (Kind.PAUSE, Kind.WAIT) and ".." in part.span.text:
            diagnostics.error(
                "VF224",
                part.span,
                "this range is only partly inside `${…}`",
                help="write the whole range as one expression: `${low..high}`",
            )


def _range(found: Range, field: Field, diagnostics: Diagnostics) -> None:
    if field.kind not in (Kind.PAUSE, Kind.WAIT):
        diagnostics.error("VF224", found.span, f"'{field.key}' must be {field.wanted}", label="got a range")
        return
    ends = [end.value for end in (found.low, found.high) if isinstance(end, Literal)]
    for end in (found.low, found.high):
        if isinstance(end, Literal):
            outcome = _check(end, end.span.text, field)
            if isinstance(outcome, Wrong):
                _report(outcome, end.span, diagnostics)
    match ends:
        case [Quantity(amount=low), Quantity(amount=high)] if low > high:
            diagnostics.error("VF224", found.span, "this range is empty", help="write the smaller value first")


def _check(found: Literal, written: str, field: Field) -> Constant | Wrong:
    check = _CHECKS.get(field.kind)
    if check is not None:
        return check(found.value, written)
    if field.kind is Kind.CHOICE:
        return _choice(found.value, written, field)
    raise AssertionError(field.kind)


def _quantity(dimension: Dimension, what: str, examples: tuple[str, str], *, least: str = "") -> Check:
    def check(value: Constant, written: str) -> Constant | Wrong:
        if isinstance(value, int | float) and not isinstance(value, bool):
            first, second = (example.format(written) for example in examples)
            return Wrong("VF220", f"{what} needs a unit: `{first}` or `{second}`", "no unit")
        if isinstance(value, str):
            try:
                value = parse(value)
            except ValueError as error:
                if dimension is Dimension.TIME and (dashed := _DASHED.fullmatch(written)):
                    low, high = dashed["low"] + (dashed["unit"] or dashed["last"]), dashed["high"] + dashed["last"]
                    return Wrong(
                        "VF221", f"'{written}' is not {what}", help=f"write a range with two dots: `{low}..{high}`"
                    )
                if dimension is Dimension.TIME and (drawn := _FROM_TO.fullmatch(written)):
                    return Wrong("VF221", f"'{written}' is not {what}", help=_AS_RANGE.format(drawn[1], drawn[2]))
                like = f"write `{written.replace(',', '.')}`" if _COMMA.match(written) else _like(dimension)
                return Wrong("VF221", f"'{written}' is not {what}", _plain(str(error), written), like)
        if not isinstance(value, Quantity):
            return Wrong("VF221", f"'{written}' is not {what}", help=_like(dimension))
        if value.dimension is not dimension:
            return Wrong("VF221", f"'{written}' is not {what}", f"a {value.dimension.value}", _like(dimension))
        if least and value.amount <= 0:
            return Wrong("VF221", f"{what} of {written} makes no sense here", least)
        return value

    return check


def _like(dimension: Dimension) -> str:
    return f"write it like `{EXAMPLES[dimension]}`"


def _plain(reason: str, written: str) -> str:
    return "" if f"got '{written}'" in reason else reason


def _count(least: int, most: int | None = None) -> Check:
    wanted = f"a whole number, {least} or more" if most is None else f"a whole number from {least} to {most:,}"

    def check(value: Constant, written: str) -> Constant | Wrong:
        if isinstance(value, bool) or not isinstance(value, int):
            return Wrong("VF222", f"this must be {wanted}", f"got '{written}'")
        if value < least:
            return Wrong("VF222", f"this must be {wanted}", f"{written} is too small")
        if most is not None and value > most:
            return Wrong("VF222", f"this must be {wanted}", "this is too large")
        return value

    return check


_YAML_1_1 = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def _switch(value: Constant, written: str) -> Constant | Wrong:
    if isinstance(value, bool):
        return value
    meant = _YAML_1_1.get(written.lower(), "")
    plain = meant or {"1": "true", "0": "false"}.get(written)
    help_ = f"in YAML 1.2 '{written}' is not a boolean; write `{plain}`" if plain else ""
    return Wrong("VF223", "this must be `true` or `false`", f"got '{written}'", help_, meant)


def _follow(value: Constant, written: str) -> Constant | Wrong:
    if isinstance(value, bool) or (isinstance(value, int) and value >= 0):
        return value
    meant = _YAML_1_1.get(written.lower(), "")
    help_ = f"in YAML 1.2 '{written}' is not a boolean; write `{meant}`" if meant else ""
    return Wrong("VF223", f"'follow' must be {Kind.FOLLOW.value}", f"got '{written}'", help_, meant)


def _choice(value: Constant, written: str, field: Field) -> Constant | Wrong:
    if isinstance(value, str) and value in field.choices:
        return value
    near = suggest(written, field.choices)
    return Wrong(
        "VF126",
        f"'{written}' is not a valid value of '{field.key}'",
        did_you_mean(near),
        f"allowed: {', '.join(field.choices)}",
        slip(written, field.choices) or "",
    )


def _pick(value: Constant, written: str) -> Constant | Wrong:
    if value in ("first", "last", "random") or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    near = suggest(written, ("first", "last", "random"))
    label = f"did you mean '{near}'?" if near else f"got '{written}'"
    return Wrong("VF126", f"'pick' must be {Kind.PICK.value}", label)


def _version(value: Constant, written: str) -> Constant | Wrong:
    if written in ("1.1", "2"):
        return written
    meant = {"1": "1.1", "1.0": "1.1", "2.0": "2"}.get(written.lower().removeprefix("http/").removeprefix("h"), "")
    meant = meant or ("2" if written.lower() in ("h2", "http/2") else "")
    label = f"did you mean `{meant}`?" if meant else f"got '{written}'"
    return Wrong("VF126", f"'version' must be {Kind.VERSION.value}", label)


_CHECKS: dict[Kind, Check] = {
    Kind.DURATION: _quantity(Dimension.TIME, "a duration", ("{} ms", "{} s")),
    Kind.PAUSE: _quantity(Dimension.TIME, "a duration", ("{} ms", "{} s")),
    Kind.WAIT: _quantity(Dimension.TIME, "a duration", ("{} ms", "{} s")),
    Kind.SIZE: _quantity(Dimension.SIZE, "a size", ("{} B", "{} KiB"), least="nothing to send"),
    Kind.COUNT: _count(1),
    Kind.WEIGHT: _count(1, MOST_WEIGHT),
    Kind.WHOLE: _count(0),
    Kind.RATE: _quantity(Dimension.RATE, "a rate", ("{}/s", "{}/m")),
    Kind.NUMBER: _count(0),
    Kind.SWITCH: _switch,
    Kind.FOLLOW: _follow,
    Kind.PICK: _pick,
    Kind.VERSION: _version,
}


def _misshapen(node: Node, field: Field, diagnostics: Diagnostics) -> None:
    example = f"for instance `{field.key}: {field.example}`" if field.example else ""
    if field.kind in (Kind.URL, Kind.SOCKET) and isinstance(node, Mapping):
        example = f"write `{field.key}: {field.example}`; put options next to it, not under it"
    report_shape(node, f"'{field.key}'", field.wanted, diagnostics, help=example)


def report_shape(node: Node, what: str, wanted: str, diagnostics: Diagnostics, *, help: str = "") -> None:  # noqa: A002
    """`what` must be something else than the node is; `help` is said where its shape alone says no remedy."""
    if isinstance(node, Mapping) and wanted.startswith("a list of"):
        help = help or "start every item of a list with `- `"  # noqa: A001
    elif isinstance(node, Sequence) and wanted.startswith("a mapping"):
        help = help or "write the keys of a mapping without `- `"  # noqa: A001
    elif wanted == Kind.STEPS.value:
        help = help or "for instance `[{get: /api/v1/tracks}]`"  # noqa: A001
    empty = isinstance(node, Scalar) and node.text == ""
    span = Span(node.span.source, max(0, node.span.start - 1), node.span.start) if empty else node.span
    diagnostics.error("VF120", span, f"{what} must be {wanted}", label=f"this is {describe(node)}", help=help)


def _report(wrong: Wrong, span: Span, diagnostics: Diagnostics, fix: Edit | None = None) -> None:
    diagnostics.error(wrong.code, span, wrong.message, label=wrong.label, help=wrong.help, fix=fix)
