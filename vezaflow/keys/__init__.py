"""The keys of every mapping with their docs: validation, suggestions, JSON Schema and the reference share them."""

from vezaflow.keys.audits import AUDIT, PAGE
from vezaflow.keys.audits import ORDERS as AUDIT_ORDERS
from vezaflow.keys.connections import TLS
from vezaflow.keys.data import COMPUTED, FEED
from vezaflow.keys.event_streams import PARTS as EVENT_STREAM_PARTS
from vezaflow.keys.events import EVENT, HAPROXY, UNDO
from vezaflow.keys.fields import GIVEN, MOST_WEIGHT, RESERVED, Field, Kind, Table
from vezaflow.keys.hls import VARIANT
from vezaflow.keys.json_schema import DIALECT, SCHEMAS, json_schema, schema_text
from vezaflow.keys.load import LOADS, STAGES
from vezaflow.keys.notify import GRAFANA, NOTIFICATION
from vezaflow.keys.observe import OBSERVE, OBSERVED_METRIC, PROMETHEUS
from vezaflow.keys.other_words import ELSEWHERE, METRIC_NAMES, NAMES, NO_STEPS, NOT_HERE, OTHERWISE, RENAMED
from vezaflow.keys.outputs import FILE_OUTPUTS, OUTPUT, OUTPUT_DEFAULTS, SAMPLES, TEMPORALITIES
from vezaflow.keys.profiles import EVENT_PROFILE, PROFILE
from vezaflow.keys.reference import TABLES
from vezaflow.keys.requests import AUTH, BASIC, BODIES, BODY, METHODS, PART, PART_FIELD, RETRIED, RETRYING, WAIT
from vezaflow.keys.responses import EXPECT, EXPECTED_MESSAGE, EXTRACT, ITEM_FIELDS, LIMITS, MATCHES, PLAYLIST, RESPONSE
from vezaflow.keys.steps import BRANCH, FRAGMENT, INPUT, MOST_PAGES, STEPS, VERBS
from vezaflow.keys.suite import ACCEPT, FLOW, GATE, GUARD, LINT, MEASURE, PREFLIGHT, RETRY, SUITE
from vezaflow.keys.traces import TRACE
from vezaflow.keys.websockets import PARTS as WEBSOCKET_PARTS

__all__ = [
    "ACCEPT",
    "AUDIT",
    "AUDIT_ORDERS",
    "AUTH",
    "BASIC",
    "BODIES",
    "BODY",
    "BRANCH",
    "COMPUTED",
    "DIALECT",
    "ELSEWHERE",
    "EVENT",
    "EVENT_PROFILE",
    "EVENT_STREAM_PARTS",
    "EXPECT",
    "EXPECTED_MESSAGE",
    "EXTRACT",
    "FEED",
    "FILE_OUTPUTS",
    "FLOW",
    "FRAGMENT",
    "GATE",
    "GIVEN",
    "GRAFANA",
    "GUARD",
    "HAPROXY",
    "INPUT",
    "ITEM_FIELDS",
    "LIMITS",
    "LINT",
    "LOADS",
    "MATCHES",
    "MEASURE",
    "METHODS",
    "METRIC_NAMES",
    "MOST_PAGES",
    "MOST_WEIGHT",
    "NAMES",
    "NOTIFICATION",
    "NOT_HERE",
    "NO_STEPS",
    "OBSERVE",
    "OBSERVED_METRIC",
    "OTHERWISE",
    "OUTPUT",
    "OUTPUT_DEFAULTS",
    "PAGE",
    "PART",
    "PART_FIELD",
    "PLAYLIST",
    "PREFLIGHT",
    "PROFILE",
    "PROMETHEUS",
    "RENAMED",
    "RESERVED",
    "RESPONSE",
    "RETRIED",
    "RETRY",
    "RETRYING",
    "SAMPLES",
    "SCHEMAS",
    "STAGES",
    "STEPS",
    "SUITE",
    "TABLES",
    "TEMPORALITIES",
    "TLS",
    "TRACE",
    "UNDO",
    "VARIANT",
    "VERBS",
    "WAIT",
    "WEBSOCKET_PARTS",
    "Field",
    "Kind",
    "Table",
    "json_schema",
    "schema_text",
]
