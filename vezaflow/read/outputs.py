"""`outputs` of suite.yml."""

from vezaflow.keys import OUTPUT, TABLES, Kind, Table
from vezaflow.model import SuiteOutput
from vezaflow.read import scalars
from vezaflow.read.headers import read_headers
from vezaflow.read.mappings import Row, open_mapping, sub_mapping
from vezaflow.read.requests import read_auth
from vezaflow.read.trees import texts, words
from vezaflow.syntax import Scalar

_SCALARS = (Kind.DURATION, Kind.SWITCH, Kind.CHOICE, Kind.SIZE, Kind.COUNT)


def read_outputs(row: Row) -> tuple[SuiteOutput, ...]:
    """The outputs under `outputs`, in their order."""
    inner = sub_mapping(row, "outputs", OUTPUT)
    if inner is None:
        return ()
    found = (_output(inner, name) for name in inner.entries)
    return tuple(each for each in found if each is not None)


def _output(outputs: Row, name: str) -> SuiteOutput | None:
    entry, table = outputs.entries[name], TABLES[outputs.field(name).tables[0]]
    aim, span = table.fields[0], entry.key.span
    if isinstance(entry.value, Scalar):
        return SuiteOutput(name, scalars.expression(entry.value, aim, outputs.diagnostics), span)
    row = open_mapping(entry.value, table, outputs.diagnostics)
    if row is None:
        return None
    return SuiteOutput(
        name,
        row.expression(aim.key),
        span,
        settings={
            field.key: value
            for field in table.fields
            if field.kind in _SCALARS and (value := row.expression(field.key)) is not None
        },
        labels=texts(row, "labels") if _has(table, "labels") else (),
        headers=read_headers(row) if _has(table, "headers") else (),
        auth=read_auth(row) if _has(table, "auth") else None,
        stats=tuple((word.text, word.span) for word in words(row, "stats")) if _has(table, "stats") else (),
        prefix=row.text("prefix") if row.node("prefix") is not None else None,
    )


def _has(table: Table, key: str) -> bool:
    return table.field(key) is not None
