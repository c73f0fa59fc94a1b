"""The keys of what is asked of an answer and taken from it. Only data, as in tables.py."""

from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.model import Limited
from vezaflow.syntax import QUERIES

LIMITS = tuple(each.value for each in Limited)  # expectations on a quantity; each is a function, too

PLAYLIST = ("variants", "renditions", "segments", "parts")

ANSWER = ("body", "status", "url", "redirects", "timing")

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
    "A value that is taken from an answer. Short form: a JSONPath, or one of the words of `answer`, alone.",
    (
        Field(
            "pipe",
            Kind.PIPELINE,
            "Functions that each value goes through; `where` sees what comes out.",
            "trim | int",
        ),
        Field(
            "where",
            Kind.EXPRESSION,
            "Which of the items found count; its names are the item's fields, and `it` is the item.",
            "bandwidth <= 256000",
        ),
        Field("pick", Kind.PICK, "Which one of those found.", "last", default="first"),
        Field("take", Kind.COUNT, "The first so many of those found, as a list.", "4"),
        Field("all", Kind.SWITCH, "All that were found, as a list.", "true", default="false"),
        Field("default", Kind.TREE, "The value if nothing is found; without it the step fails.", "null"),
    ),
    one_of=(
        *(Field(name, Kind.QUERY, query.doc, query.example, query=name) for name, query in QUERIES.items()),
        Field("header", Kind.TEXT, "A header's name.", "location"),
        Field("link", Kind.TEXT, "The URLs of the `Link` header with this relation, made whole (RFC 8288).", "next"),
        Field("cookie", Kind.TEXT, "A cookie's name.", "session"),
        Field(
            "m3u8",
            Kind.CHOICE,
            "A playlist's variants, renditions (audio, subtitles), segments, or partial segments; URIs come out whole.",
            "variants",
            choices=PLAYLIST,
        ),
        Field(
            "answer",
            Kind.CHOICE,
            "A part of the answer: its whole body as text, its status, its URL behind all redirects, the redirects "
            "on the way, or its times.",
            "body",
            choices=ANSWER,
        ),
    ),
    exclusive=(("pick", "take", "all"),),
)

EXPECT = Table(
    "expect",
    "an expectation",
    "What a right answer is. Short form: the status alone.",
    (
        Field("status", Kind.STATUS, "The statuses that are right.", "[200, 204]", default="below 400"),
        Field(
            "headers",
            Kind.MATCHES,
            "Headers that the answer must have.",
            "{content-type: {contains: json}}",
            tables=("header match",),
        ),
        Field(
            "json",
            Kind.MATCHES,
            "Values that the body must have, by JSONPath.",
            "{$.status: ok}",
            tables=("json match",),
        ),
        Field("body", Kind.MATCH, "What the body's text must be.", "{contains: EXTM3U}", tables=("body match",)),
        Field(
            "schema",
            Kind.SCHEMA,
            "A JSON Schema that the body must fit, in a file or written out.",
            "schemas/tracks.json",
        ),
        Field("size", Kind.LIMIT, "How large the body must be, decoded.", "1 KiB..2 MiB"),
        Field("duration", Kind.LIMIT, "How long the request may take.", "< 500 ms"),
        Field(
            "certificate",
            Kind.LIMIT,
            "How long the server's certificate must still be good; there is one only over https.",
            '"> 14d"',
        ),
        Field("that", Kind.EXPRESSIONS, "Expressions that must be true.", 'len(json("$.data")) > 0'),
    ),
)

_EQUALS = Field("equals", Kind.TEMPLATE, "Must be this. Short form: the value alone.", "ok")

_CONTAINS = Field("contains", Kind.TEMPLATE, "Must have this in it.", "EXTM3U")

_MATCHES = Field("matches", Kind.QUERY, "Must match this pattern somewhere.", "^v[0-9]+", query="regex")

_EXISTS = Field("exists", Kind.SWITCH, "Must be there, whatever it is.", "true")

MATCHES: tuple[Table, ...] = (
    Table(
        "header match",
        "what a header must be",
        "What a header must be.",
        one_of=(_EQUALS, _CONTAINS, _MATCHES, _EXISTS),
    ),
    Table(
        "json match",
        "what a JSON value must be",
        "What a value of the body must be.",
        one_of=(_EQUALS, _CONTAINS, _MATCHES, _EXISTS),
    ),
    Table(
        "body match",
        "what a body must be",
        "What the body's text must be.",
        one_of=(_EQUALS, _CONTAINS, _MATCHES),
    ),
)
