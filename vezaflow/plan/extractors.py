"""Extractions → callables that take a value out of an answer.

All sources give a list of what was found, from which choices.py then chooses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never

from vezaflow.model import Extract, From
from vezaflow.plan.answer import Answer, UndecodableError
from vezaflow.plan.checks import Failure
from vezaflow.plan.choices import NothingFoundError, chooser
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.links import linked, relations_of
from vezaflow.plan.offers import items_of, offers_of
from vezaflow.plan.playlists import PLAYLISTS
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.protocols import ErrorKind
from vezaflow.syntax import (
    URL_ATTRIBUTES,
    base_of,
    compile_css,
    compile_jsonpath,
    compile_pattern,
    compile_xpath,
    few,
    joined_url,
    look_over_text,
    matches,
    read_html,
    read_xml,
    split_css,
)

Find = Callable[[Answer], list[Any]]


@dataclass(frozen=True, slots=True)
class PlannedExtract:
    """Puts a value into a slot; returns why it can't, if it can't."""

    name: str
    slot: int
    run: Callable[[Scope], Failure | None]


def plan_extract(extract: Extract, compiler: Compiler) -> PlannedExtract:
    """One extraction as a callable. It expects scope.answer to be the answer."""
    find = finder(extract)
    choose = chooser(extract, compiler)
    default = compiler.kept(extract.default) if extract.default is not None else None
    slot = compiler.names.slot(extract.name)

    def run(scope: Scope) -> Failure | None:
        answer = scope.answer
        assert answer is not None
        try:
            scope.slots[slot] = choose(find(answer), scope)
        except EvaluationError as e:
            return Failure(ErrorKind.EXTRACTION, "VF603", e.message, e.span)
        except (NothingFoundError, UndecodableError) as e:
            if default is None:
                return _failure(extract, answer, e)
            scope.slots[slot] = default(scope)
        return None

    return PlannedExtract(extract.name, slot, run)


def _failure(extract: Extract, answer: Answer, error: NothingFoundError | UndecodableError) -> Failure:
    message = f"'{extract.name}': {error}"
    among = error.among if isinstance(error, NothingFoundError) else ()
    if isinstance(error, NothingFoundError):
        message += f"; {_what_was_there(extract, answer)}"

    def offers() -> str:
        return items_of(among) if among else offers_of(extract.source, extract.argument, answer)

    return Failure(ErrorKind.EXTRACTION, "VF603", message, extract.argument_span, offers)


def finder(extract: Extract) -> Find:
    """All that an extraction's source finds, which may be nothing."""
    argument = extract.argument
    match extract.source:
        case From.JSON:
            path = compile_jsonpath(argument)
            if path.definite:
                return lambda answer: answer.at(path)
            return lambda answer: _bounded(lambda: few(answer.at(path)))
        case From.REGEX:
            pattern = compile_pattern(argument)
            group = 1 if pattern.groups else 0
            return lambda answer: _bounded(
                lambda: [m.group(group) for m in matches(pattern.finditer(look_over_text(answer.text())))]
            )
        case From.HEADER:
            name = argument.lower()
            return lambda answer: [value for key, value in answer.headers if key == name]
        case From.LINK:
            return lambda answer: linked(answer.headers, argument, answer.url)
        case From.COOKIE:
            return lambda answer: [] if (value := answer.cookie(argument)) is None else [value]
        case From.CSS:
            return _css(argument)
        case From.XPATH:
            return _xpath(argument)
        case From.M3U8:
            return PLAYLISTS[argument]
        case From.RESPONSE:
            return _PARTS[argument]
    assert_never(extract.source)


def _css(argument: str) -> Find:
    select = compile_css(argument)
    attribute = split_css(argument)[1]
    if attribute not in URL_ATTRIBUTES:
        return lambda answer: _bounded(lambda: select(answer.document(read_html)))

    def find(answer: Answer) -> list[Any]:
        document = answer.document(read_html)
        base = base_of(document, answer.url)
        links = _bounded(lambda: select(document))
        if attribute == "href":  # an empty one is no link: with it, pages end
            return [link and joined_url(link, base) for link in links]
        return [joined_url(link, base) for link in links]

    return find


def _bounded(find: Callable[[], list[Any]]) -> list[Any]:
    try:
        return find()
    except UndecodableError:
        raise
    except ValueError as e:
        raise UndecodableError(f"too many matches: {e}") from None


def _xpath(argument: str) -> Find:
    follow = compile_xpath(argument)

    def find(answer: Answer) -> list[Any]:
        root = answer.document(read_xml)
        try:
            return follow(root)
        except ValueError as e:
            raise UndecodableError(f"the XPath can't be evaluated here: {e}") from None

    return find


_PARTS: dict[str, Find] = {
    "body": lambda answer: [answer.text()] if answer.body else [],
    "status": lambda answer: [answer.status],
    "url": lambda answer: [answer.url],
    "redirects": lambda answer: list(answer.redirects),
    "timing": lambda answer: [answer.timing],
}


def _what_was_there(extract: Extract, answer: Answer) -> str:
    if extract.source is From.HEADER:
        return "the headers are " + (", ".join(sorted({name for name, _ in answer.headers})) or "no headers")
    if extract.source is From.LINK:
        relations = relations_of(answer.headers)
        return f"the `Link` header has {', '.join(relations)}" if relations else "there is no `Link` header"
    if extract.source is From.COOKIE:
        return "no such cookie"
    if extract.source is From.RESPONSE and extract.argument != "body":
        return f"the response came from {answer.url}"
    return f"the body: {answer.glimpse()}"
