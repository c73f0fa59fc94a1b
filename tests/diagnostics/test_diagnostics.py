"""The collector, the table of codes and the suggestions."""

import re

import pytest

from vezaflow.diagnostics import CODES, Diagnostics, Severity, Source, Span, suggest, summary_line

SOURCE = Source("a.yml", "one\ntwo\n")


def test_findings_come_in_the_order_of_files_and_places() -> None:
    diagnostics = Diagnostics()
    other = Source("0.yml", "x")
    diagnostics.error("VF104", Span(SOURCE, 4, 7), "second")
    diagnostics.warning("VF104", Span(SOURCE, 0, 3), "first")
    diagnostics.error("VF104", Span(other, 0, 1), "in the file before")
    assert [d.message for d in diagnostics] == ["in the file before", "first", "second"]


def test_the_same_finding_is_kept_once() -> None:
    diagnostics = Diagnostics()
    for _ in range(2):
        diagnostics.error("VF104", Span(SOURCE, 0, 3), "unknown")
    diagnostics.error("VF104", Span(SOURCE, 0, 3), "another thing")
    assert len(diagnostics) == 2


def test_warnings_alone_do_not_fail() -> None:
    diagnostics = Diagnostics()
    assert not diagnostics.failed
    diagnostics.warning("VF104", None, "odd")
    assert not diagnostics.failed
    diagnostics.error("VF104", None, "wrong")
    assert diagnostics.failed


def test_an_empty_collector_is_not_mistaken_for_none() -> None:
    assert Diagnostics()


def test_a_code_that_is_not_in_the_table_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Diagnostics().error("VF999", None, "what?")


def test_findings_of_another_collector_are_taken_over() -> None:
    one, two = Diagnostics(), Diagnostics()
    two.error("VF101", Span(SOURCE, 0, 1), "wrong")
    one.extend(two)
    assert one.items == two.items


@pytest.mark.parametrize(
    ("errors", "warnings", "line"),
    [(0, 0, "no errors"), (1, 0, "1 error"), (2, 1, "2 errors, 1 warning"), (0, 2, "2 warnings")],
)
def test_the_summary_counts(errors: int, warnings: int, line: str) -> None:
    diagnostics = Diagnostics()
    for i in range(errors):
        diagnostics.error("VF101", None, f"error {i}")
    for i in range(warnings):
        diagnostics.warning("VF101", None, f"warning {i}")
    assert summary_line(diagnostics) == line
    assert summary_line(diagnostics.items) == line


def test_every_code_is_documented() -> None:
    for code, rule in CODES.items():
        assert rule.code == code
        assert re.fullmatch(r"VF[1-7]\d\d", code)
        assert rule.severity in Severity
        assert rule.title
        assert not rule.title.endswith(".")
        assert len(rule.doc) > 30, code
        assert rule.doc.endswith((".", "`.")), code


def test_no_code_has_two_meanings() -> None:
    from vezaflow.diagnostics import codes

    assert len(CODES) == len(codes._ROWS)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("exract", "extract"),
        ("EXTRACT", "extract"),
        ("on-failure", "on_failure"),
        ("onFailure", "on_failure"),
        ("dur", "duration"),
        ("zebra", None),
    ],
)
def test_the_nearest_right_word(word: str, meant: str | None) -> None:
    assert suggest(word, ["extract", "expect", "on_failure", "duration"]) == meant


def test_positions_count_lines_and_columns_from_one() -> None:
    assert SOURCE.position(0) == (1, 1)
    assert SOURCE.position(4) == (2, 1)
    assert SOURCE.position(8) == (3, 1)
    assert SOURCE.line(2) == "two"
    assert str(Span(SOURCE, 5, 6)) == "a.yml:2:2"
