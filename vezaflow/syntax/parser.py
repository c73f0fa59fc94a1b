"""The text of an expression or a condition → its tree, with a Diagnostic for everything that can't be
read.

lark does the reading (grammar.py); this file makes the trees, gives every part its span in the author's
file, and keeps the bounds: length, depth, size of numbers. Nothing is evaluated, and Python's own parser is
never asked.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeVar, cast

from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.syntax.expressions import (
    Binary,
    Call,
    Condition,
    Conditional,
    Expression,
    Index,
    ListOf,
    Literal,
    Member,
    Name,
    OfBaseline,
    Operator,
    Range,
    Reference,
    Unary,
)
from vezaflow.syntax.grammar import grammar
from vezaflow.syntax.labels import Labels, split_labels
from vezaflow.syntax.nodes import Scalar
from vezaflow.syntax.trouble import RESERVED, Trouble, explain, unescaped
from vezaflow.units import Dimension, Quantity, parse

LONGEST = 4_000
REMEMBERED = 100  # characters of a text whose tree is kept
DEEPEST = 100
AGGREGATES = ("p", "avg", "min", "max", "med", "count", "rate", "value", "score", "share", "flat")
_T = TypeVar("_T")
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def parse_expression(
    scalar: Scalar, diagnostics: Diagnostics, start: int = 0, end: int | None = None
) -> Expression | None:
    """The expression that `scalar.text[start:end]` is; None, with the reason reported, if it is none."""
    return _guarded(scalar, diagnostics, start, end, "expression", lambda b, tree: b.expression(tree))


def parse_condition(scalar: Scalar, diagnostics: Diagnostics) -> Condition | None:
    """The condition that the scalar is (`p(95) < 500 ms`); None, with the reason reported, if it is none."""
    return _guarded(scalar, diagnostics, 0, None, "condition", lambda b, tree: b.condition(tree))


def parse_pipeline(scalar: Scalar, diagnostics: Diagnostics) -> Expression | None:
    """Functions that a value goes through (`trim | int`), as an expression over the name `it`."""
    return _guarded(scalar, diagnostics, 0, None, "pipeline", lambda b, tree: b.pipeline(tree))


def parse_limit(scalar: Scalar, value: Expression, diagnostics: Diagnostics) -> Expression | None:
    """What a value must be (`< 500 ms`, `1 KiB..2 MiB`), as an expression that is true if it is."""
    return _guarded(scalar, diagnostics, 0, None, "limit", lambda b, tree: b.limit(tree, value))


def _guarded(
    scalar: Scalar,
    diagnostics: Diagnostics,
    start: int,
    end: int | None,
    rule: str,
    build: "Callable[[_Builder, Tree[Token]], _T]",
) -> _T | None:
    stop = len(scalar.text) if end is None else end
    text = scalar.text[start:stop]
    try:
        return build(_Builder(scalar, start), _read(text, rule))
    except Trouble as trouble:
        span = scalar.piece(start + trouble.start, start + max(trouble.end, trouble.start))
        if trouble.start >= len(text):  # at the end: the caret stands behind the last character
            span = _behind(scalar, start + len(text.rstrip()))
        diagnostics.error(trouble.code, span, trouble.message, label=trouble.label, help=trouble.help)
        return None


def _behind(scalar: Scalar, index: int) -> Span:
    if index == 0:
        return scalar.span
    at = scalar.piece(index - 1, index).end
    return Span(scalar.span.source, at, at)


def _read(text: str, rule: str) -> "Tree[Token]":
    """The text as lark's tree, within the bounds."""
    if len(text) > LONGEST:
        raise Trouble("VF206", LONGEST, len(text), f"an expression of more than {LONGEST:,} characters")
    try:
        tree = _tree(text, rule) if len(text) <= REMEMBERED else grammar().parse(text, start=rule)
    except UnexpectedInput as unexpected:
        raise explain(text, unexpected, rule) from None
    if _depth(tree) > DEEPEST:
        raise Trouble("VF206", 0, len(text), f"an expression nested deeper than {DEEPEST} levels")
    return tree


@lru_cache(maxsize=1024)
def _tree(text: str, rule: str) -> "Tree[Token]":
    """A short text's tree, read once: suites say the same many times. Nobody changes a tree."""
    return grammar().parse(text, start=rule)


def _depth(tree: "Tree[Token]") -> int:
    deepest = 0
    waiting: list[tuple[Tree[Token], int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += ((child, depth + 1) for child in node.children if isinstance(child, Tree))
    return deepest


class _Builder:
    """Makes the nodes of one text; knows where it stands in its scalar."""

    def __init__(self, scalar: Scalar, start: int) -> None:
        self.scalar = scalar
        self.start = start

    def expression(self, tree: "Tree[Token]") -> Expression:
        make: Callable[[Tree[Token]], Expression] = getattr(self, f"_{tree.data}")
        return make(tree)

    def condition(self, tree: "Tree[Token]") -> Condition:
        figure, compare, bound = cast("tuple[Tree[Token], Token, Tree[Token]]", tree.children)
        aggregate, argument = _figure(figure)
        return Condition(
            aggregate=aggregate,
            argument=argument,
            operator=cast(Any, str(compare)),
            bound=self._bound(bound),
            text=self.scalar.text.strip(),
            span=self._span(tree),
        )

    def limit(self, tree: "Tree[Token]", value: Expression) -> Expression:
        span = self._span(tree)
        if tree.data == "side":
            (bound,) = self._parts(tree)
            return Binary(cast(Operator, str(tree.children[0])), value, bound, span)
        low, high = self._parts(tree)
        return Binary("and", Binary(">=", value, low, low.span), Binary("<=", value, high, high.span), span)

    def pipeline(self, tree: "Tree[Token]") -> Expression:
        value: Expression = Name("it", self._span(tree))
        for stage in tree.children:
            value = self._staged(value, cast("Tree[Token]", stage), self._span(cast("Tree[Token]", stage)))
        return value

    def _pipe(self, tree: "Tree[Token]") -> Expression:
        target, stage = cast("list[Tree[Token]]", tree.children)
        return self._staged(self.expression(target), stage, self._span(tree))

    def _staged(self, value: Expression, stage: "Tree[Token]", span: Span) -> Call:
        """A stage's function, called with the piped value before its other arguments."""
        name, where = self._function(stage)
        return Call(name, (value, *self._parts(stage)), span, where)

    def _group(self, tree: "Tree[Token]") -> Expression:
        (inner,) = self._parts(tree)
        return inner

    def _bound(self, tree: "Tree[Token]") -> float | Quantity | Reference | OfBaseline:
        if tree.data == "reference":
            return self._reference(tree)
        if tree.data == "of_baseline":
            return self._of_baseline(tree)
        amount = _amount(cast(Token, tree.children[-1]))
        return -cast(float, amount) if tree.data == "negative_bound" else amount

    def _of_baseline(self, tree: "Tree[Token]") -> OfBaseline:
        token = cast(Token, tree.children[0])
        share = _quantity(token)
        if share.dimension is not Dimension.RATIO or share.amount <= 0:
            raise _at(token, "VF207", "not a percentage of the baseline", help="write it like `110 % of baseline`")
        return OfBaseline(share.amount, self._span(tree))

    def _reference(self, tree: "Tree[Token]") -> Reference:
        parts = {child.data if isinstance(child, Tree) else child.type: child for child in tree.children}
        figure, labels = cast("Tree[Token]", parts["figure"]), cast("Token | None", parts.get("LABELS"))
        aggregate, argument = _figure(figure)
        factor, plus = (cast("Tree[Token] | None", parts.get(name)) for name in ("factor", "plus"))
        text = f"{aggregate}({argument:g})" if argument is not None else aggregate
        return Reference(
            aggregate=aggregate,
            argument=argument,
            labels=_labels(labels) if labels is not None else (),
            factor=_number(cast(Token, factor.children[0])) if factor is not None else 1.0,
            plus=_amount(cast(Token, plus.children[0])) if plus is not None else None,
            text=f"{text}{labels or ''}",
            span=self._span(tree),
        )

    def _span(self, tree: "Tree[Token]") -> Span:
        return self._piece(tree.meta.start_pos, tree.meta.end_pos)

    def _piece(self, start: int, end: int) -> Span:
        return self.scalar.piece(self.start + start, self.start + end)

    def _parts(self, tree: "Tree[Token]") -> Iterator[Expression]:
        return (self.expression(child) for child in tree.children if isinstance(child, Tree))

    def _conditional(self, tree: "Tree[Token]") -> Expression:
        then, condition, otherwise = self._parts(tree)
        return Conditional(condition, then, otherwise, self._span(tree))

    def _binary(self, operator: str, tree: "Tree[Token]") -> Expression:
        left, right = self._parts(tree)
        return Binary(cast(Operator, operator), left, right, self._span(tree))

    def _coalesce(self, tree: "Tree[Token]") -> Expression:
        default = cast("Tree[Token]", tree.children[1])
        if default.data == "pipe":
            raise Trouble(
                "VF227", default.meta.start_pos, default.meta.end_pos, "ambiguous pipe",
                "only this part, or the whole", "write `(a ?? b) | f`, or `a ?? (b | f)`",
            )  # fmt: skip
        return self._binary("??", tree)

    def _disjunction(self, tree: "Tree[Token]") -> Expression:
        return self._binary("or", tree)

    def _conjunction(self, tree: "Tree[Token]") -> Expression:
        return self._binary("and", tree)

    def _negation(self, tree: "Tree[Token]") -> Expression:
        (operand,) = self._parts(tree)
        return Unary("not", operand, self._span(tree))

    def _minus(self, tree: "Tree[Token]") -> Expression:
        (operand,) = self._parts(tree)
        return Unary("-", operand, self._span(tree))

    def _comparison(self, tree: "Tree[Token]") -> Expression:
        operators = [child for child in tree.children if isinstance(child, Token)]
        if len(operators) > 1:
            again = operators[1]
            assert again.start_pos is not None
            raise Trouble(
                "VF205", again.start_pos, again.start_pos + len(again), "comparisons can't be chained",
                "a second comparison", "write `a < b and b < c`",
            )  # fmt: skip
        if operators[0].type == "NOT_IN":
            return Unary("not", self._binary("in", tree), self._span(tree))
        return self._binary(str(operators[0]), tree)

    def _arithmetic(self, tree: "Tree[Token]") -> Expression:
        return self._binary(str(tree.children[1]), tree)

    def _range(self, tree: "Tree[Token]") -> Expression:
        low, high = self._parts(tree)
        return Range(low, high, self._span(tree))

    def _field(self, tree: "Tree[Token]") -> Expression:
        (target,) = self._parts(tree)
        return Member(target, str(tree.children[1]), self._span(tree))

    def _index(self, tree: "Tree[Token]") -> Expression:
        target, index = self._parts(tree)
        if isinstance(target, Name) and target.name == "env" and isinstance(index, Literal):
            return Member(target, str(index.value), self._span(tree))  # `env["NAME"]` is `env.NAME`, to all who look
        return Index(target, index, self._span(tree))

    def _call(self, tree: "Tree[Token]") -> Expression:
        name, where = self._function(tree)
        return Call(name, tuple(self._parts(tree)), self._span(tree), where)

    def _function(self, tree: "Tree[Token]") -> tuple[str, Span]:
        name = _unreserved(cast(Token, tree.children[0]))
        assert name.start_pos is not None
        return str(name), self._piece(name.start_pos, name.start_pos + len(name))

    def _list(self, tree: "Tree[Token]") -> Expression:
        return ListOf(tuple(self._parts(tree)), self._span(tree))

    def _name(self, tree: "Tree[Token]") -> Expression:
        token = cast(Token, tree.children[0])
        if token in _CONSTANTS:
            return Literal(_CONSTANTS[token], self._span(tree))
        return Name(str(_unreserved(token)), self._span(tree))

    def _number(self, tree: "Tree[Token]") -> Expression:
        return Literal(_number(cast(Token, tree.children[0])), self._span(tree))

    def _quantity(self, tree: "Tree[Token]") -> Expression:
        return Literal(_quantity(cast(Token, tree.children[0])), self._span(tree))

    def _string(self, tree: "Tree[Token]") -> Expression:
        token = cast(Token, tree.children[0])
        assert token.start_pos is not None
        return Literal(unescaped(token, token.start_pos), self._span(tree))


def _unreserved(name: Token) -> Token:
    if name in RESERVED:
        raise _at(name, "VF208", f"'{name}' is a reserved word", help="use another name for the variable")
    return name


def _number(token: Token) -> int | float:
    if token.isdigit():
        return int(token)
    value = float(token)
    if value == float("inf"):
        raise _at(token, "VF201", "a number that is too large")
    return value


def _quantity(token: Token) -> Quantity:
    try:
        return parse(token)
    except ValueError as reason:
        raise _at(token, "VF204", str(reason)) from None


def _amount(token: Token) -> float | Quantity:
    return _quantity(token) if token.type == "QUANTITY" else _number(token)


def _labels(token: Token) -> Labels:
    labels, wrong = split_labels(token[1:-1])
    if wrong or not labels:
        said = f"'{wrong[0]}' is not a label" if wrong else "no label between the braces"
        raise _at(token, "VF129", said, help="labels are `name:value`, as in `p(95){page:1}`")
    return labels


def _figure(tree: "Tree[Token]") -> tuple[str, float | None]:
    """An aggregate with its argument: `p(95)`, `rate`."""
    name, *argument = cast("list[Token]", tree.children)
    number = float(argument[0]) if argument else None
    _check_aggregate(name, number)
    return str(name), number


def _check_aggregate(name: Token, argument: float | None) -> None:
    if name not in AGGREGATES:
        near = re.fullmatch(r"p(\d+(?:_\d+)?)", name)
        if name == "baseline":
            raise _at(name, "VF207", "the baseline needs a percentage", help="write `110 % of baseline`")
        raise _at(
            name, "VF207", f"unknown aggregate '{name}'",
            help=f"write p({near[1].replace('_', '.')})" if near else f"supported: {', '.join(AGGREGATES)}",
        )  # fmt: skip
    if (name == "p") != (argument is not None):
        raise _at(
            name, "VF207", "p needs a percentile" if name == "p" else f"{name} takes no argument",
            help="write p(95)" if name == "p" else f"write `{name}` without parentheses",
        )  # fmt: skip
    if argument is not None and not 0 <= argument <= 100:
        raise _at(name, "VF207", f"there is no percentile {argument:g}", help="a percentile is between 0 and 100")


def _at(token: Token, code: str, message: str, *, help: str = "") -> Trouble:  # noqa: A002
    assert token.start_pos is not None
    return Trouble(code, token.start_pos, token.start_pos + len(token), message, "", help)
