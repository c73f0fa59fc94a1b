"""Data sources of a plan, and how expressions read the rows that VUs are dealt."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import AtEnd, DataSource, Each, RowPick
from vezaflow.plan.scope import UNSET, MissingError, Scope
from vezaflow.syntax import ABSENT, Rows


@dataclass(frozen=True, slots=True)
class PlannedDataSource:
    """One data source. `owner`: the flow that it belongs to, empty for those that flows share."""

    name: str
    owner: str
    where: str  # the file, or "the flow"
    rows: Rows
    pick: RowPick
    each: Each
    at_end: AtEnd
    secrets: tuple[str, ...]  # columns

    @property
    def ends(self) -> bool:
        """Whether the rows can be exhausted."""
        return self.pick is not RowPick.RANDOM and self.at_end is not AtEnd.WRAP

    def hidden(self) -> Iterator[str]:
        """The values that never appear in any output."""
        return (text for column in self.secrets for text in self.rows.texts(column))


def plan_data_source(source: DataSource, owner: str, diagnostics: Diagnostics) -> PlannedDataSource | None:
    """The source with its rows; None, with a diagnostic, where they are not there."""
    if source.rows is None:
        span = source.file.path.span if source.file is not None else source.span
        diagnostics.error("VF703", span, f"the rows of '{source.name}' can't be read from {source.where}")
        return None
    secrets = tuple(column for column, _ in source.secrets)
    name, where, rows = source.name, source.where, source.rows
    return PlannedDataSource(name, owner, where, rows, source.pick, source.each, source.at_end, secrets)


def row_of(data_source: PlannedDataSource, slot: int, span: Span) -> Callable[[Scope], Any]:
    """The VU's row as a whole: a mapping, or the value that it is."""
    written = data_source.rows.written

    def row(scope: Scope) -> Any:
        found = scope.slots[slot]
        if found is UNSET:
            raise MissingError(f"'{data_source.name}' has no row yet", span)
        return written(found)

    return row


def column_of(data_source: PlannedDataSource, slot: int, column: str, span: Span) -> Callable[[Scope], Any]:
    """One value of the VU's row."""
    index = data_source.rows.columns.index(column)

    def value(scope: Scope) -> Any:
        row = scope.slots[slot]
        if row is UNSET:
            raise MissingError(f"'{data_source.name}' has no row yet", span)
        found = row[index]
        if found is ABSENT:
            raise MissingError(f"this row of '{data_source.name}' has no '{column}'", span)
        return found

    return value
