"""The labels of gates: those that the metric has, with values that occur."""

from vezaflow.diagnostics import Diagnostics, Span, suggest
from vezaflow.metrics import PAGE, Metric, Phase
from vezaflow.model.gate_scopes import Scope
from vezaflow.syntax import Labels


def check_labels(
    span: Span, written: Labels, meant: Labels, metric: Metric, scope: Scope, diagnostics: Diagnostics
) -> None:
    """The labels that stand in a span; `meant` are those that hold there, inherited ones included."""
    phase = dict(meant).get("phase", Phase.ITERATION.value)
    allowed = {*metric.labels, *(scope.tags if metric.name.startswith("http_req") else ())}
    for name, value in written:
        if name not in allowed:
            _unknown(span, name, metric, allowed, diagnostics)
        elif name == PAGE:
            _check_page(span, value, phase, dict(meant).get("step"), scope, diagnostics)
        else:
            _check_value(span, name, value, phase, scope, diagnostics)


def piece(span: Span, text: str) -> Span:
    """Where `text` stands within a span; the span itself if it is written differently there."""
    at = span.source.text.find(text, span.start, span.end)
    return Span(span.source, at, at + len(text)) if text and at >= 0 else span


def _unknown(span: Span, name: str, metric: Metric, allowed: set[str], diagnostics: Diagnostics) -> None:
    near = suggest(name, allowed)
    diagnostics.error(
        "VF502",
        piece(span, name),
        f"'{metric.name}' has no label '{name}'",
        label=f"did you mean '{near}'?" if near else "",
        help="what k6 calls `name` is `step` here" if name == "name" else f"it has {', '.join(sorted(allowed))}",
    )


def _check_value(span: Span, name: str, value: str, phase: str, scope: Scope, diagnostics: Diagnostics) -> None:
    values = scope.values(name, phase)
    if values is None or value in values:
        return
    near = suggest(value, values)
    diagnostics.error(
        "VF503",
        piece(span, value),
        f"there is no {name} '{value}' in {_where(name, scope, phase)}",
        label=f"did you mean '{near}'?" if near else "",
        help=_elsewhere(name, value, scope) or ("" if near or not values else _listed(name, values)),
    )


def _check_page(span: Span, value: str, phase: str, step: str | None, scope: Scope, diagnostics: Diagnostics) -> None:
    most = scope.pages(phase, step)
    low, dots, high = value.partition("..")
    ends = [int(end) for end in (low, *([high] if dots else [])) if end.isdecimal()]
    where = f"the step '{step}'" if step else _where(PAGE, scope, phase)
    if most == 0:
        message, help_ = f"nothing in {where} goes from page to page", "only requests of a `paginate` have this label"
    elif len(ends) != 1 + bool(dots) or ends[0] < 1 or ends[0] > ends[-1]:
        message, help_ = f"'{value}' is no page", "pages are numbers from 1, or a range such as `1..5`"
    elif most is not None and ends[-1] > most:
        message, help_ = f"there is no page {ends[-1]} in {where}", f"there are {most:g} at most: `pages` says so"
    else:
        return
    diagnostics.error("VF503", piece(span, value), message, help=help_)


def _where(name: str, scope: Scope, phase: str) -> str:
    plain = phase == Phase.ITERATION.value or name not in ("step", "group", PAGE)
    return scope.what if plain else f"the phase '{phase}' of {scope.what}"


def _elsewhere(name: str, value: str, scope: Scope) -> str:
    """Where a step or a group stands, if in another phase than the one that the gate judges."""
    for phase in scope.phases:
        if name in ("step", "group") and value in (scope.values(name, phase) or ()):
            return f"it runs in the phase '{phase}', which a gate judges only with the label `phase:{phase}`"
    return ""


def _listed(name: str, values: set[str]) -> str:
    shown = sorted(values)[:12]
    return f"the {name}s are {', '.join(shown)}{', …' if len(values) > len(shown) else ''}"
