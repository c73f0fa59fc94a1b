"""Which of several runs speaks for a page: the median run, as Lighthouse itself computes it.

lighthouse/core/lib/median-run.js: the run whose First Contentful Paint and Time to Interactive lie nearest to their
medians (squared Euclidean distance), of equally near ones that with the least Time to Interactive, of those the first.
Not the median of the score, which has outliers of its own.
"""

from collections.abc import Sequence
from statistics import median

from vezaflow.audit.report import PageRun


def median_run(runs: Sequence[PageRun]) -> PageRun:
    """The run that counts, of one or more. Where a run has no Time to Interactive, only the paint decides."""
    paints = [run.paint or 0.0 for run in runs]
    timed = all(run.interactive for run in runs)
    interactive = [(run.interactive or 0.0) if timed else 0.0 for run in runs]
    middle_paint, middle_interactive = median(paints), median(interactive)

    def distance(number: int) -> tuple[float, float]:
        off_paint, off_interactive = middle_paint - paints[number], middle_interactive - interactive[number]
        return off_paint * off_paint + off_interactive * off_interactive, interactive[number]

    return runs[min(range(len(runs)), key=distance)]
