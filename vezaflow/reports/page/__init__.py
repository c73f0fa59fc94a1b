"""A run, or several, on one HTML page that opens offline, prints, and reads without scripts."""

from vezaflow.reports.page.comparison import ComparedRuns, html_comparison
from vezaflow.reports.page.run import html_page

__all__ = ["ComparedRuns", "html_comparison", "html_page"]
