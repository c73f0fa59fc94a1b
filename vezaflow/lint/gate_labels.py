"""The labels of gates: those that the metric has, with values that can occur, alone and together.

A value that never occurs selects nothing. A count of nothing is 0, so that `count == 0` would hold in every run.
"""

import re

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.lint.events import DURING, EVENT
from vezaflow.lint.gate_scopes import NESTED, GateScope
from vezaflow.metrics import ERROR_CLASSES, ERRORS, NOT_ACKED, PAGE, Dropped, Metric, Phase, windowed
from vezaflow.syntax import Labels

_FAILURES = ("http_req_failed", "http_req_errors")  # metrics that count only these
_CLOSED: dict[str, tuple[str, ...]] = {
    "error": (*ERROR_CLASSES, *ERRORS, NOT_ACKED),
    "expected_response": ("true", "false"),
    "reason": tuple(reason.value for reason in Dropped),
}
_FORMS = {
    "status": (
        re.compile(r"0|[1-9]([0-9]{2}|xx|XX)"),
        "status",
        "a status is a number such as `404`, or a class such as `4xx`; `0` means no response",
    ),
    "code": (
        re.compile(r"[1-4][0-9]{3}"),
        "close code",
        "a close code is a number from 1000 to 4999, such as `1006` for an end without a close frame",
    ),
}
_PLURALS = {"check": "checks", "status": "statuses"}


def check_labels(
    span: Span, written: Labels, meant: Labels, metric: Metric, scope: GateScope, diagnostics: Diagnostics
) -> None:
    """The labels that stand in a span; `meant` are those that hold there, inherited ones included."""
    phase = dict(meant).get("phase", Phase.ITERATION.value)
    during = (DURING,) if windowed(metric.name) else ()
    tags = scope.tags if metric.name.startswith(("http_req", "ws_", "sse_")) else ()
    allowed = {*metric.labels, *during, *tags}
    right = True
    for name, value in written:
        if name not in allowed:
            _unknown(span, name, metric, allowed, diagnostics)
            right = False
        elif name in (DURING, EVENT) and name not in scope.tags:
            pass  # lint/events.py knows them
        elif name == PAGE:
            _check_page(span, value, phase, dict(meant).get("step"), scope, diagnostics)
        elif name in _FORMS and name not in scope.tags:
            right &= _check_form(span, name, value, diagnostics)
        elif name in _CLOSED and name not in scope.tags:
            right &= _check_closed(span, name, value, metric, diagnostics)
        else:
            right &= _check_value(span, name, value, phase, metric, scope, diagnostics)
    if right and "method" in metric.labels and scope.known(phase):
        _check_together(span, meant, phase, metric, scope, diagnostics)


def _unknown(span: Span, name: str, metric: Metric, allowed: set[str], diagnostics: Diagnostics) -> None:
    near, has = suggest(name, allowed), sorted(allowed - {DURING})
    diagnostics.error(
        "VF502",
        span.piece(name),
        f"'{metric.name}' has no label '{name}'",
        label=did_you_mean(near),
        help="what k6 calls `name` is `step` here" if name == "name" else f"it has {', '.join(has)}",
    )


def _check_form(span: Span, name: str, value: str, diagnostics: Diagnostics) -> bool:
    """A label whose values are numbers of some form."""
    form, what, help_ = _FORMS[name]
    if form.fullmatch(value):
        return True
    diagnostics.error("VF503", _value(span, value), f"unknown {what} '{value}'", help=help_)
    return False


def _check_closed(span: Span, name: str, value: str, metric: Metric, diagnostics: Diagnostics) -> bool:
    """A label whose values vezaflow itself gives."""
    if name == "expected_response" and value == "true" and metric.name in _FAILURES:
        diagnostics.error(
            "VF503",
            _value(span, value),
            f"'{metric.name}' counts failed requests: none of them has `expected_response:true`",
            help="remove the label",
        )
        return False
    if value in _CLOSED[name]:
        return True
    near = suggest(value, _CLOSED[name])
    diagnostics.error(
        "VF503",
        _value(span, value),
        f"unknown {name} '{value}'",
        label=did_you_mean(near),
        help="" if near else f"allowed: {', '.join(_CLOSED[name])}",
    )
    return False


def _check_value(
    span: Span, name: str, value: str, phase: str, metric: Metric, scope: GateScope, diagnostics: Diagnostics
) -> bool:
    values = scope.values(name, metric, phase)
    if values is None or value in values:
        return True
    near = _nested(value, values) if name == "group" else None
    near = near or suggest(value, values)
    where = _where(name, metric, scope, phase)
    outer = name == "group" and value in scope.groups and bool(_within(value, scope))
    diagnostics.error(
        "VF503",
        _value(span, value),
        f"no request in {where} is in '{value}' itself" if outer else f"unknown {name} '{value}' in {where}",
        label=did_you_mean(near),
        help=_elsewhere(name, value, metric, scope) or ("" if near else _listed(name, values)),
    )
    return False


def _nested(value: str, groups: frozenset[str]) -> str | None:
    """The group that is meant by one of its names, or in k6's way with `::` before it."""
    plain = value.removeprefix(NESTED)
    ends = sorted(name for name in groups if name == plain or name.endswith(NESTED + plain))
    return ends[0] if len(ends) == 1 else None


def _check_together(
    span: Span, meant: Labels, phase: str, metric: Metric, scope: GateScope, diagnostics: Diagnostics
) -> None:
    """Labels that each occur, but at no request all of them."""
    asked = [pair for pair in meant if pair[0] in ("flow", "step", "method", "group", "check") or pair[0] in scope.tags]
    asked = [pair for pair in asked if pair[0] != PAGE]
    series = scope.of(metric, phase)
    if len(asked) < 2 or any(all(each.has(*pair) for pair in asked) for each in series):
        return
    nearest = max(series, key=lambda each: sum(each.has(*pair) for pair in asked))
    there = next(pair for pair in asked if nearest.has(*pair))
    off = next(pair for pair in asked if not nearest.has(*pair))
    value = nearest.labels.get(off[0])
    diagnostics.error(
        "VF503",
        span,
        f"no request in {scope.what} has all of these labels",
        label=f"`{there[0]}:{there[1]}` never occurs with `{off[0]}:{off[1]}`" if len(asked) == 2 else "",
        help=f"there is one with `{there[0]}:{there[1]}` and `{off[0]}:{value}`" if value else "",
    )


def _check_page(
    span: Span, value: str, phase: str, step: str | None, scope: GateScope, diagnostics: Diagnostics
) -> None:
    most = scope.pages(phase, step)
    low, dots, high = value.partition("..")
    ends = [int(end) for end in (low, *([high] if dots else [])) if end.isdecimal()]
    where = f"the step '{step}'" if step else _phase_of(scope, phase)
    if most == 0:
        message, help_ = f"no `paginate` in {where}", ("only the requests of a `paginate` have this label")
    elif len(ends) != 1 + bool(dots) or ends[0] < 1 or ends[0] > ends[-1]:
        message, help_ = f"'{value}' is not a page", "pages are numbers from 1, or a range such as `1..5`"
    elif most is not None and ends[-1] > most:
        message, help_ = f"unknown page {ends[-1]} in {where}", f"there are {most:g} at most: `pages` says so"
    else:
        return
    diagnostics.error("VF503", _value(span, value), message, help=help_)


def _value(span: Span, value: str) -> Span:
    """Where a label's value stands: behind its colon, if it does."""
    found = span.piece(f":{value}")
    return span if found == span else Span(span.source, found.start + 1, found.end)


def _where(name: str, metric: Metric, scope: GateScope, phase: str) -> str:
    anywhere = name in ("flow", "phase") or metric.name == "group_duration"
    return scope.what if anywhere else _phase_of(scope, phase)


def _phase_of(scope: GateScope, phase: str) -> str:
    return scope.what if phase == Phase.ITERATION.value else f"the phase '{phase}' of {scope.what}"


def _elsewhere(name: str, value: str, metric: Metric, scope: GateScope) -> str:
    """Where a label has this value, if not where the gate looks."""
    if name == "group" and value in scope.groups:
        inside = sorted({series.labels["group"] for series in scope.series} & _within(value, scope))
        if inside:
            return f"its requests are in nested groups: {', '.join(f'`group:{each}`' for each in inside)}"
    if name in ("flow", "phase") or "phase" not in metric.labels:
        return ""
    for phase in scope.phases:
        if value in (scope.values(name, metric, phase) or ()):
            return f"it runs in the phase '{phase}': add the label `phase:{phase}` to the gate"
    return ""


def _within(group: str, scope: GateScope) -> set[str]:
    return {name for name in scope.groups if name.startswith(group + NESTED)}


def _listed(name: str, values: frozenset[str]) -> str:
    if not values:
        return ""
    shown = sorted(values)[:12]
    return f"the {_PLURALS.get(name, f'{name}s')} are {', '.join(shown)}{', …' if len(values) > len(shown) else ''}"
