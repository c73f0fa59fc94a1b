"""What runs at the same time: the branches of a `parallel`, the rounds of a `for` with `at_once`.

Each begins with the values from before, and none sees what the others set meanwhile. That a name has no value at all
there is name_rules' business.
"""

from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics, Severity, Span
from vezaflow.model import (
    For,
    Include,
    Parallel,
    Place,
    Request,
    Set,
    Step,
    Suite,
    Upload,
    Use,
    constant,
    expect_uses,
    extract_uses,
    flow_steps,
    names_of,
    own_steps,
    own_uses,
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
        if isinstance(step, Parallel):
            if step.span.source.path not in unread:  # else a branch may be missing
                _check_number(step, diagnostics)
            _check_branches(step, blamed, diagnostics)
        elif isinstance(step, For) and step.at_once is not None:
            if constant(step.at_once) == 1:
                _nothing(step.at_once.span, "the items are gone through one after another", diagnostics)
            _check_rounds(step, blamed, diagnostics)


def _check_number(step: Parallel, diagnostics: Diagnostics) -> None:
    if len(step.branches) == 1:
        _nothing(step.span, "this parallel has one branch", diagnostics)
    elif step.per_host is not None and constant(step.per_host) == 1:
        _nothing(step.per_host.span, "each request waits for the one before", diagnostics)


def _nothing(span: Span, message: str, diagnostics: Diagnostics) -> None:
    diagnostics.warning("VF429", span, message, help="take it out, or let more than one thing be on its way")


def _check_branches(step: Parallel, blamed: set[Span | None], diagnostics: Diagnostics) -> None:
    sets = [dict(set_in((), (branch,))) for branch in step.branches]
    for number, branch in enumerate(step.branches):
        others = {name: span for each, found in enumerate(sets) if each != number for name, span in found.items()}
        for name in _seen_before(branch):
            if name.name in others and name.span not in blamed:
                _changes(name, "another branch changes it meanwhile", others[name.name], diagnostics)
        before = {name: span for found in sets[:number] for name, span in found.items()}
        for name_set, span in sets[number].items():
            if name_set in before:
                diagnostics.warning(
                    "VF313",
                    span,
                    f"two branches set '{name_set}', and this one's value stays",
                    help="give each value a name of its own",
                    related=((before[name_set], "set here as well"),),
                )


def _check_rounds(step: For, blamed: set[Span | None], diagnostics: Diagnostics) -> None:
    sets, seen = dict(set_in((), step.steps)), {step.variable}
    for inner in step.steps:
        for name in _seen_before(inner):
            if name.name in sets and name.name not in seen and name.span not in blamed:
                _changes(name, "no round sees what the others set", sets[name.name], diagnostics)
        seen.update(name for name, _ in set_in((), (inner,)))


def _changes(name: Name, why: str, where: Span, diagnostics: Diagnostics) -> None:
    diagnostics.warning(
        "VF313",
        name.span,
        f"'{name.name}' is what it was before: {why}",
        help="use it behind this step, or do the one after the other",
        related=((where, "set here"),),
    )


def _seen_before(step: Step) -> Iterator[Name]:
    """Names that a step uses, with all in it, and that nothing in it has set before."""
    own: set[str] = set()
    for each in own_steps((step,)):
        yield from _named(own_uses(each), own)
        own.update(_set_by(each))
        if isinstance(each, Request):
            yield from _named(extract_uses(each), own)
            yield from _named(expect_uses(each), own)


def _named(uses: Iterator[Use], own: set[str]) -> Iterator[Name]:
    for use in uses:
        if use.place not in (Place.WHERE, Place.PIPE):
            yield from (name for name, _ in names_of(use.expression) if name.name not in own)


def _set_by(step: Step) -> Iterator[str]:
    """The names that a step sets, those within it left out."""
    match step:
        case Request(extract=extracts):
            yield from (extract.name for extract in extracts)
        case Set(values=values):
            yield from (name for name, _, _ in values)
        case For(variable=variable):
            yield variable
        case Upload():
            yield "part"
        case Include(outputs=outputs):
            yield from (name for _, name in outputs)
