"""Gates: a metric with labels on the left, one condition or several on the right, in their short and long
forms.
"""

import re
from collections import abc

from vezaflow.diagnostics import Diagnostics, Span, suggest
from vezaflow.keys import GATE, METRIC_NAMES, Kind
from vezaflow.metrics import METRICS, Metric
from vezaflow.model import PROFILE, SERVER, Gate
from vezaflow.read import scalars
from vezaflow.read.mappings import Row, items, open_mapping, pairs
from vezaflow.syntax import AGGREGATES, Entry, Labels, Mapping, Node, Scalar, Sequence, parse_condition, split_labels

_KEY = re.compile(r"(?P<metric>[^{}]+?)\s*(?:\{(?P<labels>.*)\})?\s*", re.DOTALL)
_LABELLED = re.compile(rf"({'|'.join(METRICS)})[.\[(]")
_ELSEWHERE = (SERVER, PROFILE)  # how metrics begin that are not in the catalog
_AGGREGATE = re.compile(rf"p\(.*\)|p[0-9]+|{'|'.join(AGGREGATES[1:])}")


def read_gates(row: Row, key: str) -> tuple[Gate, ...]:
    """All gates under a key, in the order written."""
    found: list[Gate] = []
    for entry in pairs(row.node(key), f"'{key}'", Kind.GATES.value, row.diagnostics):
        found.extend(_of_metric(entry, row.diagnostics))
    return tuple(found)


def _of_metric(entry: Entry, diagnostics: Diagnostics) -> list[Gate]:
    metric, labels = _key(entry.key, diagnostics)
    node = entry.value
    nodes = (
        items(node, f"'{metric}'", "a condition or a list of them", diagnostics)
        if isinstance(node, Sequence)
        else (node,)
    )
    read = (_gate(one, entry.key, metric, labels, diagnostics) for one in nodes)
    gates = [gate for gate in read if gate is not None]
    is_known = metric in METRICS or metric.startswith(_ELSEWHERE)
    if nodes and not gates and not is_known:  # no gate is left that a rule could look at
        unknown_metric(metric, entry.key.span, diagnostics)
    return gates


def unknown_metric(metric: str, key: Span, diagnostics: Diagnostics, known: abc.Mapping[str, Metric] = METRICS) -> None:
    """The message on a gate's metric that there is none of, among those that are known."""
    near = METRIC_NAMES.get(metric) or _nearest(metric, known)
    diagnostics.error(
        "VF501",
        key.piece(metric),
        f"unknown metric '{metric}'",
        label=f"did you mean '{near}'?" if near and not _LABELLED.match(metric) else "",
        help=_metric_help(metric, near, known),
    )


def _key(key: Scalar, diagnostics: Diagnostics) -> tuple[str, Labels]:
    match = _KEY.fullmatch(key.text)
    if match is None:
        diagnostics.error(
            "VF129",
            key.span,
            "not a valid metric with labels",
            help="write it like `http_req_duration{step:search}: p(95) < 300 ms`",
        )
        return key.text, ()
    labels, wrong = split_labels(match["labels"] or "")
    for word in wrong:
        diagnostics.error(
            "VF129",
            key.span.piece(word),
            f"'{word}' is not a label",
            help="labels are `name:value`, as in `{step:search}`",
        )
    return match["metric"], labels


def _nearest(metric: str, known: abc.Mapping[str, Metric]) -> str | None:
    """Of metrics from elsewhere only the names behind the dot are compared, since all begin alike."""
    start = next((each for each in _ELSEWHERE if metric.startswith(each)), None)
    if start is None:
        return suggest(metric, known)
    near = suggest(metric.removeprefix(start), [n.removeprefix(start) for n in known if n.startswith(start)])
    return None if near is None else start + near


def _metric_help(metric: str, near: str | None, known: abc.Mapping[str, Metric]) -> str:
    if metric.startswith(SERVER) and not near:
        own = ", ".join(name for name in known if name.startswith(SERVER))
        return f"`observe` has {own}" if own else "`observe` in suite.yml names the metrics of the server"
    if metric.startswith(PROFILE) and not near:
        own = ", ".join(name for name in known if name.startswith(PROFILE))
        return f"the profiles are {own}" if own else "`profile` in suite.yml says which profiles are taken"
    if labelled := _LABELLED.match(metric):
        return f"write labels in braces: `{labelled[1]}{{step:search}}`"
    return "" if near else "the metrics are k6's: http_req_duration, http_req_failed, iterations, …"


def _gate(node: Node, key: Scalar, metric: str, labels: Labels, diagnostics: Diagnostics) -> Gate | None:
    if isinstance(node, Mapping):
        return _long(node, key, metric, labels, diagnostics)
    if not isinstance(node, Scalar) or not node.text:
        scalars.report_shape(node, f"'{metric}'", "a condition such as `p(95) < 500 ms`", diagnostics)
        return None
    condition = parse_condition(node, diagnostics)
    return None if condition is None else Gate(metric, labels, condition, key.span)


def _long(node: Mapping, key: Scalar, metric: str, labels: Labels, diagnostics: Diagnostics) -> Gate | None:
    judged = next((entry.key for entry in node.entries if _AGGREGATE.fullmatch(entry.key.text)), None)
    if judged is not None:
        diagnostics.error(
            "VF120", judged.span, "a condition must be one text", label="this is a key",
            help=f"write `{judged.text} < …` after the metric; for several conditions use a list",
        )  # fmt: skip
        return None
    row = open_mapping(node, GATE, diagnostics)
    if row is None:
        return None
    samples = row.constant("samples")
    abort, delay, window = row.constant("abort") is True, row.expression("delay"), row.expression("window")
    written = row.node("condition")
    condition = parse_condition(written, diagnostics) if isinstance(written, Scalar) else None
    if written is not None and not isinstance(written, Scalar):
        scalars.report_shape(written, "'condition'", Kind.CONDITION.value, diagnostics)
    if condition is None:
        return None
    return Gate(
        metric,
        labels,
        condition,
        key.span,
        abort,
        delay,
        window,
        samples if isinstance(samples, int) else None,
    )
