"""JSONPath as extractions and expectations use it: RFC 9535, and what jsonpath-ng adds to it outside of filters
(`$.a.`len``, `$.a,b`, names with a hyphen).

Laws: a text is read as the RFC says where it allows it, and by jsonpath-ng only where it does not; a filter is the
RFC's or refused, for jsonpath-ng takes some that it can't read for others. What could be endless or is no reading of
data (regular expressions that are not linear, arithmetic, parents) is refused. Simple paths are closures of their own:
under 1 µs for `$.a.b[0]`, where jsonpath-ng's search takes 3 to 80.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from vezaflow.syntax import jsonpath_rfc
from vezaflow.syntax.readings import look_over_document

LONGEST = 500
Selector = str | int | slice | None  # a key, an index, `[:]`, or None for every child
_Find = Callable[[Any, list[Any]], None]
_ALLOWED = frozenset((
    "Root", "This", "Child", "Fields", "Wildcard", "Index", "Slice", "Descendants", "Union", "_Union",
    "Len", "Keys", "SortedThis",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path; called with decoded JSON it gives every value that it leads to."""

    text: str
    definite: bool  # leads to one value at most: no wildcard, slice, filter, union or ..
    selectors: tuple[Selector, ...] | None  # of a path that is nothing but such
    _find: _Find

    def __call__(self, document: object) -> list[Any]:
        found: list[Any] = []
        self._find(document, found)
        return found


@lru_cache(maxsize=512)
def compile_jsonpath(text: str) -> JsonPath:
    """The path, ready to run. ValueError gives the reason in one line."""
    if not text.startswith("$"):
        raise ValueError("a JSONPath starts with '$'")
    if len(text) > LONGEST:
        raise ValueError(f"a JSONPath of more than {LONGEST} characters")
    try:
        segments = jsonpath_rfc.parse(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except ValueError as reason:
        if "?" in text:
            raise
        return _added(text, reason)
    return _standard(text, segments)


def _standard(text: str, segments: tuple[jsonpath_rfc.PathSegment, ...]) -> JsonPath:
    """A path of RFC 9535."""
    simple = tuple([segment.selectors[0] for segment in segments if _is_simple(segment)])
    if len(simple) == len(segments):
        definite = all(isinstance(selector, str | int) for selector in simple)
        return JsonPath(text, definite, simple, _chain(list(simple)))  # type: ignore[arg-type]

    descents = sum(segment.descendant for segment in segments)

    def find(value: Any, found: list[Any]) -> None:
        look_over_document(value, descents)
        try:
            found += jsonpath_rfc.search(segments, value, value)
        except RecursionError as error:
            raise ValueError(f"the path can't be evaluated here: {error}") from None

    return JsonPath(text, False, None, find)


def _is_simple(segment: jsonpath_rfc.PathSegment) -> bool:
    if segment.descendant or len(segment.selectors) != 1:
        return False
    selector = segment.selectors[0]
    return selector is None or selector == slice(None) or isinstance(selector, str | int)


def _added(text: str, reason: ValueError) -> JsonPath:
    """A path of jsonpath-ng's own; the RFC's reason where it is none either."""
    tree = _parse(text, reason)
    nodes = list(_nodes(tree))
    for node in nodes:
        if (kind := type(node).__name__) not in _ALLOWED:
            raise ValueError(f"'{kind.strip('_').lower()}' is not allowed in a path")
    descents = sum(type(node).__name__ == "Descendants" for node in nodes)
    if descents > jsonpath_rfc.MOST_DESCENTS:
        raise ValueError(f"more than {jsonpath_rfc.MOST_DESCENTS} '..' in a path")
    selectors = _simple(tree)
    if selectors is None:
        return JsonPath(text, False, None, _general(tree, descents))
    return JsonPath(text, _definite(nodes), selectors, _chain(list(selectors)))


def _parse(text: str, reason: ValueError) -> Any:
    module = import_module("jsonpath_ng.ext" if "`" in text or "\\" in text else "jsonpath_ng")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return module.parse(text)
        except RecursionError:
            raise ValueError("nested too deep") from None
        except Exception:  # its lexer and parser raise bare Exceptions of several kinds
            raise reason from None


def _nodes(tree: Any) -> list[Any]:
    """Every node of jsonpath-ng's tree, whatever its attributes are called."""
    found: list[Any] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list | tuple):
            waiting += node
        elif type(node).__module__.startswith("jsonpath_ng"):
            found.append(node)
            waiting += vars(node).values()
    return found


def _definite(nodes: list[Any]) -> bool:
    for node in nodes:
        kind = type(node).__name__
        if kind in ("Wildcard", "Slice"):
            return False
        if kind == "Fields" and (len(node.fields) != 1 or node.fields[0] == "*"):
            return False
        if kind == "Index" and len(_indices(node)) != 1:
            return False
    return True


def _indices(node: Any) -> tuple[int, ...]:
    return tuple(node.indices) if hasattr(node, "indices") else (node.index,)


def _general(tree: Any, descents: int) -> _Find:
    def find(value: Any, found: list[Any]) -> None:
        look_over_document(value, descents)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                found += [datum.value for datum in tree.find(value)]
            except (TypeError, AttributeError, RecursionError) as error:
                raise ValueError(f"the path can't be evaluated here: {error}") from None

    return find


def _simple(tree: Any) -> tuple[Selector, ...] | None:
    """The selectors of a tree of simple nodes, else None."""
    links: list[Any] = []
    while type(tree).__name__ == "Child":
        links.append(tree.right)
        tree = tree.left
    if type(tree).__name__ != "Root":
        return None
    steps = [_step(link) for link in reversed(links)]
    if not all(steps):
        return None
    return tuple([selector for step in steps if step is not None for selector in step])


def _step(node: Any) -> list[Selector] | None:
    """What one link selects, in a list; None where it is no simple one."""
    kind = type(node).__name__
    if kind == "Fields" and len(node.fields) == 1:
        wildcard = node.fields[0] == "*" and getattr(node, "_deprecated_wildcard_use", True)
        return [None if wildcard else node.fields[0]]
    if kind == "Wildcard":
        return [None]
    if kind == "Index" and len(_indices(node)) == 1:
        return [_indices(node)[0]]
    if kind == "Slice" and (node.start, node.end, node.step) == (None, None, None):
        return [slice(None)]
    return None


def _chain(selectors: list[Any]) -> _Find:
    if all(isinstance(s, str | int) for s in selectors):
        return _straight(tuple(selectors))
    first, *rest = selectors
    if not rest:
        return lambda value, found: found.extend(select(first, value))
    deeper = _chain(rest)

    def find(value: Any, found: list[Any]) -> None:
        for child in select(first, value):
            deeper(child, found)

    return find


def _straight(selectors: tuple[str | int, ...]) -> _Find:
    """Keys and indices only: one value or nothing."""

    def find(value: Any, found: list[Any]) -> None:
        for selector in selectors:
            if type(selector) is str:
                if type(value) is not dict or selector not in value:
                    return
            elif type(value) is not list or not -len(value) <= selector < len(value):  # type: ignore[operator]
                return
            value = value[selector]
        found.append(value)

    return find


def select(selector: Selector, value: Any) -> Any:
    """The values that one selector leads to from a value, in their order."""
    if isinstance(value, dict):
        if selector is None:
            return value.values()
        return (value[selector],) if isinstance(selector, str) and selector in value else ()
    if isinstance(value, list):
        if selector is None or isinstance(selector, slice):
            return value
        if isinstance(selector, int) and -len(value) <= selector < len(value):
            return (value[selector],)
    return ()
