"""How VUs connect: `http` and `tls` of a step, its flow and its suite, key by key, as options of a client.

Laws: files are those of the suite's folder, and they are tried here, before anything is sent; the guard allows the
proxy as well as the targets; a message never shows a proxy's credentials.
"""

from base64 import b64encode
from pathlib import Path
from typing import Any

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.model import ConnectionLifetime, Http, ProxyError, Request, RequestDefaults, Tls, is_address, parse_proxy
from vezaflow.plan.compiled import UNKNOWN
from vezaflow.plan.rendering import show
from vezaflow.plan.settings import Settings
from vezaflow.plan.targets import Target, Targets
from vezaflow.protocols import ClientOptions, Origin, Proxy, TlsFault, check_trust
from vezaflow.redact import weakness
from vezaflow.syntax import Expression


class ConnectionPlanner:
    """Plans the clients of a suite."""

    def __init__(self, root: Path, targets: Targets, diagnostics: Diagnostics) -> None:
        self._root = root
        self._targets = targets
        self._diagnostics = diagnostics
        self._tried: set[ClientOptions] = set()

    def client(self, layers: tuple[RequestDefaults, ...], settings: Settings, base: Target | None) -> ClientOptions:
        """The options of clients of URLs below `base`; the strongest layer first. Raises VezaflowError where the guard
        says no."""
        http, tls = _said(layers)
        options = self._options(http, tls, settings)
        if options.http2 and base is not None and base.origin.scheme == "http":
            place = next(layer.version_span for layer in http if layer.version is not None)
            self._diagnostics.error(
                "VF426",
                place,
                f"HTTP/2 needs TLS, and the base URL is {base.url}",
                help="use an https URL, or remove `version: 2`",
            )
        return options

    def of_request(
        self,
        request: Request,
        settings: Settings,
        origin: Origin | None,
        *,
        around: tuple[RequestDefaults, ...],
        usual: ClientOptions,
    ) -> ClientOptions | None:
        """How a request connects that goes to `origin` (None: not known) and has these layers around it; None: in
        the usual way."""
        own = request.options
        if own.http is None and own.tls is None:
            return None
        http, tls = _said((own, *around))
        options = self._options(http, tls, settings)
        if options.http2 and origin is not None and origin.scheme == "http":
            self._diagnostics.error(
                "VF426",
                request.url_span,
                f"HTTP/2 needs TLS, and this request goes to http://{origin.authority}",
                help="use an https URL, or `http: {version: 1.1}`",
            )
        return None if options == usual else options

    def _options(self, http: tuple[Http, ...], tls: tuple[Tls, ...], settings: Settings) -> ClientOptions:
        cert = self._file(_first(tls, "cert"), settings)
        password = _first(tls, "password")
        options = ClientOptions(
            ca_file=self._file(_first(tls, "ca"), settings),
            insecure=_first(tls, "insecure") is True,
            cert_file=cert,
            key_file=self._file(_first(tls, "key"), settings) if cert else None,
            key_password=settings.text(password) if password is not None else "",
            http2=_first(http, "version") == "2",
            proxy=self._proxy(_first(http, "proxy"), settings),
            local_addresses=self._addresses(_first(http, "local_addresses") or (), settings),
        )
        self._try(options, tls)
        return options

    def _file(self, path: Expression | None, settings: Settings) -> str | None:
        if path is None:
            return None
        written = settings.text(path)
        whole = (self._root / written).resolve()
        if not whole.is_file() or not whole.is_relative_to(self._root.resolve()):
            self._diagnostics.error("VF703", path.span, f"'{written}' is not a file in the suite's folder")
            return None
        return str(whole)

    def _try(self, options: ClientOptions, layers: tuple[Tls, ...]) -> None:
        if self._diagnostics.failed or options in self._tried or not (options.ca_file or options.cert_file):
            return
        self._tried.add(options)
        try:
            check_trust(options)
        except TlsFault as fault:
            self._diagnostics.error("VF703", layers[0].span, str(fault).replace(f"{self._root.resolve()}/", ""))

    def _proxy(self, written: Expression | None, settings: Settings) -> Proxy | None:
        if written is None:
            return None
        value = settings.value(written)
        if value is UNKNOWN:
            return None
        try:
            found = parse_proxy(str(value))
        except ProxyError as error:
            self._diagnostics.error("VF702", written.span, f"not a valid URL of a proxy: {error}")
            return None
        if found is None:
            return None
        if not self._targets.allows(found.host, found.port):
            raise VezaflowError(
                f"refused: the proxy {found.host} is not loopback and not in `guard: allow`",
                hint="list it under `guard: {allow: […]}` in suite.yml, next to the hosts of the target",
                code=ExitCode.REFUSED,
            )
        return Proxy(*found)

    def _addresses(self, written: tuple[Expression, ...], settings: Settings) -> tuple[str, ...]:
        return tuple(self._address(settings.value(each), each.span) for each in written)

    def _address(self, value: object, span: Span) -> str:
        if value is not UNKNOWN and not is_address(str(value)):
            self._diagnostics.error("VF702", span, f"expected an IP address, got {show(value)}")
        return str(value)


def renews(layers: tuple[RequestDefaults, ...]) -> bool:
    """Whether each iteration has connections of its own."""
    return _first(_said(layers)[0], "connections") is ConnectionLifetime.PER_ITERATION


def hidden(options: ClientOptions) -> tuple[str, ...]:
    """What of a client's options no output may show."""
    proxy = options.proxy
    found = [options.key_password]
    if proxy is not None:
        pair = f"{proxy.user}:{proxy.password}"
        found += [pair if weakness(proxy.password) else proxy.password, b64encode(pair.encode()).decode()]
    return tuple(text for text in found if text.strip(":") and text != "Og==")


def _said(layers: tuple[RequestDefaults, ...]) -> tuple[tuple[Http, ...], tuple[Tls, ...]]:
    """What the layers say of connections, each in its order."""
    return tuple(each.http for each in layers if each.http), tuple(each.tls for each in layers if each.tls)


def _first(layers: tuple[Http, ...] | tuple[Tls, ...], name: str) -> Any:
    return next((value for layer in layers if (value := getattr(layer, name)) is not None), None)
