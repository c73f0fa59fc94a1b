"""What gates can ask of an audited page: the scores and the times that Lighthouse reports, under its own names.

Only data, for lint, the gates, the audits and the reference. `source` is the id of the category or of the audit in
Lighthouse's JSON report; times there are in milliseconds, and in seconds everywhere else here.
"""

from dataclasses import dataclass

from vezaflow.metrics.catalog import Metric, MetricKind, Of
from vezaflow.units import Dimension


@dataclass(frozen=True, slots=True)
class PageMetric:
    """A figure of a page. `dimension`: what it is measured in, None for a plain number."""

    name: str
    aggregate: str  # `score` of a category, from 0 to 100; `value` of a metric
    dimension: Dimension | None
    source: str
    doc: str

    @property
    def is_score(self) -> bool:
        return self.aggregate == "score"

    @property
    def metric(self) -> Metric:
        """The same as a metric of gates."""
        return Metric(
            self.name, MetricKind.GAUGE, self.dimension, self.doc, ("page",), Of.ELSEWHERE, "", only=(self.aggregate,)
        )

    @property
    def key(self) -> str:
        """Its name in results: `lcp`."""
        return self.name.partition(".")[2]


LIGHTHOUSE: dict[str, PageMetric] = {
    metric.name: metric
    for metric in (
        PageMetric("lighthouse.performance", "score", None, "performance", "the category Performance, 0 to 100"),
        PageMetric("lighthouse.accessibility", "score", None, "accessibility", "the category Accessibility, 0 to 100"),
        PageMetric(
            "lighthouse.best-practices", "score", None, "best-practices", "the category Best Practices, 0 to 100"
        ),
        PageMetric(
            "lighthouse.fcp", "value", Dimension.TIME, "first-contentful-paint", "First Contentful Paint: the first "
            "text or image is there",
        ),
        PageMetric(
            "lighthouse.lcp", "value", Dimension.TIME, "largest-contentful-paint", "Largest Contentful Paint: the "
            "largest text or image is there",
        ),
        PageMetric(
            "lighthouse.tbt", "value", Dimension.TIME, "total-blocking-time", "Total Blocking Time: how long scripts "
            "kept the page from responding",
        ),
        PageMetric(
            "lighthouse.cls", "value", None, "cumulative-layout-shift", "Cumulative Layout Shift: how far the content "
            "jumped while it loaded; a number, good up to 0.1",
        ),
        PageMetric(
            "lighthouse.speed-index", "value", Dimension.TIME, "speed-index", "Speed Index: how soon the visible part "
            "of the page is filled",
        ),
    )
}  # fmt: skip
