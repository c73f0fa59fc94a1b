"""Light rows of a history, without one."""

from dataclasses import replace
from datetime import timedelta

from history_runs import START

from vezaflow.gates import Outcome
from vezaflow.history import KeptRun, State

_ROW = KeptRun(
    id="", run_id="", suite="veza-capacity", started=START, state=State.COMPLETE, outcome=Outcome.GREEN,
    interrupted=False, duration=10.0, base_url="https://staging.veza.fr/", p95=0.1, failed=0.0, plan_hash="",
    plan_parts={}, full=True, changes=(), manual_changes=(), commit=None, version="0.1.0", segment="",
    has_figures=True,
)  # fmt: skip


def row(number: int, day: float, outcome: Outcome | None = Outcome.GREEN, **fields: object) -> KeptRun:
    """The row of a run that began so many days after START."""
    started = START + timedelta(days=day)
    name = f"{started:%Y%m%dT%H%M%SZ}-{number:06x}"
    return replace(_ROW, id=name, run_id=name, started=started, outcome=outcome, **fields)  # type: ignore[arg-type]
