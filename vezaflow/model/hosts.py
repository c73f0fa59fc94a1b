"""URLs and hosts: one reading for lint, explain, the guard and the socket.

Laws: a host is normalised before anybody decides about it, and that very text is connected to. What the kernel or a
resolver may read otherwise (`127.1`, `0x7f.1`, `%`-escapes, zone ids, controls, blanks) is no host here. Names are
ASCII and in lower case from then on, internationalised ones by UTS #46; addresses are written as RFC 5952 has it.
"""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import unquote

from vezaflow.syntax import Expression, Literal, Template

SCHEMES = ("http://", "https://")
_SOCKETS = {"ws": "http", "wss": "https"}  # schemes of WebSockets, and of the requests that open them (RFC 6455, 3)
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
    text = text.strip(_BLANKS)
    if text.lower() in _NO_PROXY:
        return None
    scheme, authority, path, query, fragment = split_url(text)
    if scheme == "https" and authority is not None:
        raise ProxyError("only http:// is supported for the connection to a proxy")
    if scheme != "http" or authority is None:
        raise ProxyError("it must start with http://")
    user, _, place = authority.rpartition("@")
    try:
        host, port = read_authority(place, 0)
    except UrlError as error:
        raise ProxyError("missing host" if not place else str(error)) from None
    if not port:
        raise ProxyError("missing port")
    if path not in ("", "/") or query or fragment:
        raise ProxyError("a proxy URL has no path")
    name, _, password = user.partition(":")
    return ProxyAddress(host, port, unquote(name), unquote(password))


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    from ipaddress import ip_address  # as below

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


class UrlError(ValueError):
    """A text that is no http(s) URL, or whose host can't be read; the message says why. `help`: what to write."""

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002
        super().__init__(message)
        self.help = help


class Url(NamedTuple):
    """A whole http(s) URL, its host normalised. `path` and `query` are as written."""

    scheme: str
    host: str
    port: int
    path: str
    query: str | None
    fragment: str | None


class SplitUrl(NamedTuple):
    """The five parts of a URI reference as written; None where a part is not there (RFC 3986, appendix B)."""

    scheme: str | None
    authority: str | None
    path: str
    query: str | None
    fragment: str | None


_PARTS = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)"
    r"(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.DOTALL,
)
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_WILD = re.compile(r"[*?]|\[[^\]]*\]")  # of fnmatch
_ADDRESSES = re.compile(r"(?=[^:]*[0-9])(?:[0-9.*?]|\[[!0-9-]+\])+(?::.*)?", re.DOTALL)  # a pattern of digits
_DOTS = str.maketrans("。．｡", "...")  # what UTS #46 takes for a dot
_LONGEST = 253  # characters of a name (RFC 1035)
_BLANKS = " \t\n\f\r"  # around a URL (HTML's ASCII whitespace); of others each client thinks otherwise
_READ_OTHERWISE = re.compile(r"[\t\n\r\\]")  # browsers drop the first three, and take the last for a slash
PORTS = {"http": 80, "https": 443}


def split_url(text: str) -> SplitUrl:
    """The parts of any text; nothing of it is dropped, and none is looked at."""
    found = _PARTS.fullmatch(text)
    assert found is not None  # every text is a reference of some kind
    scheme = found["scheme"]
    return SplitUrl(scheme.lower() if scheme else None, *found.group("authority", "path", "query", "fragment"))


def as_http(url: str) -> str:
    """The URL of the request that opens a WebSocket."""
    scheme, mark, rest = url.partition(":")
    http = _SOCKETS.get(scheme.strip(_BLANKS).lower())
    return f"{http}{mark}{rest}" if http is not None else url


def read_reference(text: str) -> SplitUrl:
    """The parts of a URI reference. Raises UrlError where browsers (the URL standard) read another host in it."""
    text = text.strip(_BLANKS)
    parts = split_url(text)
    if _READ_OTHERWISE.search(text):
        there = split_url(re.sub(r"[\t\n\r]", "", text).replace("\\", "/"))
        if there[:2] != parts[:2]:
            raise UrlError(f"{text!r} is ambiguous: some clients take it for a URL of another host")
    return parts


def read_url(text: str) -> Url:
    """A whole URL. Raises UrlError."""
    scheme, authority, path, query, fragment = read_reference(text)
    if scheme not in PORTS:
        raise UrlError(f"{text!r} is neither an http or https URL nor a path, which starts with /")
    if not authority:
        raise UrlError(f"{text!r} has no host")
    host, port = read_authority(authority, PORTS[scheme])
    return Url(scheme, host, port, path, query, fragment)


def read_authority(text: str, default: int) -> tuple[str, int]:
    """Host and port, `default` where none is written. Raises UrlError."""
    if "@" in text:
        raise UrlError("user information in a URL is not supported", "use `auth: {basic: {user: …, password: …}}`")
    name, port = _halves(text)
    if port and not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) <= 65535):
        raise UrlError(f"{port!r} is not a valid port: it must be a number from 1 to 65535")
    return read_host(name), int(port or default)


def _halves(text: str) -> tuple[str, str]:
    """Host and port as written, the brackets of an address with it."""
    if text.startswith("["):
        name, bracket, rest = text.partition("]")
        if not bracket or rest[:1] not in ("", ":"):
            raise UrlError(f"{text!r} is not a valid host: write an IPv6 address in `[…]`")
        return name + bracket, rest[1:]
    name, _, port = text.partition(":")
    if ":" in port:
        raise UrlError(
            (f"{text!r} is not a valid host and port"), "put an IPv6 address in brackets: `http://[::1]:8080`"
        )
    return name, port


def read_host(text: str) -> str:
    """A host as it will be connected to: IPv6 without brackets. Raises UrlError."""
    if text.startswith("["):
        return _ipv6(text[1:-1])
    if not text:
        raise UrlError("this URL has no host")
    name = text.lower() if text.isascii() else _idna(text)
    name = name.removesuffix(".")
    labels = name.split(".")
    if len(name) > _LONGEST or not all(map(_LABEL.fullmatch, labels)):
        raise UrlError(f"{text!r} is not a valid host name")
    if _NUMBER.fullmatch(labels[-1]) and not _is_ipv4(labels):
        raise UrlError(f"{text!r} is not a valid IPv4 address", "write it as four decimal numbers: `127.0.0.1`")
    return name


def _is_ipv4(labels: Sequence[str]) -> bool:
    """Four decimal numbers without leading zeros: every reader agrees on these, and on no other form."""
    return len(labels) == 4 and all(n.isdecimal() and str(int(n)) == n and int(n) < 256 for n in labels)


def _ipv6(text: str) -> str:
    from ipaddress import IPv6Address  # as below

    if "%" in text:
        raise UrlError(
            f"'[{text}]' has a zone id",
            ("zone ids are not allowed in URLs (RFC 9844): use a global address or a host name"),
        )
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise UrlError(f"{'[' + text + ']'!r} is not a valid IPv6 address") from None


def _idna(text: str) -> str:
    """The ASCII form of an internationalised name (IDNA 2008, mapped by UTS #46)."""
    import idna  # its tables take longer to load than most flows to read

    if len(text) > _LONGEST:
        raise UrlError("a host name has at most 253 characters")
    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except UnicodeError:
        raise UrlError(f"{text!r} is not a valid host name") from None


LOOPBACK = "loopback"


def is_localhost(host: str) -> bool:
    """Whether a name is this machine's by definition (RFC 6761, 6.3): no resolver is asked."""
    return host == "localhost" or host.endswith(".localhost")


def is_loopback(host: str) -> bool:
    """Whether a host, normalised, is this machine by definition: `localhost`, 127.0.0.0/8, ::1."""
    from ipaddress import ip_address  # lint reads few addresses, and this takes as long as reading a flow

    if is_localhost(host):
        return True
    try:
        return ip_address(unmapped(host)).is_loopback
    except ValueError:
        return False


def unmapped(host: str) -> str:
    """A host, normalised, as it is connected to: `::ffff:10.0.0.1` is an IPv4 address."""
    if not host.startswith("::ffff:"):
        return host
    from ipaddress import IPv6Address  # as above

    return str(IPv6Address(host).ipv4_mapped or host)


def patterns_of(allow: Iterable[str]) -> tuple[str, ...]:
    """`guard: allow` as hosts are compared with it: normalised the same way, the wildcards kept."""
    return tuple(_pattern(text.strip()) for text in allow)


def _pattern(text: str) -> str:
    address, bracket, rest = text.removeprefix("[").partition("]")
    try:
        found = _ipv6(address)
        return f"[{found}]{rest}" if bracket and rest else found
    except UrlError:
        pass
    name, colon, port = text.translate(_DOTS).partition(":")
    return ".".join(map(_label, name.removesuffix(".").split("."))) + colon + port


def _label(text: str) -> str:
    """A label of a pattern. One that mixes wildcards with letters beyond ASCII stays as it is, and fits no host."""
    if not text.isascii():
        try:
            return _idna(text)
        except UrlError:
            pass
    return text.lower()


def pattern_trouble(text: str) -> tuple[str, str] | None:
    """Why an entry of `guard: allow` fits no host, and what to write; None where it may fit one."""
    text = text.strip()
    parts = split_url(text)
    if "/" in text or "@" in text:
        authority = parts.authority or text.removeprefix("//").partition("/")[0]
        return "only a host with an optional port is allowed", f"write the host alone: `{authority.rpartition('@')[2]}`"
    (pattern,) = patterns_of([text])
    try:
        _ipv6(pattern)
        return None
    except UrlError:
        pass
    try:
        name, port = _halves(pattern) if ":" in pattern.partition("]")[2] or pattern[:1] != "[" else (pattern, "")
    except UrlError:
        return "not a valid host and port", "put an IPv6 address with a port in brackets: `[::1]:8080`"
    if not _WILD.search(port) and port and not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) <= 65535):
        return f"{port!r} is not a valid port", "a port is a number from 1 to 65535; without one, any port is allowed"
    if not name.isascii():
        return "a label mixes wildcards with non-ASCII letters", "write the label without wildcards, or as `xn--…`"
    if not name.startswith("[") and (left := _WILD.sub("", name)) and not re.fullmatch(r"[a-z0-9_.-]+", left):
        return "invalid characters in a host", "write a host name, `*.staging.example.org` or an IP address"
    return None


def is_allowed(host: str, port: int, patterns: Sequence[str]) -> bool:
    """Whether the guard lets a host be loaded. `patterns` as of `patterns_of`."""
    return allowed_by(host, port, patterns) is not None


def allowed_by(host: str, port: int, patterns: Sequence[str]) -> str | None:
    """Why the guard lets a host, normalised, be loaded: `loopback`, or the pattern; None if it doesn't."""
    if is_loopback(host):
        return LOOPBACK
    whole = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return next((pattern for pattern in patterns if _fits(host, whole, pattern)), None)


def host_matches(host: str, port: int, patterns: Sequence[str]) -> bool:
    """Whether a host, normalised, is one that the patterns mean. `patterns` as of `patterns_of`; loopback needs one."""
    whole = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return any(_fits(host, whole, pattern) for pattern in patterns)


def _fits(host: str, whole: str, pattern: str) -> bool:
    if pattern.startswith("[") and ":" in pattern.partition("]")[0]:  # an address in its brackets, and no set of signs
        return pattern == whole
    if _ADDRESSES.fullmatch(pattern) and not is_address(host):  # `10.*` is not for 10.example.org
        return False
    return fnmatchcase(host, pattern) or fnmatchcase(whole, pattern)


def start_of(url: Expression) -> str | None:
    """The constant text that a URL begins with; None if an expression comes first."""
    first = url.parts[0] if isinstance(url, Template) and url.parts else url
    return first.value if isinstance(first, Literal) and isinstance(first.value, str) else None


class WrittenHost(NamedTuple):
    """A host that a URL writes out: normalised, its port, and as its author may write it in `allow`."""

    host: str
    port: int
    text: str


def written_host(url: Expression) -> WrittenHost | None:
    """The host that a URL writes out; None if a part of it is not constant, it can't be read, or there is none."""
    start = start_of(url)
    if start is None or not start.startswith(SCHEMES):
        return None
    scheme, authority, *_ = split_url(start)
    rest = start.partition("://")[2]
    if not scheme or not authority or (isinstance(url, Template) and not any(sign in rest for sign in "/?#")):
        return None
    place = authority.rpartition("@")[2]  # a proxy's user
    try:
        host, port = read_authority(place, PORTS[scheme])
        return WrittenHost(host, port, host if place.isascii() else _halves(place)[0])
    except UrlError:
        return None
