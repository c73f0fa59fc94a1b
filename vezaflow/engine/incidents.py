"""What failed while running, by the place in the YAML that it points to: counted, with the first one's words."""

from collections.abc import Callable
from dataclasses import dataclass

from vezaflow.diagnostics import Diagnostic, Severity, Span

_MOST = 500  # places; a suite has fewer


@dataclass(slots=True)
class Incident:
    """One kind of failure at one place. `message` is the first one's, one line."""

    code: str
    flow: str
    step: str
    message: str
    span: Span
    count: int = 0
    included: tuple[Span, ...] = ()  # where the file is included, the nearest place first
    help: str = ""  # what the first one's response would have given instead

    def diagnostic(self) -> Diagnostic:
        """As lint would draw it."""
        times = "once" if self.count == 1 else f"{self.count:,} times"
        return Diagnostic(
            self.code,
            Severity.ERROR,
            f"{f'{self.flow} › ' if self.flow else ''}{self.step}: {self.message}",
            self.span,
            label=f"failed {times}",
            help=self.help,
            related=tuple((span, "included here") for span in self.included),
        )


class Incidents:
    """Collects incidents. Only failures come here, so it may take its time."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Incident] = {}

    def add(
        self,
        code: str,
        flow: str,
        step: str,
        message: str,
        span: Span,
        included: tuple[Span, ...] = (),
        suggestions: Callable[[], str] = str,
    ) -> None:
        """Count a failure. `suggestions` is asked for its help only if it is the first at its place."""
        key = (code, flow, step, *((place.source.path, place.start) for place in (span, *included)))
        incident = self._found.get(key)
        if incident is None:
            if len(self._found) >= _MOST:
                return
            incident = self._found[key] = Incident(
                code, flow, step, message, span, included=included, help=suggestions()
            )
        incident.count += 1

    def take(self, others: "Incidents") -> None:
        """Count what was collected elsewhere."""
        for key, other in others._found.items():
            if key in self._found:
                self._found[key].count += other.count
            elif len(self._found) < _MOST:
                self._found[key] = other

    @property
    def items(self) -> tuple[Incident, ...]:
        """The most frequent first."""
        return tuple(sorted(self._found.values(), key=lambda i: -i.count))
