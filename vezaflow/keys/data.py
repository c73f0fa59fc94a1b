"""The keys of a data source, and of a value that says when it is computed. Only data, as in tables.py."""

from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.model import AtEnd, Each, RowPick

DELIMITERS = (",", ";", "tab", "|")

FEED = Table(
    "data source",
    "a data source",
    "Rows that are assigned to the VUs. Short form: a list alone is its `list`.",
    (
        Field(
            "pick",
            Kind.CHOICE,
            "Which row comes next: in file order; at random; shuffled, so that all rows are used once before any "
            "repeats; always row k for VU k; or each row only once in the whole run.",
            "unique",
            choices=tuple(each.value for each in RowPick),
            default="sequential",
        ),
        Field(
            "each",
            Kind.CHOICE,
            "When a row is assigned: for each `iteration`, or once for each `vu`, which keeps it and can use it in "
            "`login`, too.",
            "vu",
            choices=(Each.VU.value, Each.ITERATION.value),
            default="iteration; with `pick: per_vu` it is vu",
        ),
        Field(
            "at_end",
            Kind.CHOICE,
            "What happens when all rows are used: start again at the first row, stop the VU, stop the flow, or stop "
            "the flow with an inconclusive run.",
            "stop_flow",
            choices=tuple(end.value for end in AtEnd),
            default="wrap; with `pick: unique` and `per_vu` it is inconclusive",
        ),
        Field(
            "delimiter",
            Kind.CHOICE,
            "The character between two values of a CSV file.",
            '";"',
            choices=DELIMITERS,
            default='","',
        ),
        Field("secrets", Kind.TEXTS, "Columns whose values are masked in all output.", "[password]"),
    ),
    one_of=(
        Field("csv", Kind.PATH, "A CSV file (RFC 4180, UTF-8) whose first row names the columns.", "data/users.csv"),
        Field("json", Kind.PATH, "A JSON file with a list.", "data/tracks.json"),
        Field("jsonl", Kind.PATH, "A file with one JSON value on each line.", "data/tracks.jsonl"),
        Field("list", Kind.ROWS, "The rows themselves: values, or mappings with columns.", "[rock, jazz, techno]"),
    ),
    exclusive=(("json", "delimiter"), ("jsonl", "delimiter"), ("list", "delimiter"), ("list", "secrets")),
)

COMPUTED = Table(
    "computed value",
    "a computed value",
    "A value of `vars` that says when it is computed. Short form: the value alone; if it is not constant, each VU "
    "computes it when it starts. A mapping with the key `each` has this form.",
    (
        Field(
            "each",
            Kind.CHOICE,
            "When it is computed: once for the `run`, when a `vu` starts, or when an `iteration` starts.",
            "iteration",
            required=True,
            choices=tuple(each.value for each in Each),
        ),
        Field("value", Kind.TREE, "The value.", '"${uuid()}"', required=True),
    ),
)

DATA = Field(
    "data",
    Kind.FEEDS,
    "Data sources by name; their rows are assigned to the VUs.",
    "{users: {csv: data/users.csv, pick: unique}}",
    tables=("data source",),
)

SHARED_DATA = Field(
    "data",
    Kind.FEEDS,
    "Data sources that flows share: a row that one flow used is not assigned to another.",
    "{users: {csv: data/users.csv, pick: unique}}",
    tables=("data source",),
)
