"""A comparison in plain sentences: one for each real change, and what is not known."""

from collections.abc import Iterator

from vezaflow import units
from vezaflow.compare.comparison import LEVEL, Change, Comparison
from vezaflow.compare.judgement import Judgement
from vezaflow.compare.resampled import FigureKind
from vezaflow.compare.spread import FEWEST_RUNS, PRIOR

NAMES = {
    FigureKind.P50: "p50",
    FigureKind.P95: "p95",
    FigureKind.P99: "p99",
    FigureKind.FAILED: "failed requests",
    FigureKind.RATE: "requests per second",
}
_VERBS = {Judgement.WORSE: "got worse", Judgement.BETTER: "got better", Judgement.DIFFERENT: "changed"}


def sentence(change: Change, level: float = LEVEL) -> str:
    """A real change: `browse › list: p95 got worse, from 82 ms to 97 ms (+18 %, 95 % interval +11 % to +26 %)`."""
    bound = "at least " if change.bounded else ""
    return (
        f"{step_name(change)}: {NAMES[change.metric]} {_VERBS[change.judgement]}, "
        f"from {value(change, change.before)} to {value(change, change.after)} "
        f"({bound}{effect(change)}, {units.ratio(level)} interval {interval(change)})"
    )


def sentences(comparison: Comparison) -> Iterator[str]:
    """The real changes, the worst first, and then the rest in a line."""
    yield from (sentence(change, comparison.level) for change in comparison.real)
    same = sum(change.judgement is Judgement.SAME for change in comparison.changes)
    unclear = sum(change.judgement is Judgement.UNCLEAR for change in comparison.changes)
    if not comparison.changes:
        yield "there is no step that both runs have"
    elif not comparison.real:
        yield f"no change seen in {units.counted(same, 'figure')}{_and_unclear(unclear)}"
    else:
        yield f"no change seen in {units.counted(same, 'other figure')}{_and_unclear(unclear)}"
    for reason in dict.fromkeys(change.reason for change in comparison.changes if change.reason):
        many = sum(change.reason == reason for change in comparison.changes)
        yield f"too little to tell of {units.counted(many, 'figure')}: {reason}"


def summed_up(comparison: Comparison) -> str:
    """A comparison in one line: the worst change, or that there is none."""
    real, name = comparison.real, comparison.before
    if real:
        more = f", and {units.counted(len(real) - 1, 'further change')}" if len(real) > 1 else ""
        return f"against the {name}: {sentence(real[0], comparison.level)}{more}"
    same = sum(change.judgement is Judgement.SAME for change in comparison.changes)
    return f"no change seen from the {name}" if same else f"too little to tell of changes from the {name}"


def footing(comparison: Comparison) -> str:
    """What the intervals are based on."""
    if comparison.level != LEVEL:
        spread = "their own spread" if comparison.earlier else f"an assumed spread of {units.ratio(PRIOR)} between runs"
        return f"the interval is where one more such run would be, by {spread}"
    if comparison.earlier:
        return (
            f"how much runs of this plan differ among themselves is known from {comparison.earlier} earlier runs, "
            "and is in the intervals"
        )
    return (
        f"within these two runs only: how much runs of this plan differ among themselves is unknown, and "
        f"{units.ratio(PRIOR)} is assumed; {FEWEST_RUNS} or more earlier runs (--earlier) make smaller changes visible"
    )


def _and_unclear(unclear: int) -> str:
    return f", too little to tell of {unclear:,}" if unclear else ""


def step_name(change: Change) -> str:
    flow, step, _ = change.step
    return f"{flow} › {step}"


def value(change: Change, amount: float | None) -> str:
    """The figure for people."""
    if amount is None:
        return "–"
    match change.metric:
        case FigureKind.FAILED:
            return units.ratio(amount)
        case FigureKind.RATE:
            return units.rate(amount)
        case FigureKind.P50 | FigureKind.P95 | FigureKind.P99:
            return units.duration(amount)


def effect(change: Change) -> str:
    """How large it is: `+18 %`; of failures in percentage points."""
    if change.metric is FigureKind.FAILED:
        return "–" if change.difference is None else points(change.difference)
    return "–" if change.ratio is None else _signed(change.ratio - 1)


def difference(change: Change) -> str:
    """The difference in the figure's own unit."""
    found = change.difference
    if found is None:
        return "–"
    if change.metric is FigureKind.FAILED:
        return points(found)
    shown = value(change, abs(found))
    return f"{'-' if found < 0 else '+'}{shown}" if found else shown


def interval(change: Change) -> str:
    """The ends of the interval."""
    if change.low is None or change.high is None:
        return "–"
    if change.metric is FigureKind.FAILED:
        return f"{points(change.low)} to {points(change.high)}"
    return f"{_signed(change.low - 1)} to {_signed(change.high - 1)}"


def _signed(fraction: float) -> str:
    percent = fraction * 100
    shown = f"{percent:+.1f}" if abs(percent) < 10 else f"{percent:+,.0f}"
    return f"{shown} %"


def points(fraction: float) -> str:
    """A difference of two shares, in percentage points."""
    return f"{fraction * 100:+.2f} points"
