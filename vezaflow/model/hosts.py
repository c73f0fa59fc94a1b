"""URLs as far as a file writes them, and the hosts that the guard lets be loaded."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from vezaflow.syntax import Expression, Literal, Template

SCHEMES = ("http://", "https://")
_NO_PROXY = ("", "none")


class ProxyError(ValueError):
    """A text that is no proxy's URL; the message says why, without any credentials."""


class ProxyAddress(NamedTuple):
    """Where a proxy is, and as whom it is used."""

    host: str
    port: int
    user: str
    password: str


def parse_proxy(text: str) -> ProxyAddress | None:
    """The proxy that a URL names; None for `none`. Raises ProxyError."""
    text = text.strip()
    if text.lower() in _NO_PROXY:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ProxyError("its port is none") from None
    if parts.scheme == "https" and "://" in text:
        raise ProxyError("vezaflow speaks to proxies over http:// only")
    if parts.scheme != "http" or "://" not in text:
        raise ProxyError("it has to begin with http://")
    if not parts.hostname:
        raise ProxyError("it names no host")
    if port is None:
        raise ProxyError("it names no port")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ProxyError("a proxy has no path")
    return ProxyAddress(parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""))


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    from ipaddress import ip_address  # as below

    try:
        ip_address(text)
    except ValueError:
        return False
    return True
LOOPBACK = "loopback"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by definition: `localhost` (RFC 6761), 127.0.0.0/8, ::1."""
    from ipaddress import ip_address  # lint reads few addresses, and the import takes as long as reading a flow

    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_allowed(host: str, port: int, patterns: Sequence[str]) -> bool:
    """Whether the guard lets a host be loaded. The patterns are in lower case."""
    return allowed_by(host, port, patterns) is not None


def allowed_by(host: str, port: int, patterns: Sequence[str]) -> str | None:
    """Why the guard lets a host be loaded: `loopback`, or the pattern; None if it doesn't."""
    if is_loopback(host):
        return LOOPBACK
    fits = (p for p in patterns if fnmatchcase(host, p) or fnmatchcase(f"{host}:{port}", p))
    return next(fits, None)


def start_of(url: Expression) -> str | None:
    """The constant text that a URL begins with; None if an expression comes first."""
    first = url.parts[0] if isinstance(url, Template) and url.parts else url
    return first.value if isinstance(first, Literal) and isinstance(first.value, str) else None


def written_host(url: Expression) -> tuple[str, int] | None:
    """The host and the port that a URL writes out; None if a part of them is not constant, or there is none."""
    start = start_of(url)
    if start is None or not start.startswith(SCHEMES):
        return None
    scheme, _, rest = start.partition("://")
    if isinstance(url, Template) and not any(sign in rest for sign in "/?#"):
        return None
    try:
        parts = urlsplit(start)
        port = parts.port
    except ValueError:
        return None
    return (parts.hostname, port or (443 if scheme == "https" else 80)) if parts.hostname else None
