"""When a request is sent again: `retry` of a request, in its short and long forms."""

from vezaflow.diagnostics import did_you_mean, suggest
from vezaflow.keys import RETRIED, RETRYING, WAIT, Field, Kind
from vezaflow.model import Backoff, Retry
from vezaflow.read import scalars
from vezaflow.read.mappings import Row, open_mapping
from vezaflow.read.statuses import read_statuses
from vezaflow.syntax import Expression, Mapping, Node, Scalar, Sequence


def read_retry(row: Row) -> Retry | None:
    """The `retry` of a request."""
    node = row.node("retry")
    if node is None:
        return None
    span = row.key_span("retry")
    if not isinstance(node, Mapping):
        most = scalars.expression(node, Field("retry", Kind.COUNT, "", "3"), row.diagnostics)
        return Retry(None, (), most, Backoff.RETRY_AFTER, None, None, span)
    inner = open_mapping(node, RETRYING, row.diagnostics, what="'retry'")
    if inner is None:
        return None
    kinds: list[str] = []
    on = inner.node("on")
    statuses = read_statuses(on, row.diagnostics, lambda item: _kind(item, kinds, inner)) if on is not None else None
    backoff, wait, longest = _wait(inner)
    return Retry(statuses, tuple(kinds), inner.expression("max"), backoff, wait, longest, span)


def _kind(node: Node, kinds: list[str], row: Row) -> None:
    """A word in `on` that is no status: a kind of failure."""
    if isinstance(node, Scalar) and node.text in RETRIED:
        kinds.append(node.text)
        return
    if not isinstance(node, Scalar):
        scalars.report_shape(node, "'on'", Kind.RETRIED.value, row.diagnostics)
        return
    near = suggest(node.text, RETRIED)
    row.diagnostics.error(
        "VF126",
        node.span,
        f"'{node.text}' is neither a status nor a kind of failure",
        label=did_you_mean(near),
        help="" if near else f"the kinds of failure are {', '.join(RETRIED)}",
    )


def _wait(row: Row) -> tuple[Backoff, Expression | None, Expression | None]:
    node = row.node("wait")
    if node is None:
        return Backoff.RETRY_AFTER, None, None
    if isinstance(node, Scalar | Sequence):
        return Backoff.FIXED, row.expression("wait"), None
    inner = open_mapping(node, WAIT, row.diagnostics, what="'wait'")
    verb = inner.verb() if inner else None
    if inner is None or verb is None:
        return Backoff.RETRY_AFTER, None, None
    return Backoff(verb), inner.expression(verb), inner.expression("max")
