"""Uploads: how many parts they have. What an input may change is judged when the run is planned, by the same bound."""

from math import ceil

from vezaflow.diagnostics import Diagnostics
from vezaflow.model import GeneratedBytes, Most, Suite, Upload, all_steps, constant, flow_steps, suite_steps

MOST_PARTS = 10_000


def check_uploads(suite: Suite, diagnostics: Diagnostics) -> None:
    """Uploads of more parts than there can be."""
    for steps in (suite_steps(suite), *map(flow_steps, suite.flows)):
        for step in all_steps(steps):
            count = parts_of(step) if isinstance(step, Upload) else None
            if isinstance(step, Upload) and count is not None and count > MOST_PARTS:
                diagnostics.error("VF433", step.part.span, too_many(int(count)), help="give the upload larger parts")


def parts_of(upload: Upload) -> Most:
    """How many parts there are; None if the file does not say."""
    source = upload.source
    total, part = constant(source.size) if isinstance(source, GeneratedBytes) else None, constant(upload.part)
    return ceil(total / part) if total is not None and part else None


def too_many(count: int) -> str:
    return f"{count:,} parts are more than the {MOST_PARTS:,} that an upload can have"
