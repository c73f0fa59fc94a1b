"""The keys of a data source, and of a value that says when it is computed. Only data, as in tables.py."""

from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.model import AtEnd, Each, RowPick

DELIMITERS = (",", ";", "tab", "|")

FEED = Table(
    "data source",
    "a data source",
    "Rows that are dealt to the VUs. Short form: a list alone is its `list`.",
    (
        Field(
            "pick",
            Kind.CHOICE,
            "Which row comes next: in their order; at random; shuffled, so that each comes once before any comes "
            "again; for VU k always row k; or each row only once in the whole run.",
            "unique",
            choices=tuple(each.value for each in RowPick),
            default="sequential",
        ),
        Field(
            "each",
            Kind.CHOICE,
            "For whom a row is dealt: each `iteration`, or each `vu`, which keeps it and has it in `login` too.",
            "vu",
            choices=(Each.VU.value, Each.ITERATION.value),
            default="iteration; with `pick: per_vu` it is vu",
        ),
        Field(
            "at_end",
            Kind.CHOICE,
            "What happens when a row is wanted and all are dealt: they begin again, the VU stops, the flow stops, or "
            "the flow stops and the run is inconclusive.",
            "stop_flow",
            choices=tuple(end.value for end in AtEnd),
            default="wrap; with `pick: unique` and `per_vu` it is inconclusive",
        ),
        Field(
            "delimiter",
            Kind.CHOICE,
            "What stands between two values of a CSV file.",
            '";"',
            choices=DELIMITERS,
            default='","',
        ),
        Field("secrets", Kind.TEXTS, "Columns whose values never appear in any output.", "[password]"),
    ),
    one_of=(
        Field("csv", Kind.PATH, "A CSV file (RFC 4180, UTF-8) whose first row names the columns.", "data/users.csv"),
        Field("json", Kind.PATH, "A JSON file that holds a list.", "data/tracks.json"),
        Field("jsonl", Kind.PATH, "A file with one JSON value on each line.", "data/tracks.jsonl"),
        Field("list", Kind.ROWS, "The rows themselves: values, or mappings with columns.", "[rock, jazz, techno]"),
    ),
    exclusive=(("json", "delimiter"), ("jsonl", "delimiter"), ("list", "delimiter"), ("list", "secrets")),
)

COMPUTED = Table(
    "computed value",
    "a computed value",
    "A value of `vars` with the moment at which it is computed. Short form: the value alone, which each VU computes "
    "when it begins, if it is not constant. A mapping with the key `each` is this one.",
    (
        Field(
            "each",
            Kind.CHOICE,
            "For whom it is computed: once for the `run`, when a `vu` begins, or when an `iteration` begins.",
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
    "Rows that are dealt to the VUs, each source under its name.",
    "{users: {csv: data/users.csv, pick: unique}}",
    tables=("data source",),
)

SHARED_DATA = Field(
    "data",
    Kind.FEEDS,
    "Rows that flows share: a row that one flow got is not dealt to another.",
    "{users: {csv: data/users.csv, pick: unique}}",
    tables=("data source",),
)
