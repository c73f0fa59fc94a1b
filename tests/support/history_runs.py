"""Runs for a history, made of the sample run."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sample_run import GREEN, run

from vezaflow.gates import Outcome
from vezaflow.history import HistoryPlace, Stored, stored_of
from vezaflow.metrics import Histogram, Interval, Point, Seconds, StepSecond
from vezaflow.plan import Bundle, Inputs
from vezaflow.results import RunResult, RunStart

START = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)
_GREEN = run(GREEN)


def place(folder: Path) -> HistoryPlace:
    return HistoryPlace(folder / "history.db")


def kept(number: int, *, day: float = 0.0, outcome: Outcome = Outcome.GREEN, suite: str = "veza-capacity") -> RunResult:
    """A run that began so many days after START."""
    started = START + timedelta(days=day)
    run_id = f"{started:%Y%m%dT%H%M%SZ}-{number:06x}"
    return replace(_GREEN, run_id=run_id, started=started, outcome=outcome, suite=suite, seconds=Seconds(intervals(3)))


def stored(number: int, *, day: float = 0.0, outcome: Outcome = Outcome.GREEN, suite: str = "veza-capacity") -> Stored:
    return stored_of(kept(number, day=day, outcome=outcome, suite=suite))


def intervals(count: int) -> tuple[Interval, ...]:
    """Seconds of ten requests each, of which one failed."""
    histogram = Histogram()
    for number in range(10):
        histogram.record(0.01 * (number + 1))
    step = StepSecond(10, 1, histogram.to_json())
    return tuple(Interval(second + 1.0, 1.0, {("browse", "search", "GET"): step}) for second in range(count))


def point(second: float) -> Point:
    return Point(second, 1.0, "browse", 5, 10, 1, 10, 1, 1000, 2000, 0.05, 0.1, 0.1, 0.1)


def beginning(number: int = 1) -> RunStart:
    """The start of a run."""
    result = kept(number)
    flow = "flow: browse\nsteps: [{get: /}]\n"
    inputs = Inputs({"BASE_URL": "http://127.0.0.1", "USER_TOKEN": "•••"})
    bundle = Bundle((("flows/browse.yml", flow),), ("flows/browse.yml",), inputs, ("USER_TOKEN",))
    return RunStart(result.run_id, result.suite, "", result.started, result.base_url, None, bundle)
