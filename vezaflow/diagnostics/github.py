"""Workflow commands, which Forgejo and GitHub Actions show at the line of the change: of diagnostics, and of others.

Escaping follows the runner's own rules (actions/toolkit, command.ts): % CR LF in the text, and : and , in
properties. The runner takes a command after blanks as well, and one of the older form (`##[add-mask]`) anywhere in a
line.
"""

import re
from collections.abc import Iterable

from vezaflow.diagnostics.codes import Severity
from vezaflow.diagnostics.diagnostic import Diagnostic
from vezaflow.diagnostics.source import Span

_COMMAND = re.compile(r"^[^\S\n]*:(?=:)", re.MULTILINE)  # no line of JSON begins so
_OLDER = re.compile(r"##(?=\[)")
_ON = "\N{ZERO WIDTH SPACE}"


def without_commands(page: str) -> str:
    """A page of lines that reads alike, and gives a runner no command, whatever its words were made of. JSON means
    what it meant."""
    page = _COMMAND.sub(lambda found: found[0] + _ON, page)
    return _OLDER.sub(r"#\\u0023" if page.startswith(("{", "[")) else f"##{_ON}", page)  # JSON has it in texts only


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """One line a diagnostic."""
    return "".join(_line(d) + "\n" for d in diagnostics)


def github_command(severity: Severity, span: Span | None, title: str, text: str) -> str:
    """One annotation: a line without its end."""
    properties: dict[str, str] = {}
    if span is not None:
        line, column = span.source.position(span.start)
        end_line, end_column = span.source.position(span.end)
        properties = {"file": span.source.path, "line": str(line), "col": str(column)}
        if end_line == line and end_column > column:
            properties["endColumn"] = str(end_column)
    properties["title"] = title
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{severity.value} {shown}::{_text(text)}"


def _line(diagnostic: Diagnostic) -> str:
    title = f"{diagnostic.code} {diagnostic.message}"
    body = ". ".join(part for part in (diagnostic.message, diagnostic.label, diagnostic.help) if part)
    return github_command(diagnostic.severity, diagnostic.span, title, body)


def _text(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _text(value).replace(":", "%3A").replace(",", "%2C")
