"""What in requests and responses opens doors, and so must not lie in a file: tokens, passwords, cookies' values.

Found by where it stands: in a header that carries credentials, in a field whose name says so, in a cookie, or by the
shape that JSON Web Tokens have. What is found is masked wherever it stands.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from urllib.parse import unquote_plus

_MASK = "•••".encode()
_SHORTEST = 8  # characters; what is shorter stands in too many words
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_TELLING = frozenset(
    {
        "token", "secret", "password", "passwd", "pwd", "passphrase", "credential", "credentials", "authorization",
        "bearer", "jwt", "session", "sessionid", "sid", "apikey", "accesstoken", "refreshtoken", "idtoken",
        "authtoken", "otp", "cookie", "signature", "csrf", "xsrf",
    }
)  # fmt: skip
_KEYED = frozenset({"api", "access", "private", "signing"})  # before `key`
_CURSOR = frozenset({"next", "previous", "page", "continuation", "cursor"})  # what a list's token is called
_ABOUT = frozenset({"type", "count", "name", "title", "url", "uri", "id", "at", "in"})  # last: says something of it
_JSON_FIELD = re.compile(rb'"([A-Za-z][A-Za-z0-9_.-]{0,60})"\s*:\s*"((?:[^"\\]|\\.){8,8192})"')
_ANY_FIELD = re.compile(rb'("([A-Za-z][A-Za-z0-9_.-]{0,60})"\s*:\s*")(?:[^"\\]|\\.)+"')
_FORM_FIELD = re.compile(r"(?:^|[&?#])([A-Za-z][A-Za-z0-9_.-]{0,60})=([^&#\s]{8,8192})")
_JWT = re.compile(rb"\beyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{0,8192}")
_COOKIE_HEADERS = frozenset({"cookie", "set-cookie"})


def is_telling(name: str) -> bool:
    """Whether a field or a header of this name holds a credential."""
    words = [word.lower() for word in _WORD.findall(name)]
    if "".join(words) in _TELLING:
        return True
    if not words or words[-1] in _ABOUT or not _CURSOR.isdisjoint(words):
        return False
    keyed = any(one in _KEYED and two == "key" for one, two in pairwise(words))
    return keyed or not _TELLING.isdisjoint(words)


def blotted(text: bytes) -> bytes:
    """A text with the values of all JSON fields blotted out whose names tell, however short they are."""
    return _ANY_FIELD.sub(lambda m: m[1] + _MASK + b'"' if is_telling(m[2].decode()) else m[0], text)


def credentials_of(headers: Iterable[tuple[str, str]], body: bytes = b"", url: str = "") -> Iterator[str]:
    """The credentials in the headers, body and URL of a request or a response."""
    for found in _all(headers, body, url):
        if len(found) >= _SHORTEST:
            yield found


def _all(headers: Iterable[tuple[str, str]], body: bytes, url: str) -> Iterator[str]:
    form = ""
    for name, value in headers:
        low = name.lower()
        if low in ("authorization", "proxy-authorization"):
            yield from _authorization(value)
        elif low in _COOKIE_HEADERS:
            pairs = value.split(";")[: 1 if low == "set-cookie" else None]
            yield from (pair.partition("=")[2].strip().strip('"') for pair in pairs)
        elif is_telling(name):
            yield value.strip()
        elif low == "location":
            yield from _fields(value)
        elif low == "content-type" and "x-www-form-urlencoded" in value.lower():
            form = body.decode("utf-8", "replace")
    yield from _fields(url)
    yield from _fields(form)
    for match in _JSON_FIELD.finditer(body):
        if is_telling(match[1].decode()):
            yield match[2].decode("utf-8", "replace")
    yield from (match[0].decode() for match in _JWT.finditer(body))


def _authorization(value: str) -> Iterator[str]:
    scheme, _, rest = value.strip().partition(" ")
    yield rest.strip() or scheme
    if scheme.lower() == "basic":
        try:
            yield base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return


def _fields(url: str) -> Iterator[str]:
    for match in _FORM_FIELD.finditer(url):
        if is_telling(match[1]):
            yield from {match[2]: None, unquote_plus(match[2]): None}
