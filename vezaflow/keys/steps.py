"""The keys of steps. Only data, as in tables.py.

A step's `one_of` are its verbs: a step is the table whose verb it has.
"""

from vezaflow.keys.event_streams import EVENT_STREAM
from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.keys.hls import HLS
from vezaflow.keys.requests import REQUEST, UPLOAD
from vezaflow.keys.websockets import PING, RECEIVE, SEND, WEBSOCKET
from vezaflow.model import InputType, StopScope

MOST_PAGES = 500  # of one walk: each has figures of its own

_DO = Field("do", Kind.STEPS, "The steps.", "[{get: /api/v1/tracks}]", required=True)

STEPS: tuple[Table, ...] = (
    REQUEST,
    Table(
        "think",
        "a think step",
        "Pause, as a user does between actions.",
        one_of=(Field("think", Kind.PAUSE, "The duration; from a range, a random one each time.", "0.5s..1.5s"),),
    ),
    Table(
        "poll",
        "a poll step",
        "Send a request repeatedly, until its response meets a condition.",
        (
            Field(
                "until",
                Kind.EXPRESSION,
                "The condition on the response; `extract` runs only when it is met.",
                'json("$.status") == "ready"',
                required=True,
            ),
            Field(
                "every",
                Kind.PAUSE,
                ("The time from the start of one attempt to the start of the next."),
                "500 ms",
                default="1 s",
            ),
            Field(
                "within",
                Kind.DURATION,
                ("The time limit; the step fails if the condition is not met within it."),
                "30s",
                required=True,
            ),
        ),
        one_of=(Field("poll", Kind.REQUEST, "The request.", "{get: /api/v1/uploads/1}", tables=("request",)),),
    ),
    UPLOAD,
    HLS,
    Table(
        "paginate",
        "a paginate step",
        "Request one page after another, until a response has no next page.",
        (
            Field(
                "next",
                Kind.NEXT,
                "Where the response has the next page's URL or cursor. No match, null, false or an empty text means "
                "the last page.",
                "$.next_cursor",
                required=True,
                tables=("extract",),
            ),
            Field(
                "into",
                Kind.PARAMETER,
                "The query parameter of the next request that gets this value.",
                "query.cursor",
                default="the value is the URL of the next page",
            ),
            Field(
                "pages",
                Kind.COUNT,
                f"The maximum number of pages, up to {MOST_PAGES}; samples have the label `page`.",
                "20",
                required=True,
            ),
        ),
        one_of=(
            Field(
                "paginate",
                Kind.REQUEST,
                "The request; an extraction with `all` collects values from all pages, any other takes them from the "
                "last one.",
                "{get: /api/v1/tracks}",
                tables=("request",),
            ),
        ),
    ),
    Table(
        "include",
        "an include",
        "Run the steps of a fragment: a file in `parts/`.",
        (
            Field("with", Kind.VARIABLES, "Values for the fragment's inputs.", '{email: "ann@example.org"}'),
            Field(
                "into",
                Kind.RENAMES,
                "Other names for the fragment's outputs.",
                "{token: session}",
                default="they keep their names",
            ),
        ),
        one_of=(Field("include", Kind.FRAGMENT, "The fragment's file.", "parts/login.yml"),),
    ),
    Table(
        "choose",
        "a choose step",
        "Run one of several branches, from a shuffled deck: weights of 60/30/10 are exact in every 100 runs of the "
        "step.",
        one_of=(
            Field(
                "choose",
                Kind.BRANCHES,
                "The branches.",
                "[{weight: 60, do: [{get: /search}]}]",
                tables=("branch",),
            ),
        ),
    ),
    Table(
        "repeat",
        "a repeat step",
        "Run steps a number of times.",
        (_DO,),
        one_of=(Field("repeat", Kind.COUNT, "How many times.", "4"),),
    ),
    Table(
        "for",
        "a for step",
        "Run steps once for each item of a list.",
        (
            Field("in", Kind.ITEMS, "The list.", "${segments}", required=True),
            Field(
                "at_once",
                Kind.COUNT,
                "The maximum number of items processed at the same time.",
                "6",
                default="1: one after another",
            ),
            _DO,
        ),
        one_of=(Field("for", Kind.NAME, "The name under which the steps see the item.", "segment"),),
    ),
    Table(
        "while",
        "a while step",
        "Run steps while a condition is true, at most `max` times.",
        (Field("max", Kind.COUNT, "The maximum number of times.", "50", required=True), _DO),
        one_of=(Field("while", Kind.EXPRESSION, "The condition, evaluated before each round.", "cursor != null"),),
    ),
    Table(
        "if",
        "an if step",
        "Run steps if a condition is true.",
        (
            _DO,
            Field(
                "else",
                Kind.STEPS,
                ("The steps to run if the condition is false."),
                "[{log: nothing found}]",
                default="none",
            ),
        ),
        one_of=(Field("if", Kind.EXPRESSION, "The condition.", "len(tracks) > 0"),),
    ),
    Table(
        "group",
        "a group step",
        "Group steps under a name: their samples have the label `group`. A group `cart` in a group `shop` is called "
        "`shop::cart`; its requests have only that label.",
        (_DO,),
        one_of=(Field("group", Kind.TEXT, "The group's name.", "checkout"),),
    ),
    Table(
        "parallel",
        "a parallel step",
        "Run steps at the same time, as a browser loads the assets of a page; it ends when all have ended. Use a "
        "`group` for a branch of several steps.",
        (
            Field(
                "name",
                Kind.TEXT,
                "The step's identity in the metrics `step_duration` and `step_failed`.",
                "page assets",
                default="no name, and no such metrics",
            ),
            Field(
                "per_host",
                Kind.COUNT,
                "The maximum number of requests to one host at the same time; the others wait.",
                "4",
                default="6, as in browsers; 100 over HTTP/2",
            ),
        ),
        one_of=(Field("parallel", Kind.STEPS, "The steps, each a branch.", "[{get: /app.css}, {get: /app.js}]"),),
    ),
    Table(
        "set",
        "a set step",
        "Set variables.",
        one_of=(Field("set", Kind.VARIABLES, "The values by name.", '{page: "${page + 1}"}'),),
    ),
    Table(
        "log",
        "a log step",
        "Print a line, in `try` and in a run (there at most 20 per second).",
        one_of=(Field("log", Kind.TEMPLATE, "The line.", "found ${len(tracks)} tracks"),),
    ),
    Table(
        "skip",
        "a skip step",
        "End this iteration; it counts as completed.",
        one_of=(Field("skip", Kind.TEMPLATE, "The reason, for the trace.", "no track found"),),
    ),
    Table(
        "stop",
        "a stop step",
        "Stop the VU, the flow or the run.",
        one_of=(Field("stop", Kind.CHOICE, "What to stop.", "vu", choices=tuple(each.value for each in StopScope)),),
    ),
    WEBSOCKET,
    EVENT_STREAM,
    SEND,
    RECEIVE,
    PING,
)

VERBS: dict[str, Table] = {field.key: table for table in STEPS for field in table.one_of}

BRANCH = Table(
    "branch",
    "a branch of choose",
    "One of the branches.",
    (
        Field("weight", Kind.WEIGHT, "The weight, relative to the other branches.", "60", required=True),
        Field("name", Kind.TEXT, "The branch's name in reports.", "search", default="its position"),
        _DO,
    ),
)

FRAGMENT = Table(
    "fragment",
    "a fragment",
    "A file in `parts/` with steps that flows include. The steps can use the fragment's inputs and what they set "
    "themselves.",
    (
        Field("description", Kind.TEXT, "What the fragment is for.", "Logs a user in."),
        Field(
            "inputs",
            Kind.INPUTS,
            "The parameters that an include passes, by name.",
            "{email: text, password: text}",
            default="none",
            tables=("input",),
        ),
        Field(
            "outputs", Kind.TEXTS, ("The values that the including flow can use afterwards."), "[token]", default="none"
        ),
        Field("steps", Kind.STEPS, "The steps.", "[{get: /api/v1/users/me}]", required=True),
    ),
)

INPUT = Table(
    "input",
    "an input",
    "A parameter of a fragment. Short form: the type alone.",
    (
        Field(
            "type",
            Kind.CHOICE,
            "The type of the value; a text from the environment is converted to it if possible.",
            "integer",
            choices=tuple(each.value for each in InputType),
            default="any",
        ),
        Field("default", Kind.TREE, "The value if none is passed; without a default the input is required.", "3"),
        Field("description", Kind.TEXT, "What the input is for.", "How often to try."),
    ),
)
