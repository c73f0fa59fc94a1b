"""Data sources of a plan, and how expressions read the rows that VUs are dealt."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import AtEnd, Dealt, Each, Feed
from vezaflow.plan.scope import UNSET, MissingError, Scope
from vezaflow.syntax import ABSENT, Rows


@dataclass(frozen=True, slots=True)
class PlannedFeed:
    """One data source. `owner`: the flow that it belongs to, empty for those that flows share."""

    name: str
    owner: str
    where: str  # the file, or "the flow"
    rows: Rows
    pick: Dealt
    each: Each
    at_end: AtEnd
    secrets: tuple[str, ...]  # columns

    @property
    def ends(self) -> bool:
        """Whether the rows can be used up."""
        return self.pick is not Dealt.RANDOM and self.at_end is not AtEnd.WRAP

    def hidden(self) -> Iterator[str]:
        """The values that never appear in any output."""
        return (text for column in self.secrets for text in self.rows.texts(column))


def plan_feed(feed: Feed, owner: str, diagnostics: Diagnostics) -> PlannedFeed | None:
    """The source with its rows; None, with a diagnostic, where they are not there."""
    if feed.rows is None:
        span = feed.file.path.span if feed.file is not None else feed.span
        diagnostics.error("VF703", span, f"the rows of '{feed.name}' can't be read from {feed.where}")
        return None
    secrets = tuple(column for column, _ in feed.secrets)
    return PlannedFeed(feed.name, owner, feed.where, feed.rows, feed.pick, feed.each, feed.at_end, secrets)


def row_of(feed: PlannedFeed, slot: int, span: Span) -> Callable[[Scope], Any]:
    """The VU's row as a whole: a mapping, or the value that it is."""
    written = feed.rows.written

    def row(scope: Scope) -> Any:
        found = scope.slots[slot]
        if found is UNSET:
            raise MissingError(f"'{feed.name}' has no row yet", span)
        return written(found)

    return row


def column_of(feed: PlannedFeed, slot: int, column: str, span: Span) -> Callable[[Scope], Any]:
    """One value of the VU's row."""
    index = feed.rows.columns.index(column)

    def value(scope: Scope) -> Any:
        row = scope.slots[slot]
        if row is UNSET:
            raise MissingError(f"'{feed.name}' has no row yet", span)
        found = row[index]
        if found is ABSENT:
            raise MissingError(f"this row of '{feed.name}' has no '{column}'", span)
        return found

    return value
