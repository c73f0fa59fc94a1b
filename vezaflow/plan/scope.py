"""Where an expression finds its values while it runs, and how it says that it can't.

Names are resolved to slots when a flow is compiled: at run time there is no look-up by name. A Scope belongs to
one VU; the engine's VU is one.
"""

from typing import Any

from vezaflow.diagnostics import Span
from vezaflow.plan.chance import Chance
from vezaflow.plan.response import ResponseView


class Unset:
    """The value of a variable that nothing has set yet on this path."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "nothing (not set yet)"


UNSET = Unset()


class EvaluationError(Exception):
    """An expression met data that it can't work on. The step that asked fails; the VU lives on."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message = message
        self.span = span


class MissingError(EvaluationError):
    """A variable not set, or a field or an item that is not there: what `??` gives a default for."""


class Scope:
    """What expressions see: slots by index, the VU's own random numbers, its numbers, the last response."""

    __slots__ = ("attempt", "chance", "item", "number", "response", "slots", "turn")

    def __init__(self, slots: list[Any], random: Chance, number: int) -> None:
        self.slots = slots
        self.chance = random
        self.number = number  # from 1, within the flow
        self.turn = 0  # 0 before the first iteration, then that of the iteration, from 1
        self.attempt = 1  # of the request that is being made
        self.response: ResponseView | None = None
        self.item: Any = None  # what a `where` looks at

    @property
    def iteration(self) -> int:
        """From 0, as k6's __ITER."""
        return self.turn - 1 if self.turn else 0

    @property
    def random(self) -> Chance:
        """The VU's own random numbers, those of this turn. An iteration that draws none pays nothing for it."""
        chance = self.chance
        chance.turn = self.turn
        return chance

    @random.setter
    def random(self, chance: Chance) -> None:
        self.chance = chance
