"""A baseline: how the steps of a suite fared in some good runs, and what another run is against that.

Laws: a value that is written to JSON and read back as it was. It keeps each run's figures, not only their centre, so
that it can roll. A run is compared by a prediction limit: where one more such run would be, 99 times in 100. Of
at least five runs those that stand out from the rest are kept out, the fast ones too: one very fast night would make
every later one look slow.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, sqrt
from typing import Any

from vezaflow import units
from vezaflow.compare.comparison import Change, Comparison, direction, least_change
from vezaflow.compare.counts import counts_of
from vezaflow.compare.differences import Difference, Subject
from vezaflow.compare.judgement import Judgement
from vezaflow.compare.resampled import Figure, FigureKind, resampled
from vezaflow.compare.robust import centre, deviation
from vezaflow.compare.significance import discoveries
from vezaflow.compare.spread import FEWEST_RUNS, PRIOR, PRIOR_FAILED
from vezaflow.compare.student import both_tails, quantile
from vezaflow.metrics import StepName
from vezaflow.results import RunResult
from vezaflow.untrusted import Null, Shape, TupleOf, misfit

SCHEMA = 1
LIMIT = 0.995  # of either side
FALSE_DISCOVERIES = 0.05
FEWEST_TO_JUDGE = 5  # runs, below which none of them is kept out
_LEAST = 0.0025
_RESAMPLES = 500
_SHAPE: Shape = {
    "schema": int, "suite": str, "kept_out": [str],
    "runs": [{"run_id": str, "started": str, "base_url": str, "plan": str, "host": str, "commit": str}],
    "figures": [TupleOf((str, str, str, frozenset(each.value for each in FigureKind), [Null(float)]))],
}  # fmt: skip

Key = tuple[StepName, FigureKind]


@dataclass(frozen=True, slots=True)
class BaselineRun:
    """One run of a baseline. `plan`, `host` and `commit` are empty where the run does not say."""

    run_id: str
    started: str
    base_url: str
    plan: str = ""
    host: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """`figures`: of each step and metric a value of each run, as it is compared (logarithms but for failure rates);
    None where a run had too few requests. `kept_out`: ids of runs that stood out."""

    suite: str
    runs: tuple[BaselineRun, ...]
    figures: Mapping[Key, tuple[float | None, ...]]
    kept_out: tuple[str, ...] = ()

    def values(self, key: Key) -> list[float]:
        return [value for value in self.figures.get(key, ()) if value is not None]

    def centre(self, key: Key) -> float | None:
        """The figure in the middle of the runs: seconds, a share, or requests per second; None where none has it."""
        values = self.values(key)
        return shown(key[1], centre(values)) if values else None

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "suite": self.suite,
            "runs": [{name: getattr(run, name) for name in BaselineRun.__slots__} for run in self.runs],
            "kept_out": list(self.kept_out),
            "figures": [[*step, metric.value, list(values)] for (step, metric), values in self.figures.items()],
        }

    @classmethod
    def from_json(cls, record: Any) -> "Baseline":
        """What `to_json` wrote. ValueError: this is none."""
        if not isinstance(record, dict) or record.get("schema") != SCHEMA:
            raise ValueError("no baseline that this version reads")
        if place := misfit(record, _SHAPE):
            raise ValueError(f"`{place}` is invalid")
        runs = tuple(BaselineRun(**{name: each[name] for name in BaselineRun.__slots__}) for each in record["runs"])
        figures = {
            ((flow, step, method), FigureKind(metric)): tuple(values)
            for flow, step, method, metric, values in record["figures"]
        }
        if any(len(values) != len(runs) for values in figures.values()):
            raise ValueError("its figures are not of its runs")
        return cls(record["suite"], runs, figures, tuple(record["kept_out"]))


def baseline_of(runs: Sequence[RunResult]) -> Baseline:
    """The baseline of these runs, which are of one suite; those that stand out from the rest are kept out."""
    kept = [(_run(run), _figures(run)) for run in runs]
    out: list[str] = []
    while len(kept) >= FEWEST_TO_JUDGE and (odd := _odd(kept)) is not None:
        out.append(kept.pop(odd)[0].run_id)
    return _baseline(runs[0].suite, kept, out)


_Kept = tuple[BaselineRun, Mapping[Key, Figure]]


def _baseline(suite: str, kept: Sequence[_Kept], out: Iterable[str] = ()) -> Baseline:
    keys = dict.fromkeys(key for _, figures in kept for key in figures)
    return Baseline(
        suite,
        tuple(run for run, _ in kept),
        {key: tuple(_value(figures.get(key)) for _, figures in kept) for key in keys},
        tuple(out),
    )


def _odd(kept: Sequence[_Kept]) -> int | None:
    """The run that stands out most from all others."""
    flagged: dict[int, int] = {}
    for at, (_, figures) in enumerate(kept):
        others = _baseline("", [*kept[:at], *kept[at + 1 :]])
        changes = changes_from(others, figures)
        flagged[at] = sum(change.judgement in (Judgement.WORSE, Judgement.BETTER) for change in changes)
    most = max(flagged, key=lambda at: flagged[at])
    return most if flagged[most] else None


def _value(figure: Figure | None) -> float | None:
    if figure is None or figure.lacking or figure.bounded or not isfinite(figure.point):
        return None
    return figure.point


def _figures(run: RunResult) -> Mapping[Key, Figure]:
    return resampled(counts_of(run.run_id, run.seconds), "baseline", _RESAMPLES).figures


def _run(run: RunResult) -> BaselineRun:
    started = run.started.isoformat()
    made = run.provenance
    if made is None:
        return BaselineRun(run.run_id, started, run.base_url)
    sha = made.commit.sha if made.commit else ""
    return BaselineRun(run.run_id, started, run.base_url, made.identity.digest, made.host.name, sha)


def compare_with_baseline(baseline: Baseline, run: RunResult) -> Comparison:
    """What changed from the baseline to a run. A run that is part of the baseline is left out of it."""
    others = without(baseline, run.run_id)
    return Comparison(
        f"baseline of {units.counted(len(others.runs), 'run')}",
        run.run_id,
        tuple(_differences(others, run)),
        changes_from(others, _figures(run)),
        len(others.runs) if len(others.runs) >= FEWEST_RUNS else 0,
        2 * LIMIT - 1,
    )


def without(baseline: Baseline, run_id: str) -> Baseline:
    """The baseline without one of its runs; the whole where that leaves nothing."""
    held = [at for at, run in enumerate(baseline.runs) if run.run_id != run_id]
    if not held:
        return baseline
    figures = {key: tuple(values[at] for at in held) for key, values in baseline.figures.items()}
    return Baseline(baseline.suite, tuple(baseline.runs[at] for at in held), figures, baseline.kept_out)


def _differences(baseline: Baseline, run: RunResult) -> Iterator[Difference]:
    now = _run(run)
    if run.suite != baseline.suite:
        yield Difference(Subject.SUITE, f"different suites: {baseline.suite}, then {run.suite}")
    named = (
        (Subject.PLAN, "plan", "plans"),
        (Subject.TARGET, "base_url", "targets"),
        (Subject.HOST, "host", "machines"),
    )
    for subject, name, noun in named:
        before = {getattr(each, name) for each in baseline.runs}
        if before - {getattr(now, name)}:
            many = sum(getattr(each, name) != getattr(now, name) for each in baseline.runs)
            of = f"of {many} of the {len(baseline.runs)} runs of the baseline"
            yield Difference(subject, f"different {noun}: the {noun.removesuffix('s')} {of} is not that of this run")
    for text in run.manual_changes:
        yield Difference(Subject.CONTROL, text)


def changes_from(baseline: Baseline, figures: Mapping[Key, Figure]) -> tuple[Change, ...]:
    """Each figure of a run against its prediction limit; false alarms are held to 5 % of all alarms."""
    found = [_against(baseline, key, figure) for key, figure in figures.items() if key in baseline.figures]
    unlikely = [(at, each.p) for at, each in enumerate(found) if each.p is not None]
    kept = discoveries([p for _, p in unlikely], FALSE_DISCOVERIES)
    real = {at for (at, _), is_found in zip(unlikely, kept, strict=True) if is_found}
    return tuple(
        each.change if at in real or not each.change.judgement.real else each.same for at, each in enumerate(found)
    )


@dataclass(frozen=True, slots=True)
class _Against:
    change: Change
    p: float | None = None

    @property
    def same(self) -> Change:
        c = self.change
        return Change(c.step, c.metric, c.before, c.after, Judgement.SAME, c.low, c.high, "", c.bounded)


def _against(baseline: Baseline, key: Key, figure: Figure) -> _Against:
    metric = key[1]
    values = baseline.values(key)
    after = shown(metric, figure.point) if isfinite(figure.point) else None
    reason = figure.lacking or ("" if values else "no run of the baseline has enough requests")
    if reason or after is None:
        return _Against(Change(*key, baseline.centre(key), after, Judgement.UNCLEAR, reason=reason or "no requests"))
    middle = centre(values)
    before = shown(metric, middle)
    half, found, p = _limit(values, middle, figure, metric)
    ends = (found - half, found + half)
    low, high = ends if metric is FigureKind.FAILED else (exp(ends[0]), exp(ends[1]))
    if figure.bounded and found < 0:
        reason = "requests timed out at this percentile"
        return _Against(Change(*key, before, after, Judgement.UNCLEAR, reason=reason))
    large = abs(after - before) > least_change(metric, before)
    judgement = direction(metric, found) if large and abs(found) > half else Judgement.SAME
    return _Against(Change(*key, before, after, judgement, low, high, "", figure.bounded), p)


def _limit(values: Sequence[float], middle: float, figure: Figure, metric: FigureKind) -> tuple[float, float, float]:
    """How far one more run may be from the centre; how far this one is; how probable as much is."""
    many, found = len(values), figure.point - middle
    within = max(float(figure.draws.var()), figure.least**2)
    if many >= FEWEST_RUNS:
        least = figure.least if metric is FigureKind.FAILED else _LEAST
        spread, freedom = max(deviation(values), least), many - 1.0
    else:
        spread, freedom = PRIOR_FAILED * max(middle, figure.point) if metric is FigureKind.FAILED else PRIOR, inf
    whole = sqrt(spread**2 * (1 + 1 / many) + within)
    return quantile(LIMIT, freedom) * whole, found, both_tails(found / whole, freedom) if whole else 1.0


def shown(metric: FigureKind, point: float) -> float:
    """A figure as people know it, of one as it is compared."""
    return point if metric is FigureKind.FAILED else exp(point)
