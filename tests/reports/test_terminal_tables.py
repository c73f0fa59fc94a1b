"""Tables of a terminal: never wider than it, and no figure that is not spared is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.diagnostics import columns
from vezaflow.reports.look import Look, table

HEAD = ("machine", "workers", "requests", "p50", "p95", "p99", "failed", "CPU max", "lag p99", "start")
CELLS = ("load-1", "16", "1,234,567", "41.3 ms", "12.5 ms", "999 µs", "0.01 %", "12.5 %", "11.1 ms", "±2.11 ms")
WORDS = st.text(alphabet="abc 1,é漢", min_size=1, max_size=9).map(str.strip).filter(bool)


@pytest.mark.parametrize(("width", "tables"), [(160, 1), (98, 1), (80, 2), (40, 3)])
def test_what_has_no_room_beside_stands_below(width: int, tables: int) -> None:
    lines = list(table(HEAD, [CELLS], Look(colour=False, width=width)))
    assert len(lines) == 2 * tables
    assert all(word in "\n".join(lines) for word in (*HEAD, *CELLS))


@given(st.lists(WORDS, min_size=2, max_size=12, unique=True), st.data(), st.integers(40, 120))
def test_no_line_is_wider_than_the_terminal(head: list[str], data: st.DataObject, width: int) -> None:
    rows = data.draw(st.lists(st.lists(WORDS, min_size=len(head), max_size=len(head)), min_size=1, max_size=3))
    text = list(table(head, rows, Look(colour=False, width=width)))
    assert max(map(columns, text)) <= width
    assert all(word in "\n".join(text) for row in rows for word in row[1:])
