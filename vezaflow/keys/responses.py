"""The keys of what is asked of a response and taken from it. Only data, as in tables.py."""

from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.model import Limited
from vezaflow.syntax import QUERIES

LIMITS = tuple(each.value for each in Limited)  # expectations on a quantity; each is a function, too

PLAYLIST = ("variants", "renditions", "segments", "parts")

RESPONSE = ("body", "status", "url", "redirects", "timing")

# What the items of some sources have, by the source's word: names in `where`, keys of their values.
ITEM_FIELDS: dict[str, tuple[str, ...]] = {
    "variants": (
        "uri", "bandwidth", "average_bandwidth", "codecs", "resolution", "frame_rate", "name", "audio", "subtitles",
    ),
    "renditions": ("uri", "type", "group", "name", "language", "default"),
    "segments": ("uri", "duration", "title", "number", "range", "map", "key", "gap", "discontinuity"),
    "parts": ("uri", "duration", "number", "range", "independent"),
    "redirects": ("status", "url", "location"),
    "timing": ("duration", "blocked", "connecting", "tls", "sending", "waiting", "receiving"),
}  # fmt: skip

EXTRACT = Table(
    "extract",
    "an extraction",
    "A value that is taken from a response. Short form: a JSONPath alone, or one of the values of `response`.",
    (
        Field(
            "pipe",
            Kind.PIPELINE,
            "Functions applied to each value, before `where`.",
            "trim | int",
        ),
        Field(
            "where",
            Kind.EXPRESSION,
            "A condition that filters the matches; it can use the item's fields, and `it` for the item.",
            "bandwidth <= 256000",
        ),
        Field("pick", Kind.PICK, "Which of the matches to take.", "last", default="first"),
        Field("take", Kind.COUNT, "Take this many matches from the start, as a list.", "4"),
        Field("all", Kind.SWITCH, "Take all matches, as a list.", "true", default="false"),
        Field("default", Kind.TREE, "The value if there is no match; without a default the step fails.", "null"),
    ),
    one_of=(
        *(Field(name, Kind.QUERY, query.doc, query.example, query=name) for name, query in QUERIES.items()),
        Field("header", Kind.TEXT, "A header's name.", "location"),
        Field("link", Kind.TEXT, "The absolute URLs of the `Link` header with this relation (RFC 8288).", "next"),
        Field("cookie", Kind.TEXT, "A cookie's name.", "session"),
        Field(
            "m3u8",
            Kind.CHOICE,
            "The variants, renditions (audio, subtitles), segments, or partial segments of an HLS playlist; URIs are "
            "made absolute.",
            "variants",
            choices=PLAYLIST,
        ),
        Field(
            "response",
            Kind.CHOICE,
            "A part of the response: its body as text, its status, its final URL, the redirects, or its timing.",
            "body",
            choices=RESPONSE,
        ),
    ),
    exclusive=(("pick", "take", "all"),),
)

EXPECT = Table(
    "expect",
    "an expectation",
    "The expected response. Short form: the status alone.",
    (
        Field("status", Kind.STATUS, "The expected statuses.", "[200, 204]", default="below 400"),
        Field(
            "headers",
            Kind.MATCHES,
            "Headers that the response must have.",
            "{content-type: {contains: json}}",
            tables=("header match",),
        ),
        Field(
            "json",
            Kind.MATCHES,
            "Expected values of the body, by JSONPath.",
            "{$.status: ok}",
            tables=("json match",),
        ),
        Field("body", Kind.MATCH, "The expected text of the body.", "{contains: EXTM3U}", tables=("body match",)),
        Field(
            "schema",
            Kind.SCHEMA,
            "A JSON Schema that the body must match, as a file or inline.",
            "schemas/tracks.json",
        ),
        Field("size", Kind.LIMIT, "The expected size of the decoded body.", "1 KiB..2 MiB"),
        Field("duration", Kind.LIMIT, "The maximum duration of the request.", "< 500 ms"),
        Field(
            "certificate",
            Kind.LIMIT,
            "The minimum remaining validity of the server's certificate; https only.",
            '"> 14d"',
        ),
        Field("that", Kind.EXPRESSIONS, "Expressions that must be true.", 'len(json("$.data")) > 0'),
    ),
)

EXPECTED_MESSAGE = Table(
    "expected message",
    "an expected message",
    "What a message of a WebSocket must be.",
    tuple(field for field in EXPECT.fields if field.key in ("json", "body", "schema", "size", "that")),
)

_EQUALS = Field("equals", Kind.TEMPLATE, "The expected value. Short form: the value alone.", "ok")

_CONTAINS = Field("contains", Kind.TEMPLATE, "A text or item that the value must contain.", "EXTM3U")

_MATCHES = Field(
    "matches", Kind.QUERY, ("A regular expression that must match somewhere in the value."), "^v[0-9]+", query="regex"
)

_EXISTS = Field("exists", Kind.SWITCH, "The value must exist, with any content.", "true")

MATCHES: tuple[Table, ...] = (
    Table(
        "header match",
        "an expected header",
        "The expected value of a header.",
        one_of=(_EQUALS, _CONTAINS, _MATCHES, _EXISTS),
    ),
    Table(
        "json match",
        "an expected JSON value",
        "The expected value in the body.",
        one_of=(_EQUALS, _CONTAINS, _MATCHES, _EXISTS),
    ),
    Table(
        "body match",
        "an expected body",
        "The expected text of the body.",
        one_of=(_EQUALS, _CONTAINS, _MATCHES),
    ),
)
