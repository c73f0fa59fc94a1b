"""`grafana` and `notify` of suite.yml."""

from vezaflow.diagnostics import Diagnostics
from vezaflow.keys import GRAFANA, NOTIFICATION, Field, Kind
from vezaflow.model import USUAL_EVENTS, Chat, Event, Grafana, Notification
from vezaflow.read import scalars
from vezaflow.read.headers import read_headers
from vezaflow.read.mappings import Row, items, open_mapping, sub_mapping
from vezaflow.read.trees import texts, tree
from vezaflow.syntax import Literal, Node, Sequence


def read_grafana(row: Row) -> Grafana | None:
    """The settings under `grafana`; None if there are none."""
    inner = sub_mapping(row, "grafana", GRAFANA)
    if inner is None:
        return None
    return Grafana(
        url=inner.required("url"),
        dashboard=inner.required("dashboard"),
        variables=texts(inner, "variables"),
        token=inner.expression("token"),
        span=row.key_span("grafana"),
    )


def read_notify(row: Row) -> tuple[Notification, ...]:
    """The notifications under `notify`."""
    nodes = items(row.node("notify"), "'notify'", row.field("notify").wanted, row.diagnostics)
    found = (_notification(node, row.diagnostics) for node in nodes)
    return tuple(each for each in found if each is not None)


def _notification(node: Node, diagnostics: Diagnostics) -> Notification | None:
    row = open_mapping(node, NOTIFICATION, diagnostics)
    if row is None:
        return None
    body, template = row.node("json"), row.constant("template")
    return Notification(
        webhook=row.required("webhook"),
        on=_events(row),
        json=None if body is None else tree(body, diagnostics),
        template=Chat(template) if isinstance(template, str) else None,
        headers=read_headers(row),
        span=row.span,
    )


def _events(row: Row) -> tuple[Event, ...]:
    """The words of `on`; those that are none are reported."""
    node, field = row.node("on"), row.field("on")
    if node is None:
        return USUAL_EVENTS
    nodes = items(node, "'on'", field.wanted, row.diagnostics) if isinstance(node, Sequence) else (node,)
    word = Field("on", Kind.CHOICE, "", choices=field.choices)
    found = (scalars.expression(each, word, row.diagnostics) for each in nodes)
    return tuple(Event(each.value) for each in found if isinstance(each, Literal) and isinstance(each.value, str))
