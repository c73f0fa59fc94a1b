"""The trace of `vezaflow try` in a terminal: every request and response as people read them, secrets masked.

A line is as wide as the terminal at most, but for what a reader must be able to copy: URLs and drawn faults.
"""

from collections.abc import Callable
from typing import Any, assert_never

from vezaflow import units
from vezaflow.diagnostics import Diagnostic, printable, render_one
from vezaflow.metrics import Phase
from vezaflow.outputs.traced import (
    Headers,
    Traced,
    TracedFailure,
    TracedMessage,
    TracedPhase,
    TracedRequest,
    TracedResponse,
    TracedValues,
    place_of,
    readable,
    shown_header,
)
from vezaflow.plan import Secrets, show

_BODY_LINES = 12
_BODY_BYTES = 64 << 10  # of a text that is looked at to show its first lines
_BOLD, _DIM, _RED, _GREEN, _CYAN = "1", "2", "31", "32", "36"
_WITHOUT_END = 1 << 30  # columns


class TraceLines:
    """Writes what it is told. `full`: bodies and values whole; `shown`: the names of steps that are drawn, the others
    have a line each (None: all are)."""

    def __init__(
        self,
        write: Callable[[str], None],
        secrets: Secrets,
        *,
        color: bool,
        width: int = 100,
        full: bool = False,
        shown: frozenset[str] | None = None,
    ) -> None:
        self._write = write
        self._secrets = secrets
        self._color = color
        self._width = _WITHOUT_END if full else width
        self._rule = width
        self._full = full
        self._shown = shown
        self._phase = Phase.ITERATION
        self._folding = False  # whether the last line was one of many that belong together

    def __call__(self, traced: Traced) -> None:
        self._announce(traced.phase)
        match traced:
            case TracedPhase():
                return
            case TracedRequest(fault=None, name=name) if self._shown is not None and name not in self._shown:
                self._fold(traced)
                return
            case TracedRequest():
                self._apart()
                self._asked(traced)
            case TracedFailure(name=name, span=span, included=included, fault=fault):
                if span is not None:
                    self._title(name, place_of(span, included))
                self._fault(fault)
            case TracedMessage(message=message) if self._folding:
                self._line(self._paint(_DIM, self._cut(f"  {self._clean(message)}")))
                return
            case TracedMessage(message=message):
                self._line(f"{self._paint(_BOLD, '▶')} {self._clean(message)}")
            case TracedValues(values=values):
                for name, value in values:
                    self._value(f"{self._paint(_BOLD, '▶ set')} ", name, value, len("▶ set "))
            case _:
                assert_never(traced)
        self._line("")

    def _announce(self, phase: Phase) -> None:
        if phase is not self._phase:
            self._phase = phase
            self._apart()
            self._line(self._paint(_DIM, f"── {phase.value} ".ljust(min(60, self._rule), "─")))

    def _apart(self) -> None:
        if self._folding:
            self._folding = False
            self._line("")

    def _asked(self, asked: TracedRequest) -> None:
        again = f" ({asked.turn})" if asked.turn > 1 else ""
        self._title(asked.name + again, place_of(asked.span, asked.included))
        self._line(f"  {self._clean(f'{asked.method} {asked.url}')}")
        self._headers("›", asked.request_headers)
        for piece in asked.pieces:
            self._body(piece)
        if asked.response is not None:
            self._response(asked.response, _RED if asked.fault is not None else _GREEN)
        if asked.fault is not None:
            self._fault(asked.fault)
        elif asked.redirected:
            self._line(self._paint(_DIM, "  redirected"))
        for name in asked.passed:
            self._line(f"  {self._paint(_GREEN, '✓')} {self._clean(name)}")
        for name, value in asked.extracted:
            self._value("  ", name, value, 2)

    def _fold(self, asked: TracedRequest) -> None:
        assert asked.response is not None, "a request without a response has failed, and is drawn whole"
        self._folding = True
        name, took = f"▷ {self._clean(asked.name)}", units.duration(asked.response.timing.duration)
        request = self._clean(f"{asked.method} {asked.url}")
        line = self._cut(f"{name}  {asked.response.status_line}  {took}  {request}")
        self._line(line[: len(name)] + self._paint(_DIM, line[len(name) :]))

    def _title(self, name: str, place: str) -> None:
        self._line(f"{self._paint(_BOLD, f'▶ {self._clean(name)}')}  {self._paint(_DIM, self._clean(place))}")

    def _response(self, response: TracedResponse, tone: str) -> None:
        timing = response.timing
        opening = timing.blocked + timing.connecting + timing.tls
        parts = [f"first byte after {units.duration(timing.to_first_byte)}"]
        parts += [f"connected in {units.duration(opening)}"] if opening else []
        status = self._paint(tone, response.status_line)
        took, size = units.duration(timing.duration), units.size(len(response.body))
        self._line(f"  {status}   {took} ({', '.join(parts)}), {size}")
        self._headers("‹", response.headers)
        self._body(response.body, response.headers)

    def _headers(self, arrow: str, headers: Headers) -> None:
        for name, value in headers:
            line = f"  {arrow} {self._clean(f'{name}: {shown_header(name, value)}')}"
            self._line(self._paint(_DIM, self._cut(line)))

    def _body(self, body: bytes | bytearray | memoryview, headers: Headers = ()) -> None:
        if not len(body):
            return
        text = readable(body, None if self._full else _BODY_BYTES, headers)
        if text is None:
            self._line(self._paint(_DIM, f"    ({units.size(len(body))} of bytes)"))
            return
        lines = self._secrets.mask(text).splitlines()
        shown = lines if self._full else lines[:_BODY_LINES]
        for line in shown:
            self._line(self._cut(f"    {printable(line)}"))
        if len(shown) < len(lines) or (not self._full and len(body) > _BODY_BYTES):
            self._line(self._paint(_DIM, f"    … {units.size(len(body))} in all"))

    def _value(self, start: str, name: str, value: Any, column: int) -> None:
        room = max(20, self._width - column - len(f"{name} = "))
        self._line(f"{start}{self._paint(_CYAN, name)} = {printable(show(value, room, self._secrets.mask))}")

    def _fault(self, fault: Diagnostic) -> None:
        for line in render_one(fault.masked(self._secrets), colour=self._color).rstrip().splitlines():
            self._line(f"  {line}")

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text

    def _line(self, text: str) -> None:
        self._write(text)

    def _cut(self, line: str) -> str:
        return line if len(line) <= self._width else f"{line[: self._width - 1]}…"

    def _clean(self, text: str) -> str:
        """A text that was written elsewhere: without secrets, and fit for a terminal."""
        return printable(self._secrets.mask(text))
