"""The keys of steps. Only data, as in tables.py.

A step's `one_of` are its verbs: a step is the table whose verb it has.
"""

from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.keys.requests import REQUEST, UPLOAD
from vezaflow.model import InputType, StopScope

MOST_PAGES = 500  # of one walk: each has figures of its own

_DO = Field("do", Kind.STEPS, "The steps.", "[{get: /api/v1/tracks}]", required=True)

STEPS: tuple[Table, ...] = (
    REQUEST,
    Table(
        "think",
        "a think step",
        "Wait, as a person would.",
        one_of=(Field("think", Kind.PAUSE, "How long; of a range, a new draw each time.", "0.5s..1.5s"),),
    ),
    Table(
        "poll",
        "a poll step",
        "Send a request again and again, until its answer says that something is done.",
        (
            Field(
                "until",
                Kind.EXPRESSION,
                "What the answer must say; only then its `extract` is made.",
                'json("$.status") == "ready"',
                required=True,
            ),
            Field("every", Kind.PAUSE, "From an attempt's beginning to that of the next.", "500 ms", default="1 s"),
            Field("within", Kind.DURATION, "When the step fails, if the answer never says so.", "30s", required=True),
        ),
        one_of=(Field("poll", Kind.REQUEST, "The request.", "{get: /api/v1/uploads/1}", tables=("request",)),),
    ),
    UPLOAD,
    Table(
        "paginate",
        "a paginate step",
        "Walk through pages: send the request for one after the other, until an answer names no next one.",
        (
            Field(
                "next",
                Kind.NEXT,
                "Where an answer says what comes next. Nothing, null, false or an empty text: it was the last page.",
                "$.next_cursor",
                required=True,
                tables=("extract",),
            ),
            Field(
                "into",
                Kind.PARAMETER,
                "The parameter in which the next request says it.",
                "query.cursor",
                default="it is the next page's URL",
            ),
            Field(
                "pages",
                Kind.COUNT,
                f"How many pages at most, up to {MOST_PAGES}; the samples of each have the label `page`.",
                "20",
                required=True,
            ),
        ),
        one_of=(
            Field(
                "paginate",
                Kind.REQUEST,
                "The request; an extraction with `all` gathers from all pages, any other is of the last one.",
                "{get: /api/v1/tracks}",
                tables=("request",),
            ),
        ),
    ),
    Table(
        "include",
        "an include",
        "Run the steps of a fragment: a file below `parts/`.",
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
        "Run one of several branches, dealt from a shuffled deck: 60/30/10 is exact every hundred times.",
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
                "How many items are gone through at the same time.",
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
        "Run steps as long as a condition holds, but no more than `max` times.",
        (Field("max", Kind.COUNT, "How many times at most.", "50", required=True), _DO),
        one_of=(Field("while", Kind.EXPRESSION, "The condition, tested before each time.", "cursor != null"),),
    ),
    Table(
        "if",
        "an if step",
        "Run steps if a condition holds.",
        (
            _DO,
            Field("else", Kind.STEPS, "The steps if it does not hold.", "[{log: nothing found}]", default="none"),
        ),
        one_of=(Field("if", Kind.EXPRESSION, "The condition.", "len(tracks) > 0"),),
    ),
    Table(
        "group",
        "a group step",
        "Name some steps together: their samples carry the label `group`. A group `cart` in a group `shop` is called "
        "`shop::cart`; its requests are in that one alone.",
        (_DO,),
        one_of=(Field("group", Kind.TEXT, "The group's name.", "checkout"),),
    ),
    Table(
        "parallel",
        "a parallel step",
        "Run steps at the same time, as a browser fetches what a page consists of; it ends when all have ended. A "
        "`group` makes one branch of several steps.",
        (
            Field(
                "name",
                Kind.TEXT,
                "The step's identity in the metrics `step_duration` and `step_failed`.",
                "page assets",
                default="it has none of its own",
            ),
            Field(
                "per_host",
                Kind.COUNT,
                "How many requests to one host are on their way together at most; the others wait for their turn.",
                "4",
                default="6, as in browsers; 100 over HTTP/2",
            ),
        ),
        one_of=(Field("parallel", Kind.STEPS, "The steps, each a branch.", "[{get: /app.css}, {get: /app.js}]"),),
    ),
    Table(
        "set",
        "a set step",
        "Give names to values.",
        one_of=(Field("set", Kind.VARIABLES, "The values by name.", '{page: "${page + 1}"}'),),
    ),
    Table(
        "log",
        "a log step",
        "Print a line when the flow is tried; a run only counts it.",
        one_of=(Field("log", Kind.TEMPLATE, "The line.", "found ${len(tracks)} tracks"),),
    ),
    Table(
        "skip",
        "a skip step",
        "End this iteration; it counts as done.",
        one_of=(Field("skip", Kind.TEMPLATE, "Why.", "no track found"),),
    ),
    Table(
        "stop",
        "a stop step",
        "End more than the iteration.",
        one_of=(Field("stop", Kind.CHOICE, "What ends.", "vu", choices=tuple(each.value for each in StopScope)),),
    ),
    *(
        Table(verb, f"a {verb} step", doc, one_of=(Field(verb, Kind.TREE, doc, later=True),))
        for verb, doc in (
            ("websocket", "Open a WebSocket and talk over it."),
            ("hls", "Play a stream as a player would."),
        )
    ),
)

VERBS: dict[str, Table] = {field.key: table for table in STEPS for field in table.one_of}

BRANCH = Table(
    "branch",
    "a branch of choose",
    "One of the ways to go.",
    (
        Field("weight", Kind.WEIGHT, "How often, compared with the other branches.", "60", required=True),
        Field("name", Kind.TEXT, "The branch's name in reports.", "search", default="its place"),
        _DO,
    ),
)

FRAGMENT = Table(
    "fragment",
    "a fragment",
    "A file below `parts/`: steps that flows include. They see the fragment's inputs and what they set themselves.",
    (
        Field("description", Kind.TEXT, "What the fragment is for.", "Logs a user in."),
        Field(
            "inputs",
            Kind.INPUTS,
            "What an include must give, by name.",
            "{email: text, password: text}",
            default="none",
            tables=("input",),
        ),
        Field("outputs", Kind.TEXTS, "The names that the including steps see afterwards.", "[token]", default="none"),
        Field("steps", Kind.STEPS, "The steps.", "[{get: /api/v1/users/me}]", required=True),
    ),
)

INPUT = Table(
    "input",
    "an input",
    "What a fragment takes under a name. Short form: the type alone.",
    (
        Field(
            "type",
            Kind.CHOICE,
            "What the value must be; a text from the environment that reads as one is made one.",
            "integer",
            choices=tuple(each.value for each in InputType),
            default="any",
        ),
        Field("default", Kind.TREE, "The value if none is given; without it one must be.", "3"),
        Field("description", Kind.TEXT, "What it is.", "How often to try."),
    ),
)
