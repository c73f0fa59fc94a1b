"""What a capacity search found as Markdown, for the page of a CI job ($GITHUB_STEP_SUMMARY)."""

from collections.abc import Iterator

from vezaflow.capacity.capacity import Capacity
from vezaflow.capacity.words import HEAD, capacity_rows, notes, verdict_line
from vezaflow.gates import Outcome
from vezaflow.reports import markdown_table, markdown_text

_SIGNS = {Outcome.GREEN: "✅", Outcome.RED: "❌", Outcome.INCONCLUSIVE: "⚠️"}


def markdown(found: Capacity) -> str:
    """The page's text."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Capacity) -> Iterator[str]:
    yield f"## {_SIGNS[found.outcome]} {markdown_text(found.suite)}, capacity: {markdown_text(verdict_line(found))}"
    yield ""
    for note in notes(found):
        yield f"> {markdown_text(note)}"
        yield ""
    rows = capacity_rows(found)
    if rows:
        yield from markdown_table((*HEAD, "why"), [(*row.cells, markdown_text(row.why)) for row in rows])
