"""URLs as far as a file writes them, and the hosts that the guard lets be loaded."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from vezaflow.syntax import Expression, Literal, Template

SCHEMES = ("http://", "https://")
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
