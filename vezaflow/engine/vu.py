"""A virtual user: its scope, its connections, its own time, and how an iteration of its ends.

A user's own time goes on by what its target takes, a moment for each request, and what it pauses. The generator adds to
that: a timer ends late, a loop comes late to an answer. What it takes so is given back out of the pauses that follow,
so that a user asks as often as its flow says; what can't be given back is load that was not sent, and counts as
`Delivered.held_up`. Of what runs side by side (a branch) only the pauses' lateness is known: the rest waits for the
others.
"""

from enum import IntEnum
from typing import Any

from vezaflow.engine.delivered import Delivered
from vezaflow.plan import Chance, Scope
from vezaflow.protocols import Sender

HANDLING = 0.0001  # seconds that any client takes for a request besides
GRAIN = 0.003  # seconds that a timer is late on an idle machine: the wheel's bucket, and the kernel's own grain
GIVEN_BACK = 0.1  # of a pause, and a grain: no pause is shortened by more
MOST_OWED = 0.5  # seconds: to make up for a longer stall would be another load


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
    `absent` that it found no row of a data source to begin with, and so never was. `own` is its own time, on the
    run's clock, and `account` where it is counted; None: nobody keeps it, as in a branch. `late` is by how much a
    branch's pauses were too long so far, `owed` what they may be shorter by, `rested` whether there was one."""

    __slots__ = ("_counted", "_held_up", "absent", "account", "client", "failed", "late", "owed", "own", "rested")

    def __init__(self, slots: list[Any], random: Chance, number: int, client: Sender) -> None:
        super().__init__(slots, random, number)
        self.client = client
        self.failed = False
        self.absent = False
        self.own = 0.0
        self.account: Delivered | None = None
        self.late = 0.0
        self.owed = 0.0
        self.rested = False
        self._counted = 0.0  # until when its time is in the account
        self._held_up = 0.0  # by how much it is behind, as the account has it

    def keep_time(self, now: float, account: Delivered | None) -> None:
        """From now on its own time is kept, and nothing is owed to it so far."""
        self.own = self._counted = now
        self._held_up = 0.0
        self.account = account

    def pause(self, seconds: float, now: float) -> float:
        """When a pause is over that begins now: earlier by what the generator took before."""
        if self.account is None:
            self.own = now + seconds
            return self.own - min(self.owed, seconds * GIVEN_BACK + GRAIN)
        self.own = min(self.own, now) + seconds
        return max(self.own, now + seconds * (1 - GIVEN_BACK) - GRAIN)

    def waited(self, seconds: float, late: float) -> None:
        """So long it waited because a target asked for it, never less, and was woken `late` (seconds)."""
        self.own += seconds + min(late, GRAIN)
        if self.account is None:
            self._slipped(max(0.0, late - GRAIN))

    def paused(self, now: float) -> None:
        """A pause is over: its time until now is counted."""
        account = self.account
        if account is None:
            self._slipped(now - self.own)
            self.rested = True
            return
        if now < self.own:  # cut short by the end of the flow
            return
        held_up = max(0.0, now - self.own - GRAIN)
        account.held_up += held_up - self._held_up
        account.lived += now - self._counted
        self._held_up, self._counted = min(held_up, MOST_OWED), now
        self.own += held_up - self._held_up

    def debt(self, now: float) -> float:
        """What is owed to it by now, in seconds."""
        return self.owed if self.account is None else min(MOST_OWED, max(0.0, now - self.own))

    def _slipped(self, late: float) -> None:
        self.late += late
        self.owed = min(MOST_OWED, max(0.0, self.owed + late))

    def branched(self, seconds: float, late: float, now: float, *, rested: bool) -> None:
        """Its branches have ended: so long they took, of which their pauses' lateness; `rested`: there were pauses."""
        if self.account is None:
            self._slipped(late)
            self.rested = self.rested or rested
            return
        self.own += seconds - late
        if rested:
            self.paused(now)

    def iterated(self, own: float, began: float, ended: float) -> None:
        """An iteration is over that began when its own time was `own`. One without any pause asks for as much as goes:
        nothing is owed for its time."""
        if self._counted > began:
            self.paused(ended)
        else:
            self.own = own + ended - began
            self._counted += ended - began
