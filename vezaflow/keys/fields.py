"""What a key of a flow file is: one row a key, which validation, suggestions, JSON Schema and the reference
pages share.

A `Table` is one kind of mapping (a suite, a request step, a gate). Tables are data: they hold no functions
and name the tables below them by name, so that they can be walked without reading a file.
"""

from dataclasses import dataclass
from enum import Enum

from vezaflow.syntax import QUERIES

GIVEN = ("env", "vu", "iteration", "attempt")  # names that are always there, and can't be set
RESERVED = ("if", "else", "and", "or", "not", "in", "true", "false", "null", "it")
MOST_WEIGHT = 1_000_000  # a deck has a card for each


class Kind(Enum):
    """What may stand as a key's value. The text says it as a message would: "… must be <text>"."""

    # One scalar. A `${…}` may stand for any of them but the ones marked constant.
    TEXT = "a constant text"
    NAME = "a name: letters, digits and _"
    TEMPLATE = "a text, with or without `${…}`"
    URL = "a path relative to base_url, or an absolute URL; it may contain `${…}`"
    SOCKET = "a path relative to base_url, or a URL with `ws:` or `wss:`; it may contain `${…}`"
    DURATION = "a duration, such as `300 ms` or `5m`"
    PAUSE = "a duration or a range of two, such as `1s` or `0.5s..1.5s`"
    SIZE = "a size, such as `1 MiB`"
    COUNT = "a whole number, 1 or more"
    WEIGHT = "a whole number from 1 to 1,000,000"
    WHOLE = "a whole number, 0 or more"
    RATE = "a rate, such as `500/s` or `30/m`"
    NUMBER = "a constant whole number, 0 or more"
    SWITCH = "`true` or `false`"
    VERSION = "`1.1` or `2`"
    PROXY = "`none`, or the URL of a proxy, such as `http://proxy.lan:3128`"
    FOLLOW = "`true`, `false`, or the maximum number of redirects"
    CHOICE = "one of the allowed values"
    EXPRESSION = "an expression, with or without `${…}` around it"
    ITEMS = "a list, or an expression `${…}` that returns one"
    PATH = "the path of a file in the suite's folder"
    QUERY = "a text in the language of the key"  # the field's `query` says which
    PIPELINE = "functions with `|` between them, such as `trim | int`"
    CONDITION = "a condition, such as `p(95) < 500 ms`"
    PICK = "`first`, `last`, `random`, or an index (0 is the first, -1 the last)"
    # Several scalars, or mappings with tables of their own.
    TEXTS = "a list of texts"
    ADDRESSES = "an IP address, or a list of them"
    STATUS = "a status, a list of them, or a class such as `2xx`"
    TREE = "any value: text, number, list or mapping, with `${…}` anywhere"
    PAIRS = "a mapping of names to texts"
    VARIABLES = "a mapping of names to values"
    FEEDS = "a mapping of names to lists, or to mappings such as `{csv: data/users.csv}`"
    ROWS = "a list of constant values, or of mappings"
    TAGS = "a mapping of names to constant texts"
    STEPS = "a list of steps"
    STAGES = "a list of stages"
    BRANCHES = "a list of branches"
    PREFLIGHT = "a list of request steps, or a mapping"
    SOURCE = "a size such as `10 MiB`, or a mapping such as `{file: parts/track.flac}`"
    BODY = "a text, or a mapping such as `{bytes: 1 MiB}`"
    PARTS = "a mapping of the parts' names to texts, mappings or lists of them"
    EXTRACTS = "a mapping of names to what they are taken from"
    EXPECT = "a status, a list of them, a class such as `2xx`, or a mapping"
    MATCHES = "a mapping of names or JSONPaths to expected values"
    RETRY = "the maximum number of retries, or a mapping such as `{on: [429, 503], max: 5}`"
    RETRIED = "a status, a class such as `5xx`, a kind of failure such as `timeout`, or a list of them"
    WAIT = "a duration, a range of two, or a mapping such as `{exponential: 200 ms}`"
    REQUEST = "a request step"
    NEXT = "a JSONPath, or an extraction such as `{link: next}`"
    PARAMETER = "a query parameter, such as `query.cursor`"
    FRAGMENT = "the path of a fragment below `parts/`"
    INPUTS = "a mapping of names to types"
    RENAMES = "a mapping of outputs to names"
    VARIANT = "`abr`, `highest`, `lowest`, or a mapping such as `{bandwidth: <= 256000}`"
    LIMIT = "a comparison such as `< 500 ms`, or a range such as `1 KiB..2 MiB`"
    SCHEMA = "the path of a JSON file in the suite's folder, or a JSON Schema as a mapping"
    MATCH = "a value, or a mapping such as `{contains: …}`"
    EXPRESSIONS = "an expression or a list of them"
    GATES = "a mapping of metrics to conditions"
    PAGES = "a mapping of names to paths"
    PAGE_GATES = "a mapping of Lighthouse's scores and metrics to conditions"
    AUTH = '`none`, or a mapping such as `{bearer: "${env.USER_TOKEN}"}`'
    CLOCK = "two clock times, such as `18:00..12:00`"
    IGNORES = "a mapping of codes to reasons"
    EVENTS = "a verdict, or a list of them: `green`, `red`, `inconclusive`, `accepted`"
    NOTIFICATIONS = "a list of notifications"
    OBSERVED = "a mapping of names to metrics, such as `{latency: {histogram: http_request_duration_seconds}}`"
    SCHEDULE = "a list of events"
    PROFILES = "a profile such as `{url: /debug/pprof/profile, at: 2m}`, or a list of them"
    COMMANDS = "a command, or a list of them"
    UNDO = "a list of steps, or a mapping such as `{haproxy: {command: …}}`"
    OUTPUT = "a text such as a URL or a file, or a mapping"
    MESSAGE = "a text, or a mapping such as `{json: {type: ping}}`"
    REPEATED = "a list of mappings with `each` and `send`"
    REPLIES = "a list of mappings with `where` and `send`"
    MAPPING = "a mapping"


@dataclass(frozen=True, slots=True)
class Field:
    """A key: what may stand there, whether it must, what holds without it, a sentence and an example."""

    key: str
    kind: Kind
    doc: str
    example: str = ""
    required: bool = False
    default: str = ""  # what holds when the key is left out, in words
    choices: tuple[str, ...] = ()  # of a CHOICE
    tables: tuple[str, ...] = ()  # names of the tables that a mapping under this key follows
    query: str = ""  # of a QUERY: its language, a name in QUERIES

    @property
    def wanted(self) -> str:
        """What must stand there, as a message says it."""
        return QUERIES[self.query].wanted if self.query else self.kind.value


@dataclass(frozen=True, slots=True)
class Table:
    """A kind of mapping. Of `one_of` exactly one key must be there, of each `exclusive` set at most one."""

    name: str
    title: str  # as messages say it: "a request step"
    doc: str
    fields: tuple[Field, ...] = ()
    one_of: tuple[Field, ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()

    def all_fields(self) -> tuple[Field, ...]:
        return self.one_of + self.fields

    def field(self, key: str) -> Field | None:
        return next((f for f in self.all_fields() if f.key == key), None)

    def keys(self) -> tuple[str, ...]:
        """The keys, for suggestions."""
        return tuple(f.key for f in self.all_fields())
