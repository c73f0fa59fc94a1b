"""The field tables: whole enough for a reference, and true to what the reader does."""

import pytest

from vezaflow.diagnostics import Diagnostics, Source, render_text
from vezaflow.keys import TABLES, Field, Kind, Table
from vezaflow.read import expression, open_mapping
from vezaflow.syntax import Mapping, read_yaml

FIELDS = [(table, field) for table in TABLES.values() for field in table.all_fields()]
SCALARS = {
    Kind.URL, Kind.TEMPLATE, Kind.DURATION, Kind.PAUSE, Kind.SIZE, Kind.COUNT, Kind.NUMBER, Kind.SWITCH,
    Kind.FOLLOW, Kind.CHOICE, Kind.EXPRESSION, Kind.PATH, Kind.PICK,
}  # fmt: skip


def _id(value: object) -> str:
    return value.name if isinstance(value, Table) else value.key if isinstance(value, Field) else str(value)


@pytest.mark.parametrize(("table", "field"), FIELDS, ids=_id)
def test_every_key_has_a_sentence_and_an_example_that_reads(table: Table, field: Field) -> None:
    assert field.doc.endswith(".")
    assert field.example
    diagnostics = Diagnostics()
    node = read_yaml(Source("example.yml", f"{field.key}: {field.example}"), diagnostics)
    assert isinstance(node, Mapping)
    if field.kind in SCALARS:
        expression(node.entries[0].value, field, diagnostics)
    assert render_text(diagnostics) == ""


@pytest.mark.parametrize("table", TABLES.values(), ids=_id)
def test_tables_below_a_key_exist(table: Table) -> None:
    assert {name for field in table.all_fields() for name in field.tables} <= set(TABLES)
    assert table.doc.endswith(".")
    keys = [field.key for field in table.all_fields()]
    assert len(set(keys)) == len(keys)
    assert {key for group in table.exclusive for key in group} <= set(keys)


@pytest.mark.parametrize("table", TABLES.values(), ids=_id)
def test_an_unknown_key_is_refused_everywhere(table: Table) -> None:
    diagnostics = Diagnostics()
    node = read_yaml(Source("x.yml", "quite_unlike_anything: 1"), diagnostics)
    assert node is not None
    open_mapping(node, table, diagnostics)
    assert "VF104" in {d.code for d in diagnostics}


def test_a_choice_lists_its_words() -> None:
    assert all(field.choices for _, field in FIELDS if field.kind is Kind.CHOICE)
