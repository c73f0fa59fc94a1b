"""Where an extraction looks, one row a source: what it finds, which part of the response it needs, and what it says of
one that has nothing to give. The keys of `extract` are the same (keys/responses.py).

All sources give a list of what was found, from which choices.py then chooses.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from vezaflow.plan.links import linked, relations_of
from vezaflow.plan.playlists import PLAYLISTS
from vezaflow.plan.response import ResponseView, UndecodableError
from vezaflow.plan.suggestions_json import near_json
from vezaflow.plan.suggestions_markup import near_css, near_xpath
from vezaflow.plan.suggestions_text import near_name, near_pattern, near_playlist
from vezaflow.protocols import Want
from vezaflow.syntax import (
    QUERIES,
    URL_ATTRIBUTES,
    base_of,
    compile_jsonpath,
    compile_pattern,
    few,
    joined_url,
    look_over_text,
    matches,
    read_html,
    read_xml,
    split_css,
)

Find = Callable[[ResponseView], list[Any]]
TEXT = Want.BODY | Want.HEADERS  # the charset stands in Content-Type


class Reads(Enum):
    """What a body must be for a source to read it."""

    ANY = "any"
    JSON = "JSON"
    HTML = "HTML"
    XML = "XML"


@dataclass(frozen=True, slots=True)
class ResponseSource:
    """`find`: its argument → all that it finds, which may be nothing. `near`: what the response would have given, a
    line each. `instead`: what is there, in words."""

    find: Callable[[str], Find]
    wants: Callable[[str], Want] = lambda argument: Want.BODY
    near: Callable[[str, ResponseView], Iterable[str]] = lambda argument, response: ()
    instead: Callable[[str, ResponseView], str] = lambda argument, response: _body(response)
    reads: Reads = Reads.ANY


def _json(argument: str) -> Find:
    path = compile_jsonpath(argument)
    if path.definite:
        return lambda response: response.at(path)
    return lambda response: _bounded(lambda: few(response.at(path)))


def _regex(argument: str) -> Find:
    pattern = compile_pattern(argument)
    group = 1 if pattern.groups else 0
    return lambda response: _bounded(
        lambda: [m.group(group) for m in matches(pattern.finditer(look_over_text(response.text())))]
    )


def _header(argument: str) -> Find:
    name = argument.lower()
    return lambda response: [value for key, value in response.headers if key == name]


def _cookie(argument: str) -> Find:
    return lambda response: [] if (value := response.cookie(argument)) is None else [value]


def _css(argument: str) -> Find:
    select = QUERIES["css"].compile(argument)
    attribute = split_css(argument)[1]
    if attribute not in URL_ATTRIBUTES:
        return lambda response: _bounded(lambda: select(response.document(read_html)))

    def find(response: ResponseView) -> list[Any]:
        document = response.document(read_html)
        base = base_of(document, response.url)
        links = _bounded(lambda: select(document))
        if attribute == "href":  # an empty one is no link: with it, pages end
            return [link and joined_url(link, base) for link in links]
        return [joined_url(link, base) for link in links]

    return find


def _xpath(argument: str) -> Find:
    follow: Callable[[Any], list[Any]] = QUERIES["xpath"].compile(argument)

    def find(response: ResponseView) -> list[Any]:
        root = response.document(read_xml)
        try:
            return follow(root)
        except ValueError as e:
            raise UndecodableError(f"the XPath can't be evaluated here: {e}") from None

    return find


def _bounded(find: Callable[[], list[Any]]) -> list[Any]:
    try:
        return find()
    except UndecodableError:
        raise
    except ValueError as e:
        raise UndecodableError(f"too many matches: {e}") from None


_PARTS: dict[str, Find] = {
    "body": lambda response: [response.text()] if response.body else [],
    "status": lambda response: [response.status],
    "url": lambda response: [response.url],
    "redirects": lambda response: list(response.redirects),
    "timing": lambda response: [response.timing],
}


def _body(response: ResponseView) -> str:
    return f"the body: {response.glimpse()}"


def _other_headers(name: str, response: ResponseView) -> str:
    return "the headers are " + (", ".join(sorted({name for name, _ in response.headers})) or "no headers")


def _other_links(relation: str, response: ResponseView) -> str:
    relations = relations_of(response.headers)
    return f"the `Link` header has {', '.join(relations)}" if relations else "there is no `Link` header"


def _near_cookies(name: str, response: ResponseView) -> list[str]:
    return [*near_name(name, response.cookies), f"cookies: {', '.join(response.cookies) or 'none'}"]


def _headers(argument: str) -> Want:
    return Want.HEADERS


def _nothing(argument: str) -> Want:
    return Want.NOTHING


def _text(argument: str) -> Want:
    return TEXT


SOURCES: dict[str, ResponseSource] = {
    "json": ResponseSource(
        _json,
        near=lambda argument, response: near_json(compile_jsonpath(argument), response.json()),
        reads=Reads.JSON,
    ),
    "regex": ResponseSource(_regex, _text, lambda argument, response: near_pattern(argument, response.text())),
    "css": ResponseSource(
        _css, _text, lambda argument, response: near_css(argument, response.document(read_html)), reads=Reads.HTML
    ),
    "xpath": ResponseSource(
        _xpath, _text, lambda argument, response: near_xpath(argument, response.document(read_xml)), reads=Reads.XML
    ),
    "header": ResponseSource(
        _header,
        _headers,
        lambda argument, response: near_name(argument, {name for name, _ in response.headers}),  # `instead` lists them
        _other_headers,
    ),
    "link": ResponseSource(
        lambda argument: lambda response: linked(response.headers, argument, response.url),
        _headers,
        lambda argument, response: near_name(argument, relations_of(response.headers)),
        _other_links,
    ),
    "cookie": ResponseSource(_cookie, _nothing, _near_cookies, lambda argument, response: "no such cookie"),
    "m3u8": ResponseSource(lambda argument: PLAYLISTS[argument], near=near_playlist),
    "response": ResponseSource(
        lambda argument: _PARTS[argument],
        lambda argument: TEXT if argument == "body" else Want.NOTHING,
        instead=lambda argument, response: (
            _body(response) if argument == "body" else (f"the response came from {response.url}")
        ),
    ),
}
