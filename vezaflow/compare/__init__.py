"""Two runs, a run and its baseline, or many nights: what changed for real. Pure functions over RunResults."""

from vezaflow.compare.baseline import Baseline, BaselineRun, baseline_of, compare_with_baseline
from vezaflow.compare.comparison import Change, Comparison, changes_between, compare
from vezaflow.compare.counts import Counts, RunCounts, counts_of
from vezaflow.compare.document import DocumentError, document, new_document
from vezaflow.compare.gated import GateBaseline
from vezaflow.compare.judgement import Judgement
from vezaflow.compare.page import as_json, baseline_page, page, side_by_side
from vezaflow.compare.resampled import FigureKind, Resampled, resampled
from vezaflow.compare.sentences import summed_up
from vezaflow.compare.spread import UNKNOWN, Spread, spread_between, spread_of
from vezaflow.compare.trends import (
    Shift,
    TrendNight,
    Trends,
    night_of,
    shift_sentence,
    sparkline,
    trends,
    trends_json,
    trends_page,
)

__all__ = [
    "UNKNOWN",
    "Baseline",
    "BaselineRun",
    "Change",
    "Comparison",
    "Counts",
    "DocumentError",
    "FigureKind",
    "GateBaseline",
    "Judgement",
    "Resampled",
    "RunCounts",
    "Shift",
    "Spread",
    "TrendNight",
    "Trends",
    "as_json",
    "baseline_of",
    "baseline_page",
    "changes_between",
    "compare",
    "compare_with_baseline",
    "counts_of",
    "document",
    "new_document",
    "night_of",
    "page",
    "resampled",
    "shift_sentence",
    "side_by_side",
    "sparkline",
    "spread_between",
    "spread_of",
    "summed_up",
    "trends",
    "trends_json",
    "trends_page",
]
