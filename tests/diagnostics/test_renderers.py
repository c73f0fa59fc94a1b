"""The drawings: what stands under what, and that nothing of a file's can break a renderer's format."""

import json
import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from vezaflow.diagnostics import Diagnostics, Source, Span, render_github, render_json, render_text


def _one(text: str, start: int, end: int, **said: str) -> Diagnostics:
    diagnostics = Diagnostics()
    span = Span(Source("flows/a.yml", text), start, end)
    diagnostics.error("VF104", span, "unknown key 'exract'", label=said.get("label", ""), help=said.get("help", ""))
    return diagnostics


def test_a_finding_is_drawn_under_its_token() -> None:
    text = "flow: a\n" + "\n" * 12 + "    exract:\n"
    assert render_text(_one(text, 24, 30, label="did you mean 'extract'?", help="a\nb")) == (
        "error[VF104]: unknown key 'exract'\n"
        "  --> flows/a.yml:14:5\n"
        "   |\n"
        "14 |     exract:\n"
        "   |     ^^^^^^ did you mean 'extract'?\n"
        "   = help: a\n"
        "           b\n"
        "\n"
    )


def test_a_second_place_is_drawn_below() -> None:
    source = Source("a.yml", "a: 1\na: 2\n")
    diagnostics = Diagnostics()
    diagnostics.error("VF102", Span(source, 5, 6), "twice", related=((Span(source, 0, 1), "first here"),))
    assert render_text(diagnostics) == (
        "error[VF102]: twice\n --> a.yml:2:1\n  |\n2 | a: 2\n  | ^\n ::: a.yml:1:1\n  |\n1 | a: 1\n  | - first here\n\n"
    )


def test_a_finding_without_a_place_is_its_message() -> None:
    diagnostics = Diagnostics()
    diagnostics.warning("VF104", None, "no flows here")
    assert render_text(diagnostics) == "warning[VF104]: no flows here\n\n"


def test_a_span_over_several_lines_is_drawn_on_the_first() -> None:
    drawn = render_text(_one("ab: |\n  x\n  y\n", 1, 12))
    assert "1 | ab: |\n  |  ^^^^\n" in drawn


def test_an_empty_span_has_one_caret() -> None:
    assert "1 | ab\n  |   ^\n" in render_text(_one("ab\n", 2, 2))
    assert render_text(_one("", 0, 0)).endswith("1 |\n  | ^\n\n")


def test_tabs_and_wide_and_combining_characters_do_not_displace_the_caret() -> None:
    assert "1 |     x\n  |     ^\n" in render_text(_one("\tx", 1, 2))
    assert "1 | 音楽 x\n  |      ^\n" in render_text(_one("音楽 x", 3, 4))
    assert "1 | e\u0301x\n  |  ^\n" in render_text(_one("e\u0301x", 2, 3))
    assert "1 | 音楽\n  | ^^^^\n" in render_text(_one("音楽", 0, 2))


def test_a_file_can_not_speak_to_the_terminal() -> None:
    assert "\x1b" not in render_text(_one("a\x1b[31m\u202eb", 0, 1, label="\x1b]0;x\x07"))


def test_colour_changes_nothing_but_colour() -> None:
    diagnostics = _one("a: exract", 3, 9, label="here", help="mend")
    coloured = render_text(diagnostics, colour=True)
    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text(diagnostics)


def test_a_long_line_is_cut_around_the_span() -> None:
    text = "x" * 500 + "HERE" + "y" * 500
    drawn = render_text(_one(text, 500, 504)).splitlines()
    assert all(len(line) < 130 for line in drawn)
    at = drawn[4].index("^")
    assert drawn[3][at : at + 4] == "HERE"
    assert drawn[4].count("^") == 4


def _columns(text: str) -> int:
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


@given(st.text(max_size=60), st.integers(0, 60), st.integers(0, 10))
def test_what_is_before_the_caret_is_as_wide_as_what_is_before_the_token(text: str, start: int, length: int) -> None:
    line = "".join(c for c in text if c not in "\n\r")
    start = min(start, len(line))
    marked = line[:start] + "\N{BLACK STAR}" + line[start:]
    drawn = render_text(_one(marked, start, start + 1 + length)).split("\n")
    before = drawn[3].partition("\N{BLACK STAR}")[0] if "\N{BLACK STAR}" not in line else None
    if before is not None:
        assert _columns(before) == _columns(drawn[4].partition("^")[0])


def test_json_has_places_and_a_version() -> None:
    document = json.loads(render_json(_one("a\nexract: 1\n", 2, 8, label="l", help="h")))
    assert document["version"] == 1
    (found,) = document["diagnostics"]
    assert found["code"] == "VF104"
    assert found["severity"] == "error"
    assert found["place"] == {"path": "flows/a.yml", "line": 2, "column": 1, "end_line": 2, "end_column": 7}
    assert (found["label"], found["help"], found["related"]) == ("l", "h", [])


def test_github_annotations_are_escaped() -> None:
    diagnostics = Diagnostics()
    span = Span(Source("a,b:c.yml", "x\nabc"), 2, 4)
    diagnostics.error("VF104", span, "100 % wrong: a, b", help="one\ntwo")
    assert render_github(diagnostics) == (
        "::error file=a%2Cb%3Ac.yml,line=2,col=1,endColumn=3,title=VF104 100 %25 wrong%3A a%2C b"
        "::100 %25 wrong: a, b. one%0Atwo\n"
    )


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_github_annotation_is_one_line(path: str, message: str) -> None:
    diagnostics = Diagnostics()
    diagnostics.error("VF104", Span(Source(path, "x"), 0, 1), message, help=message)
    drawn = render_github(diagnostics)
    assert drawn.count("\n") == 1
    assert "\r" not in drawn
