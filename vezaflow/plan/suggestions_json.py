"""Near a JSONPath that leads nowhere: as far as it leads, why it ends there, and which paths would lead on.

Every path that is offered leads to a value of the document.
"""

import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

from vezaflow.diagnostics import suggest
from vezaflow.plan.rendering import show
from vezaflow.syntax import JsonPath, Selector, compile_jsonpath, select

_LOOKED_AT = 2_000  # values of a document
_SHOWN = 6
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def near_json(path: JsonPath, document: Any) -> Iterator[str]:
    """Why the path ends where it does, with the path that was meant, and the paths that begin there."""
    place, value, rest = _as_far_as_it_leads(path, document)
    meant = _meant(path, place, value, rest, document)
    reason = _reason(place, value, rest)
    if reason or meant:
        yield ": ".join(part for part in (reason, f"did you mean `{meant}`?" if meant else "") if part)
    found = list(islice(_paths(place, value, every=not path.definite), _LOOKED_AT))
    yield from (f"{there} = {show(what, 60)}" for there, what in found[:_SHOWN])
    if len(found) > _SHOWN:
        yield f"… and {'at least ' if len(found) == _LOOKED_AT else ''}{len(found) - _SHOWN:,} more"


def _as_far_as_it_leads(path: JsonPath, document: Any) -> tuple[str, Any, tuple[Selector, ...]]:
    """The place that is reached, what is there, and the selectors that are left."""
    place, value = "$", document
    selectors = path.selectors or ()
    for number, selector in enumerate(selectors):
        found = next(iter(select(selector, value)), _NOTHING)
        if found is _NOTHING:
            return place, value, selectors[number:]
        place, value = place + _written(selector), found
    return place, value, ()


_NOTHING = object()


def _written(selector: Selector) -> str:
    if isinstance(selector, str):
        if _PLAIN.fullmatch(selector):
            return f".{selector}"
        quote = '"' if "'" in selector else "'"
        return f"[{quote}{selector}{quote}]"
    return f"[{selector}]" if isinstance(selector, int) else "[*]"


def _reason(place: str, value: Any, rest: tuple[Selector, ...]) -> str:
    if not rest:
        return ""
    asked = rest[0]
    if isinstance(value, dict):
        if isinstance(asked, str):
            return f"`{place}` has no '{asked}'" if value else f"`{place}` is an empty mapping"
        return f"`{place}` is a mapping, not a list" if value else f"`{place}` is an empty mapping"
    if isinstance(value, list):
        if not value:
            return f"`{place}` must not be empty"
        if isinstance(asked, int):
            return f"`{place}` ends at [{len(value) - 1}]"
        return f"`{place}` is a list of {len(value):,}"
    return f"`{place}` is {show(value)}"


def _meant(path: JsonPath, place: str, value: Any, rest: tuple[Selector, ...], document: Any) -> str:
    """The path that the author most likely meant, or ''."""
    candidates = _candidates(path, place, value, rest, document)
    return next((text for text in candidates if text != path.text and _leads(text, document)), "")


def _candidates(path: JsonPath, place: str, value: Any, rest: tuple[Selector, ...], document: Any) -> Iterator[str]:
    after = "".join(map(_written, rest[1:]))
    end = "".join(map(_written, rest))
    if rest and isinstance(value, dict):
        if isinstance(rest[0], str) and (near := suggest(rest[0], _keys(value))):
            yield place + _written(near) + after
        yield from (place + _written(key) + after for key in islice(_keys(value), 200) if _akin(rest[0], key))
        yield from (place + _written(key) + end for key in islice(_keys(value), 20))
    if rest and isinstance(value, list) and isinstance(rest[0], str):
        yield f"{place}[{'0' if path.definite else '*'}]{end}"
    name = next((s for s in reversed(rest) if isinstance(s, str)), "") or _last_word(path)
    if name:
        known = [(there, there.rpartition(".")[2]) for there, _ in _paths("$", document, every=not path.definite)]
        yield from (there for there, last in known if last == name)
        nearest = suggest(name, {last for _, last in known})
        yield from (there for there, last in known if last == nearest)
        yield from (there for there, last in known if _akin(name, last))


def _akin(one: object, other: str) -> bool:
    """Whether one name says the other, and more: `id` and `userId`, `access_token` and `token`."""
    if not isinstance(one, str):
        return False
    words, others = ({word.lower() for word in _PART.findall(name)} for name in (one, other))
    return bool(words and others) and (words <= others or others <= words)


def _last_word(path: JsonPath) -> str:
    """Of a path that is more than keys and indices."""
    words = _WORD.findall(path.text) if path.selectors is None else []
    return words[-1] if words else ""


def _keys(value: dict[str, Any]) -> Iterator[str]:
    return (key for key in value if _can_be_written(key))


def _can_be_written(key: str) -> bool:
    return bool(_PLAIN.fullmatch(key)) or (key.isprintable() and not set(key) & set("'\"\\*`") and 0 < len(key) < 80)


def _leads(text: str, document: Any) -> bool:
    try:
        return bool(compile_jsonpath(text)(document))
    except ValueError:
        return False


def _paths(place: str, value: Any, *, every: bool) -> Iterator[tuple[str, Any]]:
    """What lies below a place, the nearest first; of a list the first item stands for all (`every`: as `[*]`)."""
    waiting = deque([(place, value)])
    for _ in range(_LOOKED_AT):
        if not waiting:
            return
        there, what = waiting.popleft()
        if there != place:
            yield there, what
        if len(waiting) > _LOOKED_AT:
            continue
        if isinstance(what, dict):
            below = [(there + _written(key), what[key]) for key in islice(_keys(what), _LOOKED_AT)]
        elif isinstance(what, list) and what:
            below = [(f"{there}[{'*' if every else '0'}]", what[0])]
        else:
            below = []
        waiting.extend(below)
