"""One user's cookies (RFC 6265): taken from Set-Cookie, given back by host, path and scheme.

Laws: host-only unless Domain says more, and Domain is believed only from a host within it, never for a bare
top-level name or an address; Secure cookies are set and sent over https only; __Host- and __Secure- names
keep their promise; Max-Age wins over Expires; longer paths first. No public-suffix list: a test has its own
few hosts. An empty jar holds one tuple.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from vezaflow.protocols.dates import moment_of
from vezaflow.protocols.exchange import Origin
from vezaflow.protocols.head import text_of

_MOST = 180  # cookies in a jar; browsers keep about as many for a host


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie. `name` and `value` hold bytes as Latin-1; `domain` without a leading dot; `expires` in seconds
    since the epoch, None for the session."""

    name: str
    value: str
    domain: str
    host_only: bool
    path: str
    secure: bool
    expires: float | None

    def fits(self, origin: Origin, path: str, now: float) -> bool:
        return (
            _domain_fits(self, origin.host)
            and _path_fits(self.path, path)
            and (not self.secure or origin.scheme == "https")
            and (self.expires is None or self.expires > now)
        )


class CookieJar:
    """The cookies of one VU. `clock` tells the time of day."""

    __slots__ = ("_cached", "_clock", "cookies")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.cookies: tuple[Cookie, ...] = ()
        self._clock = clock
        self._cached: tuple[Origin, bytes | None] | None = (
            None  # the header for an origin, where no path or time matters
        )

    def take(self, origin: Origin, target: str, line: str | bytes) -> None:
        """Obey one Set-Cookie value of a response to a request for `target`; what is invalid is ignored. As bytes, it
        goes back byte for byte; as text, in UTF-8."""
        raw = line.encode() if isinstance(line, str) else line
        cookie = parse(origin, target, raw.decode("latin-1"), self._clock())
        if cookie is None:
            return
        now = self._clock()
        same = (cookie.name, cookie.domain, cookie.path)
        kept = [c for c in self.cookies if (c.name, c.domain, c.path) != same and _alive(c, now)]
        if _alive(cookie, now):
            kept.append(cookie)
        self.cookies = tuple(sorted(kept[-_MOST:], key=lambda c: -len(c.path)))
        self._cached = None

    def header(self, origin: Origin, target: str) -> bytes | None:
        """The Cookie header's value for a request, or None if no cookie fits."""
        if self._cached is not None and self._cached[0] == origin:
            return self._cached[1]
        path = target.partition("?")[0]
        now = self._clock()
        fit = [f"{c.name}={c.value}" if c.name else c.value for c in self.cookies if c.fits(origin, path, now)]
        value = "; ".join(fit).encode("latin-1", "replace") if fit else None
        if all(c.path == "/" and c.expires is None for c in self.cookies):
            self._cached = (origin, value)
        return value

    def get(self, name: str, origin: Origin | None = None) -> str | None:
        """The value of the cookie `name` (the one with the longest path), for any host unless `origin` is given."""
        now, raw = self._clock(), name.encode().decode("latin-1")
        for cookie in self.cookies:
            if cookie.name == raw and _alive(cookie, now) and (origin is None or _domain_fits(cookie, origin.host)):
                return text_of(cookie.value.encode("latin-1"))
        return None

    def clear(self) -> None:
        self.cookies = ()
        self._cached = None


def parse(origin: Origin, target: str, line: str, now: float) -> Cookie | None:
    """The cookie that one Set-Cookie value describes, or None if it must be ignored (RFC 6265, 5.2 and 5.3)."""
    pair, _, rest = line.partition(";")
    name, equals, value = pair.partition("=")
    name, value = name.strip(" \t"), value.strip(" \t")  # no more: a byte of UTF-8 may look like a Latin-1 blank
    if not equals or not name:
        return None
    told = _attributes(rest)
    domain, host_only = origin.host, True
    wanted = told.get("domain", "").lstrip(".").lower()
    if wanted and wanted != origin.host and not _may_speak_for(origin.host, wanted):
        return None
    if wanted and not _is_address(origin.host):
        domain, host_only = wanted, False
    path = told.get("path", "")
    cookie = Cookie(
        name=name,
        value=value,
        domain=domain,
        host_only=host_only,
        path=path if path.startswith("/") else default_path(target),
        secure="secure" in told,
        expires=_expiry(told, now),
    )
    return cookie if _keeps_its_promise(cookie, origin, told) else None


def default_path(target: str) -> str:
    """The directory of a request's path (RFC 6265, 5.1.4)."""
    path = target.partition("?")[0]
    end = path.rfind("/")
    return path[:end] if path.startswith("/") and end > 0 else "/"


def _keeps_its_promise(cookie: Cookie, origin: Origin, told: dict[str, str]) -> bool:
    if cookie.secure and origin.scheme != "https":
        return False
    if cookie.name.startswith("__Secure-"):
        return cookie.secure
    if cookie.name.startswith("__Host-"):
        return cookie.secure and cookie.host_only and told.get("path") == "/"
    return True


def _may_speak_for(host: str, domain: str) -> bool:
    return host.endswith("." + domain) and "." in domain and not _is_address(host)


def _attributes(rest: str) -> dict[str, str]:
    told: dict[str, str] = {}
    for part in rest.split(";"):
        name, _, value = part.partition("=")
        told[name.strip().lower()] = value.strip()
    return told


def _expiry(told: dict[str, str], now: float) -> float | None:
    age = told.get("max-age", "")
    if age.removeprefix("-").isascii() and age.removeprefix("-").isdigit():
        return now + float(age) if float(age) > 0 else 0.0
    return moment_of(told["expires"]) if "expires" in told else None


def _alive(cookie: Cookie, now: float) -> bool:
    return cookie.expires is None or cookie.expires > now


def _domain_fits(cookie: Cookie, host: str) -> bool:
    return host == cookie.domain or (not cookie.host_only and host.endswith("." + cookie.domain))


def _path_fits(cookie_path: str, path: str) -> bool:
    if not path.startswith(cookie_path):
        return False
    return len(path) == len(cookie_path) or cookie_path.endswith("/") or path[len(cookie_path)] == "/"


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
