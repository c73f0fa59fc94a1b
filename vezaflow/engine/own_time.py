"""A user's own time: what its target takes, a moment for each request, and what it pauses.

The generator adds to that: a timer ends late, a loop comes late to a response. What it takes so is given back out of
the pauses that follow, so that a user sends as often as its flow says; what can't be given back is load that was not
sent, and counts as `Delivered.held_up`. Where nobody counts it (in a branch, of a VU that begins when an arrival is
due, in a flow without pauses) only the lateness of pauses is known: the rest waits for others.

                      KeptTime                                    LooseTime
    a request         own += what it took + HANDLING              the same
    a pause begins    own += the pause; it ends earlier by        it ends earlier by what is owed,
                      what `own` is behind the clock, within      within the same bounds
                      a tenth of it and a grain
    it is over        behind by more than a grain: held_up        late += and owed += what it overran
    a target's wait   own += the wait and a grain of lateness     late += and owed += the rest of it
    branches end      own += their time less their lateness       late += and owed += their lateness
    no pause at all   own follows the clock: nothing is owed      -
"""

from vezaflow.engine.delivered import Delivered

HANDLING = 0.0001  # seconds that any client takes for a request besides
GRAIN = 0.003  # seconds that a timer is late on an idle machine: the wheel's bucket, and the kernel's own grain
GIVEN_BACK = 0.1  # of a pause, and a grain: no pause is shortened by more
MOST_OWED = 0.5  # seconds: to make up for a longer stall would be another load


class LooseTime:
    """Time that nobody counts. `own` on the run's clock; `late` is by how much pauses were too long so far, `owed` what
    they may be shorter by, `rested` whether there was one. All in seconds."""

    __slots__ = ("late", "owed", "own", "rested")

    def __init__(self, owed: float = 0.0) -> None:
        self.own = 0.0
        self.late = 0.0
        self.owed = owed
        self.rested = False

    def pause(self, seconds: float, now: float) -> float:
        """When a pause is over that begins now."""
        self.own = now + seconds
        return self.own - min(self.owed, seconds * GIVEN_BACK + GRAIN)

    def paused(self, now: float) -> None:
        """A pause is over."""
        self._slipped(now - self.own)
        self.rested = True

    def waited(self, seconds: float, late: float) -> None:
        """So long it waited because a target asked for it, never less, and was woken `late`."""
        self.own += seconds + min(late, GRAIN)
        self._slipped(max(0.0, late - GRAIN))

    def debt(self, now: float) -> float:
        """What is owed to it by now."""
        return self.owed

    def branched(self, seconds: float, late: float, now: float, *, rested: bool) -> None:
        """Its branches have ended: so long they took, of which their pauses' lateness; `rested`: there were pauses."""
        self._slipped(late)
        self.rested = self.rested or rested

    def iterated(self, own: float, began: float, ended: float) -> None:
        """An iteration is over."""

    def _slipped(self, late: float) -> None:
        self.late += late
        self.owed = min(MOST_OWED, max(0.0, self.owed + late))


class KeptTime:
    """Time that is counted in `account` from `now` on, as of a VU of a closed model whose flow has pauses."""

    __slots__ = ("_account", "_counted", "_held_up", "own")

    def __init__(self, now: float, account: Delivered) -> None:
        self.own = self._counted = now  # until when it is in the account
        self._held_up = 0.0  # by how much it is behind, as the account has it
        self._account = account

    def pause(self, seconds: float, now: float) -> float:
        """When a pause is over that begins now: earlier by what the generator took before."""
        self.own = min(self.own, now) + seconds
        return max(self.own, now + seconds * (1 - GIVEN_BACK) - GRAIN)

    def paused(self, now: float) -> None:
        """A pause is over: its time until now is counted."""
        if now < self.own:  # cut short by the end of the flow
            return
        account = self._account
        held_up = max(0.0, now - self.own - GRAIN)
        account.time_lost += held_up - self._held_up
        account.lived += now - self._counted
        self._held_up, self._counted = min(held_up, MOST_OWED), now
        self.own += held_up - self._held_up

    def waited(self, seconds: float, late: float) -> None:
        """So long it waited because a target asked for it, never less, and was woken `late`."""
        self.own += seconds + min(late, GRAIN)

    def debt(self, now: float) -> float:
        """What is owed to it by now."""
        return min(MOST_OWED, max(0.0, now - self.own))

    def branched(self, seconds: float, late: float, now: float, *, rested: bool) -> None:
        """Its branches have ended: so long they took, of which their pauses' lateness; `rested`: there were pauses."""
        self.own += seconds - late
        if rested:
            self.paused(now)

    def iterated(self, own: float, began: float, ended: float) -> None:
        """An iteration is over that began when its own time was `own`. One without any pause runs as fast as possible:
        nothing is owed for its time."""
        if self._counted > began:
            self.paused(ended)
        else:
            self.own = own + ended - began
            self._counted += ended - began


OwnTime = LooseTime | KeptTime
