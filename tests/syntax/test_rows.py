"""Files of rows: values, columns, and what is wrong with them at which line."""

import io
import tracemalloc
from codecs import BOM_UTF8
from collections.abc import Iterable
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.diagnostics import Diagnostics
from vezaflow.syntax import ABSENT, RowFile, Rows


def reader(content: bytes, diagnostics: Diagnostics) -> RowFile:
    def opens(*, errors: str = "strict") -> TextIO:
        return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", errors=errors, newline="")

    return RowFile("rows", opens, diagnostics)


def csv_of(text: str, delimiter: str = ",") -> Rows:
    diagnostics = Diagnostics()
    rows = reader(text.encode(), diagnostics).csv(delimiter)
    assert rows is not None, diagnostics
    return rows


def faults(content: bytes, format_: str = "csv") -> list[tuple[str, str]]:
    """The codes and places of what is wrong."""
    diagnostics = Diagnostics()
    file = reader(content, diagnostics)
    rows = {"csv": lambda: file.csv(","), "json": file.json, "jsonl": file.json_lines}[format_]()
    assert rows is None
    return [(found.code, str(found.span).removeprefix("rows:")) for found in diagnostics]


def test_a_csv_file_has_its_columns_from_its_first_row_and_only_texts() -> None:
    rows = csv_of("email,age\nann@example.org,7\nben@example.org,\n")
    assert rows.columns == ("email", "age")
    assert list(rows.values) == [("ann@example.org", "7"), ("ben@example.org", "")]


def test_quotes_hold_delimiters_line_ends_and_quotes() -> None:
    rows = csv_of('a,b\r\n"x, y","one\r\ntwo"\r\n"""so""",z\r\n')
    assert list(rows.values) == [("x, y", "one\r\ntwo"), ('"so"', "z")]


def test_blank_lines_a_mark_at_the_beginning_and_blanks_around_names_mean_nothing() -> None:
    rows = csv_of("\ufeff\n a , b \n\n1,2\n\n")
    assert (rows.columns, list(rows.values)) == (("a", "b"), [("1", "2")])


def test_another_delimiter() -> None:
    assert list(csv_of("a;b\n1,5;2\n", ";").values) == [("1,5", "2")]


def test_a_row_of_another_length_is_shown_at_the_line_where_it_begins() -> None:
    assert faults(b'a,b\n1,2\n"one\ntwo",2\n"one\ntwo"\n') == [("VF143", "5:1")]


def test_a_quote_that_is_never_closed_is_shown_where_its_row_begins() -> None:
    assert faults(b'a,b\n1,2\n3,"four\n5,6\n') == [("VF143", "3:1")]


def test_no_more_than_a_handful_of_faults_are_told() -> None:
    assert len(faults(b"a,b\n" + b"1\n" * 1000)) == 5


def test_bytes_that_are_no_text_are_shown_at_their_place() -> None:
    assert faults(b"a,b\n1,2\nx\xff,2\n") == [("VF110", "3:2")]


def test_columns_without_a_name_of_their_own_are_refused() -> None:
    assert faults(b"a,,a\n1,2,3\n") == [("VF144", "1:1"), ("VF144", "1:4")]


def test_json_rows_have_the_columns_of_all_of_them() -> None:
    diagnostics = Diagnostics()
    rows = reader(b'[{"a": 1}, {"b": [2], "a": null}, {"b": 3}]', diagnostics).json()
    assert rows is not None
    assert rows.columns == ("a", "b")
    assert list(rows.values) == [(1, ABSENT), (None, [2]), (ABSENT, 3)]
    assert [rows.written(row) for row in rows.values] == [{"a": 1}, {"a": None, "b": [2]}, {"b": 3}]


def test_json_lines_of_single_values_have_no_columns() -> None:
    rows = reader(b'"rock"\n\n[1, 2]\n7\n', Diagnostics()).json_lines()
    assert rows is not None
    assert (rows.columns, list(rows.values)) == ((), ["rock", [1, 2], 7])


@pytest.mark.parametrize(
    ("content", "format_", "expected"),
    [
        (b'[{"a": 1},\n {"a": }]', "json", [("VF143", "2:8")]),
        (b'{"a": 1}', "json", [("VF143", "1:1")]),
        (b'[1, {"a": 2}, {}]', "json", [("VF143", "1:1"), ("VF143", "1:1")]),
        (b'{"a": 1}\n{"a": }\n7\n', "jsonl", [("VF143", "2:7"), ("VF143", "3:1")]),
    ],
)
def test_what_is_wrong_in_json_is_shown_at_its_line(
    content: bytes, format_: str, expected: list[tuple[str, str]]
) -> None:
    assert sorted(faults(content, format_)) == expected


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


def written(rows: Iterable[Iterable[str]]) -> str:
    quoted = (",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    return "\n".join(quoted) + "\n"


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1)))
def test_whatever_the_cells_hold_they_come_back(rows: list[list[str]]) -> None:
    header = [f"c{number}" for number in range(len(rows[0]))]
    assert [list(row) for row in csv_of(written([header, *rows])).values] == rows


@given(st.binary(max_size=60), st.sampled_from(["csv", "json", "jsonl"]))
def test_whatever_the_bytes_reading_ends_with_rows_or_diagnostics(content: bytes, format_: str) -> None:
    diagnostics = Diagnostics()
    file = reader(content, diagnostics)
    rows = {"csv": lambda: file.csv(","), "json": file.json, "jsonl": file.json_lines}[format_]()
    nothing = not content.removeprefix(BOM_UTF8).strip() or BOM_UTF8.startswith(content)  # half a mark is none, too
    assert rows is not None or diagnostics.failed or nothing


def test_rows_share_one_header_and_take_little_more_than_their_texts() -> None:
    content = b"email,name\n" + b"".join(b"user%06d@example.org,name%06d\n" % (n, n) for n in range(10_000))
    tracemalloc.start()
    rows = reader(content, Diagnostics()).csv(",")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows is not None
    assert used < 10_000 * 250  # two texts of 74 and 59 bytes, a tuple of 56, its place in the list
