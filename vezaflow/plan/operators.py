"""What the operators of expressions do: they compare and compute what is alike, and say what is not.

They raise TypeError, KeyError, IndexError or ArithmeticError, whose text is for the author.
"""

import operator
from collections.abc import Callable
from typing import Any

from vezaflow.plan.rendering import kind_of, show
from vezaflow.syntax import bounded_number


def _order(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if numbers or (isinstance(left, str) and isinstance(right, str)):
            return compare(left, right)
        raise TypeError(
            f"{kind_of(left)} and {kind_of(right)} can't be compared: {show(left, 30)} and {show(right, 30)}"
        )

    return ordered


def _arithmetic(sign: str, work: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def compute(left: Any, right: Any) -> Any:
        for side in (left, right):
            if not isinstance(side, int | float) or isinstance(side, bool):
                raise TypeError(f"`{sign}` expects numbers, got {kind_of(side)}: {show(side, 30)}")
        return bounded_number(work(left, right))

    return compute


def _contains(item: Any, container: Any) -> bool:
    if isinstance(container, str) and not isinstance(item, str):
        raise TypeError(f"`in` a text expects a text, got {kind_of(item)}")
    if not isinstance(container, str | list | tuple | dict):
        raise TypeError(f"`in` expects a list, a mapping or a text, got {kind_of(container)}")
    return item in container


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": _order(operator.lt),
    "<=": _order(operator.le),
    ">": _order(operator.gt),
    ">=": _order(operator.ge),
    "in": _contains,
    "+": _arithmetic("+", operator.add),
    "-": _arithmetic("-", operator.sub),
    "*": _arithmetic("*", operator.mul),
    "/": _arithmetic("/", operator.truediv),
}


def item_of(target: Any, index: Any) -> Any:
    if isinstance(target, dict):
        if index in target:
            return target[index]
        raise KeyError(f"no field {show(index, 30)} in {show(target)}")
    if not isinstance(target, list | tuple | str):
        raise TypeError(f"{kind_of(target)} has no items: {show(target)}")
    if not isinstance(index, int):
        raise TypeError(f"the index of a list must be a number, got {kind_of(index)}")
    if not -len(target) <= index < len(target):
        raise IndexError(f"no item {index} in a list of {len(target)}")
    return target[index]
