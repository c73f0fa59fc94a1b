"""What requests are made of, as written: options, bodies, what is expected of a response and taken from it.

Bodies and expectations are closed sets: `match` with assert_never. Each part says which expressions it uses, and what
these can see.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from vezaflow.diagnostics import Span
from vezaflow.model.connections import Http, Tls
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


class Place(Enum):
    """What an expression can see beside the values that are set."""

    PLAIN = "plain"
    URL = "url"  # as PLAIN, and it will stand in servers' logs
    FILE = "file"  # as PLAIN, and it is the path of a file in the suite's folder
    EXPECT = "expect"  # the response as well
    WHERE = "where"  # the fields of the item as well
    PIPE = "pipe"  # the value that is piped as well
    MESSAGE = "message"  # `message` as well, which is read as a response is
    ACK = "ack"  # the same, and `sent`
    NOTIFICATION = "notification"  # constants, and what TEMPLATE_FIELDS names


SEEN: dict[Place, frozenset[str]] = {
    Place.MESSAGE: frozenset({"message"}),
    Place.ACK: frozenset({"message", "sent"}),
}
"""Names that have a value in a place alone."""


@dataclass(frozen=True, slots=True)
class Use:
    """An expression where it stands; `extract` is the extraction that a `where` or a `pipe` belongs to."""

    expression: Expression
    place: Place = Place.PLAIN
    extract: "Extract | None" = None


def leaves(tree: Tree) -> Iterator[Expression]:
    """Every expression of a tree of values."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from leaves(value)
    elif isinstance(tree, tuple):
        for item in tree:
            yield from leaves(item)
    else:
        yield tree


def plain(*expressions: Expression | None) -> Iterator[Use]:
    """Those that are written, seeing what is set and nothing beside it."""
    return (Use(found) for found in expressions if found is not None)


def paths(*expressions: Expression | None) -> Iterator[Use]:
    return (Use(found, Place.FILE) for found in expressions if found is not None)


def in_trees(trees: Iterable[Tree]) -> Iterator[Use]:
    return (Use(leaf) for tree in trees for leaf in leaves(tree))


class Pick(Enum):
    FIRST = "first"
    LAST = "last"
    RANDOM = "random"


class OnFailure(Enum):
    """What a failed request does to its iteration."""

    END_ITERATION = "end_iteration"  # the default
    CONTINUE = "continue"
    STOP_VU = "stop_vu"


@dataclass(frozen=True, slots=True)
class Extract:
    """`name: {json: $.data, where: …, pick: …}`; a bare text is a JSONPath or a part of the response."""

    name: str
    source: str  # where it looks: its key, as `json` or `header`
    argument: str  # a text in the source's language, a name, a link's relation, or one of the source's words
    argument_span: Span
    pipe: Expression | None  # what each value goes through; it is called `it`
    where: Expression | None  # names are the fields of the item (or `it`)
    pick: Pick | int | None  # which one of those found; None with take/all unset means FIRST
    take: Expression | None  # the first N, as a list
    all: bool  # every one, as a list
    default: Tree | None
    span: Span

    def uses(self) -> Iterator[Use]:
        if self.pipe is not None:
            yield Use(self.pipe, Place.PIPE, self)
        if self.where is not None:
            yield Use(self.where, Place.WHERE, self)
        yield from plain(self.take)
        yield from in_trees(() if self.default is None else (self.default,))


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
class Match:
    """What a value of a response must be; with nothing of it the value has only to be there."""

    equals: Expression | None = None
    contains: Expression | None = None
    matches: str | None = None  # a pattern (google-re2)

    def uses(self) -> Iterator[Use]:
        return (Use(found, Place.EXPECT) for found in (self.equals, self.contains) if found is not None)


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    header: str
    header_span: Span
    match: Match
    name: str  # how checks and messages call the expectation
    span: Span

    def uses(self) -> Iterator[Use]:
        return self.match.uses()


@dataclass(frozen=True, slots=True)
class JsonMatch:
    path: str  # a JSONPath
    path_span: Span
    match: Match
    name: str
    span: Span

    def uses(self) -> Iterator[Use]:
        return self.match.uses()


@dataclass(frozen=True, slots=True)
class BodyMatch:
    key_span: Span
    match: Match
    name: str
    span: Span

    def uses(self) -> Iterator[Use]:
        return self.match.uses()


class Limited(Enum):
    """What has a limit, by its key."""

    SIZE = "size"
    DURATION = "duration"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Limit:
    """`duration: < 500 ms`."""

    of: Limited
    of_span: Span
    condition: Expression  # the whole comparison
    name: str
    span: Span

    def uses(self) -> Iterator[Use]:
        yield Use(self.condition, Place.EXPECT)


@dataclass(frozen=True, slots=True)
class SchemaMatch:
    schema: Schema
    name: str
    span: Span  # of the key

    def uses(self) -> Iterator[Use]:
        return paths(self.schema.path)


@dataclass(frozen=True, slots=True)
class That:
    condition: Expression
    name: str
    span: Span

    def uses(self) -> Iterator[Use]:
        yield Use(self.condition, Place.EXPECT)


Expectation = HeaderMatch | JsonMatch | BodyMatch | Limit | SchemaMatch | That


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

    def uses(self) -> Iterator[Use]:
        return plain(self.size)


@dataclass(frozen=True, slots=True)
class FileBytes:
    """`{file: parts/track.bin}`: inside the suite's folder, read once, shared."""

    path: Expression
    span: Span

    def uses(self) -> Iterator[Use]:
        return paths(self.path)


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of an upload whose turn it is."""

    span: Span

    def uses(self) -> Iterator[Use]:
        return plain()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body; a part with a filename or a content that is bytes is sent as a file."""

    name: str
    content: Expression | GeneratedBytes | FileBytes | Slice
    filename: Expression | None
    content_type: Expression | None
    span: Span

    def uses(self) -> Iterator[Use]:
        match self.content:
            case GeneratedBytes() | FileBytes() | Slice() as content:
                yield from content.uses()
            case text:
                yield Use(text)
        yield from plain(self.filename, self.content_type)


@dataclass(frozen=True, slots=True)
class JsonBody:
    value: Tree
    span: Span

    def uses(self) -> Iterator[Use]:
        return in_trees((self.value,))


@dataclass(frozen=True, slots=True)
class FormBody:
    fields: Parameters
    span: Span

    def uses(self) -> Iterator[Use]:
        return in_trees(value for _, value in self.fields)


@dataclass(frozen=True, slots=True)
class TextBody:
    text: Expression
    span: Span

    def uses(self) -> Iterator[Use]:
        return plain(self.text)


@dataclass(frozen=True, slots=True)
class MultipartBody:
    parts: tuple[Part, ...]
    span: Span

    def uses(self) -> Iterator[Use]:
        return (use for part in self.parts for use in part.uses())


Body = JsonBody | FormBody | TextBody | GeneratedBytes | FileBytes | Slice | MultipartBody


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

    def uses(self) -> Iterator[Use]:
        auth, http, tls = self.auth, self.http, self.tls
        yield from plain(*(value for _, value in self.headers))
        yield from plain(auth.bearer, auth.user, auth.password) if auth else ()
        yield from plain(self.timeout, self.follow)
        yield from plain(http.proxy, *(http.local_addresses or ())) if http else ()
        if tls is not None:
            yield from paths(tls.ca, tls.cert, tls.key)
            yield from plain(tls.password)


class Backoff(Enum):
    """How long to wait before a request is sent again."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"  # doubled each time, with jitter
    RETRY_AFTER = "retry_after"  # what the server says


@dataclass(frozen=True, slots=True)
class Retry:
    """`retry` of a request; None: not said."""

    statuses: StatusSet | None
    kinds: tuple[str, ...]  # words of request_tables.RETRIED
    max: Expression | None  # attempts beyond the first
    backoff: Backoff
    wait: Expression | None  # TIME or Range of TIME: by the backoff's meaning
    longest: Expression | None
    span: Span

    def uses(self) -> Iterator[Use]:
        return plain(self.max, self.wait, self.longest)
