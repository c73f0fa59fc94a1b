"""Of what an extraction's source found, the value that it gives: `pipe`, `where`, `all`, `take`, `pick`.

Only values that are chosen go through the `pipe`; where a `where` looks at all of them, all do, and one that can't go
through is not one that was meant.
"""

from collections.abc import Callable
from typing import Any

from vezaflow.diagnostics import Span
from vezaflow.model import Extract, Pick
from vezaflow.plan.compiled import Evaluate
from vezaflow.plan.evaluate import Compiler, Sees
from vezaflow.plan.rendering import show
from vezaflow.plan.scope import EvaluationError, Scope

Choose = Callable[[list[Any], Scope], Any]
_OfItem = Callable[[Any, Scope], Any]


class NothingFoundError(Exception):
    """An extraction without a default found nothing, or `among` what it found nothing that was meant."""

    def __init__(self, message: str, among: list[Any] | None = None) -> None:
        super().__init__(message)
        self.among = among or []


def chooser(extract: Extract, compiler: Compiler) -> Choose:
    """The extraction's choice, which raises NothingFoundError where nothing is left to choose from."""
    pipe = _of_item(compiler.seeing(Sees.ITEM).expression(extract.pipe)) if extract.pipe is not None else None
    select = _selector(extract, compiler)
    if extract.where is not None:
        return _filtered(_of_item(compiler.seeing(Sees.FIELDS).expression(extract.where)), pipe, select)
    if pipe is None:
        return select
    if extract.all or extract.take is not None:
        return lambda found, scope: [pipe(item, scope) for item in select(found, scope)]
    return lambda found, scope: pipe(select(found, scope), scope)


def _of_item(work: Evaluate) -> _OfItem:
    def of(item: Any, scope: Scope) -> Any:
        scope.item = item
        return work(scope)

    return of


def _filtered(test: _OfItem, pipe: _OfItem | None, select: Choose) -> Choose:
    def meant(item: Any, kept: list[Any], scope: Scope) -> None:
        try:
            value = item if pipe is None else pipe(item, scope)
            if test(value, scope):
                kept.append(value)
        except EvaluationError:  # an item without the field, or of another kind, is not one that was meant
            pass

    def choose(found: list[Any], scope: Scope) -> Any:
        kept: list[Any] = []
        for item in found:
            meant(item, kept, scope)
        if found and not kept:
            raise NothingFoundError(
                f"none of {len(found)} matches satisfies `where`: the first is {show(found[0])}", found
            )
        return select(kept, scope)

    return choose


def _selector(extract: Extract, compiler: Compiler) -> Choose:
    take = compiler.expression(extract.take) if extract.take is not None else None
    everything, pick = extract.all, extract.pick
    span = extract.take.span if extract.take is not None else extract.span

    def select(found: list[Any], scope: Scope) -> Any:
        if not found:
            raise NothingFoundError("no match")
        if everything:
            return list(found)
        if take is not None:
            return list(found[: _count(take(scope), span)])
        if pick is None or pick is Pick.FIRST:
            return found[0]
        if pick is Pick.LAST:
            return found[-1]
        if pick is Pick.RANDOM:
            return scope.random.choice(found)
        if not -len(found) <= pick < len(found):
            raise NothingFoundError(f"no match number {pick}: there are {len(found)}", found)
        return found[pick]

    return select


def _count(value: Any, span: Span) -> int:
    """How many `take` takes."""
    try:
        return max(0, int(value))
    except (TypeError, ValueError, OverflowError):
        raise EvaluationError(f"`take` is a number of items, and this is {show(value)}", span) from None
