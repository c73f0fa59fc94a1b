"""What an expression becomes: a callable of a scope, or a Constant where its value is known before the run.

Both are called alike. A value that a reported fault keeps from being known is UNKNOWN, and so is what is made of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vezaflow.plan.scope import Scope

Evaluate = Callable[[Scope], Any]


class Unknown(str):
    """A value that a reported fault keeps from being known: an empty text that nothing more is said of."""

    __slots__ = ()


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Constant:
    """A value known before the run; callable like any other compiled expression."""

    value: Any

    def __call__(self, _scope: Scope) -> Any:
        return self.value


def any_unknown(parts: tuple[Evaluate, ...]) -> bool:
    return any(isinstance(part, Constant) and part.value is UNKNOWN for part in parts)
