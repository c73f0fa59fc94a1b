"""What a right response is: `expect`, in its short and long forms."""

import re
from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics
from vezaflow.keys import EXPECT, EXPECTED_MESSAGE, MATCHES, Field, Kind
from vezaflow.model import (
    BodyMatch,
    Expect,
    Expectation,
    HeaderMatch,
    JsonMatch,
    Limit,
    Limited,
    Match,
    SchemaMatch,
    StatusSet,
    That,
)
from vezaflow.read import scalars
from vezaflow.read.json_schema import read_schema
from vezaflow.read.mappings import Row, items, open_mapping, pairs
from vezaflow.read.queries import check_query, query
from vezaflow.read.statuses import read_statuses
from vezaflow.read.trees import tree
from vezaflow.syntax import (
    Call,
    Expression,
    ListOf,
    Mapping,
    Node,
    Scalar,
    Sequence,
    parse_limit,
)

_FIRST = re.compile(r"[1-9][0-9]{2}(?=\s+[A-Za-z])")  # `200 OK`
_SEVERAL = re.compile(r"\d{3}\W*(?:(?:or|to|and)\W*)?\d{3}.*")
_COMPARED = re.compile(r"(?P<how>contains|matches|equals) +(?P<text>[\"'/].*)")
_TABLES = {table.name: table for table in MATCHES}


def read_expect(row: Row) -> Expect | None:
    """The `expect` of a request, whichever of its forms it has."""
    node = row.node("expect")
    if node is None:
        return None
    if not isinstance(node, Mapping):
        return Expect(read_status(node, row.diagnostics), (), node.span)
    inner = open_mapping(node, EXPECT, row.diagnostics)
    if inner is None:
        return None
    status = inner.node("status")
    return Expect(read_status(status, row.diagnostics) if status else None, _expectations(inner), node.span)


def read_expected_message(row: Row) -> Expect | None:
    """The `expect` of a message."""
    node = row.node("expect")
    if node is None:
        return None
    if not isinstance(node, Mapping):
        help_ = "for instance `expect: {json: {$.ok: true}}`"
        scalars.report_shape(node, "'expect'", Kind.MAPPING.value, row.diagnostics, help=help_)
        return None
    inner = open_mapping(node, EXPECTED_MESSAGE, row.diagnostics)
    return None if inner is None else Expect(None, _expectations(inner), node.span)


def _expectations(row: Row) -> tuple[Expectation, ...]:
    return (
        *_headers(row),
        *_json(row),
        *_body(row),
        *_schema(row),
        *(_limit(row, limited) for limited in Limited if limited.value in row.entries),
        *_that(row),
    )


def read_status(node: Node, diagnostics: Diagnostics) -> StatusSet:
    """The statuses that are right."""
    return read_statuses(node, diagnostics, lambda item: _wrong_status(item, diagnostics))


def _wrong_status(node: Node, diagnostics: Diagnostics) -> None:
    label = f"got '{node.text}'" if isinstance(node, Scalar) else f"this is {scalars.describe(node)}"
    help_ = "write keys such as `body` without `- `" if isinstance(node, Mapping) else ""
    if isinstance(node, Scalar):
        first = _FIRST.match(node.text)
        help_ = f"write `{first[0]}`" if first else "write `200`, a class such as `2xx`, or a list: `[2xx, 404]`"
    if isinstance(node, Scalar) and _SEVERAL.fullmatch(node.text):
        help_ = "a class is `2xx`, and several statuses are a list: `[200, 201]`"
    diagnostics.error(
        "VF134",
        node.span,
        "this must be a status from 100 to 999 or a class such as `2xx`",
        label=label,
        help=help_,
    )


def _headers(row: Row) -> Iterator[Expectation]:
    for key, value in _subjects(row, "headers"):
        match, said = _match(value, "header", row.diagnostics)
        yield HeaderMatch(key.text, key.span, match, f"header {key.text} {said}", value.span)


def _json(row: Row) -> Iterator[Expectation]:
    for key, value in _subjects(row, "json"):
        check_query(key, "json", row.diagnostics)
        match, said = _match(value, "json", row.diagnostics)
        yield JsonMatch(key.text, key.span, match, f"{key.text or 'json'} {said}", value.span)


def _body(row: Row) -> Iterator[Expectation]:
    if (node := row.node("body")) is not None:
        match, said = _match(node, "body", row.diagnostics)
        yield BodyMatch(row.key_span("body"), match, f"body {said}", node.span)


def _subjects(row: Row, key: str) -> Iterator[tuple[Scalar, Node]]:
    """What is looked at, and what it must be."""
    if key not in row.entries:
        return
    example = f"{key}: {row.field(key).example}"
    for entry in pairs(row.node(key), f"'{key}'", Kind.MATCHES.value, row.diagnostics, example=example):
        yield entry.key, entry.value


def _match(node: Node, kind: str, diagnostics: Diagnostics) -> tuple[Match, str]:
    """What a value must be, and how that is said."""
    if not isinstance(node, Mapping):
        if isinstance(node, Scalar) and (meant := _COMPARED.fullmatch(node.text)):
            diagnostics.error(
                "VF120",
                node.span,
                "this text would be compared as a whole",
                help=f"write `{{{meant['how']}: {meant['text']}}}`, or put a literal text in `equals`",
            )
        equal = _equal(node, kind, diagnostics)
        return Match(equals=equal), f"== {_short(equal)}"
    row = open_mapping(node, _TABLES[f"{kind} match"], diagnostics)
    verb = row.verb() if row else None
    if row and verb == "equals":
        equal = _equal(row.entries["equals"].value, kind, diagnostics)
        return Match(equals=equal), f"== {_short(equal)}"
    if row and verb == "contains":
        part = row.expression("contains")
        return Match(contains=part), f"contains {_short(part)}" if part is not None else "contains"
    if row and verb == "matches":
        pattern = query(row, "matches")
        return Match(matches=pattern), f"matches {pattern}".rstrip()
    return Match(), _exists(row) if row and verb == "exists" else "=="


def _exists(row: Row) -> str:
    if row.constant("exists") is False:
        row.diagnostics.error(
            "VF126",
            row.entries["exists"].value.span,
            "'exists' can only be `true`",
            help='to expect that it is missing use `that`: `json("$.error") == null`',
        )
    return "exists"


def _equal(node: Node, kind: str, diagnostics: Diagnostics) -> Expression:
    """The value that must be there: typed in JSON, text elsewhere."""
    if isinstance(node, Sequence) and kind == "json":
        return ListOf(tuple(_equal(item, kind, diagnostics) for item in node.items), node.span)
    if isinstance(node, Scalar):
        found = tree(node, diagnostics, as_text=kind != "json")
        if not isinstance(found, tuple | dict):
            return found
    scalars.report_shape(node, "the expected value", Kind.MATCH.value, diagnostics)
    return scalars.nothing(node.span)


def _short(expression: Expression) -> str:
    text = " ".join(expression.span.text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _schema(row: Row) -> Iterator[Expectation]:
    if row.node("schema") is not None:
        schema = read_schema(row)
        name = f"schema {_short(schema.path)}" if schema.path is not None else "schema"
        yield SchemaMatch(schema, name, row.key_span("schema"))


def _limit(row: Row, limited: Limited) -> Expectation:
    """`duration: < 500 ms`: the comparison, with the function of the key's name on its left."""
    key = limited.value
    node, span = row.entries[key].value, row.key_span(key)
    found: Expression | None = None
    if isinstance(node, Scalar) and node.text:
        found = parse_limit(node, Call(key, (), span, span), row.diagnostics)
    else:
        scalars.report_shape(node, f"'{key}'", Kind.LIMIT.value, row.diagnostics)
    condition = found or scalars.nothing(node.span)
    return Limit(limited, span, condition, f"{key} {_short(condition)}", node.span)


def _that(row: Row) -> list[Expectation]:
    node = row.node("that")
    if node is None:
        return []
    nodes = items(node, "'that'", Kind.EXPRESSIONS.value, row.diagnostics) if isinstance(node, Sequence) else (node,)
    return [_expression(item, row.field("that"), row.diagnostics) for item in nodes]


def _expression(node: Node, field: Field, diagnostics: Diagnostics) -> Expectation:
    if isinstance(node, Scalar):
        found = scalars.bare_expression(node, diagnostics)
    else:
        scalars.report_shape(node, f"'{field.key}'", field.wanted, diagnostics)
        found = scalars.nothing(node.span)
    return That(found, _short(found), found.span)
