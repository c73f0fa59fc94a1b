"""Request steps, prepared: as much of each head and body as can be is made once, before the run.

Laws: what an author's expression puts into a path or a query is percent-encoded, so that it can't change the URL's
shape (an expression at the very beginning of a URL is a whole URL and left as it is); what it puts into a header
can't end the line. Where only the URL varies, whole heads are kept by URL.
"""

import base64
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from vezaflow import __version__
from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.model import (
    Auth,
    Expect,
    Expression,
    OnFailure,
    Paginate,
    Poll,
    Request,
    RequestDefaults,
    Schema,
    Upload,
    UrlError,
)
from vezaflow.plan.attempts import plan_poll, plan_retry
from vezaflow.plan.bodies import BodyCompiler, Render, query_text, size_of
from vezaflow.plan.checks import Failure, plan_check
from vezaflow.plan.evaluate import UNKNOWN, Compiler, Constant, Evaluate
from vezaflow.plan.extractors import plan_extract
from vezaflow.plan.foreseen import Foreseen, reasons_of, wanted
from vezaflow.plan.pages import plan_pages, request_of_page
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.statics import Statics
from vezaflow.plan.statuses import table_of
from vezaflow.plan.steps import Outgoing, PlannedRequest, PlannedUpload
from vezaflow.plan.targets import GuardError, Target, Targets
from vezaflow.plan.uploads import Slices, cut
from vezaflow.protocols import Ask, Body, ClientOptions, ErrorKind, Origin, Want
from vezaflow.syntax import JsonSchema, Literal, Template, compile_schema

DEFAULT_TIMEOUT = 60.0  # seconds, as k6's
DEFAULT_REDIRECTS = 10  # as k6's
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110, 9.2.2
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})  # these say Content-Length: 0 when they have none
_KEPT_HEADS = 8192

_quote = lru_cache(maxsize=_KEPT_HEADS)(lambda text: quote(text, safe=""))


Text = Callable[[Scope], str]
Prepare = Callable[[Scope], Outgoing]
Redirect = Callable[[Scope, Outgoing, Target, bool], Outgoing]
Connect = Callable[[Request, Statics, Origin | None], ClientOptions | None]  # as ConnectionPlanner.of_request


class RequestCompiler:
    """Prepares the requests of one flow, its own and its suite's defaults merged under each step's own word."""

    def __init__(
        self,
        compiler: Compiler,
        targets: Targets,
        bodies: BodyCompiler,
        diagnostics: Diagnostics,
        defaults: tuple[RequestDefaults, ...],
        connect: Connect,
    ) -> None:
        self._compiler = compiler
        self._targets = targets
        self._bodies = bodies
        self._diagnostics = diagnostics
        self._defaults = defaults  # the strongest first
        self._connect = connect
        self._statics = Statics(compiler, diagnostics)

    def within(self, compiler: Compiler) -> "RequestCompiler":
        """The same for the requests of a fragment, whose names are its own."""
        return RequestCompiler(compiler, self._targets, self._bodies, self._diagnostics, self._defaults, self._connect)

    def poll(self, poll: Poll) -> PlannedRequest:
        """The request of a poll, which goes on until its answer is as asked."""
        request = self.request(poll.request)
        reasons = reasons_of(poll.request, poll)
        return replace(
            request,
            poll=plan_poll(poll, self._compiler, self._statics),
            ask=replace(request.ask, want=request.ask.want | wanted(reasons)),
            foreseen=replace(request.foreseen, reasons=reasons),
        )

    def paginate(self, paginate: Paginate) -> PlannedRequest:
        """The request of a walk, which is sent for each of its pages."""
        request = self.request(request_of_page(paginate, self._compiler.names))
        reasons = reasons_of(paginate.request, pages=paginate)
        planned = plan_pages(
            paginate, request, self._compiler, self._statics, self._resolver(paginate.next.argument_span)
        )
        return replace(
            planned,
            ask=replace(request.ask, want=request.ask.want | wanted(reasons)),
            foreseen=replace(request.foreseen, reasons=reasons),
        )

    def upload(self, upload: Upload) -> PlannedUpload:
        """An upload, with the request of each of its parts."""
        names, whole = self._compiler.names, self._bodies.shared(upload.source, self._compiler)
        slices = cut(whole, upload, names.slot("part"), self._statics, self._diagnostics)
        request = self.request(upload.request, slices)
        count = len(slices.parts)
        return PlannedUpload(
            request=request,
            slot=slices.slot,
            parts=slices.parts,
            extracted=tuple(extract.slot for extract in request.extracts),
            at_once=min(max(1, count), self._statics.count(upload.at_once) if upload.at_once is not None else 1),
            sends=count * (request.foreseen.sends - slices.least) + slices.total,
            span=upload.span,
        )

    def request(self, request: Request, slices: Slices | None = None) -> PlannedRequest:
        options = merge((request.options, *self._defaults))
        follow = self._follow(options.follow)
        accepts, explicit = _accepted(request.expect)
        url, origin = self._url(request), self._origin(request.url)
        body = self._bodies.body(request.body, self._compiler, slices)
        headers, bare_headers = self._headers(options, body.content_type)
        prepare, redirect = self._prepare(request, url, body.render, headers, bare_headers)
        reasons = reasons_of(request)
        checks = request.expect.expectations if request.expect else ()
        return PlannedRequest(
            name=request.name,
            method=request.method,
            prepare=prepare,
            redirect=redirect,
            ask=Ask(
                wanted(reasons) | Want.COOKIES,
                self._statics.seconds(options.timeout) if options.timeout else DEFAULT_TIMEOUT,
                bodyless=request.method == "HEAD",
                replayable=request.method in _IDEMPOTENT,
            ),
            accepts=accepts,
            explicit=explicit,
            status_failure=_status_failure(request),
            checks=tuple(plan_check(e, self._compiler, self._schema(e.schema)) for e in checks),
            extracts=tuple(plan_extract(e, self._compiler) for e in request.extract),
            follow=follow,
            on_failure=options.on_failure or OnFailure.END_ITERATION,
            tags=options.tags,
            retry=plan_retry(request.retry, self._statics) if request.retry is not None else None,
            poll=None,
            pages=None,
            client=self._connect(request, self._statics, origin),
            foreseen=Foreseen(
                url=" ".join(request.url_span.text.strip("\"'").split()),
                origin=origin,
                sends=_least(prepare, request.method, headers, body.least),
                reasons=reasons,
            ),
            span=request.span,
        )

    def _schema(self, schema: Schema | None) -> JsonSchema | None:
        if schema is None:
            return None
        text = bytes(self._bodies.file(schema.path, self._compiler)) if schema.path is not None else schema.document
        try:
            return compile_schema(text)
        except ValueError as e:
            if text:  # else the file can't be read, which was said
                self._diagnostics.error("VF703", schema.span, f"this is not a JSON Schema: {e}")
            return None

    def _follow(self, follow: Expression | None) -> int:
        if follow is None:
            return DEFAULT_REDIRECTS
        value = self._statics.value(follow)
        if value in (True, "true"):
            return DEFAULT_REDIRECTS
        if value in (False, "false"):
            return 0
        return self._statics.count(follow, least=0)

    def _prepare(
        self, request: Request, url: Text, render_body: Render, headers: Text, bare_headers: Text
    ) -> tuple[Prepare, Redirect]:
        resolve = self._resolver(request.url_span)
        method = request.method

        def build(target: Target, body: Body, lines: str, verb: str) -> Outgoing:
            host = "" if "\r\nhost:" in f"\r\n{lines}".lower() else f"Host: {target.origin.authority}\r\n"
            length = _length(body, verb)
            head = f"{verb} {target.target} HTTP/1.1\r\n{host}{lines}{length}\r\n".encode()
            if isinstance(body, bytes) and len(body) <= 4096:
                return Outgoing(target, head + body, None)  # one piece: one send, no list
            return Outgoing(target, head, body)

        def prepare(scope: Scope) -> Outgoing:
            return build(resolve(url(scope)), render_body(scope), headers(scope), method)

        def redirect(scope: Scope, sent: Outgoing, target: Target, to_get: bool) -> Outgoing:
            bare = sent.bare or target.origin != sent.target.origin  # once away, nothing is known of where it leads
            lines = (bare_headers if bare else headers)(scope)
            if to_get:
                asked = build(target, None, _without_content(lines), "HEAD" if method == "HEAD" else "GET")
            else:
                asked = build(target, render_body(scope), lines, method)
            return asked._replace(bare=bare)

        if isinstance(headers, Constant) and isinstance(render_body, Constant):
            if isinstance(url, Constant) and url.value is not UNKNOWN:
                return self._constant(prepare, request.url_span), redirect
            return _kept(url, lambda text: build(resolve(text), render_body.value, headers.value, method)), redirect
        return prepare, redirect

    def _constant(self, prepare: Callable[[Scope], Outgoing], span: Span) -> Callable[[Scope], Outgoing]:
        """A request that never changes; its URL is checked now, before any socket is opened."""
        try:
            return Constant(prepare(None))  # type: ignore[arg-type]
        except RequestError as e:
            self._refuse(e)
        except EvaluationError as e:
            self._diagnostics.error("VF705", span, e.message)
        return prepare

    def _origin(self, url: Expression) -> Origin | None:
        """Where a URL goes, if that is known before the run. Its faults are told elsewhere."""
        start, whole = "", True
        for position, part in enumerate(url.parts if isinstance(url, Template) else (url,)):
            text = self._compiler.text(part)
            if not isinstance(text, Constant):
                whole = False
                break
            start += text.value if position == 0 or isinstance(part, Literal) else _quote(text.value)
        if "://" in start and not whole and "/" not in start.partition("://")[2]:
            return None  # what follows may be a part of the host's name
        try:
            return self._targets.resolve(start).origin
        except (UrlError, GuardError):
            return None

    def _refuse(self, error: "RequestError") -> None:
        if error.kind is ErrorKind.GUARD:
            raise refusal(error.message, error.help)
        self._diagnostics.error("VF705", error.span, error.message, help=error.help)

    def _resolver(self, span: Span) -> Callable[[str], Target]:
        resolve = self._targets.resolve

        def target(url: str) -> Target:
            try:
                return resolve(url)
            except UrlError as e:
                raise RequestError(str(e), span, ErrorKind.URL, e.help) from None
            except GuardError as e:
                raise RequestError(str(e), span, ErrorKind.GUARD, e.hint) from None

        return target

    def _url(self, request: Request) -> Callable[[Scope], str]:
        base = self._url_text(request.url)
        query = tuple((name, self._compiler.tree(value)) for name, value in request.query)
        if not query:
            return base
        if isinstance(base, Constant) and all(isinstance(value, Constant) for _, value in query):
            return Constant(_with_query(base.value, [(n, v(None)) for n, v in query]))  # type: ignore[arg-type]
        parts = tuple(self._query_part(name, value, request.url_span) for name, value in query)
        if isinstance(base, Constant) and all(name for name, _ in query):
            alone: str = base.value
            joint = alone + ("&" if "?" in alone else "?")

            def whole(scope: Scope) -> str:
                query = "&".join([text for part in parts if (text := part(scope))])
                return joint + query if query else alone

            return whole
        return lambda scope: _joined(base(scope), [text for part in parts if (text := part(scope))])

    def _query_part(self, name: str, value: Evaluate, span: Span) -> Callable[[Scope], str]:
        if isinstance(value, Constant):
            return Constant(query_text(name, value.value))
        key = quote(name, safe="") + "="

        def part(scope: Scope) -> str:
            found = value(scope)
            if type(found) is str:
                return key + _quote(found)
            try:
                return query_text(name, found)
            except (TypeError, ValueError) as e:
                raise EvaluationError(f"the query's '{name}': {e}", span) from None

        return part

    def _url_text(self, url: Expression) -> Callable[[Scope], str]:
        if not isinstance(url, Template):
            return self._compiler.text(url)
        parts: list[Callable[[Scope], str]] = []
        for position, part in enumerate(url.parts):
            text = self._compiler.text(part)
            if position == 0 or isinstance(part, Literal):
                parts.append(text)
            elif isinstance(text, Constant):
                parts.append(Constant(_quote(text.value)))
            else:
                parts.append(lambda scope, text=text: _quote(text(scope)))  # type: ignore[misc]
        if all(isinstance(part, Constant) for part in parts):
            return Constant("".join(part(None) for part in parts))  # type: ignore[arg-type]
        self._check_start(parts[0], url.parts[0].span)
        return lambda scope: "".join([part(scope) for part in parts])

    def _check_start(self, start: Callable[[Scope], str], span: Span) -> None:
        """Ask the guard about a URL whose host is known, though what follows is not."""
        if not isinstance(start, Constant) or "://" not in start.value:
            return
        scheme, _, rest = start.value.partition("://")
        if "/" in rest:
            try:
                self._resolver(span)(f"{scheme}://{rest.partition('/')[0]}/")
            except RequestError as e:
                self._refuse(e)

    def _headers(
        self, options: RequestDefaults, content_type: str
    ) -> tuple[Callable[[Scope], str], Callable[[Scope], str]]:
        """The head's lines after the first, without Host and Content-Length: as a text, and without credentials."""
        lines: dict[str, tuple[str, Evaluate]] = {
            "user-agent": ("User-Agent", Constant(f"vezaflow/{__version__}")),
            "accept": ("Accept", Constant("*/*")),
        }
        if content_type:
            lines["content-type"] = ("Content-Type", Constant(content_type))
        if options.auth is not None and (credentials := self._credentials(options.auth)) is not None:
            lines["authorization"] = ("Authorization", credentials)
        for name, value in options.headers:
            lines[name.lower()] = (name, self._line(self._compiler.text(value), value.span))
        bare = {key: line for key, line in lines.items() if key not in ("authorization", "cookie")}
        return _joined_lines(lines.values()), _joined_lines(bare.values())

    def _credentials(self, auth: Auth) -> Evaluate | None:
        if auth.bearer is not None:
            token = self._line(self._compiler.text(auth.bearer), auth.span)
            if isinstance(token, Constant):
                return Constant(f"Bearer {token.value}")
            return lambda scope: f"Bearer {token(scope)}"
        if auth.user is None or auth.password is None:
            return None
        user, password = self._compiler.text(auth.user), self._compiler.text(auth.password)

        def basic(scope: Scope) -> str:
            return "Basic " + base64.b64encode(f"{user(scope)}:{password(scope)}".encode()).decode()

        constant = isinstance(user, Constant) and isinstance(password, Constant)
        return Constant(basic(None)) if constant else basic  # type: ignore[arg-type]

    def _line(self, text: Callable[[Scope], str], span: Span) -> Evaluate:
        if isinstance(text, Constant):
            if _breaks(text.value):
                self._diagnostics.error("VF705", span, "a header's value is one line")
            return text

        def line(scope: Scope) -> str:
            value = text(scope)
            if _breaks(value):
                raise EvaluationError("a header's value is one line, and this has a line break", span)
            return value

        return line


class RequestError(EvaluationError):
    """A request that could not be sent, with the error kind that counts it."""

    def __init__(self, message: str, span: Span, kind: ErrorKind, help: str = "") -> None:  # noqa: A002
        super().__init__(message, span)
        self.kind = kind
        self.help = help


def merge(layers: Iterable[RequestDefaults]) -> RequestDefaults:
    """One word for each option of a request: the first layer that has one. Headers and tags are united by name."""
    layers = tuple(layers)

    def first(name: str) -> Any:
        return next((value for layer in layers if (value := getattr(layer, name)) is not None), None)

    headers: dict[str, tuple[str, Expression]] = {}
    tags: dict[str, str] = {}
    for layer in reversed(layers):
        headers.update((name.lower(), (name, value)) for name, value in layer.headers)
        tags.update(layer.tags)
    return RequestDefaults(
        headers=tuple(headers.values()),
        auth=first("auth"),
        timeout=first("timeout"),
        follow=first("follow"),
        on_failure=first("on_failure"),
        tags=tuple(tags.items()),
    )


def refusal(reason: str, hint: str) -> VezaflowError:
    """The guard's no, before anything was sent."""
    return VezaflowError(f"refused: {reason}", hint=hint, code=ExitCode.REFUSED)


def _least(prepare: Prepare, method: str, headers: Text, body: int) -> int:
    """Bytes that a request sends at least: all of one that never changes, else what is fixed of it."""
    if isinstance(prepare, Constant):
        outgoing: Outgoing = prepare.value
        return len(outgoing.head) + size_of(outgoing.body)
    lines = headers.value if isinstance(headers, Constant) else ""
    return len(f"{method} / HTTP/1.1\r\n{lines}\r\n".encode()) + body


def _kept(url: Callable[[Scope], str], build: Callable[[str], Outgoing]) -> Callable[[Scope], Outgoing]:
    kept: dict[str, Outgoing] = {}

    def prepare(scope: Scope) -> Outgoing:
        text = url(scope)
        outgoing = kept.get(text)
        if outgoing is None:
            outgoing = build(text)
            if len(kept) >= _KEPT_HEADS:
                kept.clear()
            kept[text] = outgoing
        return outgoing

    return prepare


def _joined_lines(lines: Iterable[tuple[str, Evaluate]]) -> Callable[[Scope], str]:
    lines = tuple(lines)
    if all(isinstance(value, Constant) for _, value in lines):
        return Constant("".join(f"{name}: {value(None)}\r\n" for name, value in lines))  # type: ignore[arg-type]
    return lambda scope: "".join([f"{name}: {value(scope)}\r\n" for name, value in lines])


def _without_content(lines: str) -> str:
    kept = (line for line in lines.split("\r\n") if line and not line.lower().startswith("content-"))
    return "".join(f"{line}\r\n" for line in kept)


def _with_query(url: str, pairs: list[tuple[str, Any]]) -> str:
    return _joined(url, [text for name, value in pairs if (text := query_text(name, value))])


def _joined(url: str, parts: list[str]) -> str:
    if not parts:
        return url
    return url + ("&" if "?" in url else "?") + "&".join(parts)


def _length(body: Body, method: str) -> str:
    if body is None:
        return "Content-Length: 0\r\n" if method in _WITH_BODY else ""
    size = len(body) if isinstance(body, bytes) else size_of(body)
    return f"Content-Length: {size}\r\n"


def _breaks(text: str) -> bool:
    return "\r" in text or "\n" in text


def _accepted(expect: Expect | None) -> tuple[bytes, frozenset[int]]:
    if expect is None or expect.status is None:
        return table_of((), (1, 2, 3)), frozenset()
    return table_of(expect.status.exact, expect.status.classes), frozenset(expect.status.exact)


def _status_failure(request: Request) -> Callable[[int], Failure]:
    expected = request.expect.status if request.expect else None
    span = expected.span if expected else request.span
    wanted = expected.text if expected else "a status below 400"
    return lambda status: Failure(ErrorKind.STATUS, "VF601", f"the status is {status}, not {wanted}", span)
