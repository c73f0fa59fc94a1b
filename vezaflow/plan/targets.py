"""URLs → origins and request targets, and the guard that stands before every one of them.

Laws: what is not loopback and not allowed is refused before a socket is opened, whether the URL was written,
extracted or redirected to. The guard decides on the normalised host, which is the one that is connected to. A rendered
URL is percent-encoded here and nowhere else. Pure; what comes again and again is kept, what comes once is not.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from vezaflow.model import (
    PORTS,
    UrlError,
    is_allowed,
    patterns_of,
    read_authority,
    read_reference,
    read_url,
    unmapped,
)
from vezaflow.protocols import Origin
from vezaflow.recurring import Recurring

STAGING = "load tests target staging: set the target in a separate variable, such as BASE_URL"
_MOST_ORIGINS = 4096
_ALSO_SLASHES = frozenset("\\\t\r\n")  # behind the first slash, to browsers
_PLAIN = "/%:@!$&'()*+,;=-._~?[]"  # left alone in a target that an author or a server wrote


class GuardError(ValueError):
    """A URL whose host is not allowed; `hint`: what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or "list the host under `guard: {allow: […]}` in suite.yml, if it may be load tested"


class Target(NamedTuple):
    """Where a request goes: the connection's origin and the first line's target; the fragment stays here."""

    origin: Origin
    target: str
    fragment: str = ""

    @property
    def url(self) -> str:
        fragment = f"#{self.fragment}" if self.fragment else ""
        return f"{self.origin.scheme}://{self.origin.authority}{self.target}{fragment}"


class Targets:
    """Turns URL texts into Targets relative to a base, refusing what the guard does not allow."""

    def __init__(
        self, base: str | None, allow: Sequence[str], barred: Mapping[tuple[str, int | None], str] | None = None
    ) -> None:
        """`barred`: hosts (and ports, None: any) that are refused whatever is allowed, with the variable that leads
        there. Raises UrlError or GuardError when the base itself is not right."""
        self._allow = patterns_of(allow)
        self._barred = barred or {}
        self._resolved = Recurring(self._resolve)
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
        return self._resolved[url]

    def follow(self, current: Target, location: str) -> Target:
        """The target of a redirect's Location, relative to the URL that answered (RFC 3986, 5.2). Where Location has
        no fragment the URL's own stays (RFC 9110, 10.2.2). Raises UrlError, GuardError."""
        scheme, authority, path, query, fragment = read_reference(location)
        fragment = current.fragment if fragment is None else _encoded(fragment)
        if scheme is not None:
            return Target(self._split(location).origin, _target(_without_dots(path), query), fragment)
        if authority is not None:
            if not authority:
                raise UrlError(f"{location!r} has no host")
            host, port = read_authority(authority, PORTS[current.origin.scheme])
            origin = self._origin(current.origin.scheme, host, port)
            return Target(origin, _target(_without_dots(path), query), fragment)
        base, _, base_query = current.target.partition("?")
        if not path:
            return Target(current.origin, _target(base, base_query or None if query is None else query), fragment)
        whole = path if path.startswith("/") else base.rpartition("/")[0] + "/" + path
        return Target(current.origin, _target(_without_dots(whole), query), fragment)

    def allows(self, host: str, port: int) -> bool:
        """Whether the guard lets a host be loaded."""
        return is_allowed(host, port, self._allow)

    def _resolve(self, url: str) -> Target:
        if not url.startswith("/"):
            if read_reference(url).scheme is None:
                remedy = "`absolute_url(link, page)` resolves a link of a page"
                raise UrlError(f"{url!r} is neither an absolute URL nor a path: {remedy}")
            return self._split(url)
        if url.startswith("//"):
            raise UrlError(f"{url!r} has no scheme: write https:{url}, or one slash for a path")
        if url[1:2] in _ALSO_SLASHES:
            read_reference(url)
        if self._base is None:
            raise UrlError(f"{url!r} is a path, and there is no base_url")
        path, _, fragment = url.partition("#")
        return Target(self._base.origin, self._prefix + _encoded(path), _encoded(fragment))

    def _split(self, url: str) -> Target:
        scheme, host, port, path, query, fragment = read_url(url)
        return Target(self._origin(scheme, host, port), _target(path, query), _encoded(fragment or ""))

    def _origin(self, scheme: str, host: str, port: int) -> Origin:
        """The origin, if the guard lets it be loaded."""
        if not self.allows(host, port):
            raise GuardError(f"{host} is not loopback and not in `guard: allow`")
        origin = Origin(scheme, host, port)
        if self._barred and (name := self._leads_to_production(unmapped(host), port)):
            raise GuardError(f"{origin.authority} is the target of {name}, which looks like production", STAGING)
        if len(self._origins) >= _MOST_ORIGINS:
            self._origins.clear()
        return self._origins.setdefault(origin, origin)

    def _leads_to_production(self, host: str, port: int) -> str | None:
        """The variable that is named like production and leads there."""
        return self._barred.get((host, port)) or self._barred.get((host, None))


def _target(path: str, query: str | None) -> str:
    return _encoded(path or "/") + (f"?{_encoded(query)}" if query else "")


def _encoded(text: str) -> str:
    """Percent-encoded where it has to be; what is encoded already stays."""
    try:
        return quote(text, safe=_PLAIN)
    except UnicodeEncodeError:
        raise UrlError(f"{text!r} contains an unpaired surrogate, which is not allowed in a URL") from None


def _without_dots(path: str) -> str:
    """A path without `.` and `..` (RFC 3986, 5.2.4). Encoded ones are names like any other."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
