"""What runs at the same time: the branches of a `parallel`, the rounds of a `for` with `at_once`.

Each begins with the values from before, and none sees what the others set meanwhile. That a name has no value at all
there is name_rules' business.
"""

from collections.abc import Iterator
from typing import assert_never

from vezaflow.diagnostics import Diagnostics, Severity, Span
from vezaflow.model import (
    SEEN,
    Beside,
    Block,
    Ends,
    For,
    Leaf,
    Loop,
    OneOf,
    Parallel,
    Pause,
    Place,
    Request,
    Sends,
    Step,
    Suite,
    Use,
    constant,
    expect_uses,
    extract_uses,
    flow_steps,
    names_of,
    own_steps,
    set_in,
    suite_steps,
)
from vezaflow.syntax import Name


def check_parallel(suite: Suite, diagnostics: Diagnostics) -> None:
    """Values that change while others look at them, and keys that make nothing run at the same time."""
    blamed = {d.span for d in diagnostics if d.severity is Severity.ERROR}
    unread = {span.source.path for span in blamed if span is not None}
    lists = [suite_steps(suite), *map(flow_steps, suite.flows), *(each.steps for each in suite.fragments)]
    for step in (step for steps in lists for step in own_steps(steps)):
        _check_keys(step, unread, diagnostics)
        match step.shape:
            case Beside(ways=ways):
                _check_ways(ways, blamed, diagnostics)
            case Loop(steps=inside, at_once=at_once) if at_once != 1:
                _check_rounds(inside, step.lends(), blamed, diagnostics)
            case Leaf() | Pause() | Sends() | Block() | OneOf() | Loop() | Ends():
                pass
            case never:
                assert_never(never)


def _check_keys(step: Step, unread: set[str], diagnostics: Diagnostics) -> None:
    """Keys that say `at the same time` of what is one thing."""
    if isinstance(step, For) and step.at_once is not None and constant(step.at_once) == 1:
        _nothing(step.at_once.span, "the items are processed one after another", diagnostics)
    if isinstance(step, Parallel) and step.span.source.path not in unread:  # else a branch may be missing
        if len(step.branches) == 1:
            _nothing(step.span, "this `parallel` has only one branch", diagnostics)
        elif step.per_host is not None and constant(step.per_host) == 1:
            _nothing(step.per_host.span, "each request waits for the previous one", diagnostics)


def _nothing(span: Span, message: str, diagnostics: Diagnostics) -> None:
    diagnostics.warning("VF429", span, message, help="remove it, or raise the number")


def _check_ways(ways: tuple[tuple[Step, ...], ...], blamed: set[Span | None], diagnostics: Diagnostics) -> None:
    sets = [dict(set_in((), way)) for way in ways]
    for number, way in enumerate(ways):
        others = {name: span for each, found in enumerate(sets) if each != number for name, span in found.items()}
        for name in _seen_before(way):
            if name.name in others and name.span not in blamed:
                _changes(name, "another branch changes it concurrently", others[name.name], diagnostics)
        before = {name: span for found in sets[:number] for name, span in found.items()}
        for name_set, span in sets[number].items():
            if name_set in before:
                diagnostics.warning(
                    "VF313",
                    span,
                    f"two branches set '{name_set}'; the value of this one is kept",
                    help="use a different name for each value",
                    related=((before[name_set], "set here as well"),),
                )


def _check_rounds(
    steps: tuple[Step, ...], lent: tuple[str, ...], blamed: set[Span | None], diagnostics: Diagnostics
) -> None:
    sets, seen = dict(set_in((), steps)), set(lent)
    for inner in steps:
        for name in _seen_before((inner,)):
            if name.name in sets and name.name not in seen and name.span not in blamed:
                _changes(name, "rounds don't see each other's values", sets[name.name], diagnostics)
        seen.update(name for name, _ in set_in((), (inner,)))


def _changes(name: Name, why: str, where: Span, diagnostics: Diagnostics) -> None:
    diagnostics.warning(
        "VF313",
        name.span,
        f"'{name.name}' has the value from before the step: {why}",
        help="use it after this step, or run the steps one after another",
        related=((where, "set here"),),
    )


def _seen_before(steps: tuple[Step, ...]) -> Iterator[Name]:
    """Names that steps use, with all in them, and that nothing in them has set before."""
    own: set[str] = set()
    for each in own_steps(steps):
        yield from _named(each.uses(), own)
        own.update(each.lends())
        own.update(given.name for given in each.sets())
        if isinstance(each, Request):
            yield from _named(extract_uses(each), own)
            yield from _named(expect_uses(each), own)


def _named(uses: Iterator[Use], own: set[str]) -> Iterator[Name]:
    for use in uses:
        if use.place not in (Place.WHERE, Place.PIPE):
            found = (name for name, _ in names_of(use.expression) if name.name not in own)
            yield from (name for name in found if name.name not in SEEN.get(use.place, ()))
