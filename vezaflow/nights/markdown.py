"""The calendar as Markdown, for the page of a CI job ($GITHUB_STEP_SUMMARY)."""

from collections.abc import Iterable, Iterator

from vezaflow.nights.acceptance import Acceptance, Decision
from vezaflow.nights.calendar import Calendar, NightVerdict
from vezaflow.nights.words import NightRow, left_out, night_rows, rule_line, stray_rows
from vezaflow.reports import markdown_table, markdown_text

_SIGNS = {Decision.ACCEPTED: "✅", Decision.RED: "❌", Decision.NOT_YET: "⏳"}
_VERDICTS = {
    NightVerdict.GREEN: "✅ green",
    NightVerdict.RED: "❌ red",
    NightVerdict.INCONCLUSIVE: "⚠️ inconclusive",
    NightVerdict.MISSING: "missing",
    NightVerdict.PENDING: "pending",
}
_HEAD = ("night", "verdict", "p95", "failed", "run", "remark")


def markdown(suite: str, found: Calendar, decision: Acceptance, *, last: int) -> str:
    """The page's text: the last nights, and what is in none."""
    return "\n".join(_lines(suite, found, decision, last)) + "\n"


def _lines(suite: str, found: Calendar, decision: Acceptance, last: int) -> Iterator[str]:
    yield f"## {_SIGNS[decision.decision]} {markdown_text(suite)}: {markdown_text(decision.sentence)}"
    yield ""
    yield markdown_text(rule_line(found))
    yield ""
    nights = found.nights[-last:]
    yield from markdown_table(_HEAD, _cells(row for night in nights for row in night_rows(night)))
    strays = _cells(stray_rows(found, nights))
    if strays:
        yield "In no night (times in UTC):"
        yield ""
        yield from markdown_table(("started", *_HEAD[1:]), strays)
    for note in left_out(found, nights):
        yield markdown_text(note)
        yield ""


def _cells(rows: Iterable[NightRow]) -> list[tuple[str, ...]]:
    return [
        (
            row.day,
            _VERDICTS[row.verdict] if row.verdict is not None else row.outcome,
            row.p95,
            row.failed,
            markdown_text(row.run_id),
            markdown_text(row.remark),
        )
        for row in rows
    ]
