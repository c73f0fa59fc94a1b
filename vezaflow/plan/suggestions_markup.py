"""Near a CSS selector or an XPath that finds nothing: the names that the document has, and what was meant.

What is offered as meant finds something in the document.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from vezaflow.diagnostics import suggest
from vezaflow.syntax import QUERIES, split_css

_LOOKED_AT = 2_000  # elements of a document
_SHOWN = 12
_FRAME = frozenset({"html", "head", "body", "meta", "link", "script", "style", "-undef"})
_CSS_NAME = re.compile(r"(?<![\w\\(\[=\"'-])([.#]?)([A-Za-z][\w-]*)|(?<=\w)([.#])([A-Za-z][\w-]*)")
_CSS_GAP = re.compile(r"\s*[>+~]\s*|\s+")
_XML_NAME = re.compile(r"(?<![\w:.$\"'-])(@?)((?:[A-Za-z_][\w.-]*:(?!:))?[A-Za-z_][\w.-]*)(?![\w.-]*\s*(?:\(|::))")


def near_css(text: str, document: Any) -> Iterator[str]:
    """For an attribute that elements don't have, which they have; else the tags and classes that are near."""
    selector, attribute = split_css(text)
    nodes = document.css(selector)
    if attribute and nodes:
        names = sorted({name for node in nodes[:50] for name in node.attributes})
        yield from _instead(suggest(attribute, names), lambda name: f"{selector}::attr({name})")
        yield f"`{selector}` occurs {_times(len(nodes))}, with {', '.join(names) or 'no attributes'}"
        return
    meant = _respelt_css(text, list(_below(document.root)))
    if meant != text and _finds(lambda: QUERIES["css"].compile(meant)(document)):
        yield f"did you mean `{meant}`?"
    place, node = _as_far_as_it_finds(selector, document)
    labels = Counter(_label(element) for element in _below(node) if element.tag not in _FRAME)
    yield f"{place} {_listed(labels) or 'no elements'}"


def near_xpath(text: str, root: Any) -> Iterator[str]:
    """The elements of the document, with the prefixes that a path names them by."""
    prefixes = {uri: prefix or "ns" for prefix, uri in root.nsmap.items()}
    elements = [element for element in islice(root.iter(), _LOOKED_AT) if isinstance(element.tag, str)]
    names = Counter(_prefixed(element.tag, prefixes) for element in elements)
    attributes = {_prefixed(name, prefixes) for element in elements for name in element.attrib}
    meant = _respelt_xpath(text, set(names), attributes)
    if meant != text and _finds(lambda: QUERIES["xpath"].compile(meant)(root)):
        yield f"did you mean `{meant}`?"
    yield f"the document has {_listed(names)}"
    if attributes:
        yield f"and the attributes {', '.join(f'@{name}' for name in sorted(attributes)[:_SHOWN])}"


def _finds(find: Callable[[], list[Any]]) -> bool:
    try:
        return bool(find())
    except ValueError:
        return False


def _instead(name: str | None, written: Callable[[str], str]) -> list[str]:
    return [f"did you mean `{written(name)}`?"] if name else []


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _listed(counts: Counter[str]) -> str:
    """The names in the document's order, each with how often it is there."""
    shown = [f"{name} ({count})" if count > 1 else name for name, count in islice(counts.items(), _SHOWN)]
    return ", ".join(shown) + (f", … {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else "")


def _below(node: Any) -> Iterator[Any]:
    return iter(()) if node is None else islice(node.traverse(include_text=False), _LOOKED_AT)


def _label(element: Any) -> str:
    """An element as a selector finds it: by the name that fields of a form have, or by its classes."""
    if name := element.attributes.get("name"):
        return f"{element.tag}[name={name}]"
    return ".".join((element.tag, *(element.attributes.get("class") or "").split()[:2]))


def _as_far_as_it_finds(selector: str, document: Any) -> tuple[str, Any]:
    """The longest begin of a selector that finds something, in words, and the first element of it."""
    gaps = [] if set(selector) & set("[(,\"'") else list(_CSS_GAP.finditer(selector.strip()))
    for gap in reversed(gaps):
        begin = selector.strip()[: gap.start()]
        if begin and (found := document.css(begin)):
            return f"`{begin}` occurs {_times(len(found))}; it is", found[0]
    return "the document has", document.root


def _respelt_css(text: str, elements: Iterable[Any]) -> str:
    """The selector with each name that the document doesn't have changed into the nearest that it has."""
    known: dict[str, set[str]] = {"": set(), ".": set(), "#": set()}
    for element in elements:
        known[""].add(element.tag)
        known["."].update((element.attributes.get("class") or "").split())
        known["#"].update((element.attributes.get("id") or "").split())

    def respelt(match: re.Match[str]) -> str:
        sign, name = (match[1], match[2]) if match[2] else (match[3], match[4])
        if name in known[sign]:
            return match[0]
        other = {"": ".", ".": "#", "#": "."}[sign]  # a class written as an id, a tag that is a class
        if name in known[other]:
            return other + name
        return sign + (suggest(name, known[sign]) or name)

    selector, attribute = split_css(text)
    return _CSS_NAME.sub(respelt, selector) + (f"::attr({attribute})" if attribute else "")


def _respelt_xpath(text: str, names: set[str], attributes: set[str]) -> str:
    def respelt(match: re.Match[str]) -> str:
        known = attributes if match[1] else names
        name = match[2]
        if name in known or name in ("and", "or", "div", "mod"):
            return match[0]
        local = name.rpartition(":")[2]
        same = sorted(other for other in known if other.rpartition(":")[2] == local)
        return match[1] + (same[0] if same else suggest(name, known) or name)

    return _XML_NAME.sub(respelt, text)


def _prefixed(tag: str, prefixes: dict[str, str]) -> str:
    """lxml's `{uri}name` as a path writes it."""
    uri, brace, local = tag.removeprefix("{").rpartition("}")
    if not brace:
        return tag
    return f"{prefixes[uri]}:{local}" if uri in prefixes else f"*[local-name()='{local}']"
