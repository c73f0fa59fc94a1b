"""Expressions → callables. Each is compiled once; constants are folded; what is left is a closure over slots.

Laws: an expression reads data and calls functions of the one table, nothing else. It raises EvaluationError and no
other exception, with the span of the smallest part that failed. Quantities are numbers in base units here; that
their dimensions agree was lint's business.
"""

import operator
from collections.abc import Callable
from enum import Enum
from typing import Any, assert_never

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.model import Tree
from vezaflow.plan.compiled import UNKNOWN, Constant, Evaluate, any_unknown
from vezaflow.plan.data_sources import column_of, row_of
from vezaflow.plan.names import Names
from vezaflow.plan.operators import OPERATORS, item_of
from vezaflow.plan.rendering import as_written, kind_of, render, show
from vezaflow.plan.scope import UNSET, EvaluationError, MissingError, Scope
from vezaflow.syntax import (
    FUNCTIONS,
    LONGEST,
    Binary,
    Call,
    Conditional,
    Expression,
    Index,
    ListOf,
    Literal,
    Member,
    Name,
    Needs,
    Range,
    Template,
    Unary,
    bounded_value,
    joined,
    walk,
)
from vezaflow.units import Quantity

_FEW = 4  # expressions in a text, of which each is in memory already: their sum is looked at when it is there


class Sees(Enum):
    """What a name can mean beside a variable."""

    NOTHING = "nothing"
    ITEM = "item"  # `it`, the value that an extraction is about
    FIELDS = "fields"  # `it`, and the fields of it
    MESSAGE = "message"  # `message`, which came over a WebSocket, and `sent`, which went out: a pair


_OF_MESSAGES = ("message", "sent")
_FAULTS = (TypeError, ValueError, KeyError, IndexError, ArithmeticError, AttributeError, RecursionError)


def _reason(fault: Exception) -> str:
    if isinstance(fault, ZeroDivisionError):
        return "division by zero"
    return str(fault.args[0]) if fault.args else type(fault).__name__


class Compiler:
    """Compiles the expressions of one flow (or of the suite's own steps)."""

    def __init__(
        self,
        names: Names,
        diagnostics: Diagnostics,
        *,
        sees: Sees = Sees.NOTHING,
        file: str = "",
        outer: "Compiler | None" = None,
    ) -> None:
        self.names = names
        self._diagnostics = diagnostics
        self._sees = sees
        self._file = file  # of a fragment: its names mean what they mean here, all others what they mean outside
        self._outer = outer

    def seeing(self, sees: Sees) -> "Compiler":
        """A compiler for `where` and `pipe`: a name is the item or a field of it first, a variable second."""
        return Compiler(self.names, self._diagnostics, sees=sees, file=self._file, outer=self._outer)

    def within(self, place: str, file: str) -> "Compiler":
        """A compiler for a fragment that is included at a place: names are its own where its file writes them."""
        return Compiler(self.names.within(place), self._diagnostics, file=file, outer=self)

    def expression(self, expression: Expression) -> Evaluate:
        """The callable of an expression; a Constant where its value is known already."""
        match expression:
            case Literal(value=Quantity(amount=amount)):
                return Constant(amount)
            case Literal(value=value, span=span):
                return Constant(as_written(value, span.text))
            case Name():
                return self._name(expression)
            case Member():
                return self._field(expression)
            case Index(target, index, span):
                return self._apply(item_of, (self.expression(target), self.expression(index)), span)
            case Call():
                return self._call(expression)
            case Unary("not", operand, span):
                return self._apply(operator.not_, (self.expression(operand),), span)
            case Unary(_, operand, span):
                return self._apply(lambda x: OPERATORS["-"](0, x), (self.expression(operand),), span)
            case Binary(sign, left, right, span):
                return self._binary(sign, left, right, span)
            case Conditional(condition, then, otherwise, _):
                return self._conditional(condition, then, otherwise)
            case ListOf(items, span):
                return self._apply(_list_of, tuple(map(self.expression, items)), span)
            case Range(low, high, span):
                return self._apply(lambda a, b: (a, b), (self.expression(low), self.expression(high)), span)
            case Template():
                return self._template(expression)
        assert_never(expression)

    def tree(self, tree: Tree) -> Evaluate:
        """A tree of values, with expressions at its leaves, as one callable that builds it anew."""
        if isinstance(tree, dict):
            keys = tuple(tree)
            values = tuple(self.tree(v) for v in tree.values())
            if any_unknown(values):
                return Constant(UNKNOWN)
            if all(isinstance(v, Constant) for v in values):
                return Constant({k: v(_NO_SCOPE) for k, v in zip(keys, values, strict=True)})
            return lambda scope: {k: v(scope) for k, v in zip(keys, values, strict=True)}
        if isinstance(tree, tuple):
            items = tuple(self.tree(item) for item in tree)
            if any_unknown(items):
                return Constant(UNKNOWN)
            if all(isinstance(i, Constant) for i in items):
                return Constant([i(_NO_SCOPE) for i in items])
            return lambda scope: [i(scope) for i in items]
        return self.expression(tree)

    def kept(self, tree: Tree) -> Evaluate:
        """Like `tree`, of a value that others are made of: what grows from one to the next without end is a fault."""
        return self.bounded(tree, self.tree(tree))

    def bounded(self, tree: Tree, build: Evaluate) -> Evaluate:
        """What `tree` gave, where what it makes has a bound."""
        leaf = _computed(tree)
        if leaf is None:
            return build
        return self._apply(bounded_value, (build,), leaf.span)

    def text(self, expression: Expression) -> Callable[[Scope], str]:
        """An expression whose value is wanted as text."""
        return self._apply(render, (self.expression(self._spelt(expression)),), expression.span)

    def texts(self, tree: Tree) -> Evaluate:
        """A value, or a list of values, that will be texts where they are not null."""
        if isinstance(tree, dict):
            return self.tree(tree)
        return self.tree(tuple(map(self._leaf, tree)) if isinstance(tree, tuple) else self._spelt(tree))

    def _leaf(self, tree: Tree) -> Tree:
        return tree if isinstance(tree, dict | tuple) else self._spelt(tree)

    def _spelt(self, expression: Expression) -> Expression:
        """A boolean's name as what its author wrote: `TRUE`."""
        if not isinstance(expression, Name):
            return expression
        names = self._home(expression.span).names
        key = names.place + expression.name
        known = key in names.written and key in names.constants
        return Literal(names.written[key], expression.span) if known else expression

    def _name(self, expression: Name) -> Evaluate:
        name, span = expression.name, expression.span
        if self._sees is Sees.MESSAGE and name in _OF_MESSAGES:
            place = _OF_MESSAGES.index(name)
            return lambda scope: scope.item[place]
        if name == "it" and self._sees in (Sees.ITEM, Sees.FIELDS):
            return lambda scope: scope.item
        home = self._home(span)
        outer = home._variable(name, span)
        if self._sees is not Sees.FIELDS:
            if outer is None:
                self._diagnostics.error(
                    "VF301",
                    span,
                    f"undefined variable '{name}'",
                    help=home._hint(name) or "set it with `vars`, `set` or `extract`",
                )
                return Constant(UNKNOWN)
            return outer

        def of_item(scope: Scope) -> Any:
            item = scope.item
            if isinstance(item, dict) and name in item:
                return item[name]
            if outer is not None:
                return outer(scope)
            raise MissingError(f"the item has no field '{name}': {show(item)}", span)

        return of_item

    def slots(self, expression: Expression) -> tuple[int, ...]:
        """The slots that a compiled expression reads."""
        homes = ((self._home(part.span).names, part.name) for part in walk(expression) if isinstance(part, Name))
        found = (names.slots.get(names.place + name) for names, name in homes)
        return tuple(sorted({slot for slot in found if slot is not None}))

    def _home(self, span: Span) -> "Compiler":
        """The compiler of the file that a name is written in."""
        home = self
        while home._outer is not None and span.source.path != home._file:
            home = home._outer
        return home

    def _hint(self, name: str) -> str:
        near = suggest(name, self.names.known())
        return did_you_mean(near)

    def _variable(self, name: str, span: Span) -> Evaluate | None:
        if name == "env":  # only ever read by name
            return None
        if name == "vu":
            return lambda scope: scope.number
        if name == "iteration":
            return lambda scope: scope.iteration
        if name == "attempt":
            return lambda scope: scope.attempt
        if (data_source := self.names.data_sources.get(name)) is not None:
            return row_of(data_source, self.names.slot(name), span)
        key = self.names.place + name
        if key in self.names.constants:
            return Constant(self.names.constants[key])
        slot = self.names.slots.get(key)
        if slot is None:
            return None

        def variable(scope: Scope) -> Any:
            value = scope.slots[slot]
            if value is UNSET:
                raise MissingError(f"'{name}' is not set yet", span)
            return value

        return variable

    def _field(self, expression: Member) -> Evaluate:
        if isinstance(expression.target, Name) and expression.target.name == "env":
            return self._environment(expression)
        name, span = expression.name, expression.span
        if isinstance(expression.target, Name) and self._sees is not Sees.FIELDS:
            names = self._home(expression.target.span).names
            data_source = names.data_sources.get(expression.target.name)
            if data_source is not None and name in data_source.rows.columns:
                return column_of(data_source, names.slot(data_source.name), name, span)
        target = self.expression(expression.target)

        def get(value: Any) -> Any:
            if isinstance(value, dict):
                if name in value:
                    return value[name]
                near = suggest(name, [str(k) for k in value])
                raise KeyError(f"no field '{name}' in {show(value)}" + (f"; did you mean '{near}'?" if near else ""))
            raise KeyError(f"{kind_of(value)} has no field '{name}': {show(value)}")

        return self._apply(get, (target,), span)

    def _environment(self, expression: Member, *, optional: bool = False) -> Evaluate:
        value = self.names.environment.get(expression.name)
        if value is None and not optional:
            near = suggest(expression.name, list(self.names.environment))
            help_ = f"set it with `-e {expression.name}=…` or in the environment, or write a default with `??`"
            self._diagnostics.error(
                "VF701",
                expression.span,
                f"missing environment variable {expression.name}",
                help=f"{help_}; did you mean '{near}'?" if near and near.upper() == near else help_,
            )
            return Constant(UNKNOWN)
        return Constant(value)

    def _call(self, expression: Call) -> Evaluate:
        function = FUNCTIONS.get(expression.function)
        if function is None:  # lint has said so
            return Constant(UNKNOWN)
        arguments = tuple(self.expression(a) for a in expression.arguments)
        call, span = function.call, expression.span
        if function.needs is Needs.NOTHING:
            return self._apply(call, arguments, span)
        if function.needs is Needs.CLOCK:
            return self._apply(call, arguments, span, fold=False)
        if function.needs is Needs.RANDOM:
            return self._apply(call, (_random, *arguments), span, fold=False)
        return self._apply(call, (_response, *arguments), span, fold=False)

    def _binary(self, sign: str, left: Expression, right: Expression, span: Span) -> Evaluate:
        if sign == "??":
            return self._coalesce(left, right)
        a, b = self.expression(left), self.expression(right)
        if sign == "and":
            return lambda scope: a(scope) and b(scope)
        if sign == "or":
            return lambda scope: a(scope) or b(scope)
        return self._apply(OPERATORS[sign], (a, b), span)

    def _coalesce(self, left: Expression, right: Expression) -> Evaluate:
        if isinstance(left, Member) and isinstance(left.target, Name) and left.target.name == "env":
            first: Evaluate = self._environment(left, optional=True)
        else:
            first = self.expression(left)
        second = self.expression(right)
        if isinstance(first, Constant):
            return second if first.value is None else first

        def coalesce(scope: Scope) -> Any:
            try:
                value = first(scope)
            except MissingError:
                return second(scope)
            return second(scope) if value is None else value

        return coalesce

    def _conditional(self, condition: Expression, then: Expression, otherwise: Expression) -> Evaluate:
        test, yes, no = self.expression(condition), self.expression(then), self.expression(otherwise)
        return lambda scope: yes(scope) if test(scope) else no(scope)

    def _template(self, template: Template) -> Evaluate:
        parts = tuple(self.text(part) for part in template.parts)
        open_ = sum(not isinstance(part, Constant) for part in parts)
        if open_ == 0 or open_ > _FEW:
            return self._apply(lambda *texts: joined(list(texts)), parts, template.span)
        span = template.span

        def template_of_few(scope: Scope) -> str:
            text = "".join([part(scope) for part in parts])
            if len(text) > LONGEST:
                raise EvaluationError(f"a text of more than {LONGEST:,} characters", span)
            return text

        return template_of_few

    def _apply(
        self, work: Callable[..., Any], arguments: tuple[Evaluate, ...], span: Span, *, fold: bool = True
    ) -> Evaluate:
        """A call of `work` on evaluated arguments; done now if all are constant."""
        if any_unknown(arguments):
            return Constant(UNKNOWN)
        if fold and all(isinstance(a, Constant) for a in arguments):
            try:
                return Constant(work(*(a(_NO_SCOPE) for a in arguments)))
            except _FAULTS as fault:
                self._diagnostics.error("VF302", span, f"can't be evaluated: {_reason(fault)}")
                return Constant(UNKNOWN)
        if len(arguments) == 1:
            (only,) = arguments

            def apply_one(scope: Scope) -> Any:
                value = only(scope)
                try:
                    return work(value)
                except _FAULTS as fault:
                    raise _error(fault, span) from None

            return apply_one
        if len(arguments) == 2:
            one, two = arguments

            def apply_two(scope: Scope) -> Any:
                a, b = one(scope), two(scope)
                try:
                    return work(a, b)
                except _FAULTS as fault:
                    raise _error(fault, span) from None

            return apply_two

        def apply(scope: Scope) -> Any:
            values = [a(scope) for a in arguments]
            try:
                return work(*values)
            except _FAULTS as fault:
                raise _error(fault, span) from None

        return apply


def _list_of(*values: Any) -> list[Any]:
    made = list(values)
    return bounded_value(made) if any(isinstance(value, list | dict) for value in values) else made


def _computed(tree: Tree) -> Expression | None:
    """The first expression within lists and mappings that is no literal; None where there are none of either."""
    if not isinstance(tree, dict | tuple):
        return None
    waiting: list[Tree] = list(tree.values() if isinstance(tree, dict) else tree)
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, tuple):
            waiting += each
        elif not isinstance(each, Literal):
            return each
    return None


def _error(fault: Exception, span: Span) -> EvaluationError:
    missing = isinstance(fault, KeyError | IndexError)
    return (MissingError if missing else EvaluationError)(_reason(fault), span)


def _random(scope: Scope) -> Any:
    chance = scope.chance  # `scope.random` written out: a property is a call
    chance.turn = scope.turn
    return chance


def _response(scope: Scope) -> Any:
    return scope.response


_NO_SCOPE: Any = None  # constants look at no scope
