"""What a response links to by its `Link` headers (RFC 8288). Reads in linear time, whatever stands there."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from urllib.parse import urljoin

from vezaflow.plan.rendering import show
from vezaflow.plan.response import UndecodableError
from vezaflow.syntax import compile_pattern

_TOKEN = r"[^\s\"<>,;=]+"
_PARAMETER = rf'\s*;\s*({_TOKEN})(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN})))?'
_LINK = rf"<([^>]*)>((?:{_PARAMETER})*)"

Headers = Sequence[tuple[str, str]]


def linked(headers: Headers, relation: str, base: str) -> list[str]:
    """The URLs with this relation, in their order, made whole from the URL that answered. Raises UndecodableError."""
    return [whole(url, base) for url, relations in _links(headers) if relation.lower() in relations]


def whole(url: str, base: str) -> str:
    """A URL of a response, made whole from the one that answered. Raises UndecodableError for what is none."""
    try:
        return urljoin(base, url)
    except ValueError as e:
        raise UndecodableError(f"{show(url)} is not a valid URL: {e}") from None


def relations_of(headers: Headers) -> list[str]:
    """All relations that are there."""
    return sorted({relation for _, relations in _links(headers) for relation in relations})


def _links(headers: Headers) -> Iterator[tuple[str, list[str]]]:
    for name, value in headers:
        if name == "link":
            for found in _compiled(_LINK).finditer(value):
                yield found[1].strip(), _relations(found[2])


def _relations(parameters: str) -> list[str]:
    for name, quoted, plain in _compiled(_PARAMETER).findall(parameters):
        if name.lower() == "rel":  # of several the first counts
            return (quoted or plain).lower().split()  # type: ignore[no-any-return]
    return []


@cache
def _compiled(pattern: str) -> Any:
    return compile_pattern(pattern)
