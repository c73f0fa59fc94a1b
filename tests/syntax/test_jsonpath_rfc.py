"""JSONPath is RFC 9535's: what is a path, and what it leads to, as another implementation has it."""

import json
from typing import Any

import jsonpath_rfc9535
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vezaflow.syntax import compile_jsonpath

ITEMS = {
    "items": [
        {"id": "i1", "n": 1, "name": "x y", "active": True, "tag": None, "k": {"v": "a"}},
        {"id": "i2", "n": 2, "name": "it's", "active": False, "k": {"v": "b"}},
        {"id": "i3", "n": 3, "name": "z (1)", "active": True, "sub": [{"id": "s1"}], "k": {"v": "c"}},
        {"id": "i4", "n": 10, "name": "10", "active": "true"},
    ],
    "most": 2, "where": 19, "données": 22, "keys": 20, "len": 9, "2xx": 1, "user-id": 17,
}  # fmt: skip
KEYS = st.sampled_from(["a", "b", "é", "c d"])
SCALARS = st.sampled_from([None, True, False, 0, 1, 2, 1.0, -1.5, "", "a", "b", "1", "\n"])
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
NAMES = st.sampled_from([".a", ".b", ".é", "['c d']", '["a"]', "[0]", "[-1]"])
SINGULAR = st.builds(lambda sign, names: sign + "".join(names), st.sampled_from("@@@$"), st.lists(NAMES, max_size=2))
NODES = st.builds(
    lambda start, end: start + end, SINGULAR, st.sampled_from([".*", "[*]", "..a", "[0,1]", "[:1]", "[::-1]", "[?@.a]"])
)
LITERALS = SCALARS.map(json.dumps) | st.sampled_from(["'a'", "'\\u0061'", "1e0", "-0", '"\\""'])
THERE = st.builds(str.__add__, SINGULAR, NAMES)  # `@` alone is a value and no path to the other implementation
VALUES = st.one_of(
    SINGULAR,
    LITERALS,
    st.builds("length({})".format, SINGULAR | LITERALS),
    st.builds("count({})".format, NODES | THERE),
    st.builds("value({})".format, NODES),
)
COMPARED = st.builds(
    "{}{}{}".format, VALUES, st.sampled_from(["==", "!=", "<", "<=", ">", ">=", " == ", " < "]), VALUES
)
TESTS = st.one_of(
    COMPARED,
    COMPARED,
    THERE,
    NODES,
    st.builds("match({}, {})".format, SINGULAR | LITERALS, st.sampled_from(["'.'", "'a|b'", '"[.a]"', "'('", "@.a"])),
    st.builds("search({}, {})".format, SINGULAR | LITERALS, st.sampled_from(["'.'", "'a'", "'[^a]'", "$.a"])),
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds("({})".format, inner),
        st.builds("!({})".format, inner),
        st.builds("{} && {}".format, inner, inner),
        st.builds("{}||{}".format, inner, inner),
    ),
    max_leaves=4,
)
SEGMENTS = st.one_of(
    NAMES,
    CONDITIONS.map("[?{}]".format),
    CONDITIONS.map("[?({})]".format),
    st.sampled_from([".*", "..*", "..a", "..[0]", "[1:]", "[-1::-1]", "[::0]", "[0, 'a', *]", " ['a']"]),
)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3).map(lambda links: "$" + "".join(links))


def theirs(path: str, document: Any) -> list[Any] | None:
    """What the other implementation finds; None where it is no path."""
    try:
        return jsonpath_rfc9535.find(path, document).values()
    except jsonpath_rfc9535.JSONPathError:
        return None


def ours(path: str, document: Any) -> list[Any] | None:
    try:
        return compile_jsonpath(path)(document)
    except ValueError as reason:
        assume("'..' in a path" not in str(reason) and "filters in filters" not in str(reason))
        return None


@given(PATHS, DOCUMENTS)
def test_what_a_path_finds_is_what_another_implementation_finds(path: str, document: Any) -> None:
    assert json.dumps(ours(path, document)) == json.dumps(theirs(path, document))


SIGNS = ["$", "@", ".a", ".", "..", "[", "]", "?", "(", ")", "'a'", '"b"', "0", "-1", "1.5", "1e2", "==", "!=", "<",
         ">=", "&&", "||", "!", ",", ":", "*", " ", "true", "null", "length(", "match(", "count(", "value(", "foo(",
         "a", "é", "'\\n'", "'\\u00e9'", "'\\ud83d'", "-0", "01", "\t"]  # fmt: skip


@given(st.lists(st.sampled_from(SIGNS), max_size=9).map("".join) | CONDITIONS)
def test_a_filter_that_is_one_is_one_for_the_other_too(condition: str) -> None:
    """Not the other way round: the other one takes `!!$`, `!'a'` and `$==$==$`, which RFC 9535, 2.3.5.1, has not."""
    path = f"$[?{condition}]"
    assert ours(path, None) is None or theirs(path, None) is not None, path


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("@.n > 2", ["i3", "i4"]),
        ("2 < @.n", ["i3", "i4"]),
        ("2<@.n&&@.n<10", ["i3"]),
        ("'x y' == @.name", ["i1"]),
        ("true == @.active", ["i1", "i3"]),
        ("null == @.tag", ["i1"]),
        ("$.most < @.n", ["i3", "i4"]),
        ("@.n == $.most", ["i2"]),
        ("@.tag", ["i1"]),
        ("@", ["i1", "i2", "i3", "i4"]),
        ("!@.k", ["i4"]),
        ("@.sub[?@.id == 's1']", ["i3"]),
        ("match(@.name, 'x.*')", ["i1"]),
        ("search(@.id, '[34]')", ["i3", "i4"]),
        ("length(@.name) == 2", ["i4"]),
        ("count(@.*) < 5", ["i4"]),
        ("(@.n > 2) & (@.active = true)", ["i3"]),
        ("@.name == 'it\\'s'", ["i2"]),
        ("@.n > 1 || @.n > 9 && @.k", ["i2", "i3", "i4"]),
    ],
)
def test_filters(condition: str, ids: list[str]) -> None:
    for path in (f"$.items[?{condition}].id", f"$.items[?({condition})].id", f"$.items[? ( {condition} ) ]['id']"):
        assert compile_jsonpath(path)(ITEMS) == ids


@pytest.mark.parametrize("path", ["$.where", "$.données", "$.keys", "$.len", "$.user-id", "$['2xx']", "$['where']"])
def test_a_key_of_any_word_is_found(path: str) -> None:
    assert len(compile_jsonpath(path)(ITEMS)) == 1
    assert compile_jsonpath(path).definite


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("@.name =~ 'x'", "write `search"),
        ("n > 2", "in a filter write `@.n`"),
        ("@.name == x", "'x' in quotes for the text"),
        ("@.n > ", "unexpected end of the path|unexpected text in the path"),
        ("2", "a value alone is not a condition"),
        ("@.* == 1", "can match several values"),
        ("match(@.a, 'b') == true", "can't be compared"),
        ("foo(@.a)", "unknown function 'foo'"),
        ("length(@.a, 1) == 1", "'length' takes 1 argument, got 2"),
        ("count(1) == 1", "expected a path"),
        ("@.a.`len` > 1", "unexpected text in the path|is missing"),
        ("@[?@[?@.a]]", "filters nested more than 2 deep"),
        ("(" * 240 + "@", "nested too deep|ends too early|is missing"),
    ],
)
def test_what_is_no_filter_is_said_in_one_line(condition: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        compile_jsonpath(f"$.items[?{condition}]")
    assert "\n" not in str(caught.value)
