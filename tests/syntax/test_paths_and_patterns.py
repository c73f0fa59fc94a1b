"""JSONPath by closures gives what jsonpath-ng gives; patterns are RE2's."""

import json
import warnings
from typing import Any

import jsonpath_ng.ext
import jsonpath_ng.parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.syntax import compile_jsonpath, compile_pattern

KEYS = st.sampled_from(["a", "b", "data", "id"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=15,
)
LINKS = st.one_of(
    KEYS.map(lambda k: f".{k}"),
    KEYS.map(lambda k: f"['{k}']"),
    st.integers(-2, 2).map(lambda i: f"[{i}]"),
    st.sampled_from(["[*]", ".*", "[0:1]", "[:]", "..a", "[0,1]", ".['a','b']"]),
)
PATHS = st.lists(LINKS, max_size=4).map(lambda links: "$" + "".join(links))


@pytest.mark.slow
@given(PATHS, DOCUMENTS)
def test_the_values_are_jsonpath_ngs_own_in_its_order(path: str, document: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = [d.value for d in jsonpath_ng.parser.parse(path).find(document)]
        except Exception:
            with pytest.raises(ValueError, match=r".+"):
                compile_jsonpath(path)
            return
    if path.count("..") > 2:
        return
    found = compile_jsonpath(path)
    assert json.dumps(found(document)) == json.dumps(expected)
    if found.definite:
        assert len(expected) <= 1


@pytest.mark.parametrize(
    ("path", "found", "definite"),
    [
        ("$", [{"data": [{"id": 1, "t": "x"}, {"id": 2, "t": "y"}]}], True),
        ("$.data[0].id", [1], True),
        ("$.data[-1]['id']", [2], True),
        ("$.data[*].id", [1, 2], False),
        ("$..id", [1, 2], False),
        ("$.data[?(@.id > 1)].t", ["y"], False),
        ("$.nothing[0]", [], True),
    ],
)
def test_paths(path: str, found: list[Any], definite: bool) -> None:
    compiled = compile_jsonpath(path)
    assert compiled({"data": [{"id": 1, "t": "x"}, {"id": 2, "t": "y"}]}) == found
    assert compiled.definite is definite


@pytest.mark.parametrize(
    "path",
    ["", "data", "$.", "$[", "$.a[", "$.a b", "$.a['b", "$" + ".a" * 400, "$.a.`parent`", "$.a.`sub(/a/, b)`",
     "$.x[?(@.a =~ '(a+)+$')]", "$..a..b..c", "$" + "[" * 200, "$.`split(x, 0, -1)`", "$.a + $.b"],
)  # fmt: skip
def test_what_is_no_path_or_could_run_away_is_refused_in_one_line(path: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        compile_jsonpath(path)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@given(st.text(max_size=20).map(lambda t: "$" + t))
def test_any_text_is_a_path_or_a_value_error(text: str) -> None:
    said = "nothing is wrong"
    try:
        compile_jsonpath(text)({"a": [1]})
    except ValueError as reason:
        said = str(reason)
    assert said


def test_patterns_are_linear_and_search_text() -> None:
    pattern = compile_pattern(r'id="(\d+)"')
    assert pattern.search('<a id="42">').group(1) == "42"
    assert compile_pattern("(a+)+$").search("a" * 5000 + "b") is None


@pytest.mark.parametrize("text", ["(", "a{2,1}", r"(a)\1", "(?=a)", "[z-a]", "a" * 1001])
def test_what_is_no_pattern_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        compile_pattern(text)
    assert "\n" not in str(caught.value)
