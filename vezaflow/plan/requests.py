"""Request steps, planned: as much of each head and body as can be is made once, before the run.

Where only the URL varies, whole heads are kept by URL, of those that come again (recurring.py). What may stand where in
a URL is urls.py's law, what in a head heads.py's, what in a body bodies.py's.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import (
    Expect,
    Expectation,
    Hls,
    OnFailure,
    Paginate,
    Pick,
    Poll,
    Request,
    RequestDefaults,
    SchemaMatch,
    Upload,
    expect_uses,
    extract_uses,
)
from vezaflow.plan.attempts import plan_poll, plan_retry
from vezaflow.plan.bodies import HALF_PAIR, BodyCompiler, Prepared, size_of
from vezaflow.plan.checks import Failure, plan_check
from vezaflow.plan.compiled import UNKNOWN, Constant
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.extractors import plan_extract
from vezaflow.plan.forecast import Forecast, reasons_of, wanted
from vezaflow.plan.heads import HeadPlanner, head_of, moved
from vezaflow.plan.hls import PlannedHls, plan_hls
from vezaflow.plan.outgoing import Outgoing, PlannedRequest, PlannedUpload
from vezaflow.plan.pages import plan_pages, request_of_page
from vezaflow.plan.refused import RequestError, refuse
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.settings import Settings
from vezaflow.plan.statuses import table_of
from vezaflow.plan.targets import Target, Targets
from vezaflow.plan.uploads import Slices, cut
from vezaflow.plan.urls import Text, UrlPlanner
from vezaflow.protocols import IDEMPOTENT, Body, ClientOptions, ErrorKind, Origin, RequestOptions, Want
from vezaflow.read import closes
from vezaflow.recurring import Recurring
from vezaflow.syntax import FUNCTIONS, Call, Expression, JsonSchema, Name, Needs, compile_schema, walk

DEFAULT_TIMEOUT = 60.0  # seconds, as k6's
DEFAULT_REDIRECTS = 10  # as k6's

Prepare = Callable[[Scope], Outgoing]
Connect = Callable[[Request, Settings, Origin | None], ClientOptions | None]  # as ConnectionPlanner.of_request


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
        is_secret: Callable[[bytes], bool],
    ) -> None:
        self._compiler = compiler
        self._targets = targets
        self._bodies = bodies
        self._diagnostics = diagnostics
        self._defaults = defaults  # the strongest first
        self._connect = connect
        self._is_secret = is_secret
        self._urls = UrlPlanner(compiler, targets, diagnostics)
        self._heads = HeadPlanner(compiler, diagnostics)
        self._settings = Settings(compiler, diagnostics)

    def within(self, compiler: Compiler) -> "RequestCompiler":
        """The same for the requests of a fragment, whose names are its own."""
        return RequestCompiler(
            compiler,
            self._targets,
            self._bodies,
            self._diagnostics,
            self._defaults,
            self._connect,
            self._is_secret,
        )

    def poll(self, poll: Poll) -> PlannedRequest:
        """The request of a poll, which goes on until its response is as asked."""
        request = self.request(poll.request)
        reasons = reasons_of(poll.request, poll)
        return replace(
            request,
            poll=plan_poll(poll, self._compiler, self._settings),
            draws=request.draws or _draws((poll.until,)),
            options=replace(request.options, want=request.options.want | wanted(reasons)),
            forecast=replace(request.forecast, reasons=reasons),
        )

    def paginate(self, paginate: Paginate) -> PlannedRequest:
        """The request of a walk, which is sent for each of its pages."""
        request = self.request(request_of_page(paginate, self._compiler.names))
        reasons = reasons_of(paginate.request, pages=paginate)
        planned = plan_pages(
            paginate, request, self._compiler, self._settings, self._urls.resolver(paginate.next.argument_span)
        )
        return replace(
            planned,
            draws=True,  # for each page anew
            options=replace(request.options, want=request.options.want | wanted(reasons)),
            forecast=replace(request.forecast, reasons=reasons),
        )

    def hls(self, hls: Hls) -> PlannedHls:
        """A listener, with the requests that playlists lead it to."""
        first = self.request(hls.requests[0])
        return plan_hls(hls, first, self._compiler, self._settings, self._urls.resolver(hls.span))

    def upload(self, upload: Upload) -> PlannedUpload:
        """An upload, with the request of each of its parts."""
        names, whole = self._compiler.names, self._bodies.shared(upload.source, self._compiler)
        slices = cut(whole, upload, names.slot("part"), self._settings, self._diagnostics)
        request = self.request(upload.request, slices)
        count = len(slices.parts)
        return PlannedUpload(
            request=request,
            slot=slices.slot,
            parts=slices.parts,
            extracted=tuple(extract.slot for extract in request.extracts),
            at_once=min(max(1, count), self._settings.count(upload.at_once) if upload.at_once is not None else 1),
            sends=count * (request.forecast.sends - slices.least) + slices.total,
            span=upload.span,
        )

    def request(self, request: Request, slices: Slices | None = None) -> PlannedRequest:
        options = merge((request.options, *self._defaults))
        follow = self._follow(options.follow)
        accepts, explicit = _accepted(request.expect)
        url, origin = self._urls.url(request), self._urls.origin(request.url, upgrades=request.upgrades)
        body = self._bodies.body(request.body, self._compiler, slices)
        headers = self._heads.lines(options, body)
        prepare = self._prepare(request, url, body, headers)
        reasons = reasons_of(request)
        checks = request.expect.expectations if request.expect else ()
        return PlannedRequest(
            name=request.name,
            method=request.method,
            prepare=prepare,
            move=partial(moved, span=request.span, is_secret=self._is_secret),
            varies=_reads_attempt(request, options),
            draws=_draws_late(request),
            options=RequestOptions(
                wanted(reasons) | Want.COOKIES,
                self._settings.seconds(options.timeout) if options.timeout else DEFAULT_TIMEOUT,
                bodyless=request.method == "HEAD",
                replayable=request.method in IDEMPOTENT,
                closes=closes(options.headers),
            ),
            accepts=accepts,
            explicit=explicit,
            status_failure=_status_failure(request),
            checks=tuple(plan_check(e, self._compiler, self.schema(e)) for e in checks),
            extracts=tuple(plan_extract(e, self._compiler) for e in request.extract),
            follow=follow,
            on_failure=options.on_failure or OnFailure.END_ITERATION,
            tags=options.tags,
            retry=plan_retry(request.retry, self._settings) if request.retry is not None else None,
            poll=None,
            pages=None,
            client=self._connect(request, self._settings, origin),
            forecast=Forecast(
                url=" ".join(request.url_span.text.strip("\"'").split()),
                origin=origin,
                sends=_least(prepare, request.method, headers, body.least),
                reasons=reasons,
            ),
            span=request.span,
            upgrades=request.upgrades,
            streams=request.streams,
        )

    def schema(self, expectation: Expectation) -> JsonSchema | None:
        """The JSON Schema that an expectation is about; None where there is none, or the reason is reported."""
        if not isinstance(expectation, SchemaMatch):
            return None
        schema = expectation.schema
        text = bytes(self._bodies.file(schema.path, self._compiler)) if schema.path is not None else schema.document
        try:
            return compile_schema(text)
        except ValueError as e:
            if text:  # else the file can't be read, which was said
                self._diagnostics.error("VF703", schema.span, f"not a valid JSON Schema: {e}")
            return None

    def _follow(self, follow: Expression | None) -> int:
        if follow is None:
            return DEFAULT_REDIRECTS
        value = self._settings.value(follow)
        if value in (True, "true"):
            return DEFAULT_REDIRECTS
        if value in (False, "false"):
            return 0
        return self._settings.count(follow, least=0)

    def _prepare(self, request: Request, url: Text, body: Prepared, lines: Text) -> Prepare:
        resolve = self._urls.resolver(request.url_span, upgrades=request.upgrades)
        method, render, span = request.method, body.render, request.span

        def build(target: Target, payload: Body, written: str) -> Outgoing:
            return head_of(target, payload, written, method, body)

        def prepare(scope: Scope) -> Outgoing:
            try:
                target, payload = resolve(url(scope)), render(scope)
                return build(target, payload, lines(scope))
            except UnicodeEncodeError:
                raise EvaluationError(HALF_PAIR, span) from None

        if isinstance(lines, Constant) and isinstance(render, Constant):
            if isinstance(url, Constant) and url.value is not UNKNOWN:
                return self._constant(prepare, request.url_span)
            return _kept(url, lambda text: build(resolve(text), render.value, lines.value), span)
        return prepare

    def _constant(self, prepare: Callable[[Scope], Outgoing], span: Span) -> Callable[[Scope], Outgoing]:
        """A request that never changes; its URL is checked now, before any socket is opened."""
        try:
            return Constant(prepare(None))  # type: ignore[arg-type]
        except RequestError as e:
            refuse(e, self._diagnostics)
        except EvaluationError as e:
            self._diagnostics.error("VF705", span, e.message)
        return prepare


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


def _reads_attempt(request: Request, options: RequestDefaults) -> bool:
    """Whether an attempt further on sends another request."""
    found = (part for use in request.made_of(options) for part in walk(use.expression))
    return any(isinstance(part, Name) and part.name == "attempt" for part in found)


def _draws_late(request: Request) -> bool:
    """Whether what is made of the response draws: how much, depends on the response."""
    looks = (use.expression for uses in (extract_uses(request), expect_uses(request)) for use in uses)
    waits = (request.retry.wait,) if request.retry is not None and request.retry.wait is not None else ()
    return any(extract.pick is Pick.RANDOM for extract in request.extract) or _draws((*looks, *waits))


def _draws(expressions: Iterable[Expression]) -> bool:
    parts = (part for each in expressions for part in walk(each) if isinstance(part, Call))
    return any(FUNCTIONS[part.function].needs is Needs.RANDOM for part in parts if part.function in FUNCTIONS)


def _least(prepare: Prepare, method: str, headers: Text, body: int) -> int:
    """Bytes that a request sends at least: all of one that never changes, else what is fixed of it."""
    if isinstance(prepare, Constant):
        outgoing: Outgoing = prepare.value
        return len(outgoing.head) + size_of(outgoing.body)
    lines = headers.value if isinstance(headers, Constant) else ""
    return len(f"{method} / HTTP/1.1\r\n{lines}\r\n".encode()) + body


def _kept(url: Text, build: Callable[[str], Outgoing], span: Span) -> Prepare:
    def whole(text: str) -> Outgoing:
        try:
            return build(text)
        except UnicodeEncodeError:
            raise EvaluationError(HALF_PAIR, span) from None

    kept = Recurring(whole)
    return lambda scope: kept[url(scope)]


def _accepted(expect: Expect | None) -> tuple[bytes, frozenset[int]]:
    if expect is None or expect.status is None:
        return table_of((), (1, 2, 3)), frozenset()
    return table_of(expect.status.exact, expect.status.classes), frozenset(expect.status.exact)


def _status_failure(request: Request) -> Callable[[int], Failure]:
    expected = request.expect.status if request.expect else None
    span = expected.span if expected else request.span
    wanted = expected.text if expected else "below 400"
    return lambda status: Failure(ErrorKind.STATUS, "VF601", f"expected status {wanted}, got {status}", span)
