"""What a response would have given where what was asked for is not there: the remedy below a failed extraction.

Made only when a failure is shown for the first time, never for a request that went well. Bodies come from anywhere:
whatever stands in one, suggestions are a few lines and end in bounded time, and they never raise.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from vezaflow.plan.rendering import show
from vezaflow.plan.response import ResponseView, UndecodableError
from vezaflow.plan.sources import SOURCES, Reads
from vezaflow.plan.suggestions_text import WIDEST

MOST_LINES = 8


def suggestions_for(source: str, argument: str, response: ResponseView) -> str:
    """What is near to what `source: argument` asked for, in a few lines; empty where nothing can be said."""
    try:
        return _cut(SOURCES[source].near(argument, response))
    except UndecodableError:
        return _other_kind(source, response)


def items_of(found: Sequence[Any]) -> str:
    """What was found and then not chosen."""
    return _cut([show(item, WIDEST) for item in found[:MOST_LINES]], len(found))


def _other_kind(source: str, response: ResponseView) -> str:
    """Which extractor reads a body that the one that was asked can't read."""
    reads = SOURCES[source].reads
    begin = response.text()[:200].lstrip().lower()
    if begin.startswith(("<!doctype html", "<html")):
        return f"this is HTML, which `{_reader(Reads.HTML)}` reads" if reads in (Reads.JSON, Reads.XML) else ""
    if begin.startswith("<") and reads is Reads.JSON:
        return f"this looks like XML, which `{_reader(Reads.XML)}` reads"
    if begin.startswith(("{", "[")) and reads is Reads.XML:
        return "this looks like JSON, which a path such as `$.name` reads"
    return ""


def _reader(reads: Reads) -> str:
    return next(name for name, source in SOURCES.items() if source.reads is reads)


def _cut(lines: Iterable[str], count: int | None = None) -> str:
    kept = list(lines)
    left = (len(kept) if count is None else count) - MOST_LINES
    shown = [line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…" for line in kept[:MOST_LINES]]
    return "\n".join([*shown, *([f"… and {left:,} more"] if left > 0 else [])])
