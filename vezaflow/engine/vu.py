"""A virtual user: its scope, its connections, its own time, and how an iteration of its ends."""

from enum import IntEnum
from typing import Any

from trio import CancelScope

from vezaflow.engine.own_time import LooseTime, OwnTime
from vezaflow.plan import Chance, Scope
from vezaflow.protocols import Sender


class Signal(IntEnum):
    """What a step tells its block. Anything but GO_ON ends the iteration."""

    GO_ON = 0
    SKIP = 1  # the author ends the iteration; it counts as done
    FAIL = 2  # a failure ends it
    STOP_VU = 3
    STOP_FLOW = 4
    STOP_RUN = 5


class VU(Scope):
    """One user. `failed` says whether something failed in this iteration, also where the author lets it go on;
    `absent` that it found no row of a data source to begin with, and so never was; `time` is its own time. `bound` ends
    its iteration early, and then what it holds open is closed in order; None: nothing does."""

    __slots__ = ("absent", "bound", "client", "failed", "time")

    def __init__(self, slots: list[Any], random: Chance, number: int, client: Sender) -> None:
        super().__init__(slots, random, number)
        self.client = client
        self.failed = False
        self.absent = False
        self.time: OwnTime = LooseTime()
        self.bound: CancelScope | None = None
