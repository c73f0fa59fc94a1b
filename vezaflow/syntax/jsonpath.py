"""JSONPath as extractions and expectations use it: parsed once by jsonpath-ng, simple paths run by
closures.

jsonpath-ng's own search takes 3–80 µs a call because it wraps every value it passes; a closure over the
same tree takes under 1 µs for `$.a.b[0]`. Fields, indices, slices and wildcards are simple; all else is
left to jsonpath-ng. Both give the same values in the same order (a property test holds them to it). What
could be endless or is no reading of data (its regular expressions, arithmetic, parents) is refused.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from vezaflow.syntax.readings import look_over_document

LONGEST = 500
Selector = str | int | slice | None  # a key, an index, `[:]`, or None for every child
_Find = Callable[[Any, list[Any]], None]
_ALLOWED = frozenset((
    "Root", "This", "Child", "Fields", "Wildcard", "Index", "Slice", "Descendants", "Union", "_Union",
    "Filter", "Expression", "And", "Or", "Len", "Keys", "SortedThis",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path; called with decoded JSON it gives every value that it leads to."""

    text: str
    definite: bool  # leads to one value at most: no wildcard, slice, filter, union or ..
    selectors: tuple[Selector, ...] | None  # of a path that is nothing but such; None: jsonpath-ng follows it
    _find: _Find

    def __call__(self, document: object) -> list[Any]:
        found: list[Any] = []
        self._find(document, found)
        return found


@lru_cache(maxsize=512)
def compile_jsonpath(text: str) -> JsonPath:
    """The path, ready to run. ValueError gives the reason in one line."""
    if not text.startswith("$"):
        raise ValueError("a JSONPath begins with '$'")
    if len(text) > LONGEST:
        raise ValueError(f"a JSONPath of more than {LONGEST} characters")
    tree = _parse(text)
    nodes = list(_nodes(tree))
    for node in nodes:
        if (kind := type(node).__name__) not in _ALLOWED:
            raise ValueError(f"'{kind.strip('_').lower()}' is not allowed in a path")
        if getattr(node, "op", None) == "=~":
            raise ValueError("'=~' is not allowed in a path: its patterns are not linear in time")
    descents = sum(type(n).__name__ == "Descendants" for n in nodes)
    if descents > 2:
        raise ValueError("more than two '..' in a path")
    selectors = _simple(tree)
    if selectors is None:
        return JsonPath(text, False, None, _general(tree, descents))
    return JsonPath(text, _definite(nodes), selectors, _chain(list(selectors)))


def _parse(text: str) -> Any:
    module = import_module("jsonpath_ng.ext" if "?" in text or "`" in text or "\\" in text else "jsonpath_ng")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return module.parse(text)
        except RecursionError:
            raise ValueError("nested too deep") from None
        except Exception as error:  # its lexer and parser raise bare Exceptions of several kinds
            raise ValueError(_reason(error, text)) from None


def _reason(error: Exception, text: str) -> str:
    said = " ".join(str(error).split())
    if "end of string" in said.lower() or "unexpected end" in said.lower():
        return "the path ends too early"
    return said.removesuffix(f" for path {text}") or "not a JSONPath"


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
                raise ValueError(f"the path can't be followed here: {error}") from None

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
