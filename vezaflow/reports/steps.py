"""Every step in the reports: a row of figures, and where there is more to say of it what became of its requests.

A step whose requests all failed stands first, then the slowest by p95. Under a row stand the statuses (where there are
several, or one that is not 2xx), the kinds of failures, retries, and the checks that failed: nothing that goes without
saying.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from vezaflow import units
from vezaflow.diagnostics import printable
from vezaflow.metrics import Phase, StepBreakdown, StepRow, step_breakdowns
from vezaflow.reports import rows
from vezaflow.reports.look import DIM, Look, table, wrapped
from vezaflow.reports.markdown import markdown_table, markdown_text
from vezaflow.reports.percentiles import Percentiles
from vezaflow.results import RunResult

SLOWEST = 5  # that stand on a small terminal
_LISTED = 100  # on a CI job's page, whose size is limited
_NAME = 24  # columns
_CHECKS = 3  # of a step, that failed most


def iteration_steps(result: RunResult) -> tuple[StepBreakdown, ...]:
    """Of the iterations, in the order of the table."""
    found = [each for each in step_breakdowns(result.summary) if each.row.phase is Phase.ITERATION]
    return tuple(sorted(found, key=lambda each: _slowness(each.row), reverse=True))


def _slowness(row: StepRow) -> tuple[object, ...]:
    """All failed, then by p95, then by median; lower bounds are above all that is known."""
    times = ((isinstance(time, units.AtLeast), time or 0.0) for time in row.duration.quantiles((0.95, 0.5)))
    return (row.failed == row.requests, *times)


def step_lines(result: RunResult, look: Look, percentiles: Percentiles, *, short: bool) -> Iterator[str]:
    """The lines of a page for people. `short`: only the first few are listed."""
    found = iteration_steps(result)
    if not found:
        return
    shown = found[:SLOWEST] if short else found
    about = " (slowest first)" if len(found) > 1 else ""
    yield look.title("Steps") + look.paint(about, DIM)
    names = [rows.place(each.row.flow, each.row.step) for each in shown]
    yield from _table(names, shown, look, percentiles)
    if more := len(found) - len(shown):
        yield look.paint(f"  {units.number(more)} more: `--all-steps` (`vezaflow history show` has it, too)", DIM)
    if said := _all_checks(found):
        yield from wrapped(said, look, "  ", partial(look.paint, tone=DIM))


def around_lines(result: RunResult, look: Look, percentiles: Percentiles) -> Iterator[str]:
    """The same of the steps outside iterations."""
    found = [each for each in step_breakdowns(result.summary) if each.row.phase is not Phase.ITERATION]
    if found:
        yield look.title("Setup, login, teardown") + look.paint(" (not covered by gates)", DIM)
        names = [f"{each.row.phase.value}: {rows.place(each.row.flow, each.row.step)}" for each in found]
        yield from _table(names, found, look, percentiles)


def step_sections(result: RunResult, percentiles: Percentiles) -> Iterator[str]:
    """The steps of iterations in Markdown, folded."""
    found = iteration_steps(result)
    if not found:
        return
    yield f"<details><summary>{units.counted(len(found), 'step')}, the slowest first</summary>"
    yield ""
    notes = ["; ".join(remarks(each)) for each in found[:_LISTED]]
    cells = [
        (markdown_text(each.row.flow), markdown_text(each.row.step), *_figures(each, percentiles)) for each in found
    ]
    head = ("flow", "step", "requests", *percentiles.names, "max", "failed")
    if any(notes):
        head = (*head, "status, failures, retries, checks")
        cells = [(*row, markdown_text(note)) for row, note in zip(cells, notes, strict=False)]
    yield from markdown_table(head, cells[:_LISTED])
    if more := len(found) - len(notes):
        yield f"and {units.number(more)} more: see the JSON summary"
        yield ""
    if said := _all_checks(found):
        yield said
        yield ""
    yield "</details>"
    yield ""


def _table(names: Sequence[str], found: Sequence[StepBreakdown], look: Look, percentiles: Percentiles) -> Iterator[str]:
    cells = [(name, *_figures(each, percentiles)) for name, each in zip(names, found, strict=True)]
    below = [
        list(wrapped(printable("; ".join(remarks(each))), look, "      ", partial(look.paint, tone=DIM)))
        for each in found
    ]
    head = ("step", "requests", *percentiles.names, "max", "failed")
    yield from table(head, cells, look, percentiles.spare(("max",), ("requests",)), below, least=_NAME)


def _figures(each: StepBreakdown, percentiles: Percentiles) -> tuple[str, ...]:
    row = each.row
    times = (*rows.times(row.duration, percentiles), rows.time(row.duration.most))
    return (units.number(row.requests), *times, rows.share(row.failed / row.requests))


def remarks(each: StepBreakdown) -> Iterator[str]:
    """What does not go without saying."""
    if len(each.statuses) > 1 or each.row.failed or any(status // 100 != 2 for status in each.statuses):
        yield ", ".join(f"{units.number(n)} × {status or 'no response'}" for status, n in each.statuses.items())
    if each.errors:
        yield "failed: " + ", ".join(f"{units.number(count)} × {error}" for error, count in each.errors.items())
    attempts = each.attempts
    if attempts.retries:
        ended = f" ({units.number(attempts.failed)} of {units.number(attempts.done)} failed in the end)"
        yield f"{'1 retry' if attempts.retries == 1 else f'{units.number(attempts.retries)} retries'}{ended}"
    failing = sorted(((failed, check) for check, (_, failed) in each.checks.items() if failed), reverse=True)
    for failed, check in failing[:_CHECKS]:
        yield f"check {check}: {units.number(failed)} of {units.number(each.checks[check][0])} failed"
    if len(failing) > _CHECKS:
        yield f"and {units.counted(len(failing) - _CHECKS, 'more check')}"


def _all_checks(found: Sequence[StepBreakdown]) -> str:
    """How many of all checks held; empty where nothing was checked."""
    held = [count for each in found for count in each.checks.values()]
    evaluated, failed = sum(count for count, _ in held), sum(count for _, count in held)
    if not evaluated:
        return ""
    return f"checks: {units.number(evaluated - failed)} of {units.number(evaluated)} held"
