"""The trace of `vezaflow try` as one page that opens offline: a table of all requests, then each thing that happened.

Laws: everything is in the file, nothing is fetched and nothing runs (the page's own policy says so to the browser);
every text passes the mask and is escaped, and holds no control characters; the page is bounded however much came.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import assert_never

from vezaflow import __version__, units
from vezaflow.diagnostics import Diagnostic, harmless, render_one
from vezaflow.metrics import Phase
from vezaflow.outputs.trace_style import STYLE
from vezaflow.outputs.traced import (
    Headers,
    Timing,
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
from vezaflow.plan import show

_MOST_BODY = 32 << 10  # characters of one body
_MOST_BODIES = 4 << 20  # of all
_MOST_EVENTS = 2_000
_VALUE = 2_000  # characters of a value
_OPEN_UP_TO = 12  # requests: with more of them only what failed is open
_PARTS = ("blocked", "connecting", "tls", "sending", "waiting", "receiving")


@dataclass(frozen=True, slots=True)
class Tried:
    """What the page is of."""

    suite: str
    flow: str
    description: str
    at: datetime
    inputs: Sequence[tuple[str, str]]
    verdict: str  # the last line of `try`
    good: bool


def trace_page(tried: Tried, events: Sequence[Traced], mask: Callable[[str], str]) -> str:
    """The whole page. `mask` blots out of a text what must not lie in a file."""
    text = _Page(tried, events[:_MOST_EVENTS], len(events), mask).text()
    return harmless(text.replace("\r\n", "\n"), coloured=False, shown=True)


class _Page:
    def __init__(self, tried: Tried, events: Sequence[Traced], count: int, mask: Callable[[str], str]) -> None:
        self._tried = tried
        self._events = events
        self._count = count
        self._mask = mask
        self._asked = [event for event in events if isinstance(event, TracedRequest)]
        self._longest = max((e.response.timing.duration for e in self._asked if e.response is not None), default=0.0)
        self._open = len(self._asked) <= _OPEN_UP_TO
        self._room = _MOST_BODIES

    def text(self) -> str:
        name = self._t(self._tried.flow)
        policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        return "\n".join(
            [
                "<!doctype html>",
                '<html lang="en">',
                "<head>",
                '<meta charset="utf-8">',
                f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f"<title>{name}: vezaflow try</title>",
                f"<style>{STYLE}</style>",
                "</head>",
                "<body>",
                *self._header(),
                *self._overview(),
                "<main>",
                *self._course(),
                "</main>",
                f"<footer>vezaflow {__version__}</footer>",
                "</body>",
                "</html>",
                "",
            ]
        )

    def _header(self) -> Iterator[str]:
        tried = self._tried
        tone = "good" if tried.good else "bad"
        yield "<header>"
        yield f"<h1>{self._t(tried.flow)}</h1>"
        yield f'<p class="verdict {tone}">{self._t(tried.verdict)}</p>'
        if tried.description:
            yield f"<p>{self._t(tried.description)}</p>"
        inputs = [f"{name}={value}" for name, value in tried.inputs]
        facts = [f"suite {tried.suite}", f"{tried.at:%Y-%m-%d %H:%M:%S %Z}".strip(), *inputs]
        yield f'<p class="dim">{" · ".join(map(self._t, facts))}</p>'
        yield "</header>"

    def _overview(self) -> Iterator[str]:
        if not self._asked:
            return
        yield '<table class="overview">'
        yield "<thead><tr><th>#</th><th>step</th><th>request</th><th>status</th><th>size</th><th>time</th></tr></thead>"
        yield "<tbody>"
        for number, asked in enumerate(self._asked, 1):
            response = asked.response
            size = units.size(len(response.body)) if response is not None else ""
            took = self._bar(response.timing) if response is not None else ""
            yield (
                f'<tr><td>{number}</td><td><a href="#r{number}">{self._t(_title(asked))}</a></td>'
                f"<td><code>{self._t(asked.method)} {self._t(asked.outgoing.target.target)}</code></td>"
                f'<td>{self._status(asked)}</td><td class="number">{size}</td><td>{took}</td></tr>'
            )
        yield "</tbody>"
        yield "</table>"

    def _course(self) -> Iterator[str]:
        phase, number = Phase.ITERATION, 0
        for event in self._events:
            if event.phase is not phase:
                phase = event.phase
                yield f"<h2>{phase.value}</h2>"
            match event:
                case TracedPhase():
                    continue
                case TracedRequest():
                    number += 1
                    yield from self._request(event, number)
                case TracedFailure(name=name, span=span, included=included, fault=fault):
                    yield '<section class="card bad">'
                    if span is not None:
                        yield f"<h3>{self._t(name)} <small>{self._t(place_of(span, included))}</small></h3>"
                    yield self._fault(fault)
                    yield "</section>"
                case TracedMessage(message=message):
                    yield f'<p class="message">{self._t(message)}</p>'
                case TracedValues(values=values):
                    yield from self._values(values, "set")
                case _:
                    assert_never(event)
        if self._count > len(self._events):
            yield f'<p class="message">… and {self._count - len(self._events):,} more</p>'

    def _request(self, asked: TracedRequest, number: int) -> Iterator[str]:
        look = "card bad" if asked.fault is not None else "card"
        opened = " open" if self._open or asked.fault is not None else ""
        place = self._t(place_of(asked.span, asked.included))
        yield f'<details class="{look}" id="r{number}"{opened}>'
        yield (
            f"<summary><h3>{self._t(_title(asked))} <small>{place}</small></h3>"
            f"<p>{self._status(asked)} <code>{self._t(asked.method)} {self._t(asked.url)}</code></p>"
            "</summary>"
        )
        if asked.fault is not None:
            yield self._fault(asked.fault)
        if asked.passed:
            held = "".join(f"<li>{self._t(name)}</li>" for name in asked.passed)
            yield f'<ul class="held">{held}</ul>'
        yield from self._values(asked.extracted, "extracted")
        if asked.response is not None:
            yield self._timing(asked.response.timing)
        yield '<div class="sides">'
        yield from self._side("request", asked.request_headers, asked.pieces)
        if asked.response is not None:
            yield from self._response(asked.response)
        yield "</div>"
        yield "</details>"

    def _response(self, response: TracedResponse) -> Iterator[str]:
        title = f"response: {response.status_line}, {units.size(len(response.body))}"
        return self._side(title, response.headers, (response.body,))

    def _side(self, title: str, headers: Headers, pieces: Iterable[bytes | bytearray | memoryview]) -> Iterator[str]:
        yield "<section>"
        yield f"<h4>{self._t(title)}</h4>"
        rows = "".join(
            f"<tr><th>{self._t(name)}</th><td>{self._t(shown_header(name, value))}</td></tr>" for name, value in headers
        )
        yield f'<table class="headers">{rows}</table>'
        for piece in pieces:
            if len(piece):
                yield self._body(piece, headers)
        yield "</section>"

    def _body(self, body: bytes | bytearray | memoryview, headers: Headers) -> str:
        size = units.size(len(body))
        text = readable(body, 4 * _MOST_BODY, headers)
        if text is None:
            return f'<p class="dim">{size} of bytes</p>'
        text = self._mask(text)
        most = min(_MOST_BODY, self._room)
        if not most:
            return f'<p class="dim">{size}, left out: the page is full</p>'
        cut = len(text) > most or len(body) > 4 * _MOST_BODY
        shown = f"{text[:most]}…" if cut else text
        self._room -= min(most, len(text))
        note = f'<p class="dim">{size} in all</p>' if cut else ""
        return f"<pre>{escape(shown)}</pre>{note}"

    def _values(self, values: Iterable[tuple[str, object]], title: str) -> Iterator[str]:
        rows = "".join(
            f"<tr><th>{self._t(name)}</th><td><code>{escape(show(value, _VALUE, self._mask))}</code></td></tr>"
            for name, value in values
        )
        if rows:
            yield f'<table class="values"><caption>{title}</caption>{rows}</table>'

    def _fault(self, fault: Diagnostic) -> str:
        words = replace(
            fault, message=self._mask(fault.message), label=self._mask(fault.label), help=self._mask(fault.help)
        )
        return f'<pre class="fault">{self._t(render_one(words).rstrip())}</pre>'

    def _status(self, asked: TracedRequest) -> str:
        if asked.response is None:
            return '<span class="status bad">no response</span>'
        tone = "bad" if asked.fault is not None else "moved" if asked.redirected else "good"
        return f'<span class="status {tone}">{asked.response.status_line}</span>'

    def _timing(self, timing: Timing) -> str:
        parts = [(name, getattr(timing, name)) for name in _PARTS]
        words = "".join(
            f'<li class="{name}">{name} {units.duration(seconds)}</li>' for name, seconds in parts if seconds > 0
        )
        return f'<div class="timing">{self._bar(timing)}<ul>{words}</ul></div>'

    def _bar(self, timing: Timing) -> str:
        """The parts of the time, to the scale of the longest request."""
        whole = self._longest or 1.0
        spans = "".join(
            f'<i class="{name}" style="width:{100 * getattr(timing, name) / whole:.2f}%"></i>'
            for name in ("sending", "waiting", "receiving")
        )
        return f'<span class="bar">{spans}</span> <span class="number">{units.duration(timing.duration)}</span>'

    def _t(self, text: str) -> str:
        return escape(self._mask(text))


def _title(asked: TracedRequest) -> str:
    return f"{asked.name} ({asked.turn})" if asked.turn > 1 else asked.name
