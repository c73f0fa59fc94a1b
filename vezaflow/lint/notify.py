"""What notifications insert, and whether the secrets of `grafana` and `notify` are listed as such."""

from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.model import TEMPLATE_FIELDS, Suite, environment_of, names_of, told_by
from vezaflow.syntax import Expression, Member, Name, walk


def check_inserted(suite: Suite, diagnostics: Diagnostics) -> None:
    """Names in the `json` of a notification that mean nothing there, and fields that don't exist."""
    known = {"env", *TEMPLATE_FIELDS, *(variable.name for variable in suite.vars)}
    for notification in suite.notify:
        for leaf in notification.inserted():
            for name, _ in names_of(leaf):
                if name.name not in known:
                    _unknown(name.name, name.span, known, "the names here are", diagnostics)
            for field, fields in _fields(leaf):
                if field.name not in fields:
                    span = Span(field.span.source, field.span.end - len(field.name), field.span.end)
                    _unknown(field.name, span, set(fields), "the fields are", diagnostics)


def check_listed(suite: Suite, diagnostics: Diagnostics) -> None:
    """Environment variables that are secret by their place, and that `secrets` doesn't list."""
    said: set[str] = set()
    for told in told_by(suite):
        for expression in told.credentials():
            for use in environment_of(expression):
                if use.name not in suite.secrets and use.name not in said:
                    said.add(use.name)
                    diagnostics.warning(
                        "VF440",
                        use.span,
                        f"'{use.name}' is treated as a secret but not listed as one",
                        help=f"add it to the suite's `secrets`: `secrets: [{', '.join((*suite.secrets, use.name))}]`",
                    )


def _fields(expression: Expression) -> Iterator[tuple[Member, dict[str, str]]]:
    for part in walk(expression):
        if isinstance(part, Member) and isinstance(part.target, Name) and part.target.name in TEMPLATE_FIELDS:
            yield part, TEMPLATE_FIELDS[part.target.name]


def _unknown(written: str, span: Span, known: set[str], which: str, diagnostics: Diagnostics) -> None:
    near = suggest(written, known)
    diagnostics.error(
        "VF318",
        span,
        f"unknown name '{written}' in a notification",
        label=did_you_mean(near),
        help="" if near else f"{which} {', '.join(sorted(known))}",
    )
