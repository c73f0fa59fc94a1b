"""YAML as nodes: 1.2's types, exact places, and a Diagnostic for everything else. Never an exception."""

import math
import string

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from vezaflow.diagnostics import Diagnostics, Source
from vezaflow.syntax import Mapping, Node, Scalar, Sequence, decode, read_yaml


def read(text: str) -> tuple[Node | None, Diagnostics]:
    diagnostics = Diagnostics()
    return read_yaml(Source("a.yml", text), diagnostics), diagnostics


def good(text: str) -> Node:
    node, diagnostics = read(text)
    assert not diagnostics.items
    assert node is not None
    return node


def value(text: str) -> Scalar:
    node = good(f"k: {text}\n")
    assert isinstance(node, Mapping)
    found = node.get("k")
    assert isinstance(found, Scalar)
    return found


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("on", "on"), ("no", "no"), ("yes", "yes"), ("off", "off"), ("y", "y"), ("1:30", "1:30"), ("1_000", "1_000"),
        ("true", True), ("True", True), ("tRue", "tRue"), ("false", False), ("null", None), ("~", None), ("", None),
        ("12", 12), ("-12", -12), ("+12", 12), ("0123", 123), ("0o17", 15), ("0x1F", 31), ("0b1", "0b1"),
        ("1.10", 1.1), ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0), ("-.inf", -math.inf), (".inf", math.inf),
        ("2001-12-14", "2001-12-14"), ("'12'", "12"), ('"true"', "true"), ("5m", "5m"), ("=", "="),
        ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema_of_1_2(text: str, typed: object) -> None:
    found = value(text).typed()
    assert found == typed
    assert type(found) is type(typed)


def test_not_a_number_is_one_of_its_floats() -> None:
    found = value(".nan").typed()
    assert isinstance(found, float)
    assert math.isnan(found)


def test_a_number_stays_what_was_written() -> None:
    assert value("1.10").text == "1.10"


def test_a_tree_has_places() -> None:
    text = "a:\n  - x: 1\n    y: [p, q]\n\n# end\nb: z\n"
    node = good(text)
    assert isinstance(node, Mapping)
    a = node.get("a")
    assert isinstance(a, Sequence)
    assert a.span.text == "- x: 1\n    y: [p, q]"
    item = a.items[0]
    assert isinstance(item, Mapping)
    assert item.span.text == "x: 1\n    y: [p, q]"
    y = item.entry("y")
    assert y is not None
    assert y.key.span.text == "y"
    assert y.value.span.text == "[p, q]"
    assert node.get("nothing") is None


def test_both_of_duplicate_keys_are_shown_and_the_first_one_counts() -> None:
    node, diagnostics = read("a: 1\nb: 2\na: 3\n")
    (found,) = diagnostics.items
    assert found.code == "VF102"
    assert found.span is not None
    assert str(found.span) == "a.yml:3:1"
    assert str(found.related[0][0]) == "a.yml:1:1"
    assert isinstance(node, Mapping)
    first = node.get("a")
    assert isinstance(first, Scalar)
    assert first.text == "1"


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("", "VF108", "1:1", "empty"),
        ("# nothing\n", "VF108", "1:1", "empty"),
        ("a: &x 1\n", "VF105", "1:4", "anchor '&x'"),
        ("a: *x\n", "VF105", "1:4", "alias '*x'"),
        ("<<: {a: 1}\n", "VF105", "1:1", "merge key"),
        ("a: !!int 1\n", "VF106", "1:4", "tag '!!int'"),
        ("a: !env X\n", "VF106", "1:4", "tag '!env'"),
        ("a: 1\n---\nb: 1\n", "VF107", "2:1", "second document"),
        ("200: x\n", "VF103", "1:1", "the key 200 is a number"),
        ("true: x\n", "VF103", "1:1", "is a boolean"),
        ("? \n: x\n", "VF103", "1:2", "is null"),
        ("? [a]\n: x\n", "VF103", "1:3", "can't be a key"),
        ("{a: b}: x\n", "VF103", "1:1", "can't be a key"),
        ("a:\n\t- b\n", "VF101", "2:1", "tab"),
        ("a: b: c\n", "VF101", "1:5", "unexpected key here"),
        ("a: 'b\n", "VF101", "2:1", "unclosed quote"),
        ("a: [b, c\nd: e\n", "VF101", "2:2", "missing ',' or ']'"),
        ("a: @b\n", "VF101", "1:4", "can't start with '@'"),
        ("q: {a: ${term}}\n", "VF101", "1:9", "needs quotes"),
        ("a:\n  b: 1\n c: 2\n", "VF101", "3:2", ""),
        ("a: \"\\q\"\n", "VF101", "1:6", "invalid escape"),
        ("a: \"\\ud83d\\ude00\"\n", "VF101", "1:4", "an unpaired surrogate"),
        ("a: \"\\U00110000\"\n", "VF101", "1:7", "not a character"),
        ("a: \x00\n", "VF110", "1:4", "control character"),
        ("a: \ud800\n", "VF110", "1:4", "control character"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_is(text: str, code: str, place: str, words: str) -> None:
    _, diagnostics = read(text)
    found = diagnostics.items[0]
    assert found.span is not None
    assert (found.code, str(found.span)) == (code, f"a.yml:{place}")
    assert words in found.message


def test_every_fault_of_a_file_is_found_in_one_go() -> None:
    _, diagnostics = read("a: 1\na: 2\nb: &x 1\n3: !t c\n")
    assert {d.code for d in diagnostics} == {"VF102", "VF103", "VF105", "VF106"}


def test_a_bomb_of_aliases_is_refused_and_gives_no_tree() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
    )
    node, diagnostics = read(bomb)
    assert node is None
    assert {d.code for d in diagnostics} == {"VF105"}


@pytest.mark.parametrize("text", ["[" * 300, "{a: " * 3000, "- " * 3000 + "x", "? " * 3000 + "x"])
def test_depth_is_bounded(text: str) -> None:
    node, diagnostics = read(text)
    assert node is None
    assert [d.code for d in diagnostics] == ["VF109"]


def test_64_levels_are_deep_enough() -> None:
    assert isinstance(good("[" * 63 + "x" + "]" * 63), Sequence)


def test_length_is_bounded() -> None:
    node, diagnostics = read("#" * 2_000_001)
    assert node is None
    assert [d.code for d in diagnostics] == ["VF109"]


def test_a_space_after_the_inner_colon_leaves_a_key_that_shows_it() -> None:
    node = good("http_req_duration{step: segment}: p(95) < 1 s\n".replace("}: ", "}- "))
    assert isinstance(node, Mapping)
    assert node.entries[0].key.text == "http_req_duration{step"
    assert read("http_req_duration{step: segment}: p(95) < 1 s\n")[1].failed


def test_bytes_that_are_not_utf_8_are_reported_where_they_stand() -> None:
    diagnostics = Diagnostics()
    assert decode("a.yml", "a: é\nb: ".encode() + b"\xff\n", diagnostics) is None
    (found,) = diagnostics.items
    assert (found.code, str(found.span)) == ("VF110", "a.yml:2:4")


def test_a_byte_order_mark_is_dropped() -> None:
    source = decode("a.yml", b"\xef\xbb\xbfa: 1\n", Diagnostics())
    assert source is not None
    assert source.text == "a: 1\n"


YAMLISH = st.text(st.sampled_from(list("ab1:- \n\t\"'[]{},#&*!|>%@`?$\\<~\r\x85\u2028é漢\x00")), max_size=40)


@given(st.one_of(YAMLISH, st.text(max_size=40)))
@example("\ufeff")
@example("%YAML 9.9\n---\na")
@example("a: |9\n b\n")
@example("!<tag:> a")
@example('"\\U00110000"')
@example('"\\ud800"')
def test_any_text_gives_a_tree_or_an_error_and_no_exception(text: str) -> None:
    node, diagnostics = read(text)
    assert node is not None or diagnostics.failed
    for found in diagnostics:
        assert found.span is not None
        assert 0 <= found.span.start <= found.span.end <= len(text) + 1


def scalars(node: Node) -> list[Scalar]:
    match node:
        case Scalar():
            return [node]
        case Sequence():
            return [s for item in node.items for s in scalars(item)]
        case Mapping():
            return [s for entry in node.entries for s in (entry.key, *scalars(entry.value))]


@given(st.binary(max_size=30))
def test_any_bytes_are_decoded_or_reported(content: bytes) -> None:
    diagnostics = Diagnostics()
    assert (decode("a.yml", content, diagnostics) is None) == diagnostics.failed


WORDS = st.text(string.ascii_letters + "é漢 \t\n'\"\\:#", max_size=30)


@given(WORDS, st.sampled_from(["'", '"', "|", ">", ""]), st.integers(12, 40))
@example("a b\nc", "|", 20)
@example("'k", "'", 12)
def test_each_visible_character_stands_where_its_map_says(text: str, style: str, width: int) -> None:
    """PyYAML writes a value in some style, we read it: the map leads each letter to itself in the source."""
    written = yaml.safe_dump({"k": [text]}, default_style=style or None, width=width, allow_unicode=True)
    node, diagnostics = read(written.replace('"k"', "k", 1) if style == '"' else written.replace("'k'", "k", 1))
    assert not diagnostics.items
    assert node is not None
    scalar = scalars(node)[-1]
    if scalar.text != text:  # YAML can't hold every text in every style; what it holds is what counts
        text = scalar.text
    for i, c in enumerate(text):
        piece = scalar.piece(i, i + 1)
        if not c.isspace() and c not in "'\"\\é漢":
            assert piece.text == c
        assert scalar.span.start <= piece.start < scalar.span.end or c.isspace()


@pytest.mark.parametrize(
    ("yaml_text", "token"),
    [
        ("k: TOKEN x", "TOKEN"),
        ("k: 'it''s TOKEN'", "TOKEN"),
        ('k: "a\\tb\\u00e9\\x41 TOKEN"', "TOKEN"),
        ('k: "a \\\n   b\n\n  TOKEN"', "TOKEN"),
        ("k: a\n  b\n\n  TOKEN c", "TOKEN"),
        ("k: |\n    a\n      TOKEN b\n", "TOKEN"),
        ("k: >-\n    a\n    b\n\n    TOKEN b\n", "TOKEN"),
        ("k: |2\n     TOKEN\n", "TOKEN"),
        ("k: |  # TOKEN it is not\n  TOKEN\n", "TOKEN"),
        ("k: >\r\n  a\r\n  TOKEN\r\n", "TOKEN"),
        ("k: '漢字 TOKEN'", "TOKEN"),
        ("{k: TOKEN}", "TOKEN"),
    ],
)
def test_a_token_is_found_in_every_style(yaml_text: str, token: str) -> None:
    node = good(yaml_text)
    assert isinstance(node, Mapping)
    scalar = node.get("k")
    assert isinstance(scalar, Scalar)
    at = scalar.text.index(token)
    piece = scalar.piece(at, at + len(token))
    assert piece.text == token
    assert piece.start == yaml_text.rindex(token)


def test_leading_blanks_of_a_literal_line_are_told_from_its_indentation() -> None:
    node = good("k: |\n    a\n      b\n")
    assert isinstance(node, Mapping)
    scalar = node.get("k")
    assert isinstance(scalar, Scalar)
    assert scalar.text == "a\n  b\n"
    assert scalar.piece(2, 5).text == "  b"
