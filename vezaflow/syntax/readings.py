"""How much of a response is read: the one place with the bounds of HTML, XML, JSON, playlists and of what is found.

Laws: a body is looked over before a library reads it, in time linear in its size, and what could take long is refused
with a ValueError of one line. Each reading so ends within a quarter of a second on a slow core, since the loop waits
for it. What is hard to tell is taken for the worse: a document can be refused that would be read in time, never the
other way round. Small bodies are not looked over: whatever stands in one is read at once.
"""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

SMALL = 12 << 10  # bytes: 2,400 elements in each other, or one with 4,000 attributes, take 30 ms
MOST_HTML = 4 << 20  # bytes, read in 0.1 s
MOST_XML = 8 << 20
MOST_JSON = 32 << 20
MOST_PLAYLIST = 2 << 20
MOST_TAGS = 150_000  # each element makes up to two
MOST_VALUES = 500_000  # of a JSON document: lists are read at 2 to 3 million a second
MOST_LINES = 20_000  # of a playlist: 10,000 segments, read at 100,000 a second
MOST_KEYS = 500  # of a playlist: each segment looks through them
MOST_RENDITIONS = 200_000  # of a playlist: for each variant all media are looked through
MOST_FOUND = 50_000  # by one path or selector
MOST_MATCHES = 20_000  # of a pattern, at 5 to 10 µs
MOST_SEARCHED = 16 << 20  # characters, by a pattern
MOST_WALKED = 100_000  # values of a document that jsonpath-ng follows a path in
MOST_DESCENDED = 20_000  # the same of a path with `..`, at 12 µs; with two of them, the depth of each summed up
MOST_TEXT = 8 << 20  # characters of what is found: nested elements have their text once each
MOST_SIBLINGS = 5_000_000  # pairs that `:nth-child` compares, at 8 to 20 ns

_FEW_TAGS = 5_000  # even in each other they take no more than 60 ms
_WORK = 20_000_000  # elements above each tag, summed up: the parser walks them at 5 ns
_CLONES = 1_000_000  # formatting elements that are opened anew in each block
_ATTRIBUTES = 50_000_000  # pairs of attributes of one element, summed up: each is compared with those before, at 2 ns

_WS = rb"\t\n\f\r "
_ATTRIBUTE = (
    rb"(?:=[^" + _WS + rb"/>=]*+|[^" + _WS + rb"/>=]++)"
    rb"(?:[" + _WS + rb"]*+=[" + _WS + rb"]*+(?:\"[^\"]*+\"|'[^']*+'|[^" + _WS + rb">\"'][^" + _WS + rb">]*+)?+)?+"
)
_EVENT = re.compile(
    rb"<(?:(/?)([a-zA-Z][^" + _WS + rb"/>]*+)((?:[" + _WS + rb"/]++|" + _ATTRIBUTE + rb")*+)|(!--)|(!\[CDATA\[)|[!?/])"
)
_ONE_ATTRIBUTE = re.compile(_ATTRIBUTE)
_COMMENT_END = re.compile(rb"--!?>")
_QUOTED_END = re.compile(rb"=[" + _WS + rb"]*+(?:\"[^\">]*>|'[^'>]*>)")  # a value with a `>` in it

_FORMATTING = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
_NEVER_DEEP = frozenset(b"p html head body form".split())  # the next one ends it, or there is one only
_CLOSED_ALONE = frozenset(
    b"area base br col embed hr img input link meta param source track wbr basefont bgsound frame keygen image "
    b"tr td th tbody thead tfoot caption colgroup option".split()
)  # outside of SVG and MathML
_BOUNDARIES = frozenset(
    b"applet marquee object table template select frameset svg math desc title foreignobject annotation-xml mi mo mn "
    b"ms mtext script style textarea xmp iframe noembed noframes noscript plaintext".split()
)  # no end tag of another element reaches through them, or what stands in them may be text
_RAW = frozenset(b"svg math script style textarea title xmp iframe noembed noframes noscript plaintext".split())
_PASSED_BY = frozenset(b"svg math".split())
_SPECIAL = frozenset(
    b"address applet article aside blockquote button center details dir div dl fieldset figcaption figure footer "
    b"frameset h1 h2 h3 h4 h5 h6 header hgroup iframe listing main marquee menu nav noembed noframes noscript object "
    b"ol plaintext pre script search section select style summary table template textarea title ul xmp".split()
)
_ITEMS = {b"li": b"li", b"dd": b"dd", b"dt": b"dd"}  # the next one of its kind ends it
_REACH = 64  # elements that an end tag is followed through; beyond it counts for nothing


def look_over_html(body: bytes) -> None:
    """Refuse what lexbor would read for long: too much, too deep, or elements of too many attributes."""
    if len(body) <= SMALL:
        return
    _no_more(len(body), MOST_HTML, "bytes of HTML")
    tags = body.count(b"<")
    _no_more(tags, MOST_TAGS, "tags")
    if tags > _FEW_TAGS or _QUOTED_END.search(body) or _squares(map(len, body.split(b">"))) > 9 * _ATTRIBUTES:
        _Tree().read(body)


def look_over_xml(body: bytes) -> None:
    """Refuse what libxml2 would read for long; it bounds depth and entities itself."""
    if len(body) > SMALL:
        _no_more(len(body), MOST_XML, "bytes of XML")
        _no_more(body.count(b"<"), MOST_TAGS, "tags")


def look_over_json(body: bytes) -> None:
    """Refuse what is read for long: each value but the first stands behind a comma, or opens what it is in."""
    if len(body) > MOST_VALUES:  # a smaller one has no more
        _no_more(len(body), MOST_JSON, "bytes of JSON")
        _no_more(body.count(b",") + body.count(b"[") + body.count(b"{"), MOST_VALUES, "values")


def look_over_playlist(text: str) -> None:
    """Refuse what m3u8 would read for long."""
    if len(text) > SMALL:
        _no_more(len(text), MOST_PLAYLIST, "characters of a playlist")
        _no_more(len(text.splitlines()), MOST_LINES, "lines")
    _no_more(text.count("-KEY:"), MOST_KEYS, "keys")
    _no_more(text.count("-MEDIA:") * text.count("-STREAM-INF"), MOST_RENDITIONS, "renditions of all variants")


def look_over_document(document: Any, descents: int) -> None:
    """Refuse what jsonpath-ng would walk for long, which wraps each value that it meets."""
    most = MOST_DESCENDED if descents else MOST_WALKED
    level, depth, seen = [document], 1, 0
    while level:
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        seen += len(inner) * (depth if descents > 1 else 1)
        _no_more(seen, most, "values for a path that is not simple")
        level, depth = inner, depth + 1


def look_over_text(text: str) -> str:
    """Refuse what a pattern would search for long."""
    _no_more(len(text), MOST_SEARCHED, "characters to search")
    return text


def look_over_siblings(parents: Iterable[Any]) -> None:
    """Refuse what `:nth-child` would count for long: each element's parent."""
    _no_more(_squares(Counter(parents).values()), MOST_SIBLINGS, "pairs of elements to count")


def matches(found: Iterable[Any]) -> list[Any]:
    """What a pattern finds, where it is not too much."""
    kept = list(islice(found, MOST_MATCHES + 1))
    if len(kept) > MOST_MATCHES:
        raise ValueError(f"more than {MOST_MATCHES:,} matches")
    return kept


def gather(found: Iterable[Any]) -> list[Any]:
    """What is found, where it is not too much: texts are made one by one, and counted."""
    items: list[Any] = []
    characters = 0
    for item in found:
        items.append(item)
        if isinstance(item, str):
            characters += len(item)
            if characters > MOST_TEXT:
                raise ValueError(f"more than {MOST_TEXT:,} characters are found")
    return items


def few(found: list[Any]) -> list[Any]:
    """The elements that are found, where they are not too many."""
    _no_more(len(found), MOST_FOUND, "elements found")
    return found


def _no_more(count: int, most: int, what: str) -> None:
    if count > most:
        raise ValueError(f"{count:,} {what}, and the maximum is {most:,}")


def _squares(numbers: Iterable[int]) -> int:
    return sum(number * number for number in numbers)


class _Tree:
    """What a parser has open at each tag, at least: an end tag counts only where it surely ends what it names."""

    def __init__(self) -> None:
        self._open: list[bytes] = []
        self._formatting: dict[bytes, list[int]] = {}  # for each that is open, the boundaries around it
        self._formats = 0
        self._boundaries = 0
        self._raw = 0
        self._foreign = 0
        self._surely_foreign = False
        self._floor = 0

    def read(self, body: bytes) -> None:
        """ValueError says what is too much."""
        at = blind = comment = spent = 0
        work = clones = pairs = 0
        while (found := _EVENT.search(body, at)) is not None:
            start = found.start()
            at = found.end()
            if comment and start >= comment:
                comment = self._floor = 0
            name = found[2]
            if name is None:
                if found[4] is not None:
                    if not comment:
                        end = _COMMENT_END.search(body, start + 2)
                        behind = end.end() if end else len(body)
                        if start >= blind and not self._raw:  # nothing else that it could be
                            at = behind
                            continue
                        comment, self._floor = behind, len(self._open)
                elif start >= blind:  # within another one its end is known
                    blind = max(blind, _behind(body, b"]]>" if found[5] is not None else b">", at))
                at = start + 2
                continue
            rest = at - found.end(2)
            if rest and body.find(b"<", found.end(2), at) >= 0:  # perhaps a tag, if this is none
                spent += rest
                if spent > len(body) + SMALL:
                    raise ValueError("tags within tags")
                at, inner_end = found.end(2), at
            else:
                inner_end = at
            if rest > 150:
                count = len(_ONE_ATTRIBUTE.findall(body, found.end(2), inner_end))
                pairs += count * count
                if pairs > _ATTRIBUTES:
                    raise ValueError("elements with too many attributes")
            name = name.lower()
            if found[1]:
                if start >= blind:
                    self._end(name)
            else:
                self._start(name, closed=body[inner_end - 1 : inner_end] == b"/")
            blind = max(blind, inner_end) if inner_end != at else blind
            work += len(self._open) + self._formats
            clones += self._formats
            if work > _WORK or clones > _CLONES:
                raise ValueError("too many deeply nested elements")

    def _start(self, name: bytes, *, closed: bool) -> None:
        if name in _FORMATTING:
            opened = self._formatting.setdefault(name, [])
            if name == b"a" and not self._foreign and opened and opened[-1] == self._boundaries:  # the next ends it
                return
            opened.append(self._boundaries)
            self._formats += 1
        elif name in _NEVER_DEEP:
            self._surely_foreign = False
        elif name in _CLOSED_ALONE and not self._foreign:
            pass
        elif not (closed and self._surely_foreign and name not in _SPECIAL):
            if name in _ITEMS:
                name = _ITEMS[name]
                self._end(name)
            self._open.append(name)
            if name in _BOUNDARIES:
                self._boundaries += 1
            if name in _RAW:
                self._raw += 1
            if name in _PASSED_BY:
                self._foreign += 1
                self._surely_foreign = True
            elif name in _SPECIAL:
                self._surely_foreign = False

    def _end(self, name: bytes) -> None:
        if name in _FORMATTING:
            opened = self._formatting.get(name)
            if opened and opened[-1] == self._boundaries and not self._floor:
                opened.pop()
                self._formats -= 1
            return
        stack = self._open
        generic = name not in _SPECIAL
        name = _ITEMS.get(name, name)
        for index in range(len(stack) - 1, max(self._floor, len(stack) - _REACH) - 1, -1):
            above = stack[index]
            if above == name:
                for gone in stack[index:]:
                    self._boundaries -= gone in _BOUNDARIES
                    self._foreign -= gone in _PASSED_BY
                    self._raw -= gone in _RAW
                del stack[index:]
                self._surely_foreign = self._surely_foreign and self._foreign > 0
                return
            if above in _BOUNDARIES and not (name == b"table" and above not in (b"template", b"table")):
                return
            if generic and (above in _SPECIAL or above in _ITEMS):
                return


def _behind(body: bytes, end: bytes, start: int) -> int:
    found = body.find(end, start)
    return len(body) if found < 0 else found + len(end)
