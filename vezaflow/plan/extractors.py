"""Extractions → callables that take a value out of an answer.

All sources give a list of what was found; `where`, `all`, `take` and `pick` then choose from it in one place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never

from vezaflow.model import Extract, Pick
from vezaflow.model import Source as From
from vezaflow.plan.answer import Answer, UndecodableError
from vezaflow.plan.checks import Failure
from vezaflow.plan.evaluate import Compiler, Evaluate, show
from vezaflow.plan.playlists import segments, variants
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.protocols import ErrorKind
from vezaflow.syntax import compile_jsonpath, compile_pattern

Find = Callable[[Answer], list[Any]]


class NothingFoundError(Exception):
    """An extraction without a default found nothing."""


@dataclass(frozen=True, slots=True)
class PlannedExtract:
    """Puts a value into a slot; returns why it can't, if it can't."""

    name: str
    slot: int
    run: Callable[[Scope], Failure | None]


def plan_extract(extract: Extract, compiler: Compiler) -> PlannedExtract:
    """One extraction as a callable. It expects scope.answer to be the answer."""
    find = _finder(extract)
    choose = _chooser(extract, compiler)
    default = compiler.tree(extract.default) if extract.default is not None else None
    slot = compiler.names.slot(extract.name)
    span = extract.argument_span

    def run(scope: Scope) -> Failure | None:
        answer = scope.answer
        assert answer is not None
        message = ""
        try:
            scope.slots[slot] = choose(find(answer), scope)
        except EvaluationError as e:
            return Failure(ErrorKind.EXTRACTION, "VF603", e.message, e.span)
        except NothingFoundError as e:
            message = f"'{extract.name}': {e}; {_what_was_there(extract, answer)}"
        except UndecodableError as e:
            message = f"'{extract.name}': {e}"
        if message:
            if default is None:
                return Failure(ErrorKind.EXTRACTION, "VF603", message, span)
            scope.slots[slot] = default(scope)
        return None

    return PlannedExtract(extract.name, slot, run)


def _finder(extract: Extract) -> Find:
    argument = extract.argument
    match extract.source:
        case From.JSON:
            path = compile_jsonpath(argument)
            return lambda answer: path(answer.json())
        case From.REGEX:
            pattern = compile_pattern(argument)
            group = 1 if pattern.groups else 0
            return lambda answer: [m.group(group) for m in pattern.finditer(answer.text())]
        case From.HEADER:
            name = argument.lower()
            return lambda answer: [value for key, value in answer.headers if key == name]
        case From.COOKIE:
            return lambda answer: [] if (value := answer.cookie(argument)) is None else [value]
        case From.M3U8:
            return variants if argument == "variants" else segments
    assert_never(extract.source)


def _chooser(extract: Extract, compiler: Compiler) -> Callable[[list[Any], Scope], Any]:
    keep = _filter(extract, compiler)
    take: Evaluate | None = compiler.expression(extract.take) if extract.take is not None else None
    pick = extract.pick
    everything = extract.all

    def choose(found: list[Any], scope: Scope) -> Any:
        if keep is not None:
            before, found = found, keep(found, scope)
            if not found and before:
                raise NothingFoundError(f"none of {len(before)} passes `where`: the first is {show(before[0])}")
        if not found:
            raise NothingFoundError("nothing found")
        if everything:
            return list(found)
        if take is not None:
            return list(found[: max(0, int(take(scope)))])
        if pick is None or pick is Pick.FIRST:
            return found[0]
        if pick is Pick.LAST:
            return found[-1]
        if pick is Pick.RANDOM:
            return scope.random.choice(found)
        if not -len(found) <= pick < len(found):
            raise NothingFoundError(f"there is no number {pick} among {len(found)} found")
        return found[pick]

    return choose


def _filter(extract: Extract, compiler: Compiler) -> Callable[[list[Any], Scope], list[Any]] | None:
    if extract.where is None:
        return None
    test = compiler.for_items().expression(extract.where)

    def passes(item: Any, scope: Scope) -> bool:
        scope.item = item
        try:
            return bool(test(scope))
        except EvaluationError:  # an item without the field, or of another kind, is not one that was meant
            return False

    return lambda found, scope: [item for item in found if passes(item, scope)]


def _what_was_there(extract: Extract, answer: Answer) -> str:
    if extract.source is From.HEADER:
        return "there were " + (", ".join(sorted({name for name, _ in answer.headers})) or "no headers")
    if extract.source is From.COOKIE:
        return "the jar has no such cookie"
    return f"the body: {answer.glimpse()}"
