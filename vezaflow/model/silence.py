"""Findings that the author has seen and lets pass: `# vezaflow: ignore[VF306] reason` behind a line (or on one of
its own above it), and `lint: {ignore: {VF306: reason}}` for a whole suite.

Only warnings can be silenced: what stops a run would stop it all the same. An ignore says why, and one that
silences nothing is itself a warning, so that none outlives its reason.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator

from vezaflow.diagnostics import CODES, Diagnostic, Diagnostics, Severity, Source, Span
from vezaflow.model.mappings import Row, pairs, sub_mapping
from vezaflow.model.suite import Ignore, Suite
from vezaflow.model.tables import LINT
from vezaflow.model.values import text
from vezaflow.syntax import Mapping, Node, Scalar

# Only what speaks of ignoring or names a code is meant for lint; the rest is prose.
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[ \t]*vezaflow:[ \t]*(?P<words>(?=ign|[^\r\n]*VF[0-9])[^\r\n]*)", re.MULTILINE)
_IGNORE = re.compile(r"ignore[ \t]*\[(?P<codes>[^\]]*)\][ \t]*(?P<reason>.*)")
_CODE = re.compile(r"[^\s,]+")
_EXAMPLE = "write it like `# vezaflow: ignore[VF306] the reason`"
_OWN = ("VF136", "VF137")  # what is said of ignores themselves


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
    entries = pairs(inner.node("ignore"), "'ignore'", field.kind.value, row.diagnostics)
    return tuple(
        Ignore(entry.key.text, text(entry.value, field, row.diagnostics), entry.key.span, None) for entry in entries
    )


def silenced(suite: Suite, diagnostics: Diagnostics) -> Diagnostics:
    """What is left of the findings, and what is to be said of the ignores."""
    kept = Diagnostics()
    used: set[Ignore] = set()
    ignores: dict[str, list[Ignore]] = {}
    for ignore in suite.ignores:
        ignores.setdefault(_key(ignore.code, ignore.span, ignore.line), []).append(ignore)
    for diagnostic in diagnostics:
        by = _by(diagnostic, ignores)
        used.update(by)
        if not by:
            kept.add(diagnostic)
    for ignore in suite.ignores:
        if not _is_wrong(ignore, kept) and ignore not in used and _was_judged(ignore, suite, diagnostics):
            kept.warning(
                "VF137",
                ignore.span,
                f"there is no {ignore.code} to ignore {'here' if ignore.line else 'in this suite'}",
                help="take the ignore out",
            )
    return kept


def _key(code: str, span: Span, line: int | None) -> str:
    return code if line is None else f"{code} {span.source.path}:{line}"


def _by(diagnostic: Diagnostic, ignores: dict[str, list[Ignore]]) -> list[Ignore]:
    """The ignores that let a finding pass."""
    if diagnostic.severity is not Severity.WARNING:
        return []
    span = diagnostic.span
    here = [] if span is None else ignores.get(_key(diagnostic.code, span, span.source.position(span.start)[0]), [])
    return [*ignores.get(diagnostic.code, []), *here]


def _is_wrong(ignore: Ignore, diagnostics: Diagnostics) -> bool:
    """Whether the ignore can't be followed; that is said."""
    rule = CODES.get(ignore.code)
    message, label, help_ = "", "", ""
    if not ignore.code:
        message, help_ = "this comment to vezaflow can't be read", _EXAMPLE
    elif rule is None:
        message = f"there is no code '{ignore.code}'"
    elif rule.severity is Severity.ERROR:
        message, label = f"{ignore.code} can't be ignored", rule.title
        help_ = "it is an error: what it speaks of stops the run, whatever lint says; mend it"
    elif ignore.code in _OWN:
        message, help_ = f"{ignore.code} can't be ignored", "take the ignore that it speaks of out"
    elif not ignore.reason and ignore.line is not None:
        message, help_ = "an ignore needs a reason", f"behind the bracket: `ignore[{ignore.code}] the reason`"
    if message:
        diagnostics.warning("VF136", ignore.span, message, label=label, help=help_)
    return bool(message)


def _was_judged(ignore: Ignore, suite: Suite, diagnostics: Diagnostics) -> bool:
    """Whether a finding would be there if there were one: some rules wait for errors to go, or for all flows."""
    if diagnostics.failed:
        return False
    return suite.whole or any(flow.source is ignore.span.source for flow in suite.flows)


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
