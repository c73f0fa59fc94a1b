"""Near a name, a pattern or a playlist that is not there: the words that the response has."""

import re
from collections.abc import Iterable

from vezaflow.diagnostics import suggest
from vezaflow.plan.playlists import PLAYLISTS
from vezaflow.plan.rendering import show
from vezaflow.plan.response import ResponseView

WIDEST = 96
_LOOKED_AT = 1 << 20  # characters of a text that are searched
_AROUND = 36
_SHOWN = 3  # lines of a text
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{2,}")
_ESCAPE = re.compile(r"\\.|\(\?[A-Za-z]+")


def near_name(name: str, names: Iterable[str]) -> list[str]:
    nearest = suggest(name, names)
    return [f"did you mean '{nearest}'?"] if nearest else []


def near_pattern(pattern: str, text: str) -> list[str]:
    """Where a word of the pattern stands in the text, or else how the text begins."""
    text = text[:_LOOKED_AT]
    for word in sorted(_WORD.findall(_ESCAPE.sub(" ", pattern)), key=len, reverse=True):
        at = text.lower().find(word.lower())
        if at >= 0:
            start, end = max(0, at - _AROUND), at + len(word) + _AROUND
            part = " ".join(text[start:end].split())
            return [f"'{text[at : at + len(word)]}' occurs in {'…' * (start > 0)}{part}{'…' * (end < len(text))}"]
    lines = [line.strip() for line in text[: 40 * WIDEST].splitlines() if line.strip()]
    if not lines:
        return []
    shown = lines[:_SHOWN]
    shown[-1] += "…" * (len(lines) > _SHOWN)  # the mark by which a piece of a secret is known
    return ["the text starts with:", *shown]


def near_playlist(argument: str, response: ResponseView) -> list[str]:
    for kind, other in (("media", "segments"), ("master", "variants")):
        if argument != other and (found := PLAYLISTS[other](response)):
            said = f"this is a {kind} playlist: `m3u8: {other}` finds {len(found)}, the first is"
            return [said, show(found[0], WIDEST)]
    return ["the playlist has neither variants nor segments"]
