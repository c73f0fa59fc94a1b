"""URLs → origins and request targets, and the guard that stands before every one of them.

Laws: what is not loopback and not allowed is refused before a socket is opened, whether the URL was written,
extracted or redirected to. A rendered URL is percent-encoded here and nowhere else. Pure; answers are cached, for a
flow asks for the same few thousand URLs again and again.
"""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from vezaflow.model import is_allowed
from vezaflow.protocols import Origin

_CACHE_LIMIT = 2048  # URLs that come once (an upload's) fill it: soon, and with 1.5 MB at most
_PLAIN = "/%:@!$&'()*+,;=-._~?[]"  # left alone in a target that an author or a server wrote


class UrlError(ValueError):
    """A text that is no http(s) URL; the message says why."""


class GuardError(ValueError):
    """A URL whose host is not allowed."""


class Target(NamedTuple):
    """Where a request goes: the connection's origin and the first line's target."""

    origin: Origin
    target: str

    @property
    def url(self) -> str:
        return f"{self.origin.scheme}://{self.origin.authority}{self.target}"


class Targets:
    """Turns URL texts into Targets relative to a base, refusing what the guard does not allow."""

    def __init__(self, base: str | None, allow: Sequence[str]) -> None:
        """Raises UrlError or GuardError when the base itself is not right."""
        self._allow = tuple(pattern.lower() for pattern in allow)
        self._cache: dict[str, Target] = {}
        self._origins: dict[Origin, Origin] = {}  # one object an origin: clients compare them by identity first
        self._base: Target | None = None
        self._prefix = ""
        if base is not None:
            self._base = self._split(base)
            self._prefix = self._base.target.partition("?")[0].rstrip("/")

    @property
    def base(self) -> Target | None:
        return self._base

    @property
    def allow(self) -> tuple[str, ...]:
        """The guard's patterns."""
        return self._allow

    def resolve(self, url: str) -> Target:
        """The target of a URL: absolute, or a path under the base. Raises UrlError, GuardError."""
        found = self._cache.get(url)
        if found is None:
            found = self._resolve(url)
            if len(self._cache) >= _CACHE_LIMIT:
                self._cache.clear()
            self._cache[url] = found
        return found

    def follow(self, current: Target, location: str) -> Target:
        """The target of a redirect's Location, relative to the URL that answered. Raises UrlError, GuardError."""
        try:
            url = urljoin(current.url, location.strip())
        except ValueError as e:
            raise UrlError(f"'{location}' is not a URL: {e}") from None
        return self._split(url)

    def allows(self, host: str, port: int) -> bool:
        """Whether the guard lets a host be loaded."""
        return is_allowed(host, port, self._allow)

    def _resolve(self, url: str) -> Target:
        if not url.startswith("/"):
            return self._split(url)
        if url.startswith("//"):
            raise UrlError(f"'{url}' has no scheme: write https:{url}, or one slash for a path")
        if self._base is None:
            raise UrlError(f"'{url}' is a path, and there is no base_url")
        return Target(self._base.origin, self._prefix + quote(url.partition("#")[0], safe=_PLAIN))

    def _split(self, url: str) -> Target:
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError as e:
            raise UrlError(f"'{url}' is not a URL: {e}") from None
        if parts.scheme not in ("http", "https"):
            raise UrlError(f"'{url}' is neither an http or https URL nor a path, which begins with /")
        if not parts.hostname:
            raise UrlError(f"'{url}' names no host")
        if parts.username is not None:
            raise UrlError("a URL with a user in it: use `auth: {basic: …}`")
        host = _ascii_host(parts.hostname)
        origin = Origin(parts.scheme, host, port or (443 if parts.scheme == "https" else 80))
        origin = self._origins.setdefault(origin, origin)
        if not self.allows(host, origin.port):
            raise GuardError(f"{host} is not loopback and not in `guard: allow`")
        target = quote(parts.path or "/", safe=_PLAIN) + (f"?{quote(parts.query, safe=_PLAIN)}" if parts.query else "")
        return Target(origin, target)


def _ascii_host(host: str) -> str:
    if host.isascii():
        if any(c in host for c in " \t\r\n<>\"'\\^`{|}%"):
            raise UrlError(f"'{host}' is no host name")
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise UrlError(f"'{host}' is no host name") from None
