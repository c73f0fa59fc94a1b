"""The function table: its examples hold, its arities are told, and nothing given to a function breaks or bloats it."""

import json
import re
import tracemalloc
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.diagnostics import Diagnostics, Source, Span
from vezaflow.syntax import (
    FUNCTIONS,
    Binary,
    Call,
    CallError,
    Expression,
    Function,
    ListOf,
    Literal,
    Needs,
    Scalar,
    calls,
    check_call,
    parse_expression,
)
from vezaflow.units import Quantity


class FakeAnswer:
    """An answer of the sandbox's kind."""

    status = 200
    duration = 0.25
    size = 11
    certificate = 864_000.0

    def json(self) -> Any:
        return {"data": {"id": 7, "items": [{"n": 1}, {"n": 2}]}}

    def text(self) -> str:
        return "hello world"

    def header(self, name: str) -> str | None:
        return {"etag": "abc"}.get(name.lower())

    def cookie(self, name: str) -> str | None:
        return {"session": "s1"}.get(name)


def passed(needs: Needs, random: Random) -> list[object]:
    """What a function gets before its arguments."""
    if needs is Needs.RANDOM:
        return [random]
    return [FakeAnswer()] if needs is Needs.RESPONSE else []


def parsed(text: str) -> Expression:
    diagnostics = Diagnostics()
    expression = parse_expression(Scalar(text, Span(Source("x", text), 0, len(text)), True), diagnostics)
    assert not diagnostics.items
    assert expression is not None
    return expression


def value(e: Expression) -> Any:
    """Just enough of an evaluator for the table's examples."""
    match e:
        case Literal(value=Quantity(amount=amount)):
            return amount
        case Literal(value=constant):
            return constant
        case ListOf(items, _):
            return [value(item) for item in items]
        case Binary("<", left, right, _):
            return value(left) < value(right)
        case Binary(">", left, right, _):
            return value(left) > value(right)
        case Call(function, arguments, _, _):
            row = FUNCTIONS[function]
            first = passed(row.needs, Random(1))
            return row.call(*first, *map(value, arguments))
    if e == parsed("abs(-2)") or type(e).__name__ == "Unary":
        return -value(e.operand)  # type: ignore[union-attr]
    raise AssertionError(e)


@pytest.mark.parametrize("row", FUNCTIONS.values(), ids=lambda row: row.name)
def test_each_example_gives_its_result(row: Function) -> None:
    example = parsed(row.example)
    assert row.name in {call.function for call in calls(example)}
    for call in calls(example):
        assert check_call(call, Diagnostics()) is not None
    result = value(example)
    if row.result:
        assert json.dumps(result, separators=(",", ":")) == row.result
    else:
        assert row.needs is not Needs.NOTHING


@pytest.mark.parametrize("row", FUNCTIONS.values(), ids=lambda row: row.name)
def test_each_row_is_documented(row: Function) -> None:
    assert row.doc.endswith(".")
    assert all(p.doc for p in row.parameters)
    optional = [p.optional for p in row.parameters]
    assert optional == sorted(optional)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("pik(a)", "VF303", "did you mean 'pick'?"),
        ("pick()", "VF304", "takes 1 argument, got 0"),
        ("uuid(1)", "VF304", "takes no arguments, got 1"),
        ("substr('a')", "VF304", "takes 2 to 3 arguments, got 1"),
        ("min()", "VF304", "takes at least 1 argument, got 0"),
    ],
)
def test_a_wrong_call_is_told_with_the_signature(text: str, code: str, words: str) -> None:
    diagnostics = Diagnostics()
    call = parsed(text)
    assert isinstance(call, Call)
    assert check_call(call, diagnostics) is None
    (found,) = diagnostics.items
    assert found.code == code
    assert words in f"{found.message} {found.label}"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("%H:%M"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.slow
@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(ANYTHING, max_size=3), st.randoms(use_true_random=False))
def test_whatever_a_function_is_given_it_answers_or_says_why_not(
    name: str, arguments: list[Any], random: Random
) -> None:
    row = FUNCTIONS[name]
    count = max(row.least, min(len(arguments), 3 if row.most is None else row.most))
    first = passed(row.needs, random)
    said = ""
    try:
        row.call(*first, *(arguments + [None] * 3)[:count])
    except CallError as reason:
        said = str(reason) or "nothing"
    assert said != "nothing"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("range", [10**9]),
        ("replace", ["a" * 10**6, "a", "b" * 10**6]),
        ("join", [["a"] * 10**5, "b" * 10**6]),
        ("split", ["a" * 10**6, "a"]),
        ("timestamp", ["%1000000000d"]),
        ("timestamp", ["%d" * 1000]),
        ("round", [1.5, 10**9]),
        ("upper", ["x" * (5 << 20)]),
        ("json_decode", ["[" * 100_000]),
        ("int", ["9" * 10_000]),
    ],
)
def test_nothing_grows_without_a_bound(name: str, arguments: list[Any]) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(CallError):
            FUNCTIONS[name].call(*arguments)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_letters_are_bounded_too() -> None:
    with pytest.raises(CallError):
        FUNCTIONS["letters"].call(Random(1), 10**9)


def test_a_seed_gives_the_same_values_each_night() -> None:
    def night() -> list[Any]:
        random = Random(7)
        return [
            FUNCTIONS["uuid"].call(random),
            FUNCTIONS["pick"].call(random, [1, 2, 3]),
            FUNCTIONS["random"].call(random, 1, 9),
        ]

    assert night() == night()
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", night()[0])


def test_random_includes_both_ends() -> None:
    random = Random(1)
    assert {FUNCTIONS["random"].call(random, 1, 3) for _ in range(100)} == {1, 2, 3}


@pytest.mark.parametrize(
    ("path", "found"),
    [("$.data.id", 7), ("$.data.nothing", None), ("$.data.items[*].n", [1, 2]), ("$.data.x[*]", [])],
)
def test_json_gives_a_value_or_a_list(path: str, found: Any) -> None:
    assert FUNCTIONS["json"].call(FakeAnswer(), path) == found


def test_a_path_that_is_none_is_told() -> None:
    with pytest.raises(CallError, match="not a JSONPath"):
        FUNCTIONS["json"].call(FakeAnswer(), "$.[")
