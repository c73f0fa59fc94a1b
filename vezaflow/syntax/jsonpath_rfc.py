"""JSONPath as RFC 9535 has it: text → segments, and their search as closures.

Laws: what the RFC allows is read as it says, and what it does not is a ValueError of one line; two forms of jsonpath-ng
mean what they say, too: `&` for `&&` and `=` for `==` in a filter. Patterns are RE2's, and so linear in time. Filters
nest at most MOST_NESTED deep and `..` comes at most MOST_DESCENTS times, for each may look at all of a document again.
"""

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from vezaflow.syntax.patterns import compile_pattern

MOST_NESTED = 2
MOST_DESCENTS = 2
_LARGEST = 2**53 - 1
_BLANK = re.compile(r"[ \t\n\r]*")
_NAME = re.compile(r"[A-Za-z_\x80-\ud7ff\ue000-\U0010ffff][\w\x80-\ud7ff\ue000-\U0010ffff]*", re.ASCII)
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_FUNCTION = re.compile(r"([a-z][a-z0-9_]*)\(")
_WORD = re.compile(r"(?:true|false|null)(?![\w(])")
_COMPARISON = re.compile(r"==|!=|<=|>=|<|>|=(?!~)")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\"}
_WORDS = {"true": True, "false": False, "null": None}

Test = Callable[[Any, Any], Any]
"""Of the value at `@` and of the document: whether a filter holds, or the value of an operand."""


class Filter(NamedTuple):
    """A selector of the children that a test holds for."""

    holds: Test


Selector = str | int | slice | Filter | None  # None: every child


@dataclass(frozen=True, slots=True)
class PathSegment:
    selectors: tuple[Selector, ...]
    descendant: bool  # of every value below, and not only of this one

    @property
    def singular(self) -> bool:
        return not self.descendant and len(self.selectors) == 1 and isinstance(self.selectors[0], str | int)


class _Nothing:
    """The value of a path that leads nowhere: equal to itself alone."""

    __slots__ = ()


_NOTHING = _Nothing()


class _Operand(NamedTuple):
    """Part of a filter. `kind`: value (one or nothing), nodes (a list), logical."""

    kind: str
    run: Test
    query: bool = False  # a path, whose being there can be tested


def parse(text: str) -> tuple[PathSegment, ...]:
    """The segments behind the `$`. ValueError says in one line why it is no path."""
    reader = _Reader(text)
    reader.at = 1
    segments = reader.segments()
    if reader.at < len(text):
        reader.fail()
    return segments


def search(segments: tuple[PathSegment, ...], value: Any, root: Any) -> list[Any]:
    """The values that segments lead to, in the RFC's order."""
    found = [value]
    for segment in segments:
        starts = (below for start in found for below in _below(start)) if segment.descendant else found
        found = [child for start in starts for selector in segment.selectors for child in _pick(selector, start, root)]
        if not found:
            break
    return found


def _below(value: Any) -> Iterator[Any]:
    """The value and all within it, each before what it holds."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, dict):
            waiting += reversed(value.values())
        elif isinstance(value, list):
            waiting += reversed(value)


def _pick(selector: Selector, value: Any, root: Any) -> Any:
    if isinstance(value, dict):
        if selector is None:
            return value.values()
        if isinstance(selector, str):
            return (value[selector],) if selector in value else ()
        if isinstance(selector, Filter):
            return [child for child in value.values() if selector.holds(child, root)]
    elif isinstance(value, list):
        if selector is None:
            return value
        if isinstance(selector, int):
            return (value[selector],) if -len(value) <= selector < len(value) else ()
        if isinstance(selector, slice):
            return value[selector] if selector.step != 0 else ()
        if isinstance(selector, Filter):
            return [child for child in value if selector.holds(child, root)]
    return ()


class _Reader:
    """A text and how far it is read."""

    __slots__ = ("at", "descents", "nested", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.nested = 0
        self.descents = 0

    def fail(self, reason: str = "") -> NoReturn:
        rest = self.text[self.at : self.at + 20]
        if not rest:
            raise ValueError("unexpected end of the path")
        raise ValueError(reason or f"unexpected text in the path: {rest}")

    def blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def take(self, sign: str) -> bool:
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def need(self, sign: str) -> None:
        if not self.take(sign):
            self.fail(f"a `{sign}` is missing before: {self.text[self.at : self.at + 20]}")

    # segments and selectors

    def segments(self) -> tuple[PathSegment, ...]:
        found: list[PathSegment] = []
        while True:
            back = self.at
            self.blank()
            if self.take(".."):
                self.descents += 1
                if self.descents > MOST_DESCENTS:
                    raise ValueError(f"more than {MOST_DESCENTS} '..' in a path")
                found.append(PathSegment(self.bracket() if self.take("[") else (self.short(),), True))
            elif self.take("["):
                found.append(PathSegment(self.bracket(), False))
            elif self.take("."):
                found.append(PathSegment((self.short(),), False))
            else:
                self.at = back
                return tuple(found)

    def short(self) -> Selector:
        if self.take("*"):
            return None
        name = self.match(_NAME)
        if name is None:
            self.fail()
        return name[0]

    def bracket(self) -> tuple[Selector, ...]:
        found = []
        while True:
            self.blank()
            found.append(self.selector())
            self.blank()
            if self.take("]"):
                return tuple(found)
            self.need(",")

    def selector(self) -> Selector:
        if self.take("*"):
            return None
        if self.take("?"):
            return self.filter()
        if self.text.startswith(("'", '"'), self.at):
            return self.string()
        start = self.integer()
        back = self.at
        self.blank()
        if self.take(":"):
            return self.slice(start)
        self.at = back
        if start is None:
            self.fail()
        return start

    def slice(self, start: int | None) -> slice:
        self.blank()
        end, step = self.integer(), None
        back = self.at
        self.blank()
        if self.take(":"):
            self.blank()
            step = self.integer()
        else:
            self.at = back
        return slice(start, end, step)

    def integer(self) -> int | None:
        found = self.match(_INTEGER)
        if found is None:
            return None
        if len(found[0]) > 17 or abs(int(found[0])) > _LARGEST:
            self.fail(f"an index beyond ±{_LARGEST:,}")
        return int(found[0])

    def string(self) -> str:
        quote, pieces = self.text[self.at], list[str]()
        self.at += 1
        while True:
            sign = self.text[self.at : self.at + 1]
            if not sign:
                self.fail()
            self.at += 1
            if sign == quote:
                return "".join(pieces)
            if sign < " ":
                self.fail("control character in quotes: write it as \\n, \\t or \\u0000")
            pieces.append(self.escape(quote) if sign == "\\" else sign)

    def escape(self, quote: str) -> str:
        sign = self.text[self.at : self.at + 1]
        if not sign:
            self.fail()
        self.at += 1
        if sign == quote:
            return sign
        if sign in _ESCAPES:
            return _ESCAPES[sign]
        if sign != "u":
            self.fail(f"'\\{sign}' is not a valid escape")
        code = self.code()
        if 0xD800 <= code < 0xDC00 and self.take("\\u"):
            low = self.code()
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
            code = 0xD800
        if 0xD800 <= code < 0xE000:
            raise ValueError("an unpaired surrogate is not a character")
        return chr(code)

    def code(self) -> int:
        found = self.match(_HEX)
        if found is None:
            self.fail("`\\u` needs four hexadecimal digits")
        return int(found[0], 16)

    # filters

    def filter(self) -> Filter:
        self.nested += 1
        if self.nested > MOST_NESTED:
            raise ValueError(f"filters nested more than {MOST_NESTED} deep")
        self.blank()
        holds = self.either()
        self.nested -= 1
        return Filter(holds)

    def either(self) -> Test:
        tests = [self.both()]
        while self.next("||"):
            tests.append(self.both())
        return tests[0] if len(tests) == 1 else lambda at, root: any(test(at, root) for test in tests)

    def both(self) -> Test:
        tests = [self.basic()]
        while self.next("&&") or self.next("&"):
            tests.append(self.basic())
        return tests[0] if len(tests) == 1 else lambda at, root: all(test(at, root) for test in tests)

    def next(self, sign: str) -> bool:
        back = self.at
        self.blank()
        if self.take(sign):
            self.blank()
            return True
        self.at = back
        return False

    def basic(self) -> Test:
        if self.take("!"):
            self.blank()
            test = self.group() if self.take("(") else self.test(self.operand())
            return lambda at, root: not test(at, root)
        if self.take("("):
            return self.group()
        left = self.operand()
        back = self.at
        self.blank()
        sign = self.match(_COMPARISON)
        if sign is None:
            if self.take("=~"):
                raise ValueError("'=~' is not allowed in a path: write `search(@.name, 'pattern')`")
            self.at = back
            return self.test(left)
        self.blank()
        return _compared(self.value(left), sign[0], self.value(self.operand()))

    def group(self) -> Test:
        self.blank()
        test = self.either()
        self.blank()
        self.need(")")
        return test

    def test(self, operand: _Operand) -> Test:
        if operand.kind == "logical":
            return operand.run
        if not operand.query:
            raise ValueError("a value alone is not a condition: compare it")
        run = operand.run
        if operand.kind == "nodes":
            return lambda at, root: bool(run(at, root))
        return lambda at, root: run(at, root) is not _NOTHING

    def value(self, operand: _Operand) -> Test:
        if operand.kind == "nodes":
            raise ValueError("a path that can match several values can't be compared: use `value(…)` or `count(…)`")
        if operand.kind == "logical":
            raise ValueError("match and search return true or false, and can't be compared")
        return operand.run

    def operand(self) -> _Operand:
        sign = self.text[self.at : self.at + 1]
        if sign and sign in "@$":
            self.at += 1
            return _path(sign, self.segments())
        if sign and sign in "'\"":
            return _constant(self.string())
        if word := self.match(_WORD):
            return _constant(_WORDS[word[0]])
        if call := self.match(_FUNCTION):
            return self.function(call[1])
        if number := self.match(_NUMBER):
            return _constant(float(number[0]) if number[1] or number[2] else int(number[0]))
        name = _NAME.match(self.text, self.at)
        return self.fail(
            f"in a filter write `@.{name[0]}` for the field, and '{name[0]}' in quotes for the text" if name else ""
        )

    def function(self, name: str) -> _Operand:
        arguments: list[_Operand] = []
        self.blank()
        while not self.take(")"):
            if arguments:
                self.need(",")
                self.blank()
            arguments.append(self.operand())
            self.blank()
        known = _FUNCTIONS.get(name)
        if known is None:
            raise ValueError(f"unknown function '{name}' in a path: supported are {', '.join(_FUNCTIONS)}")
        takes, gives, work = known
        if len(arguments) != len(takes):
            wanted = f"{len(takes)} argument{'s' if len(takes) > 1 else ''}"
            raise ValueError(f"'{name}' takes {wanted}, got {len(arguments)}")
        runs = [_listed(a) if kind == "nodes" else self.value(a) for a, kind in zip(arguments, takes, strict=True)]
        return _Operand(gives, lambda at, root: work(*[run(at, root) for run in runs]))


def _path(sign: str, segments: tuple[PathSegment, ...]) -> _Operand:
    relative = sign == "@"
    if not all(segment.singular for segment in segments):
        return _Operand("nodes", lambda at, root: search(segments, at if relative else root, root), query=True)
    steps: tuple[Any, ...] = tuple(segment.selectors[0] for segment in segments)

    def follow(at: Any, root: Any) -> Any:
        value = at if relative else root
        for step in steps:
            if type(step) is str:
                if type(value) is not dict or step not in value:
                    return _NOTHING
            elif type(value) is not list or not -len(value) <= step < len(value):
                return _NOTHING
            value = value[step]
        return value

    return _Operand("value", follow, query=True)


def _constant(value: Any) -> _Operand:
    return _Operand("value", lambda _at, _root: value)


def _listed(operand: _Operand) -> Test:
    """The nodes that a path leads to, as an argument."""
    if not operand.query:
        raise ValueError("expected a path")
    run = operand.run
    if operand.kind == "nodes":
        return run
    return lambda at, root: [] if (value := run(at, root)) is _NOTHING else [value]


def _compared(left: Test, sign: str, right: Test) -> Test:
    if sign in ("==", "="):
        return lambda at, root: _equal(left(at, root), right(at, root))
    if sign == "!=":
        return lambda at, root: not _equal(left(at, root), right(at, root))
    before = operator.lt if "<" in sign else operator.gt
    if "=" not in sign:
        return lambda at, root: _ordered(left(at, root), right(at, root), before)

    def holds(at: Any, root: Any) -> bool:
        one, other = left(at, root), right(at, root)
        return _ordered(one, other, before) or _equal(one, other)

    return holds


def _ordered(left: Any, right: Any, before: Callable[[Any, Any], bool]) -> bool:
    """Numbers and texts have an order, nothing else has."""
    return ((_is_number(left) and _is_number(right)) or type(left) is type(right) is str) and before(left, right)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _equal(left: Any, right: Any) -> bool:
    """1 equals 1.0 and not true."""
    if _is_number(left) and _is_number(right):
        return bool(left == right)
    if type(left) is not type(right):
        return False
    if type(left) is list:
        return len(left) == len(right) and all(map(_equal, left, right))
    if type(left) is dict:
        return left.keys() == right.keys() and all(_equal(value, right[key]) for key, value in left.items())
    return bool(left == right)


def _length(value: Any) -> Any:
    return len(value) if isinstance(value, str | list | dict) else _NOTHING


def _only(nodes: list[Any]) -> Any:
    return nodes[0] if len(nodes) == 1 else _NOTHING


def _matched(value: Any, pattern: Any) -> bool:
    return _found(value, pattern, "fullmatch")


def _searched(value: Any, pattern: Any) -> bool:
    return _found(value, pattern, "search")


def _found(value: Any, pattern: Any, how: str) -> bool:
    if not isinstance(value, str) or not isinstance(pattern, str):
        return False
    try:
        return getattr(compile_pattern(_as_re2(pattern)), how)(value) is not None
    except ValueError:
        return False


def _as_re2(pattern: str) -> str:
    """RFC 9485's dot is no line break, neither of both."""
    return _DOT.sub(lambda found: found[0] if found[0] != "." else r"[^\n\r]", pattern)


_DOT = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\.", re.DOTALL)
_FUNCTIONS: dict[str, tuple[tuple[str, ...], str, Callable[..., Any]]] = {
    "length": (("value",), "value", _length),
    "count": (("nodes",), "value", len),
    "value": (("nodes",), "value", _only),
    "match": (("value", "value"), "logical", _matched),
    "search": (("value", "value"), "logical", _searched),
}
