"""Gates on figures that the load does not give, but somebody else: the server's Prometheus, or its profiles."""

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.metrics import Metric
from vezaflow.model import PROFILE, Gate
from vezaflow.syntax import Labels, Reference


def check_elsewhere(gate: Gate, metric: Metric, diagnostics: Diagnostics) -> None:
    """Labels that the metric has, and nothing that has to be known before the load ends."""
    _check_labels(gate.span, gate.labels, metric, diagnostics)
    if isinstance(bound := gate.condition.bound, Reference):
        _check_labels(bound.span, bound.labels, metric, diagnostics)
    if metric.name.startswith(PROFILE):
        _check_function(gate, metric, diagnostics)
    if gate.abort:
        diagnostics.error(
            "VF512",
            gate.span.piece(gate.metric),
            f"a gate on {metric.name} can't abort the run",
            label="its figure is read after the load",
            help="remove `abort`, or put it on one of the load's own metrics",
        )


def _check_function(gate: Gate, metric: Metric, diagnostics: Diagnostics) -> None:
    """A gate on a profile without a function to judge."""
    bound = gate.condition.bound
    beside = (bound.labels_beside(gate.labels),) if isinstance(bound, Reference) else ()
    for labels in (gate.labels, *beside):
        if not set(dict(labels)) - set(metric.labels) and "function" not in dict(labels):
            diagnostics.error(
                "VF522",
                gate.span.piece(gate.metric),
                "a gate on a profile needs a function",
                help=f"for instance `{metric.name}{{function:main.search}}: share < 10 %`",
            )
            return


def _check_labels(span: Span, labels: Labels, metric: Metric, diagnostics: Diagnostics) -> None:
    for name, _ in labels:
        if name not in metric.labels:
            near = suggest(name, metric.labels)
            if metric.name.startswith(PROFILE):
                diagnostics.error(
                    "VF502",
                    span.piece(name),
                    f"'{metric.name}' has no label '{name}'",
                    label=did_you_mean(near),
                    help="" if near else f"a profile has functions: `{metric.name}{{function:main.search}}`",
                )
                continue
            has = f"it has {', '.join(metric.labels)}: `by` of the metric in `observe` lists them"
            lacks = f"labels that gates select by are listed in `by` of the metric in `observe`: `by: [{name}]`"
            diagnostics.error(
                "VF502",
                span.piece(name),
                f"'{metric.name}' has no label '{name}'",
                label=did_you_mean(near),
                help="" if near else has if metric.labels else lacks,
            )
