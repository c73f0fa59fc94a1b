"""Single requests as they come, for whoever wants each of them: kept until the next fold, then handed over.

A run that wants none has the plain recorders of request_recorder.py, which know nothing of this.
"""

from collections.abc import Callable
from typing import NamedTuple

from vezaflow.metrics.figures import StepKey


class RequestSample(NamedTuple):
    """A request. Times in seconds, `ended` on the clock; None: no whole response came. `status` 0: none came."""

    at: StepKey
    ended: float
    status: int
    error: str  # empty: as expected
    duration: float | None
    sending: float | None
    receiving: float | None
    bytes_sent: int
    bytes_received: int


TakeSamples = Callable[[list[RequestSample]], None]
