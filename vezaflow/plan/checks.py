"""Expectations → callables that look at a response and say what is wrong with it, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

from vezaflow import units
from vezaflow.diagnostics import Span
from vezaflow.model import BodyMatch, Expectation, HeaderMatch, JsonMatch, Limit, Limited, SchemaMatch, That
from vezaflow.plan.compiled import Evaluate
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.rendering import render, show
from vezaflow.plan.response import ResponseView, UndecodableError
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.suggestions import suggestions_for
from vezaflow.protocols import ErrorKind
from vezaflow.syntax import Binary, Expression, JsonSchema, Literal, compile_jsonpath, compile_pattern, look_over_text


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed though a response came: shown under its place in the YAML."""

    kind: ErrorKind
    code: str  # VF6xx
    message: str  # one line, with the value that was there
    span: Span
    suggestions: Callable[[], str] = field(default=str, compare=False, repr=False)
    """What the response would have given instead; call it before the client sends again."""


Check = Callable[[Scope], Failure | None]
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    name: str  # the label `check` of the metric `checks`
    run: Check


def plan_check(expectation: Expectation, compiler: Compiler, schema: JsonSchema | None) -> PlannedCheck:
    """One expectation as a check. It expects scope.response to be the response. `schema` is the one it is about."""
    look = _look(expectation, compiler, schema)

    def run(scope: Scope) -> Failure | None:
        try:
            message = look(scope)
        except EvaluationError as e:
            return Failure(ErrorKind.EXPECTATION, "VF602", e.message, e.span)
        except UndecodableError as e:
            message = str(e)
        if not message:
            return None
        return Failure(
            ErrorKind.EXPECTATION, "VF602", message, expectation.span, _suggestions(expectation, scope.response)
        )

    return PlannedCheck(expectation.name, run)


def _suggestions(expectation: Expectation, response: ResponseView | None) -> Callable[[], str]:
    """What is near to a header or a path that is not there."""
    match expectation:
        case HeaderMatch(header=name):
            source, wanted = "header", name
        case JsonMatch(path=path):
            source, wanted = "json", path
        case BodyMatch() | Limit() | SchemaMatch() | That():
            return str
        case never:
            assert_never(never)
    if response is None:
        return str
    look, there = _finder(expectation), response

    def suggestions() -> str:
        try:
            return "" if look(there)[0] else suggestions_for(source, wanted, there)
        except UndecodableError:
            return ""

    return suggestions


def _look(expectation: Expectation, compiler: Compiler, schema: JsonSchema | None) -> Callable[[Scope], str]:
    match expectation:
        case That(condition=condition):
            return _that(condition, compiler)
        case Limit():
            return _limit(expectation, compiler)
        case SchemaMatch():
            return _schema(schema)
        case HeaderMatch() | JsonMatch() | BodyMatch():
            return _value(expectation, compiler)
        case never:
            assert_never(never)


def _limit(limit: Limit, compiler: Compiler) -> Callable[[Scope], str]:
    holds = compiler.expression(limit.condition)
    key, wanted = limit.of.value, limit.condition.span.text
    value, shown = _LIMITS[limit.of]

    def look(scope: Scope) -> str:
        assert scope.response is not None
        found = value(scope.response)
        if found is None:
            return f"no {key} to check: the response came over http, or with `tls: {{insecure: true}}`"
        return "" if holds(scope) else f"expected {key} {wanted}, got {shown(found)}"

    return look


_LIMITS: dict[Limited, tuple[Callable[[ResponseView], float | None], Callable[[float], str]]] = {
    Limited.SIZE: (lambda response: response.size, units.size),
    Limited.DURATION: (lambda response: response.duration, units.duration),
    Limited.CERTIFICATE: (
        lambda response: response.certificate,
        lambda left: f"valid for {units.duration(left)}" if left > 0 else f"expired {units.duration(-left)} ago",
    ),
}


def _schema(schema: JsonSchema | None) -> Callable[[Scope], str]:
    def look(scope: Scope) -> str:
        assert scope.response is not None
        assert schema is not None, "a schema that can't be read has stopped the plan"
        fault = schema.fault(scope.response.json())
        return f"the body does not match the schema: {fault}" if fault else ""

    return look


def _that(expression: Expression, compiler: Compiler) -> Callable[[Scope], str]:
    """What is wrong where an expression is not true; empty where it is."""
    test = compiler.expression(expression)
    sides: tuple[Evaluate, Evaluate] | None = None
    if isinstance(expression, Binary) and expression.operator in _COMPARISONS:
        sides = compiler.expression(expression.left), compiler.expression(expression.right)
    text = " ".join(expression.span.text.split())
    plain = isinstance(expression, Binary) and isinstance(expression.right, Literal)

    def look(scope: Scope) -> str:
        if test(scope):
            return ""
        if sides is None:
            return f"{text} is false"
        other = "" if plain else f", compared with {show(sides[1](scope))}"
        return f"{text} is false (got {show(sides[0](scope))}{other})"

    return look


def _value(expectation: HeaderMatch | JsonMatch | BodyMatch, compiler: Compiler) -> Callable[[Scope], str]:
    """A check of one value of the response: present, equal, containing or matching."""
    find, match, what = _finder(expectation), expectation.match, _called(expectation)
    equal = compiler.expression(match.equals) if match.equals is not None else None
    contains = compiler.text(match.contains) if match.contains is not None else None
    pattern = compile_pattern(match.matches) if match.matches is not None else None
    around = _headers if isinstance(expectation, HeaderMatch) else ResponseView.glimpse

    def look(scope: Scope) -> str:
        assert scope.response is not None
        there, value = find(scope.response)
        if not there:
            return f"{what} is missing: {around(scope.response)}"
        if equal is not None and not _same(value, wanted := equal(scope)):
            return f"expected {what} to be {show(wanted)}, got {show(value)}"
        if contains is not None and not _has(value, part := contains(scope)):
            return f"expected {what} to contain {show(part)}, got {show(value)}"
        if pattern is not None and not pattern.search(_searched(value)):
            return f"expected {what} to match {match.matches}, got {show(value)}"
        return ""

    return look


def _called(expectation: HeaderMatch | JsonMatch | BodyMatch) -> str:
    match expectation:
        case HeaderMatch(header=name):
            return f"header {name}"
        case JsonMatch(path=path):
            return path
        case BodyMatch():
            return "the body"
        case never:
            assert_never(never)


def _finder(expectation: HeaderMatch | JsonMatch | BodyMatch) -> Callable[[ResponseView], tuple[bool, object]]:
    match expectation:
        case HeaderMatch(header=name):

            def header(response: ResponseView) -> tuple[bool, object]:
                value = response.header(name)
                return value is not None, value

            return header
        case JsonMatch():
            path = compile_jsonpath(expectation.path)

            def at_path(response: ResponseView) -> tuple[bool, object]:
                found = response.at(path)
                return bool(found), found[0] if found else None

            return at_path
        case BodyMatch():
            return lambda response: (True, response.text())
        case never:
            assert_never(never)


def _same(value: object, wanted: object) -> bool:
    """Equality with the wire's types: a header is text, so `content-length: 5` means "5"."""
    if isinstance(value, str) and isinstance(wanted, int | float) and not isinstance(wanted, bool):
        return value == render(wanted)
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _has(value: object, part: str) -> bool:
    if isinstance(value, list):
        return any(_text(item) == part for item in value)
    return part in _text(value)


def _text(value: object) -> str:
    return "" if value is None else render(value)


def _searched(value: object) -> str:
    try:
        return look_over_text(_text(value))
    except ValueError as e:
        raise UndecodableError(f"the body is too large for a regular expression: {e}") from None


def _headers(response: ResponseView) -> str:
    return "the headers are " + (", ".join(sorted({name for name, _ in response.headers})) or "no headers")
