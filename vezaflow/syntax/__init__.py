"""Text → trees with spans: YAML nodes, expressions, templates, conditions; and what expressions can call."""

from vezaflow.syntax.bounds import LONGEST, bounded_number, bounded_text, bounded_value, joined
from vezaflow.syntax.charsets import decoded, in_utf8
from vezaflow.syntax.expressions import (
    Binary,
    Call,
    Condition,
    Conditional,
    Expression,
    Index,
    ListOf,
    Literal,
    Member,
    Name,
    OfBaseline,
    Operator,
    Range,
    Reference,
    Template,
    Unary,
)
from vezaflow.syntax.functions import FUNCTIONS, CallError, Function, Needs, Parameter, ReadableResponse, check_call
from vezaflow.syntax.grammar import tables as grammar_tables
from vezaflow.syntax.json_text import JsonError, all_finite, json_bytes, json_value, number_text
from vezaflow.syntax.jsonpath import JsonPath, Selector, compile_jsonpath, select
from vezaflow.syntax.labels import Labels, split_labels
from vezaflow.syntax.nodes import Entry, Mapping, Node, Scalar, Sequence
from vezaflow.syntax.parser import AGGREGATES, parse_condition, parse_expression, parse_limit, parse_pipeline
from vezaflow.syntax.patterns import compile_pattern
from vezaflow.syntax.queries import QUERIES, Query
from vezaflow.syntax.readings import MOST_VALUES, few, look_over_json, look_over_playlist, look_over_text, matches
from vezaflow.syntax.rows import ABSENT, Gathered, RowFile, Rows
from vezaflow.syntax.schemas import JsonSchema, compile_schema
from vezaflow.syntax.selectors import (
    URL_ATTRIBUTES,
    base_of,
    joined_url,
    read_html,
    read_xml,
    split_css,
)
from vezaflow.syntax.templates import parse_bare, parse_template, parse_value
from vezaflow.syntax.walk import calls, children, names, walk
from vezaflow.syntax.yaml import decode, read_yaml

__all__ = [
    "ABSENT",
    "AGGREGATES",
    "FUNCTIONS",
    "LONGEST",
    "MOST_VALUES",
    "QUERIES",
    "URL_ATTRIBUTES",
    "Binary",
    "Call",
    "CallError",
    "Condition",
    "Conditional",
    "Entry",
    "Expression",
    "Function",
    "Gathered",
    "Index",
    "JsonError",
    "JsonPath",
    "JsonSchema",
    "Labels",
    "ListOf",
    "Literal",
    "Mapping",
    "Member",
    "Name",
    "Needs",
    "Node",
    "OfBaseline",
    "Operator",
    "Parameter",
    "Query",
    "Range",
    "ReadableResponse",
    "Reference",
    "RowFile",
    "Rows",
    "Scalar",
    "Selector",
    "Sequence",
    "Template",
    "Unary",
    "all_finite",
    "base_of",
    "bounded_number",
    "bounded_text",
    "bounded_value",
    "calls",
    "check_call",
    "children",
    "compile_jsonpath",
    "compile_pattern",
    "compile_schema",
    "decode",
    "decoded",
    "few",
    "grammar_tables",
    "in_utf8",
    "joined",
    "joined_url",
    "json_bytes",
    "json_value",
    "look_over_json",
    "look_over_playlist",
    "look_over_text",
    "matches",
    "names",
    "number_text",
    "parse_bare",
    "parse_condition",
    "parse_expression",
    "parse_limit",
    "parse_pipeline",
    "parse_template",
    "parse_value",
    "read_html",
    "read_xml",
    "read_yaml",
    "select",
    "split_css",
    "split_labels",
    "walk",
]
