"""What an answer would have given where what was asked for is not there: the remedy below a failed extraction.

Made only when a failure is shown for the first time, never for a request that went well. Bodies come from anywhere:
whatever stands in one, an offer is a few lines and ends in bounded time, and it never raises.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from vezaflow.diagnostics import suggest
from vezaflow.model import From
from vezaflow.plan.answer import Answer, UndecodableError
from vezaflow.plan.evaluate import show
from vezaflow.plan.links import relations_of
from vezaflow.plan.offers_json import near_json
from vezaflow.plan.offers_markup import near_css, near_xpath
from vezaflow.plan.playlists import PLAYLISTS
from vezaflow.syntax import compile_jsonpath, read_html, read_xml

MOST_LINES = 8
_WIDEST = 96
_LOOKED_AT = 1 << 20  # characters of a text that are searched
_AROUND = 36
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{2,}")
_ESCAPE = re.compile(r"\\.|\(\?[A-Za-z]+")


def offers_of(source: From, argument: str, answer: Answer) -> str:
    """What is near to what `source: argument` asked for, in a few lines; empty where nothing can be said."""
    try:
        return _cut(_near(source, argument, answer))
    except UndecodableError:
        return _other_kind(source, answer)


def items_of(found: Sequence[Any]) -> str:
    """What was found and then not chosen."""
    return _cut([show(item, _WIDEST) for item in found[:MOST_LINES]], len(found))


def _near(source: From, argument: str, answer: Answer) -> Iterable[str]:
    match source:
        case From.JSON:
            return near_json(compile_jsonpath(argument), answer.json())
        case From.HEADER:
            return _meant(argument, {name for name, _ in answer.headers})  # the failure's own words list them
        case From.LINK:
            return _meant(argument, relations_of(answer.headers))
        case From.COOKIE:
            return [*_meant(argument, answer.cookies), f"cookies: {', '.join(answer.cookies) or 'none'}"]
        case From.CSS:
            return near_css(argument, answer.document(read_html))
        case From.XPATH:
            return near_xpath(argument, answer.document(read_xml))
        case From.REGEX:
            return _near_pattern(argument, answer.text()[:_LOOKED_AT])
        case From.M3U8:
            return _other_playlist(argument, answer)
        case From.RESPONSE:
            return ()


def _other_kind(source: From, answer: Answer) -> str:
    """Which extractor reads a body that the one that was asked can't read."""
    begin = answer.text()[:200].lstrip().lower()
    if begin.startswith(("<!doctype html", "<html")):
        return "this is HTML, which `css` reads" if source in (From.JSON, From.XPATH) else ""
    if begin.startswith("<") and source is From.JSON:
        return "this looks like XML, which `xpath` reads"
    if begin.startswith(("{", "[")) and source is From.XPATH:
        return "this looks like JSON, which a path such as `$.name` reads"
    return ""


def _meant(name: str, names: Iterable[str]) -> list[str]:
    nearest = suggest(name, names)
    return [f"did you mean '{nearest}'?"] if nearest else []


def _near_pattern(pattern: str, text: str) -> list[str]:
    """Where a word of the pattern stands in the text, or else how the text begins."""
    for word in sorted(_WORD.findall(_ESCAPE.sub(" ", pattern)), key=len, reverse=True):
        at = text.lower().find(word.lower())
        if at >= 0:
            start, end = max(0, at - _AROUND), at + len(word) + _AROUND
            part = " ".join(text[start:end].split())
            return [f"'{text[at : at + len(word)]}' occurs in {'…' * (start > 0)}{part}{'…' * (end < len(text))}"]
    lines = [line.strip() for line in text[: 40 * _WIDEST].splitlines() if line.strip()]
    return ["the text starts with:", *lines[:3]] if lines else []


def _other_playlist(argument: str, answer: Answer) -> list[str]:
    for kind, other in (("media", "segments"), ("master", "variants")):
        if argument != other and (found := PLAYLISTS[other](answer)):
            said = f"this is a {kind} playlist: `m3u8: {other}` finds {len(found)}, the first is"
            return [said, show(found[0], _WIDEST)]
    return ["the playlist has neither variants nor segments"]


def _cut(lines: Iterable[str], count: int | None = None) -> str:
    kept = list(lines)
    left = (len(kept) if count is None else count) - MOST_LINES
    shown = [line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…" for line in kept[:MOST_LINES]]
    return "\n".join([*shown, *([f"… and {left:,} more"] if left > 0 else [])])
