"""What a VU does: one dataclass a kind of step, as written. Step kinds are a closed set: `match` with
assert_never.
"""

from dataclasses import dataclass
from enum import Enum

from vezaflow.diagnostics import Related, Source, Span
from vezaflow.model.connections import Http, Tls
from vezaflow.model.input_types import InputType
from vezaflow.syntax import Expression

Tree = Expression | tuple["Tree", ...] | dict[str, "Tree"]
Pairs = tuple[tuple[str, Expression], ...]
Parameters = tuple[tuple[str, Tree], ...]  # a list repeats its name, null leaves it out


PART_FIELDS: dict[str, str] = {
    "index": "its index, from 0",
    "number": "its number, from 1",
    "count": "the number of parts",
    "last": "whether it is the last one: true or false",
    "offset": "the offset of its first byte",
    "end": "the offset of its last byte",
    "size": "its size in bytes",
    "total": "the total size in bytes",
    "range": "its value for `Content-Range`: `bytes 0-1048575/10485760`",
    "md5": "its checksum, in hexadecimal",
    "md5_base64": "the same in Base64, for `Content-MD5`",
    "sha256": "its checksum, in hexadecimal",
    "sha256_base64": "the same in Base64",
}


class Pick(Enum):
    FIRST = "first"
    LAST = "last"
    RANDOM = "random"


class OnFailure(Enum):
    """What a failed request does to its iteration."""

    END_ITERATION = "end_iteration"  # the default
    CONTINUE = "continue"
    STOP_VU = "stop_vu"


class From(Enum):
    """Where an extraction looks."""

    JSON = "json"
    REGEX = "regex"
    HEADER = "header"
    LINK = "link"
    COOKIE = "cookie"
    CSS = "css"
    XPATH = "xpath"
    M3U8 = "m3u8"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class Extract:
    """`name: {json: $.data, where: …, pick: …}`; a bare text is a JSONPath or a part of the answer."""

    name: str
    source: From
    argument: str  # JSONPath, pattern, selector, XPath, a name, a link's relation, or one of the source's words
    argument_span: Span
    pipe: Expression | None  # what each value goes through; it is called `it`
    where: Expression | None  # names are the fields of the item (or `it`)
    pick: Pick | int | None  # which one of those found; None with take/all unset means FIRST
    take: Expression | None  # the first N, as a list
    all: bool  # every one, as a list
    default: Tree | None
    span: Span


@dataclass(frozen=True, slots=True)
class StatusSet:
    """Statuses that are right: exact ones and classes (2 for `2xx`)."""

    exact: tuple[int, ...]
    classes: tuple[int, ...]
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON Schema: the path of its file, or itself as JSON."""

    path: Expression | None
    document: bytes
    span: Span


@dataclass(frozen=True, slots=True)
class Expectation:
    """One condition on an answer. `name` is how checks and messages call it."""

    kind: str  # header | json | body | that | limit | schema
    subject: str  # the header's name, the JSONPath, the limit's key; empty for body, that and schema
    subject_span: Span
    expected: Expression | None  # equal to this; None: has only to be there
    contains: Expression | None
    matches: str | None  # a pattern (google-re2)
    name: str
    span: Span
    schema: Schema | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    status: StatusSet | None
    expectations: tuple[Expectation, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class GeneratedBytes:
    """`{bytes: 1 MiB}`: made once, shared by all VUs."""

    size: Expression  # SIZE
    span: Span


@dataclass(frozen=True, slots=True)
class FileBytes:
    """`{file: parts/track.bin}`: inside the suite's folder, read once, shared."""

    path: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of an upload whose turn it is."""

    span: Span


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body; a part with a filename or a content that is bytes is sent as a file."""

    name: str
    content: Expression | GeneratedBytes | FileBytes | Slice
    filename: Expression | None
    content_type: Expression | None
    span: Span


class BodyKind(Enum):
    JSON = "json"  # content: Tree
    FORM = "form"  # content: Parameters
    TEXT = "text"  # content: Expression
    BYTES = "bytes"  # content: GeneratedBytes
    FILE = "file"  # content: FileBytes
    SLICE = "slice"  # content: Slice
    MULTIPART = "multipart"  # content: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Body:
    kind: BodyKind
    content: Tree | Parameters | GeneratedBytes | FileBytes | Slice | tuple[Part, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Auth:
    """`auth: {bearer: …}` or `{basic: {user: …, password: …}}`; `none` switches an inherited one off."""

    bearer: Expression | None
    user: Expression | None
    password: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class RequestDefaults:
    """What suite, flow and step say of requests; None: not said here. The nearest word wins."""

    headers: Pairs = ()
    auth: Auth | None = None
    timeout: Expression | None = None
    follow: Expression | None = None  # boolean, or how many redirects at most
    http: Http | None = None
    tls: Tls | None = None
    on_failure: OnFailure | None = None
    tags: tuple[tuple[str, str], ...] = ()


class Backoff(Enum):
    """How long to wait before a request is sent again."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"  # doubled each time, with jitter
    RETRY_AFTER = "retry_after"  # what the server says


@dataclass(frozen=True, slots=True)
class Retrying:
    """`retry` of a request; None: not said."""

    statuses: StatusSet | None
    kinds: tuple[str, ...]  # words of request_tables.RETRIED
    max: Expression | None  # attempts beyond the first
    backoff: Backoff
    wait: Expression | None  # TIME or Range of TIME: by the backoff's meaning
    longest: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Request:
    method: str  # GET, POST, …: upper case
    url: Expression
    name: str  # identity: `name`, or method and path as written
    named: bool  # whether the author gave the name
    query: Parameters
    body: Body | None
    options: RequestDefaults
    expect: Expect | None
    extract: tuple[Extract, ...]
    retry: Retrying | None
    span: Span  # of the verb's key
    url_span: Span


@dataclass(frozen=True, slots=True)
class Poll:
    """Send a request until its answer is as `until` says."""

    request: Request
    until: Expression
    every: Expression | None  # TIME or Range of TIME, from attempt to attempt
    within: Expression  # a bound is mandatory
    span: Span


@dataclass(frozen=True, slots=True)
class Paginate:
    """Send a request for one page after the other."""

    request: Request
    next: Extract  # where an answer says what comes next
    parameter: str  # of the query, in which the next request says it; empty: it is the next page's URL
    parameter_span: Span
    pages: Expression  # a bound is mandatory
    span: Span


@dataclass(frozen=True, slots=True)
class Upload:
    """Send bytes in parts. The request is that of each part, which sees itself as `part`."""

    request: Request  # its body is a Slice, or a form that holds one
    source: GeneratedBytes | FileBytes
    part: Expression  # SIZE
    at_once: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Think:
    duration: Expression  # TIME or Range of TIME
    span: Span


@dataclass(frozen=True, slots=True)
class Branch:
    weight: Expression  # integer >= 1
    name: str
    steps: tuple["Step", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Choose:
    branches: tuple[Branch, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Repeat:
    times: Expression
    steps: tuple["Step", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class For:
    variable: str
    items: Expression
    at_once: Expression | None  # rounds at the same time; None: one
    steps: tuple["Step", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class While:
    condition: Expression
    max: Expression  # a bound is mandatory (key `max`)
    steps: tuple["Step", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class If:
    condition: Expression
    then: tuple["Step", ...]  # key `do` (alias `then` is refused with a suggestion)
    otherwise: tuple["Step", ...]  # key `else`
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    steps: tuple["Step", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Parallel:
    """Each step at the same time as the others."""

    branches: tuple["Step", ...]
    name: str  # of its own figures; empty: there are none
    per_host: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Set:
    values: tuple[tuple[str, Tree, Span], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Log:
    message: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Skip:
    """End this iteration (it counts as done). The value is the reason, a text."""

    reason: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Stop:
    """End this VU (`stop: vu`) or the whole flow (`stop: flow`) or the run (`stop: run`)."""

    scope: str
    span: Span


@dataclass(frozen=True, slots=True)
class Input:
    """What a fragment is given under a name; without a default it must be."""

    name: str
    type: InputType
    default: Tree | None
    span: Span


@dataclass(frozen=True, slots=True)
class Fragment:
    """A file of steps. They see its inputs and what they set themselves; its outputs are what others see."""

    path: str  # from the suite's folder on
    source: Source
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, Span], ...]
    steps: tuple["Step", ...]
    size: int  # steps, those of other fragments counted where they are included
    chain: Related  # where it is included first, and where the file is that does so


@dataclass(frozen=True, slots=True)
class Include:
    path: str
    path_span: Span
    values: tuple[tuple[str, Tree, Span], ...]  # `with`
    into: tuple[tuple[str, str, Span], ...]  # output, its name here
    fragment: Fragment | None  # None: not to be read, which was reported
    span: Span

    @property
    def steps(self) -> tuple["Step", ...]:
        return self.fragment.steps if self.fragment is not None else ()

    @property
    def outputs(self) -> tuple[tuple[str, str], ...]:
        """Each output with its name here."""
        names = {output: name for output, name, _ in self.into}
        outputs = self.fragment.outputs if self.fragment is not None else ()
        return tuple((name, names.get(name, name)) for name, _ in outputs)


Step = (
    Request
    | Include
    | Poll
    | Paginate
    | Upload
    | Think
    | Choose
    | Repeat
    | For
    | While
    | If
    | Group
    | Parallel
    | Set
    | Log
    | Skip
    | Stop
)
