"""Extractions → callables that take a value out of a response: a source finds (sources.py), choices.py chooses."""

from collections.abc import Callable
from dataclasses import dataclass

from vezaflow.model import Extract
from vezaflow.plan.checks import Failure
from vezaflow.plan.choices import NothingFoundError, chooser
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.response import ResponseView, UndecodableError
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.sources import SOURCES
from vezaflow.plan.suggestions import items_of, suggestions_for
from vezaflow.protocols import ErrorKind


@dataclass(frozen=True, slots=True)
class PlannedExtract:
    """Puts a value into a slot; returns why it can't, if it can't."""

    name: str
    slot: int
    run: Callable[[Scope], Failure | None]


def plan_extract(extract: Extract, compiler: Compiler) -> PlannedExtract:
    """One extraction as a callable. It expects scope.response to be the response."""
    find = SOURCES[extract.source].find(extract.argument)
    choose = chooser(extract, compiler)
    default = compiler.kept(extract.default) if extract.default is not None else None
    slot = compiler.names.slot(extract.name)

    def run(scope: Scope) -> Failure | None:
        response = scope.response
        assert response is not None
        try:
            scope.slots[slot] = choose(find(response), scope)
        except EvaluationError as e:
            return Failure(ErrorKind.EXTRACTION, "VF603", e.message, e.span)
        except (NothingFoundError, UndecodableError) as e:
            if default is None:
                return _failure(extract, response, e)
            scope.slots[slot] = default(scope)
        return None

    return PlannedExtract(extract.name, slot, run)


def _failure(extract: Extract, response: ResponseView, error: NothingFoundError | UndecodableError) -> Failure:
    message = f"'{extract.name}': {error}"
    among = error.among if isinstance(error, NothingFoundError) else ()
    if isinstance(error, NothingFoundError):
        message += f"; {SOURCES[extract.source].instead(extract.argument, response)}"

    def suggestions() -> str:
        return items_of(among) if among else suggestions_for(extract.source, extract.argument, response)

    return Failure(ErrorKind.EXTRACTION, "VF603", message, extract.argument_span, suggestions)
