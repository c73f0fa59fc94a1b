"""Which requests carry a trace context, as written."""

from collections.abc import Iterator
from dataclasses import dataclass

from vezaflow.diagnostics import Span
from vezaflow.model.requests import Use
from vezaflow.syntax import Expression

TRACE_ID = "${trace_id}"
"""The part of a link that the id of a trace replaces: once read, a text like any other."""


@dataclass(frozen=True, slots=True)
class Tracing:
    """`trace` of a suite or of a flow, which says what it wants otherwise than its suite."""

    every: Expression | None
    link: Expression | None
    span: Span

    def uses(self) -> Iterator[Use]:
        yield from (Use(value) for value in (self.every, self.link) if value is not None)
