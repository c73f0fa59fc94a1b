"""The way into a fragment: its steps are planned in a scope of their own.

An input whose value is known before the run and that no step changes is a constant in the fragment, so that requests
made of constants are as ready there as anywhere. What a fragment's steps set is forgotten when it is entered again.
"""

from typing import Any, NamedTuple

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import Include, Input, assigned, fit
from vezaflow.plan.compiled import UNKNOWN, Constant, Evaluate
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.rendering import show
from vezaflow.plan.scope import EvaluationError, Scope


class FragmentEntry(NamedTuple):
    """Into a fragment: what its steps are planned with, and what is done before them."""

    path: str
    compiler: Compiler
    inputs: tuple[tuple[int, Evaluate], ...]
    own: tuple[int, ...]  # slots that are forgotten


def enter(include: Include, outer: Compiler, diagnostics: Diagnostics) -> FragmentEntry:
    """The fragment's own scope, with what it is given there."""
    fragment = include.fragment
    assert fragment is not None, "lint refuses an include without its fragment"
    inner = outer.within(f"{fragment.path}@{include.span.start}", fragment.source.path)
    names = inner.names
    changed = set(assigned(fragment.steps))
    given = {name: (outer.kept(value), span) for name, value, span in include.values}
    begin: list[tuple[int, Evaluate]] = []
    for one in fragment.inputs:
        value, span = given.get(one.name) or (inner.kept(one.default), one.span)  # type: ignore[arg-type]  # lint
        fitted = _fitted(value, one, span, diagnostics)
        if isinstance(fitted, Constant) and one.name not in changed:
            names.set_constant(one.name, fitted.value)
        else:
            begin.append((names.slot(one.name), fitted))
    own = tuple(names.slot(name) for name in sorted(changed))
    return FragmentEntry(fragment.path, inner, tuple(begin), own)


def _fitted(value: Evaluate, one: Input, span: Span, diagnostics: Diagnostics) -> Evaluate:
    def check(found: Any) -> Any:
        try:
            return fit(one.type, found)
        except ValueError as e:
            raise EvaluationError(f"the input '{one.name}' is {show(found)}: {e}", span) from None

    def fitted(scope: Scope) -> Any:
        return check(value(scope))

    if not isinstance(value, Constant):
        return fitted
    if value.value is UNKNOWN or (value.value is None and one.default is not None):
        return value
    try:
        return Constant(check(value.value))
    except EvaluationError as e:
        diagnostics.error("VF702", span, e.message)
        return Constant(UNKNOWN)
