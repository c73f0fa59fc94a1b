"""The keys of WebSockets: how one is opened and closed, and what is said over it. Only data, as in tables.py."""

from dataclasses import replace

from vezaflow.keys.connections import CONNECTING_ONE
from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.keys.requests import REQUEST
from vezaflow.keys.suite import DEFAULTS

_OWN_WORDS = {
    "headers": "Headers of the request that opens the WebSocket; for the same name the most specific setting wins.",
    "auth": "How that request is authenticated; `none` turns an inherited setting off.",
    "timeout": "The maximum time to open it: DNS, TCP, TLS and the upgrade.",
    "on_failure": "What happens to the iteration when it can't be opened, when the server closes it, or when a step on "
    "it fails.",
    "tags": "Labels of its samples.",
}
_QUERY = REQUEST.field("query")
assert _QUERY is not None
_WHERE = Field(
    "where",
    Kind.EXPRESSION,
    'A condition on the message that came: `json("$.id")` reads it as JSON, `message` is its text.',
    'json("$.type") == "pong"',
    default="any message",
)
_MESSAGE = Field("send", Kind.MESSAGE, "The message.", "{json: {type: ping}}", required=True, tables=("message",))
_TO = Field("to", Kind.NAME, "Which WebSocket: the `as` of one around this step.", "room", default="the innermost one")

WEBSOCKET = Table(
    "websocket",
    "a websocket step",
    "Open a WebSocket, run steps while it is open, and close it. The value is the URL: `ws:` or `wss:`, or a path "
    "relative to base_url.",
    (
        Field("name", Kind.TEXT, "The step's identity in metrics and gates.", "chat", default="the URL as written"),
        Field("do", Kind.STEPS, "The steps while it is open.", "[{send: hello}]", required=True),
        Field(
            "as",
            Kind.NAME,
            "A name for steps within it that mean this one, and not another that is open, too.",
            "room",
            default="none",
        ),
        Field(
            "room",
            Kind.TEMPLATE,
            "The room that the VU is in while it is open, for `deliver`.",
            "room-${mod(vu, 100)}",
            default="none",
        ),
        _QUERY,
        *(replace(field, doc=_OWN_WORDS[field.key]) for field in DEFAULTS if field.key in _OWN_WORDS),
        *CONNECTING_ONE,
        Field("origin", Kind.TEMPLATE, "The `Origin` header, which browsers send.", "https://chat.example.org"),
        Field("subprotocols", Kind.TEXTS, "The subprotocols to offer.", "[chat.v1]", default="none"),
        Field(
            "compress",
            Kind.SWITCH,
            "Offer permessage-deflate, as browsers do; it takes about 70 KB of memory for each connection.",
            "true",
            default="false",
        ),
        Field(
            "max_message",
            Kind.SIZE,
            "The maximum size of a message from the server; a larger one closes the WebSocket (code 1009).",
            "4 MiB",
            default="1 MiB",
        ),
        Field(
            "ping_every",
            Kind.DURATION,
            "The time between the pings that vezaflow sends by itself; a pong that takes longer than 20 s ends the "
            "WebSocket. `0s` sends none, as browsers do.",
            "0s",
            default="25 s, so that proxies do not take it for idle",
        ),
        Field(
            "every",
            Kind.REPEATED,
            "Messages that are sent again and again while it is open.",
            "[{each: 20s, send: ping}]",
            default="none",
            tables=("repeated message",),
        ),
        Field(
            "reply",
            Kind.REPLIES,
            "Replies to messages as they come, whatever the steps do; the first rule that fits counts.",
            "[{where: 'message == \"ping\"', send: pong}]",
            default="none",
            tables=("reply",),
        ),
        Field(
            "close",
            Kind.MAPPING,
            "How it is closed when the steps are done.",
            "{code: 3000, reason: done}",
            default="code 1000",
            tables=("close",),
        ),
        Field(
            "reconnect",
            Kind.MAPPING,
            "Open it again when the server closes it or the connection breaks.",
            "{max: 5, wait: 1s}",
            default="never: the step fails",
            tables=("reconnect",),
        ),
    ),
    one_of=(Field("websocket", Kind.SOCKET, "The URL.", "/api/v1/ws"),),
)

SEND = Table(
    "send",
    "a send step",
    "Send a message over the WebSocket around this step. Waits for no reply: `receive` does, and `ack` counts it.",
    (
        Field(
            "ack",
            Kind.MAPPING,
            "Which message acknowledges this one, for `ws_delivered` and `ws_message_latency`.",
            '{where: json("$.id") == sent.id, within: 1s}',
            default="none is expected",
            tables=("ack",),
        ),
        Field(
            "deliver",
            Kind.MAPPING,
            "Which message brings this one to each other VU in the same `room`, for the same metrics: one message is "
            "expected for each of them. VUs of other segments (`--segment`) are not counted.",
            '{where: json("$.id") == sent.id, within: 2s}',
            default="nobody else is to get it",
            tables=("delivery",),
        ),
        _TO,
    ),
    one_of=(Field("send", Kind.MESSAGE, "The message: a text, or a mapping.", "hello", tables=("message",)),),
)

RECEIVE = Table(
    "receive",
    "a receive step",
    "Wait for a message, or for an event. Those that came since the last `receive` count; those that don't fit are "
    "passed over.",
    (replace(_TO, key="from", doc="Which WebSocket or event stream: the `as` of one around this step."),),
    one_of=(
        Field(
            "receive",
            Kind.MAPPING,
            "Which message, and what to do with it.",
            '{where: json("$.type") == "welcome", within: 5s}',
            tables=("received message",),
        ),
    ),
)

PING = Table(
    "ping",
    "a ping step",
    "Send a ping and wait for its pong: the metric `ws_ping`.",
    (_TO,),
    one_of=(Field("ping", Kind.MAPPING, "How long the pong may take.", "{within: 5s}", tables=("pong",)),),
)

PARTS: tuple[Table, ...] = (
    Table(
        "message",
        "a message",
        "What is sent. Short form: a text.",
        one_of=(
            Field("json", Kind.TREE, "A value, sent as JSON.", '{text: "${text}"}'),
            Field("text", Kind.TEMPLATE, "A text.", "hello ${name}"),
            Field("bytes", Kind.TEMPLATE, "A binary message, in Base64.", "AAEC"),
        ),
    ),
    Table(
        "ack",
        "an ack",
        "The message that acknowledges one that was sent.",
        (
            replace(
                _WHERE,
                doc="The condition: `json(…)` and `message` are of what came, `sent` is what was sent.",
                example='json("$.id") == sent.id',
                default="",
                required=True,
            ),
            Field(
                "within",
                Kind.DURATION,
                "How long it may take: later it is late, never is lost.",
                "1s",
                default="10 s",
            ),
        ),
    ),
    Table(
        "delivery",
        "a delivery",
        "The message that each other member of the room gets.",
        (
            replace(
                _WHERE,
                doc="The condition: `json(…)` and `message` are of what a member got, `sent` is what was sent.",
                example='json("$.id") == sent.id',
                default="",
                required=True,
            ),
            Field(
                "within",
                Kind.DURATION,
                "How long it may take: later it is late, never is lost.",
                "2s",
                default="10 s",
            ),
        ),
    ),
    Table(
        "received message",
        "a received message",
        "Which message is waited for, and what is taken from it.",
        (
            replace(
                _WHERE,
                doc='A condition on the message that came: `json("$.id")` reads it as JSON, `message` is its text. '
                "Of an event, `json(…)` reads the data; it has `message.event`, `message.id` and `message.data`.",
            ),
            Field("within", Kind.DURATION, "How long to wait; then the step fails.", "5s", default="10 s"),
            Field(
                "extract",
                Kind.EXTRACTS,
                "Values that are taken from the message, as from a response's body.",
                "{token: $.token}",
                tables=("extract",),
            ),
            Field(
                "expect",
                Kind.MAPPING,
                "What the message must be; with any other the step fails.",
                "{json: {$.ok: true}}",
                tables=("expected message",),
            ),
        ),
    ),
    Table(
        "pong",
        "a pong",
        "What a ping waits for.",
        (Field("within", Kind.DURATION, "How long it may take; then the step fails.", "5s", default="10 s"),),
    ),
    Table(
        "repeated message",
        "a repeated message",
        "A message that is sent again and again, as a client's heartbeat is.",
        (
            Field(
                "each",
                Kind.PAUSE,
                "The time from one to the next; the first is sent that long after it was opened.",
                "20s",
                required=True,
            ),
            _MESSAGE,
        ),
    ),
    Table(
        "reply",
        "a reply",
        "What is sent for a message that comes. Such a message is not for `receive`.",
        (replace(_WHERE, required=True, default=""), _MESSAGE),
    ),
    Table(
        "close",
        "a close",
        "The close frame.",
        (
            Field("code", Kind.NUMBER, "The code: 1000, or from 3000 to 4999.", "3000", default="1000"),
            Field("reason", Kind.TEMPLATE, "The reason, up to 123 bytes.", "done", default="none"),
        ),
    ),
    Table(
        "reconnect",
        "a reconnect",
        "How a WebSocket that ended is opened again. What was not acknowledged by then is lost.",
        (
            Field("max", Kind.COUNT, "The maximum number of attempts in a row.", "10", default="5"),
            Field(
                "wait",
                Kind.DURATION,
                "The time before the first attempt; it doubles before each further one, up to 1 min, minus a jitter "
                "of up to a half.",
                "500 ms",
                default="1 s",
            ),
        ),
    ),
)
