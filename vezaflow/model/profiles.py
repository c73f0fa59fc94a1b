"""Profiles of the server, as gates see them: each is a metric, `profile.<name>`, of functions and their shares."""

from vezaflow.metrics import Metric, MetricKind, Of
from vezaflow.units import Dimension

PROFILE = "profile."  # what gates write before the name
CPU_SECONDS = 30  # of a profile that does not say it, as Go has it
CPU_PATH = "/profile"  # how the path ends of a profile that is taken over a time


def profile_metric(name: str) -> Metric:
    """What gates see of a profile."""
    doc = f"The profile '{name}': how much of it is a function with all that it calls; `flat`: without."
    labels, only = ("function",), ("share", "flat")
    return Metric(PROFILE + name, MetricKind.GAUGE, Dimension.RATIO, doc, labels, Of.ELSEWHERE, "", only=only)
