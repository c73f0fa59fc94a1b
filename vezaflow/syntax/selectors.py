"""CSS selectors on HTML (selectolax) and XPath on XML (lxml): bodies come from anywhere, so nothing of them is
trusted.

XML is read without entities, without a DTD's files and without the network. Prefixes in an XPath are those of the
document's root; its default namespace has the prefix `ns`. Both libraries are loaded when the first path is met.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

from vezaflow.syntax.charsets import in_utf8, told
from vezaflow.syntax.readings import few, gather, look_over_html, look_over_siblings, look_over_xml

LONGEST = 1_000
_NAMESPACES = 4_096  # characters of namespaces with which a path is kept: documents say what they are
URL_ATTRIBUTES = frozenset({"action", "formaction", "href", "poster", "src"})
_ATTRIBUTE = re.compile(r"(.*)::attr\(\s*([A-Za-z_:][\w:.-]*)\s*\)\s*", re.DOTALL)
Find = Callable[[Any], list[Any]]


def read_html(body: bytes, content_type: str = "") -> Any:
    """The document; HTML can't be wrong. ValueError says in one line why it would be read for too long."""
    from selectolax.lexbor import LexborHTMLParser

    text = in_utf8(body, content_type)
    look_over_html(text)
    return LexborHTMLParser(text)


def read_xml(body: bytes, content_type: str = "") -> Any:
    """The root element. A charset of the Content-Type overrides the declaration (RFC 7303, 3.2). ValueError says in one
    line why it is none."""
    from lxml import etree

    encoding = None
    if told(body, content_type):
        body, encoding = in_utf8(body, content_type), "utf-8"
    look_over_xml(body)
    if b"<!ENTITY" in body:
        raise ValueError("it declares entities, which are not supported")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, encoding=encoding
    )
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(error.msg or "it is empty") from None


def base_of(document: Any, url: str) -> str:
    """What the links of a page are relative to: its URL, or the <base> in its <head>."""
    base = document.css_first("head > base[href]")
    return url if base is None else joined_url(base.attributes["href"] or "", url)


def joined_url(link: str, base: str) -> str:
    """A link made whole; what can't be is left as it stands."""
    try:
        return urljoin(base, link.strip())
    except ValueError:
        return link


def split_css(text: str) -> tuple[str, str]:
    """A selector, and the attribute that `::attr(name)` behind it asks for, or ''."""
    match = _ATTRIBUTE.fullmatch(text)
    return (match[1], match[2]) if match else (text, "")


@lru_cache(maxsize=256)
def compile_css(text: str) -> Find:
    """The texts of the elements that a selector names; with `::attr(name)` behind it, their attribute's values.
    It works on what `read_html` gives. ValueError says why the selector is none."""
    from selectolax.lexbor import SelectolaxError

    selector, attribute = split_css(text)
    if len(text) > LONGEST:
        raise ValueError(f"a selector of more than {LONGEST:,} characters")
    try:
        read_html(b"").css(selector)
    except SelectolaxError:
        raise ValueError("unsupported selector syntax") from None

    counts = ":nth-" in selector or "-of-type" in selector or ":only-" in selector

    def find(document: Any) -> list[Any]:
        if counts:
            nodes = few(document.css("*"))
            look_over_siblings(node.parent.mem_id for node in nodes if node.parent is not None)
        nodes = few(document.css(selector))
        if not attribute:
            return gather(node.text() for node in nodes)
        every = (node.attributes for node in nodes)
        return gather(attributes[attribute] or "" for attributes in every if attribute in attributes)

    return find


@lru_cache(maxsize=256)
def compile_xpath(text: str) -> Find:
    """What an XPath (1.0) finds: the texts of elements, attributes' values, or one number, text or boolean.
    It works on what `read_xml` gives. ValueError says in one line why the path is none, or can't be followed."""
    if len(text) > LONGEST:
        raise ValueError(f"a path of more than {LONGEST:,} characters")
    _xpath(text, ())

    def find(root: Any) -> list[Any]:
        prefixes = {prefix or "ns": uri for prefix, uri in root.nsmap.items()}
        used = tuple(sorted([(prefix, uri) for prefix, uri in prefixes.items() if prefix in text]))
        made = _xpath if sum([len(uri) for _, uri in used]) <= _NAMESPACES else _xpath.__wrapped__
        found = made(text, used)(root)
        return gather(map(_text, few(found))) if isinstance(found, list) else _single(found)

    return find


@lru_cache(maxsize=256)
def _xpath(text: str, prefixes: tuple[tuple[str, str], ...]) -> Callable[[Any], Any]:
    from lxml import etree

    try:
        path = etree.XPath(text, namespaces=dict(prefixes), smart_strings=False)
    except etree.XPathError as error:
        raise ValueError(str(error)) from None

    def follow(root: Any) -> Any:
        try:
            return path(root)
        except etree.XPathError as error:
            raise ValueError(str(error)) from None

    return follow


def _text(item: Any) -> Any:
    if isinstance(item, str):
        return item
    return item[1] if isinstance(item, tuple) else "".join(item.itertext())  # a tuple is a namespace


def _single(found: Any) -> list[Any]:
    """A number, a text or a boolean; no number and no text are nothing."""
    if found == "" or found != found:
        return []
    return [int(found)] if isinstance(found, float) and found.is_integer() else [found]
