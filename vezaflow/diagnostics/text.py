"""Diagnostics for people: the author's line, carets under the very token, what is there and how to mend
it.

Carets land right whatever stands before them: tabs are widened, wide and combining characters are
measured, control characters are shown as a sign (a file can't send escape sequences to the terminal), long
lines are cut around the span, and a span over several lines is drawn on its first one.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from vezaflow.diagnostics.codes import Severity
from vezaflow.diagnostics.diagnostic import Diagnostic
from vezaflow.diagnostics.source import Span

_RESET, _BOLD, _CYAN = "\x1b[0m", "\x1b[1m", "\x1b[36m"
_RED, _YELLOW, _BLUE = "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m"
_COLOUR = {Severity.ERROR: _RED, Severity.WARNING: _YELLOW}
_WIDEST = 110  # columns of a source line that are shown
_TAB = "    "
_Paint = Callable[[str, str], str]
_STEERING = (*range(128, 160), 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_NO_TEXT = (*range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
_SIGNS = {c: 0x2400 + c for c in range(32) if c != 9} | {127: 0x2421} | dict.fromkeys((*_STEERING, *_NO_TEXT), 0xFFFD)
"""What would steer a terminal, or is no text to XML and UTF-8, as a sign instead."""


_PAINT = re.compile(r"(\x1b\[[0-9;]*m)")
_LINE_ENDS = {10: 10}


def harmless(page: str, *, coloured: bool, shown: bool) -> str:
    """A page of lines as a stream may get it, whatever its words were made of: its own colours stay (`coloured`), and
    nothing else steers a terminal. A stream that is not `shown` on one may carry JSON: there only what JSON escapes
    is a sign instead."""
    if page.isascii() and page.replace("\n", "").isprintable():
        return page
    signs = (_SIGNS if shown else {c: sign for c, sign in _SIGNS.items() if c < 32}) | _LINE_ENDS
    parts = _PAINT.split(page) if coloured else [page]
    return "".join(part if number % 2 else part.translate(signs) for number, part in enumerate(parts))


def printable(text: str) -> str:
    """A text that was written elsewhere, as one line that a terminal only shows."""
    return text.translate(_SIGNS)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: two for each character of Chinese, Japanese, Korean, and emoji."""
    return len(text) if text.isascii() else sum(_cell(character)[1] for character in text)


def render_text(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """All diagnostics, a blank line after each, without the summary line."""
    return "".join(render_one(d, colour=colour) + "\n" for d in diagnostics)


def folded(text: str, width: int, indent: str = "") -> Iterator[str]:
    """Prose in lines of whole words, those after the first two columns further in; a word that is too long keeps its
    line."""
    line, begun = indent, False
    for word in text.split():
        if begun and columns(line) + 1 + columns(word) > width:
            yield line
            line, begun = f"{indent}  ", False
        line += f" {word}" if begun else word
        begun = True
    if begun:
        yield line


def render_one(diagnostic: Diagnostic, *, colour: bool = False, width: int | None = None) -> str:
    """One diagnostic as lines, each with its end. `width`: the columns that its message keeps to."""
    paint = _paint if colour else _plain
    tone = _COLOUR[diagnostic.severity]
    kind = f"{diagnostic.severity.value}[{diagnostic.code}]"
    message = f"{kind}: {_clean(diagnostic.message)}"
    first, *rest = [message] if width is None else folded(message, width)
    lines = [f"{paint(kind, tone)}{paint(first.removeprefix(kind), _BOLD)}", *(paint(line, _BOLD) for line in rest)]
    spans = [s for s in (diagnostic.span, *(r[0] for r in diagnostic.related)) if s is not None]
    gutter = max((len(str(s.source.position(s.start)[0])) for s in spans), default=1)
    if diagnostic.span is not None:
        lines += _drawing(diagnostic.span, "^", diagnostic.label, gutter, "-->", paint, tone)
    for span, label in diagnostic.related:
        lines += _drawing(span, "-", label, gutter, ":::", paint, _BLUE)
    if diagnostic.help:
        lines += _help(diagnostic.help, gutter, paint)
    return "\n".join(lines) + "\n"


def summary_line(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`, or `no errors`."""
    found = [d.severity for d in diagnostics]
    counts = [(severity.value, found.count(severity)) for severity in Severity]
    parts = [f"{n} {word}{'s' if n > 1 else ''}" for word, n in counts if n]
    return ", ".join(parts) or "no errors"


def _drawing(span: Span, mark: str, label: str, gutter: int, arrow: str, paint: _Paint, tone: str) -> list[str]:
    number, column = span.source.position(span.start)
    line = span.source.line(number)
    shown, before, width = _fit(line, column - 1, max(1, min(span.end - span.start, len(line) - column + 1)))
    bar = paint("|", _BLUE)
    blank = " " * gutter
    marks = paint(mark * width + (f" {_clean(label)}" if label else ""), tone)
    return [
        f"{blank}{paint(arrow, _BLUE)} {_clean(str(span))}",
        f"{blank} {bar}",
        f"{paint(str(number).rjust(gutter), _BLUE)} {bar} {shown}".rstrip(),
        f"{blank} {bar} {' ' * before}{marks}",
    ]


def _help(text: str, gutter: int, paint: _Paint) -> list[str]:
    first, *rest = text.splitlines()
    blank = " " * gutter
    head = f"{blank} {paint('=', _BLUE)} {paint('help', _CYAN)}: {_clean(first)}"
    return [head, *(f"{blank}         {_clean(line)}" for line in rest)]


def _fit(line: str, start: int, length: int) -> tuple[str, int, int]:
    """The line as shown, the columns before the span and the columns of the span itself."""
    cut = max(0, start - 4 * _WIDEST)  # of a very long line only what is near is measured
    line, start = line[cut : start + 4 * _WIDEST], start - cut
    cells = [_cell(c) for c in line]
    widths = [columns for _, columns in cells]
    first, last = 0, len(cells)
    if sum(widths) > _WIDEST:
        length = min(length, _WIDEST // 2)
        first = max(0, min(start - _WIDEST // 3, len(cells) - _WIDEST))
        if first < 10:
            first = 0
        last = min(len(cells), first + _WIDEST)
    left = "…" if first or cut else ""
    right = "…" if last < len(cells) else ""
    shown = left + "".join(text for text, _ in cells[first:last]) + right
    before = len(left) + sum(widths[first:start])
    return shown, before, max(1, sum(widths[start : start + length]))


def _cell(character: str) -> tuple[str, int]:
    """What is shown for a character and how many columns it takes."""
    if character == "\t":
        return _TAB, len(_TAB)
    category = unicodedata.category(character)
    if category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return "\N{REPLACEMENT CHARACTER}", 1
    if category in ("Mn", "Me"):
        return character, 0
    return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _clean(text: str) -> str:
    return "".join(_cell(c)[0] for c in text)


def _paint(text: str, tone: str) -> str:
    return f"{tone}{text}{_RESET}"


def _plain(text: str, tone: str) -> str:
    return text
