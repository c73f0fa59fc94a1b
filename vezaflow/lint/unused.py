"""What is set or named and never used: values, inputs of fragments, rows of data, secrets.

Judged only where all is known that could use it: a suite's own only when all of its flows are there.
"""

from collections.abc import Iterator
from itertools import chain

from vezaflow.diagnostics import Diagnostics, Severity, Span, did_you_mean, suggest
from vezaflow.keys import GIVEN
from vezaflow.lint.unread import UNREADABLE, spoilt_texts
from vezaflow.model import (
    Flow,
    Fragment,
    Request,
    Step,
    Suite,
    Use,
    all_uses,
    chosen_names,
    environment,
    expect_uses,
    extract_uses,
    flow_steps,
    inputs_uses,
    leaves,
    own_steps,
    set_in,
    settings_uses,
    suite_steps,
)
from vezaflow.syntax import names


def check_unused(suite: Suite, diagnostics: Diagnostics) -> None:
    """Values that are set but never used. A suite's own are judged only when all of its flows are there."""
    shared = {name for name, _ in set_in(suite.vars, suite_steps(suite))}
    for flow in suite.flows:
        if not spoilt_texts(suite, diagnostics, flow):
            used = {name.name for use in flow_uses(suite, flow) for name in names(use.expression)}
            _unused(chain(_data_sources(flow), chosen_names(flow.vars, flow_steps(flow))), used, shared, diagnostics)
    for fragment in suite.fragments:
        _check_fragment(fragment, diagnostics)
    files = (None, *suite.flows)
    if suite.whole and not suite.unread and not any(spoilt_texts(suite, diagnostics, file) for file in files):
        used = {name.name for use in all_uses(suite) for name in names(use.expression)}
        elsewhere = {name for flow in suite.flows for name, _ in set_in(flow.vars, flow_steps(flow))}
        _unused(chain(_data_sources(suite), chosen_names(suite.vars, suite_steps(suite))), used, elsewhere, diagnostics)


def check_secrets(suite: Suite, diagnostics: Diagnostics) -> None:
    """Secrets that nothing reads."""
    if not suite.whole or suite.unread or diagnostics.failed:
        return
    used = {use.name for use in environment(suite)}
    for name, span in zip(suite.secrets, suite.secret_spans, strict=True):
        if name not in used:
            near = suggest(name, used)
            diagnostics.warning(
                "VF308",
                span,
                f"unused secret '{name}'",
                label=did_you_mean(near),
                help="" if near else f"use it as `${{env.{name}}}`",
            )


def flow_uses(suite: Suite, flow: Flow) -> Iterator[Use]:
    """Every expression that a flow's VUs may meet, but for those in fragments."""
    yield from settings_uses(flow)
    for defaults in (suite.defaults, flow.defaults):
        yield from defaults.uses()
    yield from (Use(leaf) for variable in flow.vars for leaf in leaves(variable.value))
    yield from (Use(pause) for pause in (flow.think, flow.pace) if pause is not None)
    yield from _steps_uses(flow_steps(flow))


def _data_sources(owner: Suite | Flow) -> Iterator[tuple[str, Span]]:
    return ((data_source.name, data_source.span) for data_source in owner.data)


def _check_fragment(fragment: Fragment, diagnostics: Diagnostics) -> None:
    if any(d.span is not None and d.span.source is fragment.source and d.code in UNREADABLE for d in diagnostics):
        return
    uses = (*inputs_uses(fragment), *_steps_uses(fragment.steps))
    used = {name.name for use in uses for name in names(use.expression)}
    used.update(name for name, _ in fragment.outputs)
    inputs = ((one.name, one.span) for one in fragment.inputs)
    _unused(chain(inputs, chosen_names((), fragment.steps)), used, set(), diagnostics)


def _steps_uses(steps: tuple[Step, ...]) -> Iterator[Use]:
    for step in own_steps(steps):
        yield from step.uses()
        if isinstance(step, Request):
            yield from extract_uses(step)
            yield from expect_uses(step)


def _unused(found: Iterator[tuple[str, Span]], used: set[str], elsewhere: set[str], diagnostics: Diagnostics) -> None:
    """Warn of what nothing uses; not where an error speaks of it already, as of a misspelt use."""
    each = list(found)
    unset = used - {name for name, _ in each} - elsewhere - set(GIVEN)
    wrong = {d.span for d in diagnostics if d.severity is Severity.ERROR}
    for name, span in each:
        if name not in used and span not in wrong and suggest(name, unset) is None:
            diagnostics.warning("VF306", span, f"'{name}' is never used", help="remove it, or use it")
