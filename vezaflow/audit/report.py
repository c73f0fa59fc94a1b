"""Lighthouse's JSON report (LHR), checked and brought down to what counts.

What a report lacks or holds in another shape is a problem of that run in words; nothing here raises for what a file
says. Times become seconds, scores 0 to 100.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vezaflow.metrics import LIGHTHOUSE
from vezaflow.units import Dimension
from vezaflow.untrusted import MappingOf, Maybe, Null, Shape, misfit

_LARGEST = 64 << 20  # bytes of a report
_WARNINGS = 5
SHAPE: Shape = {
    "lighthouseVersion": str,
    "requestedUrl": Maybe(str),
    "finalDisplayedUrl": Maybe(str),
    "finalUrl": Maybe(str),
    "runtimeError": Maybe({"code": str, "message": str}),
    "runWarnings": [str],
    "environment": {"hostUserAgent": str},
    "categories": MappingOf({"score": Null(float)}),
    "audits": MappingOf({"numericValue": Maybe(Null(float))}),
}


@dataclass(frozen=True, slots=True)
class PageRun:
    """One run of Lighthouse on a page. Figures by PageMetric.key; `html`: where its report lies."""

    problem: str = ""  # why it does not count
    scores: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    paint: float | None = None  # First Contentful Paint, and
    interactive: float | None = None  # Time to Interactive, in milliseconds as Lighthouse has them
    warnings: tuple[str, ...] = ()
    lighthouse: str = ""
    browser: str = ""
    url: str = ""  # that was shown in the end
    html: Path | None = None


def read_report(path: Path) -> PageRun:
    """What a report says."""
    import orjson

    try:
        if path.stat().st_size > _LARGEST:
            return PageRun(f"its report is larger than {_LARGEST >> 20} MiB")
        found = orjson.loads(path.read_bytes())
    except OSError:
        return PageRun("it wrote no report")
    except orjson.JSONDecodeError as e:
        return PageRun(f"its report is not JSON: {e}")
    if place := misfit(found, SHAPE):
        return PageRun(f"its report has an invalid `{place}`")
    return _run_of(found)


def _run_of(report: dict[str, Any]) -> PageRun:
    error = report.get("runtimeError")
    scores, metrics = {}, {}
    for metric in LIGHTHOUSE.values():
        if metric.is_score:
            score = report["categories"].get(metric.source, {}).get("score")
            if score is not None:
                scores[metric.key] = round(float(score) * 100, 6)
        elif (value := _number(report, metric.source)) is not None:
            metrics[metric.key] = value / 1000 if metric.dimension is Dimension.TIME else float(value)
    return PageRun(
        problem=f"{error['code']}: {' '.join(error['message'].split())}" if error else "",
        scores=scores,
        metrics=metrics,
        paint=_number(report, "first-contentful-paint"),
        interactive=_number(report, "interactive"),
        warnings=tuple(" ".join(text.split()) for text in report["runWarnings"][:_WARNINGS]),
        lighthouse=report["lighthouseVersion"],
        browser=report["environment"]["hostUserAgent"],
        url=report.get("finalDisplayedUrl") or report.get("finalUrl") or "",
    )


def _number(report: dict[str, Any], audit: str) -> float | None:
    value: float | None = report["audits"].get(audit, {}).get("numericValue")
    return value
