"""Connections that could not come about: proxies and addresses that are none, certificates by halves."""

from collections.abc import Iterator
from dataclasses import dataclass

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import (
    SCHEMES,
    Http,
    ProxyError,
    Request,
    RequestDefaults,
    Step,
    Suite,
    flow_steps,
    is_address,
    option_layers,
    parse_proxy,
    requests,
    start_of,
    suite_steps,
)
from vezaflow.read import may_become
from vezaflow.syntax import Expression, Literal

PROXY_HELP = "write it like `http://proxy.lan:3128`, or `none`"


@dataclass(frozen=True, slots=True)
class _Part:
    """Steps that have the same base URL and options around them, the strongest first."""

    steps: tuple[Step, ...]
    base: Expression | None
    around: tuple[RequestDefaults, ...]


def check_connections(suite: Suite, diagnostics: Diagnostics) -> None:
    """What `http` and `tls` say, as far as it is written out."""
    for options in option_layers(suite):
        if options.http is not None:
            _check_proxy(options.http, diagnostics)
            _check_addresses(options.http, diagnostics)
    for part in _parts(suite):
        _check_halves(part.around, diagnostics)
        for request in requests(part.steps):
            _check_halves((request.options, *part.around), diagnostics)
            _check_trust(request, part, diagnostics)
        _check_version(part, diagnostics)


def _parts(suite: Suite) -> Iterator[_Part]:
    yield _Part(suite_steps(suite), suite.base_url, (suite.defaults,))
    for flow in suite.flows:
        yield _Part(flow_steps(flow), flow.base_url or suite.base_url, (flow.defaults, suite.defaults))


def _check_version(part: _Part, diagnostics: Diagnostics) -> None:
    """HTTP/2 to URLs without TLS, told once for each place that asks for it."""
    told: set[Span] = set()
    for request in requests(part.steps):
        layers = (options.http for options in (request.options, *part.around))
        http = next((layer for layer in layers if layer is not None and layer.version is not None), None)
        if http is None or http.version != "2" or not _in_the_clear(request, part):
            continue
        asked = http.version_span or http.span
        if asked not in told:
            told.add(asked)
            own = http is request.options.http
            diagnostics.error(
                "VF426",
                request.url_span,
                "HTTP/2 needs TLS, and this is an http:// URL",
                help=f"use an https URL, or {'remove `version: 2`' if own else '`http: {version: 1.1}`'}",
                related=((asked, "required here"),),
            )


def _check_trust(request: Request, part: _Part, diagnostics: Diagnostics) -> None:
    """A step's own word on TLS where there is none."""
    tls = request.options.tls
    if tls is not None and _in_the_clear(request, part):
        diagnostics.warning(
            "VF427",
            tls.span,
            "`tls` has no effect on an http:// URL",
            help="use an https URL, or remove `tls`",
            related=((request.url_span, "the URL"),),
        )


def _in_the_clear(request: Request, part: _Part) -> bool:
    """Whether a request surely goes to an http:// URL."""
    start = start_of(request.url) or ""
    below = (start_of(part.base) if part.base is not None else None) or ""
    return (below if start.startswith("/") else start).startswith(SCHEMES[0])


def _check_proxy(http: Http, diagnostics: Diagnostics) -> None:
    for part in may_become(http.proxy) if http.proxy is not None else ():
        start = start_of(part)
        if isinstance(part, Literal) and isinstance(part.value, str):
            try:
                parse_proxy(part.value)
            except ProxyError as error:
                _no_proxy(part.span, str(error), diagnostics)
        elif start and not start.startswith(SCHEMES[0]):
            _no_proxy(part.span, "it must start with http://", diagnostics)


def _no_proxy(span: Span, reason: str, diagnostics: Diagnostics) -> None:
    diagnostics.error("VF423", span, "not a valid URL of a proxy", label=reason, help=PROXY_HELP)


def _check_addresses(http: Http, diagnostics: Diagnostics) -> None:
    for part in (part for each in http.local_addresses or () for part in may_become(each)):
        if isinstance(part, Literal) and part.value is not None and not is_address(str(part.value)):
            diagnostics.error(
                "VF424",
                part.span,
                f"'{part.value}' is not an IP address",
                help="use an address of this machine, such as `10.0.0.11`; `ip address` lists them",
            )


def _check_halves(layers: tuple[RequestDefaults, ...], diagnostics: Diagnostics) -> None:
    """A key or a password without the certificate that it belongs to, in the first of these layers."""
    own = layers[0].tls
    if own is None or any(layer.tls is not None and layer.tls.cert is not None for layer in layers):
        return
    halves: tuple[tuple[str, Expression | None], ...] = (("key", own.key), ("password", own.password))
    key, value = next(((key, value) for key, value in halves if value is not None), ("", None))
    if value is not None:
        diagnostics.error(
            "VF425",
            value.span,
            f"'{key}' without a client certificate",
            help="add the certificate: `tls: {cert: client.pem, key: client.key}`",
        )
