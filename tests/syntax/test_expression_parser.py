"""Expressions, templates, conditions: what is written is what is read, and every error stands under its token."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.diagnostics import Diagnostics, Source, Span
from vezaflow.syntax import (
    Binary,
    Call,
    Conditional,
    Expression,
    Index,
    ListOf,
    Literal,
    Member,
    Name,
    Range,
    Reference,
    Scalar,
    Template,
    Unary,
    calls,
    children,
    names,
    parse_bare,
    parse_condition,
    parse_expression,
    parse_pipeline,
    parse_template,
    parse_value,
    walk,
)
from vezaflow.units import Dimension, Quantity, parse


def scalar(text: str, *, plain: bool = True) -> Scalar:
    return Scalar(text, Span(Source("a.yml", text), 0, len(text)), plain)


def good(text: str) -> Expression:
    diagnostics = Diagnostics()
    expression = parse_expression(scalar(text), diagnostics)
    assert not diagnostics.items
    assert expression is not None
    return expression


def bare(e: Expression) -> Any:
    """The tree without its spans."""
    match e:
        case Literal(value=Quantity(amount=amount, dimension=dimension)):
            return (amount, dimension)
        case Literal(value=value):
            return value if not isinstance(value, str) else f"'{value}"
        case Name(name=name):
            return name
        case Member(target, name, _):
            return (bare(target), ".", name)
        case Index(target, index, _):
            return (bare(target), "[]", bare(index))
        case Call(function, arguments, _, _):
            return (function, "()", *map(bare, arguments))
        case Unary(operator, operand, _):
            return (operator, bare(operand))
        case Binary(operator, left, right, _):
            return (bare(left), operator, bare(right))
        case Conditional(condition, then, otherwise, _):
            return (bare(then), "if", bare(condition), "else", bare(otherwise))
        case ListOf(items, _):
            return [bare(item) for item in items]
        case Range(low, high, _):
            return (bare(low), "..", bare(high))
        case Template(parts, _):
            return ("template", *map(bare, parts))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a ?? b or c and not d == e + f * -g.h",
         ("a", "??", ("b", "or", ("c", "and", ("not", ("d", "==", ("e", "+", ("f", "*", ("-", ("g", ".", "h")))))))))),
        ("a - b - c", (("a", "-", "b"), "-", "c")),
        ("(a - (b - c))", ("a", "-", ("b", "-", "c"))),
        ("a if b else c if d else e", ("a", "if", "b", "else", ("c", "if", "d", "else", "e"))),
        ("f(a, [1, 2.5,],)[0].if", ((("f", "()", "a", [1, 2.5]), "[]", 0), ".", "if")),
        ("1 in 1..3", (1, "in", (1, "..", 3))),
        ("a not in b", ("not", ("a", "in", "b"))),
        ("true and not null", (True, "and", ("not", None))),
        ("f()", ("f", "()")),
        ("[]", []),
        ("notin", "notin"),
        ("trueish", "trueish"),
        ('"a\\n\\"\\u00e9\\ud83d\\ude00\'"', "'a\n\"é😀'"),
        ("'it\\'s \"}'", "'it's \"}"),
        ("1e3", 1000.0),
        ("a + b | round(1) > 3", (("round", "()", ("a", "+", "b"), 1), ">", 3)),
        ("a | split(',') | first", ("first", "()", ("split", "()", "a", "',"))),
        ("(a ?? b) | trim", ("trim", "()", ("a", "??", "b"))),
    ],
)  # fmt: skip
def test_precedence_and_shapes(text: str, tree: Any) -> None:
    assert bare(good(text)) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("5m", (300, Dimension.TIME)),
        ("300 ms", (0.3, Dimension.TIME)),
        ("1m30s", (90, Dimension.TIME)),
        ("0.5 %", (0.005, Dimension.RATIO)),
        ("10 MiB", (10 * 2**20, Dimension.SIZE)),
        ("500/s", (500, Dimension.RATE)),
        ("500 / s", (500, "/", "s")),
        ("a/s", ("a", "/", "s")),
        ("500/size", (500, "/", "size")),
        ("500/s.x", (500, "/", ("s", ".", "x"))),
        ("500/m(1)", (500, "/", ("m", "()", 1))),
        ("1/s..2/s", ((1, Dimension.RATE), "..", (2, Dimension.RATE))),
        ("0.5s..1.5s", ((0.5, Dimension.TIME), "..", (1.5, Dimension.TIME))),
        ("env.X ?? 1s..2s", (("env", ".", "X"), "??", ((1, Dimension.TIME), "..", (2, Dimension.TIME)))),
        ("1 if a else 2", (1, "if", "a", "else", 2)),
        ("-5 ms", ("-", (0.005, Dimension.TIME))),
    ],
)
def test_a_unit_belongs_to_the_number_before_it(text: str, tree: Any) -> None:
    assert bare(good(text)) == tree


def test_a_quantity_keeps_the_text_that_was_written() -> None:
    literal = good("300  ms")
    assert isinstance(literal, Literal)
    assert literal.value == parse("300  ms")


def test_every_part_has_the_span_of_its_text() -> None:
    tree = good("len( json('$.a') )+ (b . c)[0]")
    spans = [part.span.text for part in walk(tree)]
    assert spans == ["len( json('$.a') )+ (b . c)[0]", "len( json('$.a') )", "json('$.a')", "'$.a'",
                     "(b . c)[0]", "b . c", "b", "0"]  # fmt: skip
    assert [call.name_span.text for call in calls(tree)] == ["len", "json"]


@pytest.mark.parametrize(
    ("text", "code", "under", "words"),
    [
        ("", "VF201", "", "an empty expression"),
        ("a +", "VF201", "", "unexpected end of"),
        ("a + * b", "VF201", "*", "expected a value"),
        ("(a", "VF201", "", "')'"),
        ("[a, b", "VF201", "", "']'"),
        ("a b", "VF201", "b", "expected an operator"),
        ("a if b", "VF201", "", "'else'"),
        ("f(a b)", "VF201", "b", "','"),
        ("a.", "VF201", "", "expected a name"),
        ("a && b", "VF201", "&&", "write `and`"),
        ("a || b", "VF201", "||", "write `or`"),
        ("a orb", "VF201", "orb", "an operator"),
        ("a |", "VF201", "", "expected a name"),
        ("a | 3", "VF201", "3", "expected a name"),
        ("a ?? b | int", "VF227", "b | int", "(a ?? b) | f"),
        ("a = b", "VF201", "=", "write `==`"),
        ("!a", "VF201", "!", "write `not`"),
        ("a ? b : c", "VF201", "?", "`a if condition else b`"),
        ("a % b", "VF201", "%", "mod(a, b)"),
        ("{a: 1}", "VF201", "{", "mappings are not supported"),
        ("a < b < c", "VF205", "<", "`a < b and b < c`"),
        ("f('abc)", "VF203", "'abc)", "unclosed text"),
        ("a == 5 min", "VF204", "min", "did you mean 'm'?"),
        ("300mss", "VF204", "mss", "unknown unit 'mss'"),
        ("5 mb > 1", "VF204", "mb", "did you mean 'MB'?"),
        ("30s1m", "VF204", "30s1m", "out of order"),
        ("1 + else", "VF208", "else", "reserved"),
        ("in(a)", "VF208", "in", "reserved"),
        (r"'a\qb'", "VF209", r"\q", "unknown escape"),
        (r"'\ud800'", "VF209", r"'\ud800'", "surrogate"),
        ("1e999", "VF201", "1e999", "too large"),
        ("a.__class__.x()", "VF201", "x", "call functions by name"),
        ("lambda: 1", "VF201", ":", ""),
        ("a := 1", "VF201", ":", ""),
        ("f(**a)", "VF201", "*", "expected a value"),
    ],
)
def test_an_error_is_the_smallest_wrong_piece_in_peoples_words(text: str, code: str, under: str, words: str) -> None:
    diagnostics = Diagnostics()
    assert parse_expression(scalar(text), diagnostics) is None
    (found,) = diagnostics.items
    assert found.span is not None
    assert (found.code, found.span.text) == (code, under)
    assert words in f"{found.message} {found.label} {found.help}"


@pytest.mark.parametrize(
    "text",
    ["1" + "+1" * 150, "-" * 150 + "1", "(" * 150 + "1" + ")" * 150, "[" * 150 + "]" * 150, "not " * 900 + "a",
     "a if b else " * 200 + "c", "a" + ".b" * 150, "a" * 4001, "f(" * 1500],
)  # fmt: skip
def test_bounds_hold_without_a_recursion_error(text: str) -> None:
    diagnostics = Diagnostics()
    expression = parse_expression(scalar(text), diagnostics)
    if text.startswith("((") and expression is not None:
        return  # parentheses leave no node: nothing is deep
    assert [d.code for d in diagnostics] in (["VF206"], ["VF201"])


@given(st.text(max_size=40) | st.text(st.sampled_from(list("ab1 .,()[]'\"+-*/%<>=!?$|msin")), max_size=40))
def test_any_text_is_read_or_reported(text: str) -> None:
    diagnostics = Diagnostics()
    assert (parse_expression(scalar(text), diagnostics) is None) == diagnostics.failed
    again = Diagnostics()
    assert (parse_condition(scalar(text), again) is None) == again.failed


# --- round trip: any tree, written as text, reads as itself

NOWHERE = Span(Source("x", ""), 0, 0)
NAMES = st.sampled_from(["a", "track", "x_1", "iffy", "s", "m", "é"])
NUMBERS = st.one_of(st.integers(0, 10**9), st.floats(0, 1e6, allow_nan=False).map(lambda f: float(f"{f:.6f}")))
QUANTITIES = st.builds(
    lambda n, unit: parse(f"{n} {unit}" if unit[0] != "/" else f"{n}{unit}"),
    st.integers(0, 999),
    st.sampled_from(["ms", "s", "m", "h", "MiB", "kB", "B", "%", "/s"]),
)
LITERALS = st.one_of(NUMBERS, QUANTITIES, st.booleans(), st.none(), st.text(st.characters(codec="utf-8"), max_size=6))
LEAVES = LITERALS.map(lambda v: Literal(v, NOWHERE)) | NAMES.map(lambda n: Name(n, NOWHERE))


def _larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    some = st.lists(inner, max_size=3).map(tuple)
    operators = st.sampled_from(["??", "or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/"])
    return st.one_of(
        st.builds(Member, inner, NAMES, st.just(NOWHERE)),
        st.builds(Index, inner, inner, st.just(NOWHERE)),
        st.builds(Call, NAMES, some, st.just(NOWHERE), st.just(NOWHERE)),
        st.builds(Unary, st.sampled_from(["-", "not"]), inner, st.just(NOWHERE)),
        st.builds(Binary, operators, inner, inner, st.just(NOWHERE)),
        st.builds(Conditional, inner, inner, inner, st.just(NOWHERE)),
        st.builds(ListOf, some, st.just(NOWHERE)),
        st.builds(Range, inner, inner, st.just(NOWHERE)),
    )


EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(LEAVES, _larger, max_leaves=12)


def written(e: Expression) -> str:
    """An expression as text, with parentheses around every part."""
    match e:
        case Literal(value=Quantity(text=text)):
            return text
        case Literal(value=str() as value):
            return json.dumps(value).replace("\\b", "\\u0008").replace("\\f", "\\u000c")
        case Literal(value=value):
            return json.dumps(value)
        case Name(name=name):
            return name
        case Member(target, name, _):
            return f"({written(target)}).{name}"
        case Index(target, index, _):
            return f"({written(target)})[{written(index)}]"
        case Call(function, arguments, _, _):
            return f"{function}({', '.join(map(written, arguments))})"
        case Unary(operator, operand, _):
            return f"{operator} ({written(operand)})"
        case Binary(operator, left, right, _):
            return f"({written(left)}) {operator} ({written(right)})"
        case Conditional(condition, then, otherwise, _):
            return f"({written(then)}) if ({written(condition)}) else ({written(otherwise)})"
        case ListOf(items, _):
            return f"[{', '.join(map(written, items))}]"
        case Range(low, high, _):
            return f"({written(low)})..({written(high)})"
        case Template():
            raise AssertionError(e)


@pytest.mark.slow
@given(EXPRESSIONS)
def test_any_tree_written_as_text_reads_as_itself(tree: Expression) -> None:
    assert bare(good(written(tree))) == bare(tree)


@pytest.mark.slow
@given(EXPRESSIONS)
def test_the_walks_see_every_part_once(tree: Expression) -> None:
    parts = list(walk(tree))
    assert len(parts) == 1 + sum(len(list(walk(child))) for child in children(tree))
    assert [n.name for n in names(tree)] == [p.name for p in parts if isinstance(p, Name)]


# --- templates


def template(text: str) -> Any:
    diagnostics = Diagnostics()
    expression = parse_template(scalar(text), diagnostics)
    assert not diagnostics.items
    return bare(expression)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("plain", "'plain"),
        ("${a}", "a"),
        ("${ 5m }", (300, Dimension.TIME)),
        ("/x/${a}/y", ("template", "'/x/", "a", "'/y")),
        ("${a}${b}", ("template", "a", "b")),
        ("$${a}", "'${a}"),
        ("x$${a}${b}", ("template", "'x${a}", "b")),
        ("$$${a}", "'$${a}"),
        ("${a}$${b}", ("template", "a", "'${b}")),
        ('${pick(["a}"])}', ("pick", "()", ["'a}"])),
        ("${'a\\'}'}", "'a'}"),
        ("cost: $5 {x}", "'cost: $5 {x}"),
        ("${a} ", ("template", "a", "' ")),
        ("a}${b}", ("template", "'a}", "b")),
    ],
)
def test_templates(text: str, tree: Any) -> None:
    assert template(text) == tree


@pytest.mark.parametrize(
    ("text", "code", "under"),
    [
        ("/x/${a", "VF202", "${"),
        ("${pick(['a'})", "VF201", ""),
        ("${'a}", "VF203", "'a"),
        ("${}", "VF201", "${}"[2:2]),
        ("${a} ${b +} ${c", "VF202", "${"),
        ("${ ${a} }", "VF201", "$"),
    ],
)
def test_what_is_wrong_in_a_template_is_reported(text: str, code: str, under: str) -> None:
    diagnostics = Diagnostics()
    assert parse_template(scalar(text), diagnostics) == Template((), scalar(text).span) or diagnostics.failed
    assert (code, under) in [(d.code, d.span.text) for d in diagnostics if d.span is not None]


@given(st.text(st.sampled_from(list("${}'\"ab \\n")), max_size=25))
def test_any_text_is_a_template_or_reported(text: str) -> None:
    diagnostics = Diagnostics()
    expression = parse_template(scalar(text), diagnostics)
    assert diagnostics.failed or isinstance(expression, Expression)
    if "${" not in text:
        assert bare(expression) == f"'{text}"


def test_carets_land_inside_quoted_and_escaped_text() -> None:
    source = Source("a.yml", 'k: "\\u00e9/${a + }"')
    text = "é/${a + }"
    offsets = (4, *range(10, 18))
    diagnostics = Diagnostics()
    parse_template(Scalar(text, Span(source, 3, 19), plain=False, offsets=offsets), diagnostics)
    (found,) = diagnostics.items
    assert found.span is not None
    assert source.text[found.span.start - 1] == "+"


def test_values_are_typed_only_where_plain() -> None:
    assert bare(parse_value(scalar("500"), Diagnostics())) == 500
    assert bare(parse_value(scalar("500", plain=False), Diagnostics())) == "'500"
    assert bare(parse_value(scalar("${a}"), Diagnostics())) == "a"


@pytest.mark.parametrize("text", ["len(a) > 0", "${len(a) > 0}", " ${ len(a) > 0 }\n"])
def test_a_bare_expression_may_wear_its_braces(text: str) -> None:
    diagnostics = Diagnostics()
    expression = parse_bare(scalar(text), diagnostics)
    assert not diagnostics.items
    assert expression is not None
    assert bare(expression) == (("len", "()", "a"), ">", 0)


# --- conditions


@pytest.mark.parametrize(
    ("text", "aggregate", "argument", "operator", "bound"),
    [
        ("p(95) < 500 ms", "p", 95, "<", 0.5),
        ("p(99.9)<=1.5s", "p", 99.9, "<=", 1.5),
        ("rate < 0.5 %", "rate", None, "<", 0.005),
        ("count >= 100", "count", None, ">=", 100),
        ("value == -1", "value", None, "==", -1),
        ("avg != 1m30s", "avg", None, "!=", 90),
    ],
)
def test_conditions(text: str, aggregate: str, argument: float | None, operator: str, bound: float) -> None:
    diagnostics = Diagnostics()
    found = parse_condition(scalar(text), diagnostics)
    assert not diagnostics.items
    assert found is not None
    assert (found.aggregate, found.argument, found.operator, found.text) == (aggregate, argument, operator, text)
    assert (found.bound.amount if isinstance(found.bound, Quantity) else found.bound) == bound
    assert found.span.text == text


@pytest.mark.parametrize(
    ("text", "factor", "figure", "labels", "plus"),
    [
        ("p(95) < p(95){page:1}", 1.0, ("p", 95), (("page", "1"),), None),
        ("p(95) < 1.5*p(50){page:1..5, step:a}+10ms", 1.5, ("p", 50), (("page", "1..5"), ("step", "a")), 0.01),
        ("p(99) < 3 * med", 3, ("med", None), (), None),
        ("count >= count{step:a} + 5", 1.0, ("count", None), (("step", "a"),), 5),
        ('rate < 2 * rate{step:"a, b"}', 2, ("rate", None), (("step", "a, b"),), None),
    ],
)
def test_a_condition_may_name_another_figure(
    text: str, factor: float, figure: tuple[str, float | None], labels: object, plus: float | None
) -> None:
    diagnostics = Diagnostics()
    found = parse_condition(scalar(text), diagnostics)
    assert not diagnostics.items
    assert found is not None
    assert isinstance(found.bound, Reference)
    bound = found.bound
    assert (bound.factor, (bound.aggregate, bound.argument), bound.labels) == (factor, figure, labels)
    assert (bound.plus.amount if isinstance(bound.plus, Quantity) else bound.plus) == plus
    assert text.endswith(bound.span.text)


def test_the_labels_of_a_figure_stand_in_the_place_of_the_gates_own() -> None:
    found = parse_condition(scalar("p(95) < p(95){page:1}"), Diagnostics())
    assert found is not None
    assert isinstance(found.bound, Reference)
    assert found.bound.labels_beside((("page", "20"), ("step", "a"))) == (("page", "1"), ("step", "a"))


@pytest.mark.parametrize(
    ("text", "under", "words"),
    [
        ("p95 < 500 ms", "p95", "write p(95)"),
        ("p99_9 < 1 s", "p99_9", "write p(99.9)"),
        ("p < 500 ms", "p", "write p(95)"),
        ("p(101) < 5 s", "p", "no percentile 101"),
        ("avg(5) < 5 s", "avg", "takes no argument"),
        ("mean < 5 s", "mean", "unknown aggregate"),
        ("p(95) < 5 sec", "sec", "did you mean 's'?"),
        ("p(95) 500 ms", "500 ms", "expected a comparison"),
        ("p(95) <", "", "unexpected end of"),
        ("", "", "an empty condition"),
        ("p(95) < x", "x", "unknown aggregate"),
        ("p(95) < 2 *", "", "expected a name"),
        ("p(95) < p(95){page}", "{page}", "not a label"),
        ("p(95) < p(95){}", "{}", "no label"),
        ("p(95) < p(95) * 2", "*", "expected the end"),
    ],
)
def test_what_is_no_condition_is_reported(text: str, under: str, words: str) -> None:
    diagnostics = Diagnostics()
    assert parse_condition(scalar(text), diagnostics) is None
    (found,) = diagnostics.items
    assert found.span is not None
    assert found.span.text == under
    assert words in f"{found.message} {found.label} {found.help}"


def test_a_pipeline_calls_its_functions_on_it() -> None:
    diagnostics = Diagnostics()
    found = parse_pipeline(scalar("split(',') | first | int"), diagnostics)
    assert not diagnostics.items
    assert found is not None
    assert bare(found) == ("int", "()", ("first", "()", ("split", "()", "it", "',")))
    assert [call.span.text for call in calls(found)] == ["int", "first", "split(',')"]


@pytest.mark.parametrize(
    ("text", "under", "words"),
    [
        ("", "", "an empty pipeline"),
        ("trim |", "", "unexpected end of"),
        ("trim int", "int", "expected"),
        ("3", "3", "name"),
    ],
)
def test_what_is_no_pipeline_is_reported(text: str, under: str, words: str) -> None:
    diagnostics = Diagnostics()
    assert parse_pipeline(scalar(text), diagnostics) is None
    (found,) = diagnostics.items
    assert found.span is not None
    assert found.span.text == under
    assert words in f"{found.message} {found.label} {found.help}"
