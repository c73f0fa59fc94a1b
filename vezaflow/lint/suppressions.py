"""Findings that the author has seen and lets pass: `# vezaflow: ignore[VF306] reason` behind a line (or on one of
its own above it), and `lint: {ignore: {VF306: reason}}` for a whole suite.

Only warnings can be silenced: what stops a run would stop it all the same. An ignore says why, and one that
silences nothing is itself a warning, so that none outlives its reason.
"""

from vezaflow.diagnostics import CODES, Diagnostic, Diagnostics, Severity, Span
from vezaflow.model import Ignore, Suite

_EXAMPLE = "write it like `# vezaflow: ignore[VF306] the reason`"
_OWN = ("VF136", "VF137")  # what is said of ignores themselves


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
                f"unused ignore of {ignore.code} {'here' if ignore.line else 'in this suite'}",
                help="remove the ignore",
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
        message, help_ = "invalid vezaflow comment", _EXAMPLE
    elif rule is None:
        message = f"unknown code '{ignore.code}'"
    elif rule.severity is Severity.ERROR:
        message, label = f"{ignore.code} can't be ignored", rule.title
        help_ = "it is an error, which stops the run: fix it"
    elif ignore.code in _OWN:
        message, help_ = f"{ignore.code} can't be ignored", "remove the other ignore"
    elif not ignore.reason and ignore.line is not None:
        message, help_ = "an ignore needs a reason", f"write it after the bracket: `ignore[{ignore.code}] the reason`"
    if message:
        diagnostics.warning("VF136", ignore.span, message, label=label, help=help_)
    return bool(message)


def _was_judged(ignore: Ignore, suite: Suite, diagnostics: Diagnostics) -> bool:
    """Whether a finding would be there if there were one: some rules wait for errors to go, or for all flows."""
    if diagnostics.failed:
        return False
    return suite.whole or any(flow.source is ignore.span.source for flow in suite.flows)
