"""Connections that could not come about: proxies and addresses that are none, certificates by halves."""

from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model.connections import Http, Tls
from vezaflow.model.hosts import SCHEMES, ProxyError, is_address, parse_proxy, start_of
from vezaflow.model.steps import RequestDefaults
from vezaflow.model.suite import Flow, Suite
from vezaflow.model.values import may_become
from vezaflow.model.walks import flow_steps, requests
from vezaflow.syntax import Expression, Literal

PROXY_HELP = "write it like `http://proxy.lan:3128`, or `none`"


def check_connections(suite: Suite, diagnostics: Diagnostics) -> None:
    """What `http` and `tls` say, as far as it is written out."""
    for defaults in layers(suite):
        if defaults.http is not None:
            _check_proxy(defaults.http, diagnostics)
            _check_addresses(defaults.http, diagnostics)
    _check_certificates(suite, diagnostics)
    for flow in suite.flows:
        own, shared = flow.defaults.http, suite.defaults.http
        version = own if own is not None and own.version is not None else shared
        if version is not None and version.version == "2":
            _check_version(version, flow, suite, diagnostics)


def _check_version(http: Http, flow: Flow, suite: Suite, diagnostics: Diagnostics) -> None:
    """HTTP/2 to URLs without TLS."""
    base = flow.base_url or suite.base_url
    below = (start_of(base) if base is not None else None) or ""
    for request in requests(flow_steps(flow)):
        start = start_of(request.url) or ""
        url = below if start.startswith("/") else start
        if url.startswith(SCHEMES[0]):
            diagnostics.error(
                "VF426",
                request.url_span,
                "HTTP/2 is spoken over TLS, and this goes to an http:// URL",
                help="give it an https URL, or leave `http: {version: 2}` out",
                related=((http.version_span or http.span, "asked for here"),),
            )
            return


def layers(suite: Suite) -> Iterator[RequestDefaults]:
    """Where connections can be spoken of."""
    yield suite.defaults
    yield from (flow.defaults for flow in suite.flows)


def _check_proxy(http: Http, diagnostics: Diagnostics) -> None:
    for part in may_become(http.proxy) if http.proxy is not None else ():
        start = start_of(part)
        if isinstance(part, Literal) and isinstance(part.value, str):
            try:
                parse_proxy(part.value)
            except ProxyError as error:
                _no_proxy(part.span, str(error), diagnostics)
        elif start and not start.startswith(SCHEMES[0]):
            _no_proxy(part.span, "it has to begin with http://", diagnostics)


def _no_proxy(span: Span, reason: str, diagnostics: Diagnostics) -> None:
    diagnostics.error("VF423", span, "this is no proxy's URL", label=reason, help=PROXY_HELP)


def _check_addresses(http: Http, diagnostics: Diagnostics) -> None:
    for part in (part for each in http.local_addresses or () for part in may_become(each)):
        if isinstance(part, Literal) and part.value is not None and not is_address(str(part.value)):
            diagnostics.error(
                "VF424",
                part.span,
                f"'{part.value}' is no IP address",
                help="write an address that this machine has, such as `10.0.0.11`; `ip address` lists them",
            )


def _check_certificates(suite: Suite, diagnostics: Diagnostics) -> None:
    """A key or a password without the certificate that it belongs to."""
    shared = suite.defaults.tls
    _check_halves(shared, None, diagnostics)
    for flow in suite.flows:
        _check_halves(flow.defaults.tls, shared, diagnostics)


def _check_halves(own: Tls | None, shared: Tls | None, diagnostics: Diagnostics) -> None:
    if own is None or own.cert is not None or (shared is not None and shared.cert is not None):
        return
    halves: tuple[tuple[str, Expression | None], ...] = (("key", own.key), ("password", own.password))
    key, value = next(((key, value) for key, value in halves if value is not None), ("", None))
    if value is not None:
        diagnostics.error(
            "VF425",
            value.span,
            f"a client's '{key}' without its certificate",
            help="name the certificate's file too: `tls: {cert: client.pem, key: client.key}`",
        )
