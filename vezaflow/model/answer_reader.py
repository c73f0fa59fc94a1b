"""What is asked of an answer and taken from it: `expect` and `extract`, in their short and long forms."""

import re
from collections.abc import Callable
from typing import assert_never

from vezaflow.diagnostics import Diagnostics, Span, suggest
from vezaflow.model import values
from vezaflow.model.fields import Field, Kind
from vezaflow.model.mappings import Row, items, open_mapping, pairs
from vezaflow.model.queries import check_css, check_jsonpath, check_pattern, check_xpath
from vezaflow.model.step_tables import ANSWER, EXPECT, EXTRACT, MATCHES
from vezaflow.model.steps import Expect, Expectation, Extract, Pick, Source, StatusSet
from vezaflow.model.trees import check_name, tree
from vezaflow.syntax import (
    Entry,
    Expression,
    ListOf,
    Literal,
    Mapping,
    Node,
    Scalar,
    Sequence,
    parse_pipeline,
)

_STATUS_CLASS = re.compile(r"([1-5])[xX]{2}")
_TABLES = {table.name: table for table in MATCHES}


def read_expect(row: Row) -> Expect | None:
    """The `expect` of a request, whichever of its forms it has."""
    node = row.node("expect")
    if node is None:
        return None
    if not isinstance(node, Mapping):
        return Expect(_status(node, row.diagnostics), (), node.span)
    inner = open_mapping(node, EXPECT, row.diagnostics)
    if inner is None:
        return None
    status = inner.node("status")
    found = [
        *_matches(inner, "headers", "header"),
        *_matches(inner, "json", "json"),
        *_body(inner),
        *_that(inner),
    ]
    return Expect(_status(status, row.diagnostics) if status else None, tuple(found), node.span)


def read_extracts(row: Row) -> tuple[Extract, ...]:
    """The `extract` of a request: one Extract for each name."""
    field = row.field("extract")
    found = []
    for entry in pairs(row.node("extract"), "'extract'", field.kind.value, row.diagnostics):
        check_name(entry.key, row.diagnostics)
        found.append(_extract(entry, row.diagnostics))
    return tuple(found)


def _status(node: Node, diagnostics: Diagnostics) -> StatusSet:
    nodes = node.items if isinstance(node, Sequence) else (node,)
    if isinstance(node, Sequence) and not node.items:
        diagnostics.error("VF121", node.span, "a list of statuses is empty", help=f"it must be {Kind.STATUS.value}")
    exact, classes = [], []
    for item in nodes:
        text = item.text if isinstance(item, Scalar) else ""
        if match := _STATUS_CLASS.fullmatch(text):
            classes.append(int(match[1]))
        elif text.isascii() and text.isdigit() and 100 <= int(text) <= 599:
            exact.append(int(text))
        else:
            _wrong_status(item, diagnostics)
    shown = node.text if isinstance(node, Scalar) else " or ".join(i.text for i in nodes if isinstance(i, Scalar))
    return StatusSet(tuple(exact), tuple(classes), shown, node.span)


def _wrong_status(node: Node, diagnostics: Diagnostics) -> None:
    label = f"'{node.text}' is none" if isinstance(node, Scalar) else f"this is {values.describe(node)}"
    diagnostics.error(
        "VF134",
        node.span,
        "this must be a status from 100 to 599 or a class such as `2xx`",
        label=label,
        help="for any other condition use `that`: `expect: {that: status() < 500}`" if isinstance(node, Scalar) else "",
    )


def _matches(row: Row, key: str, kind: str) -> list[Expectation]:
    found = []
    for entry in pairs(row.node(key), f"'{key}'", Kind.MATCHES.value, row.diagnostics):
        if kind == "json":
            check_jsonpath(entry.key, row.diagnostics)
        found.append(_match(entry.value, kind, entry.key.text, entry.key.span, row.diagnostics))
    return found


def _body(row: Row) -> list[Expectation]:
    node = row.node("body")
    return [] if node is None else [_match(node, "body", "", row.key_span("body"), row.diagnostics)]


def _match(node: Node, kind: str, subject: str, subject_span: Span, diagnostics: Diagnostics) -> Expectation:
    expected: Expression | None = None
    contains: Expression | None = None
    matches: str | None = None
    word = "=="
    if isinstance(node, Mapping):
        row = open_mapping(node, _TABLES[f"{kind} match"], diagnostics)
        verb = row.verb() if row else None
        if row and verb == "equals":
            expected = _equal(row.entries["equals"].value, kind, diagnostics)
        elif row and verb == "contains":
            contains, word = row.expression("contains"), "contains"
        elif row and verb == "matches":
            matches, word = _query(row, "matches", check_pattern), "matches"
        elif row and verb == "exists":
            word = _exists(row)
    else:
        expected = _equal(node, kind, diagnostics)
    shown = expected or contains
    value = matches if matches is not None else _short(shown) if shown is not None else ""
    name = " ".join(
        part for part in (f"header {subject}" if kind == "header" else subject or kind, word, value) if part
    )
    return Expectation(kind, subject, subject_span, expected, contains, matches, name, node.span)


def _exists(row: Row) -> str:
    if row.constant("exists") is False:
        row.diagnostics.error(
            "VF126",
            row.entries["exists"].value.span,
            "'exists' can only be `true`",
            help='for what must not be there use `that`: `json("$.error") == null`',
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
    values.report_shape(node, "what is expected", Kind.MATCH.value, diagnostics)
    return values.nothing(node.span)


def _short(expression: Expression) -> str:
    text = " ".join(expression.span.text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _that(row: Row) -> list[Expectation]:
    node = row.node("that")
    if node is None:
        return []
    nodes = items(node, "'that'", Kind.EXPRESSIONS.value, row.diagnostics) if isinstance(node, Sequence) else (node,)
    return [_expression(item, row.field("that"), row.key_span("that"), row.diagnostics) for item in nodes]


def _expression(node: Node, field: Field, key: Span, diagnostics: Diagnostics) -> Expectation:
    if isinstance(node, Scalar):
        found = values.bare_expression(node, diagnostics)
    else:
        values.report_shape(node, f"'{field.key}'", field.kind.value, diagnostics)
        found = values.nothing(node.span)
    return Expectation("that", "", key, found, None, None, _short(found), found.span)


def _extract(entry: Entry, diagnostics: Diagnostics) -> Extract:
    name, node = entry.key.text, entry.value
    if isinstance(node, Scalar):
        source = Source.ANSWER if node.text in ANSWER else Source.JSON
        if source is Source.JSON:
            _short_path(node, name, diagnostics)
        return _bare(entry, source, node.text)
    row = open_mapping(node, EXTRACT, diagnostics, what=f"'{name}'")
    verb = row.verb() if row else None
    if row is None or verb is None:
        return _bare(entry, Source.JSON, "$")
    argument = row.entries[verb].value
    default = row.node("default")
    return Extract(
        name=name,
        source=Source(verb),
        argument=_argument(row, Source(verb)),
        argument_span=argument.span,
        pipe=_pipe(row),
        where=row.expression("where"),
        pick=_pick(row),
        take=row.expression("take"),
        all=row.constant("all") is True,
        default=None if default is None else tree(default, diagnostics),
        span=entry.key.span,
    )


def _bare(entry: Entry, source: Source, argument: str) -> Extract:
    """The first of what a source finds, as it is."""
    return Extract(
        entry.key.text, source, argument, entry.value.span, None, None, None, None, False, None, entry.key.span
    )


def _short_path(node: Scalar, name: str, diagnostics: Diagnostics) -> None:
    if node.text.startswith("$") and not node.text.startswith("${"):
        check_jsonpath(node, diagnostics)
        return
    near = suggest(node.text, ANSWER)
    diagnostics.error(
        "VF120",
        node.span,
        f"'{name}' must be a JSONPath, a part of the answer ({', '.join(ANSWER)}) or a mapping",
        label=f"did you mean '{near}'?" if near else "a JSONPath starts with `$`",
        help="" if near else "for instance `$.token` or `{header: location}`; a `set` step names other values",
    )


def _argument(row: Row, source: Source) -> str:
    match source:
        case Source.JSON:
            return _query(row, "json", check_jsonpath)
        case Source.REGEX:
            return _query(row, "regex", check_pattern)
        case Source.CSS:
            return _query(row, "css", check_css)
        case Source.XPATH:
            return _query(row, "xpath", check_xpath)
        case Source.M3U8 | Source.ANSWER:
            choice = row.constant(source.value)
            return choice if isinstance(choice, str) else row.field(source.value).choices[0]
        case Source.HEADER | Source.COOKIE:
            return row.text(source.value)
    assert_never(source)


def _query(row: Row, key: str, check: Callable[[Scalar, Diagnostics], None]) -> str:
    """A constant text in a language of its own."""
    node = row.entries[key].value
    if isinstance(node, Scalar) and (not node.plain or node.text):
        check(node, row.diagnostics)
        return node.text
    values.report_shape(node, f"'{key}'", row.field(key).kind.value, row.diagnostics)
    return ""


def _pipe(row: Row) -> Expression | None:
    node = row.node("pipe")
    if isinstance(node, Scalar) and node.text:
        return parse_pipeline(node, row.diagnostics)
    if node is not None:
        values.report_shape(node, "'pipe'", Kind.PIPELINE.value, row.diagnostics)
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
