"""A request step and what suites and flows give to every request: defaults, bodies, auth."""

from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics
from vezaflow.keys import AUTH, BASIC, BODIES, BODY, PART, Kind
from vezaflow.model import (
    Auth,
    Body,
    FileBytes,
    FormBody,
    GeneratedBytes,
    JsonBody,
    MultipartBody,
    OnFailure,
    Part,
    Request,
    RequestDefaults,
    TextBody,
)
from vezaflow.read import scalars
from vezaflow.read.connections import read_http, read_tls
from vezaflow.read.expect import read_expect
from vezaflow.read.extract import read_extracts
from vezaflow.read.headers import read_headers
from vezaflow.read.mappings import Row, open_mapping, pairs, sub_mapping
from vezaflow.read.retry import read_retry
from vezaflow.read.trees import check_key, constants, parameters, text_or_null, tree, unescaped
from vezaflow.syntax import Entry, Mapping, Node, Scalar, Sequence, parse_template


def read_request(row: Row, method: str, verb: str = "") -> Request:
    """The request that a step's mapping writes; `verb` is the key of its URL, if not the method."""
    verb = verb or method
    url = row.entries[verb].value
    written = url.text if isinstance(url, Scalar) else ""
    name = row.text("name")
    return Request(
        method=method.upper(),
        url=row.required(verb),
        name=name or f"{method.upper()} {written}",
        named=bool(name),
        query=parameters(row, "query"),
        body=_body(row),
        options=read_defaults(row),
        expect=read_expect(row),
        extract=read_extracts(row),
        retry=read_retry(row),
        span=row.key_span(verb),
        url_span=url.span,
    )


def read_defaults(row: Row) -> RequestDefaults:
    """The request options that stand in a suite, a flow or a step."""
    on_failure = row.constant("on_failure")
    return RequestDefaults(
        headers=read_headers(row),
        auth=read_auth(row),
        timeout=row.expression("timeout"),
        follow=row.expression("follow"),
        http=read_http(row),
        tls=read_tls(row),
        on_failure=OnFailure(on_failure) if isinstance(on_failure, str) else None,
        tags=constants(row, "tags"),
    )


def read_auth(row: Row) -> Auth | None:
    """What `auth` says; None if it is not there."""
    node = row.node("auth")
    if node is None:
        return None
    if isinstance(node, Scalar):
        if node.text != "none":
            bearer = isinstance(node, Scalar) and node.text.removeprefix("Bearer ")
            help_ = f'write `{{bearer: "{bearer}"}}`' if bearer and bearer != node.text else ""
            scalars.report_shape(node, "'auth'", Kind.AUTH.value, row.diagnostics, help=help_)
        return Auth(None, None, None, node.span)
    inner = open_mapping(node, AUTH, row.diagnostics, what="'auth'")
    if inner is None:
        return None
    basic = sub_mapping(inner, "basic", BASIC)
    return Auth(
        bearer=inner.expression("bearer"),
        user=basic.expression("user") if basic else None,
        password=basic.expression("password") if basic else None,
        span=node.span,
    )


def _body(row: Row) -> Body | None:
    key = next((key for key in BODIES if key in row.entries), None)
    if key is None:
        return None
    node = row.entries[key].value
    match key:
        case "json":
            return JsonBody(tree(node, row.diagnostics), node.span)
        case "form":
            return FormBody(parameters(row, "form"), node.span)
        case "multipart":
            parts = pairs(node, "'multipart'", row.field(key).wanted, row.diagnostics)
            read = (part for entry in parts for part in _parts(entry, row.diagnostics))
            return MultipartBody(tuple(read), node.span)
    if isinstance(node, Scalar):
        return TextBody(parse_template(node, row.diagnostics), node.span)
    if isinstance(node, Mapping) and not {entry.key.text for entry in node.entries} & {*BODY.keys(), "size"}:
        help_ = "use `json` to send values as JSON, `form` to send them as a form"
        scalars.report_shape(node, "'body'", Kind.BODY.value, row.diagnostics, help=help_)
        return None
    inner = open_mapping(node, BODY, row.diagnostics, what="'body'")
    return read_bytes(inner) if inner else None


def read_bytes(row: Row) -> GeneratedBytes | FileBytes | None:
    if (size := row.expression("bytes")) is not None:
        return GeneratedBytes(size, row.entries["bytes"].value.span)
    if (path := row.expression("file")) is not None:
        return FileBytes(path, row.entries["file"].value.span)
    return None


def _parts(entry: Entry, diagnostics: Diagnostics) -> Iterator[Part]:
    """The parts of one name: a list has several."""
    if not check_key(entry.key, diagnostics):
        return
    nodes = entry.value.items if isinstance(entry.value, Sequence) else (entry.value,)
    for node in nodes:
        yield _part(entry.key, node, diagnostics)


def _part(key: Scalar, node: Node, diagnostics: Diagnostics) -> Part:
    name = unescaped(key.text)
    if isinstance(node, Mapping):
        row = open_mapping(node, PART, diagnostics, what=f"'{key.text}'")
        if row is not None:
            value = row.node("value")
            text = None if value is None else text_or_null(value, "value", diagnostics)
            content = text or read_bytes(row) or scalars.nothing(node.span)
            return Part(name, content, row.expression("filename"), row.expression("content_type"), key.span)
    return Part(name, text_or_null(node, key.text, diagnostics), None, None, key.span)
