"""WebSocket steps: what opens one, what goes on while it is open, and what is said over it."""

from collections.abc import Iterator
from dataclasses import replace

from vezaflow.diagnostics import Span
from vezaflow.keys import WEBSOCKET_PARTS, Kind
from vezaflow.model import (
    Ack,
    Close,
    Message,
    MessageForm,
    OpenWebSocket,
    Ping,
    Receive,
    Reconnect,
    Repeated,
    Send,
    SocketReply,
    Step,
    as_http,
)
from vezaflow.read import scalars
from vezaflow.read.expect import read_expected_message
from vezaflow.read.extract import read_extracts
from vezaflow.read.mappings import Row, items, open_mapping, sub_mapping
from vezaflow.read.requests import read_request
from vezaflow.read.trees import check_name, tree, words
from vezaflow.syntax import Expression, Literal, Mapping, Node, Scalar, Template, parse_template

_TABLES = {table.name: table for table in WEBSOCKET_PARTS}
_CLOSES = "1000, or from 3000 to 4999"


def read_websocket(row: Row, steps: tuple[Step, ...]) -> OpenWebSocket:
    """The step; `steps` are those under its `do`."""
    request = read_request(row, "get", "websocket")
    options, origin = request.options, row.expression("origin")
    if origin is not None:
        options = replace(options, headers=(*options.headers, ("Origin", origin)))
    url = row.entries["websocket"].value
    request = replace(
        request,
        url=_as_http(request.url),
        name=request.name if request.named else " ".join(url.span.text.strip("\"'").split()),
        options=options,
        upgrades=True,
    )
    alias, alias_node = row.text("as"), row.node("as")
    if isinstance(alias_node, Scalar):
        check_name(alias_node, row.diagnostics)
    return OpenWebSocket(
        request=request,
        room=row.expression("room"),
        alias=alias,
        subprotocols=tuple(word.text for word in words(row, "subprotocols")),
        compress=row.expression("compress"),
        max_message=row.expression("max_message"),
        ping_every=row.expression("ping_every"),
        every=tuple(_every(row)),
        reply=tuple(_reply(row)),
        close=_close(row),
        reconnect=_reconnect(row),
        steps=steps,
        span=row.key_span("websocket"),
    )


def read_send(row: Row) -> Send:
    """A `send` step."""
    ack, deliver = _ack(row, "ack", "ack"), _ack(row, "deliver", "delivery")
    return Send(_message(row), ack, deliver, *_which(row, "to"), row.key_span("send"))


def _ack(row: Row, key: str, table: str) -> Ack | None:
    inner = sub_mapping(row, key, _TABLES[table])
    return None if inner is None else Ack(inner.required("where"), inner.expression("within"), row.key_span(key))


def read_receive(row: Row) -> Receive:
    """A `receive` step."""
    inner = sub_mapping(row, "receive", _TABLES["received message"])
    which, span = _which(row, "from"), row.key_span("receive")
    if inner is None:
        return Receive(None, None, None, (), *which, span)
    return Receive(
        inner.expression("where"),
        inner.expression("within"),
        read_expected_message(inner),
        read_extracts(inner),
        *which,
        span,
    )


def read_ping(row: Row) -> Ping:
    """A `ping` step."""
    inner = sub_mapping(row, "ping", _TABLES["pong"])
    return Ping(inner.expression("within") if inner is not None else None, *_which(row, "to"), row.key_span("ping"))


def _which(row: Row, key: str) -> tuple[str, Span]:
    node = row.node(key)
    return row.text(key), row.span if node is None else node.span


def _message(row: Row) -> Message:
    node = row.node("send")
    if isinstance(node, Mapping):
        inner = open_mapping(node, _TABLES["message"], row.diagnostics, what="'send'")
        form = inner.verb() if inner is not None else None
        if inner is None or form is None:
            return Message(MessageForm.TEXT, scalars.nothing(node.span), node.span)
        if form == MessageForm.JSON.value:
            return Message(MessageForm.JSON, tree(inner.entries[form].value, row.diagnostics), node.span)
        return Message(MessageForm(form), inner.required(form), node.span)
    if isinstance(node, Scalar) and not (node.plain and node.typed() is None):
        return Message(MessageForm.TEXT, parse_template(node, row.diagnostics), node.span)
    span = row.span if node is None else node.span
    if node is not None:
        scalars.report_shape(node, "'send'", Kind.MESSAGE.value, row.diagnostics)
    return Message(MessageForm.TEXT, scalars.nothing(span), span)


def _rows(row: Row, key: str, table: str) -> Iterator[Row]:
    nodes: tuple[Node, ...] = items(row.node(key), f"'{key}'", row.field(key).wanted, row.diagnostics)
    opened = (open_mapping(node, _TABLES[table], row.diagnostics) for node in nodes)
    return (each for each in opened if each is not None)


def _every(row: Row) -> Iterator[Repeated]:
    for each in _rows(row, "every", "repeated message"):
        yield Repeated(each.required("each"), _message(each), each.span)


def _reply(row: Row) -> Iterator[SocketReply]:
    for each in _rows(row, "reply", "reply"):
        yield SocketReply(each.required("where"), _message(each), each.span)


def _close(row: Row) -> Close | None:
    inner = sub_mapping(row, "close", _TABLES["close"])
    if inner is None:
        return None
    code = inner.constant("code")
    if isinstance(code, int) and code != 1000 and not 3000 <= code <= 4999:
        inner.diagnostics.error(
            "VF126",
            inner.entries["code"].value.span,
            f"a client must not close a WebSocket with {code}",
            help=f"the code is {_CLOSES}",
        )
    return Close(code if isinstance(code, int) else 1000, inner.expression("reason"), row.key_span("close"))


def _reconnect(row: Row) -> Reconnect | None:
    inner = sub_mapping(row, "reconnect", _TABLES["reconnect"])
    if inner is None:
        return None
    return Reconnect(inner.expression("max"), inner.expression("wait"), row.key_span("reconnect"))


def _as_http(url: Expression) -> Expression:
    """The URL of the request that opens it, as far as its scheme is written."""
    match url:
        case Literal(value=str() as text, span=span):
            return Literal(as_http(text), span)
        case Template(parts=(first, *others), span=span):
            return Template((_as_http(first), *others), span)
        case _:
            return url
