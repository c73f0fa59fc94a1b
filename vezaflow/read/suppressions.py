"""The ignores that an author writes: `# vezaflow: ignore[VF306] reason` behind a line (or on one of its own above it),
and `lint: {ignore: {VF306: reason}}` for a whole suite. What they let pass is lint's matter.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator

from vezaflow.diagnostics import Source, Span
from vezaflow.keys import LINT
from vezaflow.model import Ignore
from vezaflow.read.mappings import Row, pairs, sub_mapping
from vezaflow.read.scalars import text
from vezaflow.syntax import Mapping, Node, Scalar

# Only what speaks of ignoring or names a code is meant for lint; the rest is prose.
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[ \t]*vezaflow:[ \t]*(?P<words>(?=ign|[^\r\n]*VF[0-9])[^\r\n]*)", re.MULTILINE)
_IGNORE = re.compile(r"ignore[ \t]*\[(?P<codes>[^\]]*)\][ \t]*(?P<reason>.*)")
_CODE = re.compile(r"[^\s,]+")


def read_comments(source: Source, node: Node) -> Iterator[Ignore]:
    """The ignores in a file's comments."""
    texts = sorted((scalar.span.start, scalar.span.end) for scalar in _scalars(node))
    following = _following(source)
    for comment in _COMMENT.finditer(source.text):
        at = comment.start()
        before = bisect_left(texts, (at, 0)) - 1
        if before >= 0 and at < texts[before][1]:
            continue
        number, column = source.position(at)
        line = number if source.line(number)[: column - 1].strip() else following[number]
        found = _IGNORE.fullmatch(comment["words"])
        codes = list(_CODE.finditer(found["codes"])) if found else []
        start = comment.start("words")
        for code in codes:
            begin = start + len(comment["words"].partition("[")[0]) + 1 + code.start()
            yield Ignore(
                code[0], found["reason"].strip() if found else "", Span(source, begin, begin + len(code[0])), line
            )
        if not codes:
            yield Ignore("", "", Span(source, at, comment.end()), line)


def read_lint(row: Row) -> tuple[Ignore, ...]:
    """The ignores that a suite.yml has for all of its files."""
    inner = sub_mapping(row, "lint", LINT)
    if inner is None:
        return ()
    field = inner.field("ignore")
    entries = pairs(inner.node("ignore"), "'ignore'", field.wanted, row.diagnostics)
    return tuple(
        Ignore(entry.key.text, text(entry.value, field, row.diagnostics), entry.key.span, None) for entry in entries
    )


def _following(source: Source) -> list[int]:
    """For each line (from 1) the next one that is neither blank nor a comment, or itself if there is none."""
    lines = [line.strip() for line in source.text.split("\n")]
    found = list(range(len(lines) + 1))
    for number in range(len(lines) - 1, 0, -1):
        line = lines[number]
        is_last = number == len(lines) - 1 and not line
        found[number] = number if is_last else number + 1 if line and not line.startswith("#") else found[number + 1]
    return found


def _scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Mapping):
        for entry in node.entries:
            yield entry.key
            yield from _scalars(entry.value)
    else:
        for item in node.items:
            yield from _scalars(item)
