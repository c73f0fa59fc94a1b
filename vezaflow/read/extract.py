"""What is taken from a response: `extract`, in its short and long forms."""

from vezaflow.diagnostics import Diagnostics, suggest
from vezaflow.keys import EXTRACT, RESPONSE, Kind
from vezaflow.model import Extract, Pick
from vezaflow.read import scalars
from vezaflow.read.mappings import Row, open_mapping, pairs
from vezaflow.read.queries import check_query, query
from vezaflow.read.trees import check_name, tree
from vezaflow.syntax import Entry, Expression, Literal, Scalar, parse_pipeline


def read_extracts(row: Row) -> tuple[Extract, ...]:
    """The `extract` of a request: one Extract for each name."""
    if "extract" not in row.entries:
        return ()
    field = row.field("extract")
    found = []
    for entry in pairs(
        row.node("extract"), "'extract'", field.wanted, row.diagnostics, example=f"extract: {field.example}"
    ):
        check_name(entry.key, row.diagnostics)
        found.append(read_extract(entry, row.diagnostics))
    return tuple(found)


def read_extract(entry: Entry, diagnostics: Diagnostics) -> Extract:
    """What stands behind a name, or behind another key that takes a value out of a response."""
    name, node = entry.key.text, entry.value
    if isinstance(node, Scalar):
        source = "response" if node.text in RESPONSE else "json"
        if source == "json":
            _short_path(node, name, diagnostics)
        return _bare(entry, source, node.text)
    row = open_mapping(node, EXTRACT, diagnostics, what=f"'{name}'")
    verb = row.verb() if row else None
    if row is None or verb is None:
        return _bare(entry, "json", "$")
    argument = row.entries[verb].value
    default = row.node("default")
    return Extract(
        name=name,
        source=verb,
        argument=_argument(row, verb),
        argument_span=argument.span,
        pipe=_pipe(row),
        where=row.expression("where"),
        pick=_pick(row),
        take=row.expression("take"),
        all=row.constant("all") is True,
        default=None if default is None else tree(default, diagnostics),
        span=entry.key.span,
    )


def _bare(entry: Entry, source: str, argument: str) -> Extract:
    """The first of what a source finds, as it is."""
    return Extract(
        entry.key.text, source, argument, entry.value.span, None, None, None, None, False, None, entry.key.span
    )


def _short_path(node: Scalar, name: str, diagnostics: Diagnostics) -> None:
    if node.text.startswith("$") and not node.text.startswith("${"):
        check_query(node, "json", diagnostics)
        return
    near = suggest(node.text, RESPONSE)
    diagnostics.error(
        "VF120",
        node.span,
        f"'{name}' must be a JSONPath, a part of the response ({', '.join(RESPONSE)}) or a mapping",
        label=f"did you mean '{near}'?" if near else "a JSONPath starts with `$`",
        help="" if near else "for instance `$.token` or `{header: location}`; use a `set` step for other values",
    )


def _argument(row: Row, source: str) -> str:
    field = row.field(source)
    if field.kind is Kind.QUERY:
        return query(row, source)
    if field.kind is Kind.CHOICE:
        choice = row.constant(source)
        return choice if isinstance(choice, str) else field.choices[0]
    return row.text(source)


def _pipe(row: Row) -> Expression | None:
    node = row.node("pipe")
    if isinstance(node, Scalar) and node.text:
        return parse_pipeline(node, row.diagnostics)
    if node is not None:
        scalars.report_shape(node, "'pipe'", Kind.PIPELINE.value, row.diagnostics)
    return None


def _pick(row: Row) -> Pick | int | None:
    found = row.expression("pick")
    if found is None:
        return None
    value = found.value if isinstance(found, Literal) else None
    if isinstance(value, int):
        return value
    if not isinstance(found, Literal):
        row.constant("pick")
    return Pick(value) if isinstance(value, str) else Pick.FIRST
