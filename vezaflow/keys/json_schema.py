"""The tables as JSON Schema (draft 7, which every editor's YAML server reads), so that editors complete and
explain keys while one types.

A schema says less than lint: it sees one file, and of a `${…}` only that it is there. What it refuses, lint
refuses as well; `vezaflow lint` has the last word.
"""

import json
import re
from collections.abc import Callable
from itertools import combinations

from vezaflow.diagnostics import CODES, Severity
from vezaflow.keys import json_patterns as patterns
from vezaflow.keys.fields import MOST_WEIGHT, Field, Kind, Table
from vezaflow.keys.reference import TABLES
from vezaflow.keys.requests import RETRIED
from vezaflow.keys.responses import RESPONSE
from vezaflow.keys.steps import STEPS
from vezaflow.metrics import LIGHTHOUSE, METRICS, Metric, PageMetric
from vezaflow.model import InputType
from vezaflow.syntax import QUERIES
from vezaflow.units import Dimension

DIALECT = "http://json-schema.org/draft-07/schema#"
SCHEMAS = ("flow", "suite", "fragment", "audit")  # the tables that are whole files
Schema = dict[str, object]

_STEP = "step"  # not a table: any of the steps'
_HOLE: Schema = {"type": "string", "pattern": r"\$\{"}
_TEXT: Schema = {"type": ["string", "number", "boolean"]}
_VALUE: Schema = {"type": ["string", "number", "boolean", "null"]}
_CONSTANT: Schema = {**_TEXT, "not": {"type": "string", "pattern": r"(^|[^$])\$\{"}}
_COUNT: Schema = {"anyOf": [{"type": "integer", "minimum": 1}, _HOLE]}
_STATUSES: list[Schema] = [
    {"type": "integer", "minimum": 100, "maximum": 999},
    {"type": "string", "pattern": "^[1-9]([xX]{2}|[0-9]{2})$"},
]
_STATUS: Schema = {"anyOf": _STATUSES}
_ROWS: Schema = {"type": "array", "minItems": 1}
_ADDRESS: Schema = {"type": "string", "pattern": r"[.:]|\$\{"}
_RETRIED: Schema = {"anyOf": [*_STATUSES, {"enum": list(RETRIED)}]}


def schema_text(root: str) -> str:
    """The schema of one kind of file, as the text of a JSON file."""
    return json.dumps(json_schema(root), indent=2, ensure_ascii=False) + "\n"


def json_schema(root: str) -> Schema:
    """The schema of one kind of file, one of SCHEMAS."""
    return {
        "$schema": DIALECT,
        "title": f"vezaflow: {TABLES[root].title}",
        **_table(TABLES[root]),
        "definitions": {_slug(name): _definition(name) for name in sorted(_below(root))} | _judged_below(root),
    }


def _below(root: str) -> set[str]:
    """The definitions that a table needs, directly or not."""
    found: set[str] = set()
    new = _needs(root)
    while new:
        found |= new
        new = {needed for name in new for needed in _needs(name)} - found
    return found


def _needs(name: str) -> set[str]:
    if name == _STEP:
        return {table.name for table in STEPS}
    fields = TABLES[name].all_fields()
    lists = any(field.kind is Kind.UNDO or (field.kind is Kind.STEPS and not field.tables) for field in fields)
    return {below for field in fields for below in field.tables} | ({_STEP} if lists else set())


def _definition(name: str) -> Schema:
    if name != _STEP:
        return _table(TABLES[name])
    return {"title": "a step", "anyOf": [_ref(table.name) for table in STEPS]}


def _table(table: Table) -> Schema:
    """A mapping that follows a table: its keys and no others."""
    fields = table.all_fields()
    verbs = [field.key for field in table.one_of]
    required = [field.key for field in fields if field.required or verbs == [field.key] or _tells(table, field)]
    rules: list[Schema] = [
        {"not": {"required": list(pair)}} for keys in table.exclusive for pair in combinations(keys, 2)
    ]
    if len(verbs) > 1:
        rules.append({"oneOf": [{"required": [verb]} for verb in verbs]})
    return {
        "title": table.title,
        "description": table.doc,
        "type": "object",
        "properties": {field.key: _property(table, field) for field in fields},
        "additionalProperties": False,
        **({"required": required} if required else {}),
        **({"allOf": rules} if rules else {}),
    }


def _tells(table: Table, field: Field) -> bool:
    """Whether the field must be there to say that the mapping follows this table, and not a sibling."""
    return table.name in field.choices and field.default != table.name


def _property(table: Table, field: Field) -> Schema:
    """What may stand under a key, with the words that an editor shows."""
    words = [field.doc, f"Default: {field.default}." if field.default else ""]
    words.append(f"Example: `{field.key}: {field.example}`" if field.example else "")
    shape = {"const": table.name} if table.name in field.choices else _KINDS[field.kind](field)
    return {"description": "\n\n".join(word for word in words if word), **shape}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{_slug(name)}"}


def _slug(name: str) -> str:
    return name.replace(" ", "-")


def _refs(field: Field) -> list[Schema]:
    return [_ref(name) for name in field.tables]


def _any(*shapes: Schema) -> Schema:
    return shapes[0] if len(shapes) == 1 else {"anyOf": list(shapes)}


def _pattern(pattern: str, wanted: str) -> Schema:
    return {"type": "string", "pattern": pattern, "patternErrorMessage": f"This must be {wanted}."}


def _list(shape: Schema) -> Schema:
    return {"type": "array", "items": shape, "minItems": 1}


def _named(shape: Schema) -> Schema:
    return {"type": "object", "additionalProperties": shape}


def _fixed(shape: Schema) -> Callable[[Field], Schema]:
    return lambda field: shape


def _matching(pattern: str) -> Callable[[Field], Schema]:
    return lambda field: _pattern(pattern, field.wanted)


_NAME = _pattern(patterns.NAME, Kind.NAME.value)
_NAMES: Schema = {"propertyNames": {"pattern": patterns.NAME}}


def _steps(field: Field) -> Schema:
    return _list(_any(*_refs(field)) if field.tables else _ref(_STEP))


def _preflight(field: Field) -> Schema:
    mapping, request = field.tables
    return {"anyOf": [_list(_ref(request)), _ref(mapping)]}


def _gates(field: Field) -> Schema:
    judged = {name: _ref(_judged_name(metric)) for name, metric in METRICS.items()}
    return {
        "type": "object",
        "properties": {name: {"description": METRICS[name].doc, "allOf": [shape]} for name, shape in judged.items()},
        "patternProperties": {
            **{rf"^{name}\s*\{{{_LABELS}\}}\s*$": shape for name, shape in judged.items()},
            _OBSERVED_NAME: {"description": "A metric that `observe` in suite.yml names.", **_ref(_ANY_GATE)},
        },
        "additionalProperties": False,
    }


def _page_gates(field: Field) -> Schema:
    def asked(metric: PageMetric) -> Schema:
        condition = _pattern(patterns.page_condition(metric), Kind.CONDITION.value)
        return {"description": metric.doc, "anyOf": [condition, _list(condition)]}

    return {
        "type": "object",
        "properties": {name: asked(metric) for name, metric in LIGHTHOUSE.items()},
        "patternProperties": {
            rf"^{re.escape(name)}\s*\{{{_LABELS}\}}\s*$": asked(metric) for name, metric in LIGHTHOUSE.items()
        },
        "additionalProperties": False,
    }


def _declared(*tables: Schema) -> Schema:
    """Any value; a mapping with `each` follows its table."""
    return {"if": {"type": "object", "required": ["each"]}, "then": tables[0]} if tables else {}


def _variables(field: Field) -> Schema:
    """Names and values; a query's names may be any."""
    found = _named(_declared(*_refs(field)))
    return found if field.key == "query" else {**found, **_NAMES}


_ANY_GATE = "gates on observed metrics"
_LABELS = r"\s*[^:\s][^:]*:\s*[^\s}].*"  # a name and a value; `{search}` alone is none

_OBSERVED_NAME = rf"^(server\.[A-Za-z_][A-Za-z0-9_]*|profile\.[^{{}}]+)\s*(\{{{_LABELS}\}})?\s*$"


def _judged_below(root: str) -> Schema:
    """What may be asked of metrics, once for all that are alike: one condition, or a list of them."""
    if "gate" not in _below(root):
        return {}
    conditions = {
        _slug(_judged_name(metric)): _any(_pattern(patterns.condition(metric), Kind.CONDITION.value), _ref("gate"))
        for metric in METRICS.values()
    }
    compares = rf"^[^<>=!]*[^<>=!\s]\s*{patterns.COMPARE}"
    conditions[_slug(_ANY_GATE)] = _any(_pattern(compares, Kind.CONDITION.value), _ref("gate"))
    return {name: _any(condition, _list(condition)) for name, condition in conditions.items()}


def _judged_name(metric: Metric) -> str:
    return f"gates on a {metric.kind.value} of {metric.dimension.value if metric.dimension else 'numbers'}"


def _query(field: Field) -> Schema:
    pattern = QUERIES[field.query].pattern
    return _pattern(pattern, field.wanted) if pattern else {"type": "string"}


def _words(field: Field) -> Schema:
    return {"enum": list(field.choices)}


def _extract(field: Field) -> Schema:
    return {"anyOf": [{"enum": list(RESPONSE)}, _pattern(r"^\$($|[^{])", QUERIES["json"].wanted), *_refs(field)]}


def _ignores(field: Field) -> Schema:
    rules = [rule for rule in CODES.values() if rule.severity is Severity.WARNING]
    return {"type": "object", "properties": {rule.code: {"description": rule.title, **_CONSTANT} for rule in rules}}


# What stands under a key of each kind. Where a `${…}` may stand for a value, a text that holds one is let through.
_KINDS: dict[Kind, Callable[[Field], Schema]] = {
    Kind.TEXT: _fixed(_CONSTANT),
    Kind.NAME: _fixed(_NAME),
    Kind.TEMPLATE: _fixed(_VALUE),
    Kind.URL: _matching(patterns.URL),
    Kind.SOCKET: _matching(patterns.SOCKET),
    Kind.DURATION: _matching(patterns.value(Dimension.TIME)),
    Kind.PAUSE: _matching(patterns.pause()),
    Kind.SIZE: _matching(patterns.value(Dimension.SIZE)),
    Kind.COUNT: _fixed(_COUNT),
    Kind.WEIGHT: _fixed({"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST_WEIGHT}, _HOLE]}),
    Kind.WHOLE: _fixed({"anyOf": [{"type": "integer", "minimum": 0}, _HOLE]}),
    Kind.RATE: _matching(patterns.value(Dimension.RATE)),
    Kind.NUMBER: _fixed({"type": "integer", "minimum": 0}),
    Kind.SWITCH: _fixed({"anyOf": [{"type": "boolean"}, _HOLE]}),
    Kind.FOLLOW: _fixed({"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 0}, _HOLE]}),
    Kind.VERSION: _fixed({"enum": [1.1, 2, "1.1", "2"]}),
    Kind.PROXY: _matching(r"^(none$|http://[^/]|\$\{)"),
    Kind.CHOICE: lambda field: {"enum": list(field.choices)},
    Kind.EXPRESSION: _fixed(_TEXT),
    Kind.ITEMS: _fixed({"anyOf": [_list(_VALUE), _HOLE]}),
    Kind.PATH: _matching(patterns.PATH),
    Kind.QUERY: _query,
    Kind.PIPELINE: _fixed({"type": "string"}),
    Kind.CONDITION: _matching(patterns.COMPARE),
    Kind.PICK: _fixed({"anyOf": [{"enum": ["first", "last", "random"]}, {"type": "integer"}]}),
    Kind.TEXTS: _fixed({"anyOf": [_CONSTANT, {"type": "array", "items": _CONSTANT}]}),
    Kind.ADDRESSES: _fixed({"anyOf": [_ADDRESS, _list(_ADDRESS)]}),
    Kind.STATUS: _fixed({"anyOf": [_STATUS, _list(_STATUS)]}),
    Kind.TREE: _fixed({}),
    Kind.PAIRS: _fixed(_named(_VALUE)),
    Kind.VARIABLES: _variables,
    Kind.FEEDS: lambda field: {**_named(_any(_ROWS, *_refs(field))), **_NAMES},
    Kind.ROWS: _fixed(_ROWS),
    Kind.TAGS: _fixed(_named(_CONSTANT)),
    Kind.STEPS: _steps,
    Kind.STAGES: _steps,
    Kind.BRANCHES: _steps,
    Kind.PREFLIGHT: _preflight,
    Kind.SOURCE: lambda field: _any(_pattern(patterns.value(Dimension.SIZE), Kind.SIZE.value), *_refs(field)),
    Kind.BODY: lambda field: _any(_VALUE, *_refs(field)),
    Kind.PARTS: lambda field: _named(_any(_VALUE, *_refs(field), _list(_any(_VALUE, *_refs(field))))),
    Kind.EXTRACTS: lambda field: {**_named(_extract(field)), **_NAMES},
    Kind.EXPECT: lambda field: _any(_STATUS, _list(_STATUS), *_refs(field)),
    Kind.MATCHES: lambda field: _named(_any(_VALUE, {"type": "array"}, *_refs(field))),
    Kind.RETRY: lambda field: _any(_COUNT, *_refs(field)),
    Kind.RETRIED: _fixed({"anyOf": [_RETRIED, _list(_RETRIED)]}),
    Kind.WAIT: lambda field: _any(_pattern(patterns.pause(), field.wanted), *_refs(field)),
    Kind.REQUEST: lambda field: _any(*_refs(field)),
    Kind.NEXT: _extract,
    Kind.PARAMETER: _matching(r"^query\.."),
    Kind.FRAGMENT: _matching(r"^(\./)?parts/"),
    Kind.INPUTS: lambda field: _named({"anyOf": [{"enum": [each.value for each in InputType]}, *_refs(field)]}),
    Kind.RENAMES: _fixed(_named(_NAME)),
    Kind.VARIANT: lambda field: _any(_words(field), *_refs(field)),
    Kind.LIMIT: _matching(rf"^\s*{patterns.COMPARE}|\.\."),
    Kind.SCHEMA: _fixed({"type": ["string", "object"]}),
    Kind.MATCH: lambda field: _any(_VALUE, *_refs(field)),
    Kind.EXPRESSIONS: _fixed({"anyOf": [_TEXT, _list(_TEXT)]}),
    Kind.GATES: _gates,
    Kind.PAGES: lambda field: _named(_any(_pattern(patterns.URL, Kind.URL.value), *_refs(field))),
    Kind.PAGE_GATES: _page_gates,
    Kind.AUTH: lambda field: _any({"const": "none"}, *_refs(field)),
    Kind.CLOCK: _matching(patterns.CLOCK),
    Kind.IGNORES: _ignores,
    Kind.EVENTS: lambda field: _any(_words(field), _list(_words(field))),
    Kind.OBSERVED: lambda field: {**_named(_any(*_refs(field))), **_NAMES},
    Kind.NOTIFICATIONS: lambda field: _list(_any(*_refs(field))),
    Kind.SCHEDULE: lambda field: _list(_any(*_refs(field))),
    Kind.PROFILES: lambda field: _any(*_refs(field), _list(_any(*_refs(field)))),
    Kind.COMMANDS: _fixed({"anyOf": [_TEXT, _list(_TEXT)]}),
    Kind.UNDO: lambda field: _any(_list(_ref(_STEP)), *_refs(field)),
    Kind.OUTPUT: lambda field: _any(_VALUE, *_refs(field)),
    Kind.MESSAGE: lambda field: _any(_VALUE, *_refs(field)),
    Kind.REPEATED: lambda field: _list(_any(*_refs(field))),
    Kind.REPLIES: lambda field: _list(_any(*_refs(field))),
    Kind.MAPPING: lambda field: _any(*_refs(field)),
}
