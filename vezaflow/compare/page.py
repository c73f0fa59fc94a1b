"""A comparison for people, and as one JSON object."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from vezaflow import units
from vezaflow.compare import sentences as words
from vezaflow.compare.baseline import Baseline
from vezaflow.compare.comparison import LEVEL, Change, Comparison
from vezaflow.compare.functions import FunctionChange
from vezaflow.compare.judgement import Judgement
from vezaflow.compare.pages import PageChange
from vezaflow.compare.resampled import FigureKind
from vezaflow.diagnostics import printable
from vezaflow.metrics import LIGHTHOUSE, PageMetric, StepName
from vezaflow.reports import DIM, ComparedRuns, Look, table, wrapped

FUNCTION_HEADS = ("function", "profile", "before", "after", "difference", f"{units.ratio(LEVEL)} interval", "")
_TONES = {Judgement.WORSE: "31", Judgement.BETTER: "32", Judgement.DIFFERENT: "33"}


def page(comparison: Comparison, *, colour: bool = False, width: int = 100) -> str:
    """What differs, the table, the sentences; lines ended."""
    look = Look(colour, width)
    blocks = (
        _differences(comparison, look),
        _table(comparison, look),
        _pages(comparison, look),
        _functions(comparison, look),
        _sentences(comparison, look),
    )
    return "\n".join("\n".join(block) + "\n" for block in map(list, blocks) if block)


def _differences(comparison: Comparison, look: Look) -> Iterator[str]:
    yield look.title(f"{comparison.before} → {comparison.after}")
    for each in comparison.differences:
        yield from wrapped(each.text, look, "  ", lambda text: look.paint(text, "33"))


def _table(comparison: Comparison, look: Look) -> Iterator[str]:
    shown = [change for change in comparison.changes if _is_shown(change)]
    if shown:
        yield from table(_heads(comparison), [_cells(change) for change in shown], look, ("difference", "before"))


def _pages(comparison: Comparison, look: Look) -> Iterator[str]:
    """The audited pages, before and after; they are not judged."""
    changes = comparison.pages
    for audit in dict.fromkeys(change.audit for change in changes.pages):
        yield look.title(f"Pages: {printable(audit)}") + look.paint(" (before → after)", DIM)
        head = ("page", *(metric.key for metric in LIGHTHOUSE.values()))
        cells = [
            (change.page, *map(_both(change), LIGHTHOUSE.values())) for change in changes.pages if change.audit == audit
        ]
        yield from table(head, cells, look, ("speed-index", "fcp", "tbt", "cls"))
    for text in changes.apart:
        yield from wrapped(printable(text), look, "  ")


def _both(change: PageChange) -> Callable[[PageMetric], str]:
    def cell(metric: PageMetric) -> str:
        if metric.key not in change.figures:
            return "–"
        before, after = (
            units.text(value, metric.dimension) if metric.dimension else units.number(value)
            for value in change.figures[metric.key]
        )
        return before if before == after else f"{before} → {after}"

    return cell


def _functions(comparison: Comparison, look: Look) -> Iterator[str]:
    """The functions whose own share of the profiles' samples changed most."""
    changes = comparison.functions
    if changes.notes:
        yield look.title("Profiles") + look.paint(" (functions by flat share)", DIM)
    if changes.functions:
        cells = [tuple(map(printable, _function_cells(change))) for change in changes.functions]
        yield from table(FUNCTION_HEADS, cells, look, ("difference", "profile"))
    for text in changes.notes:
        yield from wrapped(printable(text), look, "  ")


def _function_cells(change: FunctionChange) -> tuple[str, ...]:
    shares = ((change.before, change.before_at_most), (change.after, change.after_at_most))
    return (
        change.function,
        change.profile,
        *(f"{'≤ ' if at_most else ''}{units.ratio(share)}" for share, at_most in shares),
        words.points(change.difference),
        f"{words.points(change.low)} to {words.points(change.high)}",
        change.judgement.value,
    )


def _is_shown(change: Change) -> bool:
    """Percentiles always; failures and rates where there is something to see."""
    match change.metric:
        case FigureKind.P50 | FigureKind.P95 | FigureKind.P99:
            return True
        case FigureKind.FAILED:
            return bool(change.before or change.after)
        case FigureKind.RATE:
            return change.judgement.real


def _cells(change: Change) -> tuple[str, ...]:
    return (
        words.step_name(change),
        "req/s" if change.metric is FigureKind.RATE else change.metric.value,
        words.value(change, change.before),
        words.value(change, change.after),
        words.difference(change),
        words.effect(change) if change.metric is not FigureKind.FAILED else "",
        words.interval(change),
        change.judgement.value,
    )


def side_by_side(comparison: Comparison) -> ComparedRuns:
    """The same for a page of browsers."""
    shown = [change for change in comparison.changes if _is_shown(change)]
    said, real = tuple(words.sentences(comparison)), len(comparison.real) + 1
    return ComparedRuns(
        before=comparison.before,
        after=comparison.after,
        differences=tuple(each.text for each in comparison.differences),
        heads=_heads(comparison),
        cells=tuple(map(_cells, shown)),
        tones=tuple(change.judgement.value if change.judgement.real else "" for change in shown),
        sentences=said[:real],
        reasons=said[real:],
        footing=words.footing(comparison),
        function_heads=FUNCTION_HEADS,
        functions=tuple(map(_function_cells, comparison.functions.functions)),
        function_notes=comparison.functions.notes,
    )


def _heads(comparison: Comparison) -> tuple[str, ...]:
    level = f"{units.ratio(comparison.level)} interval"
    return ("step", "figure", "before", "after", "difference", "ratio", level, "")


def _sentences(comparison: Comparison, look: Look) -> Iterator[str]:
    tones = [_TONES[change.judgement] for change in comparison.real]
    for number, text in enumerate(words.sentences(comparison)):
        lines = wrapped(text, look, "  ")
        yield from (look.paint(line, tones[number]) for line in lines) if number < len(tones) else lines
    yield from wrapped(words.footing(comparison), look, "  ", lambda line: look.paint(line, DIM))


def baseline_page(baseline: Baseline, *, colour: bool = False, width: int = 100) -> str:
    """A baseline for people: its runs, and the centre of each step's figures. Lines not ended at the last."""
    look = Look(colour, width)
    lines = [look.title(f"baseline of {baseline.suite}, {units.counted(len(baseline.runs), 'run')}")]
    for run in baseline.runs:
        lines += wrapped(f"{run.run_id}{f' on {run.base_url}' if run.base_url else ''}", look, "  ")
    for run_id in baseline.kept_out:
        lines += wrapped(f"excluded, since it differs from the others: {run_id}", look, "  ")
    steps = dict.fromkeys(step for step, _ in baseline.figures)
    cells = [(f"{step[0]} › {step[1]}", *(_centre(baseline, step, metric) for metric in FigureKind)) for step in steps]
    head = ("step", *("req/s" if metric is FigureKind.RATE else metric.value for metric in FigureKind))
    return "\n".join([*lines, "", *table(head, cells, look)])


def _centre(baseline: Baseline, step: StepName, metric: FigureKind) -> str:
    return words.value(Change(step, metric, None, None, Judgement.SAME), baseline.centre((step, metric)))


def as_json(comparison: Comparison) -> dict[str, Any]:  # Any: a JSON object
    """The whole comparison. Times in seconds, failures as a share of the requests, rates per second."""
    return {
        "before": comparison.before,
        "after": comparison.after,
        "worse": comparison.worse,
        "earlier_runs": comparison.earlier,
        "level": comparison.level,
        "differences": [{"subject": each.subject.value, "text": each.text} for each in comparison.differences],
        "sentences": list(words.sentences(comparison)),
        "changes": [_change(change) for change in comparison.changes],
        "pages": [asdict(change) for change in comparison.pages.pages],
        "pages_apart": list(comparison.pages.apart),
        "functions": [_function(change) for change in comparison.functions.functions],
        "functions_notes": list(comparison.functions.notes),
    }


def _change(change: Change) -> dict[str, Any]:
    flow, step, method = change.step
    return {
        "flow": flow,
        "step": step,
        "method": method,
        "metric": change.metric.value,
        "before": change.before,
        "after": change.after,
        "difference": change.difference,
        "ratio": change.ratio,
        "low": change.low,
        "high": change.high,
        "bounded": change.bounded,
        "judgement": change.judgement.value,
        "reason": change.reason,
    }


def _function(change: FunctionChange) -> dict[str, Any]:
    return {**asdict(change), "difference": change.difference, "judgement": change.judgement.value}
