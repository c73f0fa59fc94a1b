"""Steps that never run, and conditions that decide nothing.

Only what the file alone settles is judged: constants, and what is always true of `vu` (from 1) and `iteration`
(from 0).
"""

import operator
from collections.abc import Callable, Iterator
from itertools import pairwise

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import Ends, For, If, Step, Suite, While, inner, set_in
from vezaflow.syntax import FUNCTIONS, Binary, Call, Expression, Literal, Name, Needs, Unary, calls, names
from vezaflow.units import Quantity

_LEAST = {"vu": 1, "iteration": 0, "attempt": 1}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def check_reach(suite: Suite, diagnostics: Diagnostics) -> None:
    """Steps behind the end of an iteration, branches that no condition opens, loops that never turn."""
    for steps in _lists(suite):
        for before, step in pairwise(steps):
            if isinstance(before.shape, Ends):
                _never(step.span, f"steps after '{before.span.text}' never run", before.span, diagnostics)
                break
        for step in steps:
            _check(step, diagnostics)


def truth(condition: Expression) -> bool | None:
    """What a condition always is; None if that depends on the run."""
    match condition:
        case Literal(value=bool(value)):
            return value
        case Unary(operator="not", operand=operand):
            found = truth(operand)
            return None if found is None else not found
        case Binary(operator="and", left=left, right=right):
            sides = (truth(left), truth(right))
            return False if False in sides else True if sides == (True, True) else None
        case Binary(operator="or", left=left, right=right):
            sides = (truth(left), truth(right))
            return True if True in sides else False if sides == (False, False) else None
        case Binary(operator=sign, left=left, right=right) if sign in _COMPARE:
            return _compared(left, sign, right)
        case _:
            return None


def _compared(left: Expression, sign: str, right: Expression) -> bool | None:
    one, two = _number(left), _number(right)
    if one is not None and two is not None:
        return _COMPARE[sign](one, two)
    if one is not None and isinstance(right, Name):
        return _compared(right, _TURNED.get(sign, sign), left)
    if two is None or not isinstance(left, Name) or left.name not in _LEAST:
        return None
    least = _LEAST[left.name]
    if two < least:  # it is always greater
        return sign in ("!=", ">", ">=")
    return {">=": True, "<": False}.get(sign) if two == least else None


def _number(expression: Expression) -> float | None:
    match expression:
        case Literal(value=Quantity(amount=amount)):
            return amount
        case Literal(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case _:
            return None


def _check(step: Step, diagnostics: Diagnostics) -> None:
    match step:
        case If(condition=condition, then=then, otherwise=otherwise):
            always = truth(condition)
            if always is False and then:
                _never(then[0].span, "this never runs", condition.span, diagnostics)
            elif always is True and otherwise:
                _never(otherwise[0].span, "this never runs", condition.span, diagnostics)
            elif always is True:
                _constant(condition.span, "remove the `if`, and keep its steps", diagnostics)
        case While(condition=condition, steps=steps):
            always = truth(condition)
            if always is False and steps:
                _never(steps[0].span, "this never runs", condition.span, diagnostics)
            elif always is True:
                _constant(condition.span, "use `repeat` instead", diagnostics)
            elif _is_fixed(condition, steps):
                diagnostics.warning(
                    "VF416",
                    condition.span,
                    "nothing in this loop changes the condition",
                    label="once true, it stays true until `max`",
                    help="set or extract a value of the condition in the loop, or use `repeat` inside an `if`",
                )
        case For(items=Call(function="range", arguments=arguments) as items, steps=steps) if steps:
            if _is_empty([_number(argument) for argument in arguments]):
                _never(steps[0].span, "this never runs", items.span, diagnostics)
        case _:
            return


def _is_fixed(condition: Expression, steps: tuple[Step, ...]) -> bool:
    changed = {name for name, _ in set_in((), steps)}
    if any(name.name in changed for name in names(condition)):
        return False
    needs = [FUNCTIONS[call.function].needs for call in calls(condition) if call.function in FUNCTIONS]
    return bool(list(names(condition))) and all(need is Needs.NOTHING for need in needs)


def _is_empty(numbers: list[float | None]) -> bool:
    match numbers:
        case [float() | int() as end]:
            return end <= 0
        case [float() | int() as start, float() | int() as end]:
            return end <= start
        case _:
            return False


def _never(span: Span, message: str, why: Span, diagnostics: Diagnostics) -> None:
    diagnostics.warning(
        "VF415", span, message, help="remove it, or fix the step before it", related=((why, "because of this"),)
    )


def _constant(span: Span, help_: str, diagnostics: Diagnostics) -> None:
    diagnostics.warning("VF416", span, "this condition is always true", help=help_)


def _lists(suite: Suite) -> Iterator[tuple[Step, ...]]:
    """Every list of steps, the outer ones first."""
    waiting = [
        suite.preflight,
        suite.setup,
        *(steps for event in suite.events for steps in (event.action.steps, event.final.steps)),
        suite.teardown,
        *(part for flow in suite.flows for part in (flow.login, flow.steps, flow.final)),
    ]
    while waiting:
        steps = waiting.pop()
        yield steps
        waiting += [part for step in steps for part in inner(step)]
