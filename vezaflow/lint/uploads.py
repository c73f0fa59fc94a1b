"""Uploads: how many parts they have. What an input may change is judged when the run is planned, by the same bound."""

from vezaflow.diagnostics import Diagnostics
from vezaflow.model import Suite, Upload, all_steps, flow_steps, suite_steps

MOST_PARTS = 10_000


def check_uploads(suite: Suite, diagnostics: Diagnostics) -> None:
    """Uploads of more parts than there can be."""
    for steps in (suite_steps(suite), *map(flow_steps, suite.flows)):
        for step in all_steps(steps):
            if isinstance(step, Upload) and (count := step.parts) is not None and count > MOST_PARTS:
                diagnostics.error("VF433", step.part.span, too_many(count), help="use larger parts")


def too_many(count: int) -> str:
    return f"{count:,} parts exceed the maximum of {MOST_PARTS:,}"
