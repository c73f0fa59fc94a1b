"""What is wrong in an author's file, as a value; and the place where all such values are collected.

Nothing here raises on account of an author's fault, and nothing here draws: text, JSON and annotations are
made by the renderers from the same values. A collector keeps every finding once and gives them in the
order of the files.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from vezaflow.diagnostics.codes import CODES, Severity
from vezaflow.diagnostics.fixes import Edit
from vezaflow.diagnostics.source import Source, Span
from vezaflow.redact import Secrets

Related = tuple[tuple[Span, str], ...]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: `message` says what is wrong, `label` what is under the caret, `help` the remedy."""

    code: str
    severity: Severity
    message: str
    span: Span | None  # None: it concerns no place in a file (a missing folder, an empty suite)
    label: str = ""
    help: str = ""
    related: Related = ()
    fix: Edit | None = None  # only where there is no doubt

    def masked(self, secrets: Secrets) -> "Diagnostic":
        """The same with no secret in its words, nor in the lines that it is drawn with."""
        return replace(
            self,
            message=secrets.mask(self.message),
            span=self.span and covered(self.span, secrets),
            label=secrets.mask(self.label),
            help=secrets.mask(self.help),
            related=tuple((covered(span, secrets), secrets.mask(words)) for span, words in self.related),
        )

    def order(self) -> tuple[str, int, int, str, str]:
        """Where it comes among others; two with the same are one finding."""
        if self.span is None:
            return ("", 0, 0, self.code, self.message)
        return (self.span.source.path, self.span.start, self.span.end, self.code, self.message)


def covered(span: Span, secrets: Secrets) -> Span:
    """The span in its source as it may be drawn."""
    return replace(span, source=_covered(span.source, secrets))


@lru_cache(maxsize=64)
def _covered(source: Source, secrets: Secrets) -> Source:
    text = secrets.cover(source.text)
    return source if text == source.text else Source(source.path, text)


@dataclass(slots=True, repr=False)
class Diagnostics:
    """Collects findings, each once. A code that is not in the table is a bug, and a KeyError."""

    _found: dict[tuple[str, int, int, str, str], Diagnostic] = field(default_factory=dict)
    _ways: dict[str, Related] = field(default_factory=dict)

    def within(self, path: str, way: Related) -> None:
        """From now on a finding in the file shows the way that led there: where it is included."""
        self._ways.setdefault(path, way)

    def error(
        self,
        code: str,
        span: Span | None,
        message: str,
        *,
        label: str = "",
        help: str = "",  # noqa: A002
        related: Related = (),
        fix: Edit | None = None,
    ) -> None:
        """Note something that stops the run."""
        self.add(Diagnostic(code, Severity.ERROR, message, span, label, help, related, fix))

    def warning(
        self,
        code: str,
        span: Span | None,
        message: str,
        *,
        label: str = "",
        help: str = "",  # noqa: A002
        related: Related = (),
    ) -> None:
        """Note something that is shown and passed."""
        self.add(Diagnostic(code, Severity.WARNING, message, span, label, help, related))

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a finding, unless the same one (code, place, message) is there."""
        CODES[diagnostic.code]
        way = self._ways.get(diagnostic.span.source.path) if diagnostic.span is not None else None
        if way is not None and not set(way) <= set(diagnostic.related):
            diagnostic = replace(diagnostic, related=(*diagnostic.related, *way))
        self._found.setdefault(diagnostic.order(), diagnostic)

    def extend(self, other: "Diagnostics") -> None:
        """Take over all that another collector found."""
        for diagnostic in other.items:
            self.add(diagnostic)

    @property
    def items(self) -> list[Diagnostic]:
        """All findings by file, then place."""
        return [self._found[key] for key in sorted(self._found)]

    @property
    def failed(self) -> bool:
        """Whether there is an error: the files can't be run."""
        return any(d.severity is Severity.ERROR for d in self._found.values())

    def count(self, severity: Severity) -> int:
        return sum(d.severity is severity for d in self._found.values())

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self._found)

    def __bool__(self) -> bool:
        """Always true: a collector that found nothing is still a collector. Ask `len` or `failed`."""
        return True

    def __repr__(self) -> str:
        return f"<Diagnostics {', '.join(f'{d.code} {d.span}' for d in self.items) or 'nothing'}>"
