"""Two runs, a run and its baseline, or many nights: what changed for real. Pure functions over RunResults."""

from vezaflow.compare.comparison import Change, Comparison, Judgement, changes_between, compare
from vezaflow.compare.counts import Counts, RunCounts, counts_of
from vezaflow.compare.page import as_json, page
from vezaflow.compare.resampled import Metric, Resampled, resampled
from vezaflow.compare.spread import UNKNOWN, Spread, spread_between, spread_of

__all__ = [
    "UNKNOWN", "Change", "Comparison", "Counts", "Judgement", "Metric", "Resampled", "RunCounts", "Spread",
    "as_json", "changes_between", "compare", "counts_of", "page", "resampled", "spread_between", "spread_of",
]  # fmt: skip
