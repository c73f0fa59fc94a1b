"""What `vezaflow try` shows: every request and answer, as people read them, secrets masked.

An Observer of the engine. It writes lines; whether they are coloured is the caller's word.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson

from vezaflow import units
from vezaflow.diagnostics import Diagnostic, Severity, Span, render_one
from vezaflow.plan import Failure, Outgoing, PlannedRequest, Secrets, show
from vezaflow.protocols import Exchange

_BODY_LINES = 12
_BODY_WIDTH = 100
_PRIVATE = ("authorization", "cookie", "set-cookie", "proxy-authorization")
_BOLD, _DIM, _RED, _GREEN, _CYAN = "1", "2", "31", "32", "36"


class Trace:
    """Writes each exchange as it happens."""

    def __init__(self, write: Callable[[str], None], secrets: Secrets, *, color: bool) -> None:
        self._write = write
        self._secrets = secrets
        self._color = color
        self.requests = 0
        self.failures = 0

    def answered(
        self,
        request: PlannedRequest,
        outgoing: Outgoing,
        exchange: Exchange,
        failure: Failure | None,
        extracted: dict[str, Any],
        included: tuple[Span, ...],
    ) -> None:
        """One request and what came of it."""
        self.requests += 1
        self._line(self._paint(_BOLD, f"▶ {request.name}"))
        self._request(outgoing)
        if exchange.status:
            self._answer(exchange)
        if failure is not None:
            self._draw(failure, included)
        else:
            self._passed(request, exchange)
            for name, value in extracted.items():
                self._line(f"  {self._paint(_CYAN, name)} = {show(value, _BODY_WIDTH)}")
        self._line("")

    def set(self, values: dict[str, Any]) -> None:
        """A `set` step gave these values."""
        for name, value in values.items():
            self._line(f"{self._paint(_BOLD, '▶ set')} {self._paint(_CYAN, name)} = {show(value, _BODY_WIDTH)}")
        self._line("")

    def failed(self, failure: Failure, included: tuple[Span, ...]) -> None:
        """A step failed though its last answer was right."""
        self._draw(failure, included)
        self._line("")

    def said(self, message: str) -> None:
        """A `log` or `skip` step spoke."""
        self._line(f"{self._paint(_BOLD, '▶')} {message}")
        self._line("")

    def _request(self, outgoing: Outgoing) -> None:
        head, _, body = outgoing.head.partition(b"\r\n\r\n")
        first, *headers = head.decode("utf-8", "replace").split("\r\n")
        self._line(f"  {first.partition(' ')[0]} {outgoing.target.url}")
        for line in headers:
            name, _, value = line.partition(": ")
            self._header("›", name, value)
        pieces = outgoing.body if isinstance(outgoing.body, tuple) else (outgoing.body or body,)
        for piece in pieces:
            self._body(bytes(piece[: 16 * 1024]), len(piece))

    def _answer(self, exchange: Exchange) -> None:
        took = units.duration(exchange.ended - exchange.started)
        first = units.duration(exchange.first - exchange.started)
        phrase = HTTPStatus(exchange.status).phrase if exchange.status in _PHRASES else ""
        status = self._paint(_GREEN if exchange.status < 400 else _RED, f"{exchange.status} {phrase}".strip())
        size = units.size(len(exchange.body))
        self._line(f"  {status}   {took} (first byte after {first}), {size}")
        for name, value in exchange.headers:
            self._header("‹", name, value)
        self._body(exchange.body[: 16 * 1024], len(exchange.body))

    def _header(self, arrow: str, name: str, value: str) -> None:
        shown = "•••" if name.lower() in _PRIVATE else value
        self._line(self._paint(_DIM, f"  {arrow} {name}: {shown}"))

    def _body(self, body: bytes, size: int) -> None:
        if not body:
            return
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = "" if len(body) == size or b"\x00" in body else body.decode("utf-8", "ignore")
        if not text or "\x00" in text:
            self._line(self._paint(_DIM, f"    ({units.size(size)} of bytes)"))
            return
        lines = _pretty(text).splitlines()
        for line in lines[:_BODY_LINES]:
            self._line(f"    {line if len(line) <= _BODY_WIDTH else line[: _BODY_WIDTH - 1] + '…'}")
        if len(lines) > _BODY_LINES or size > len(body):
            self._line(self._paint(_DIM, f"    … {units.size(size)} in all"))

    def _passed(self, request: PlannedRequest, exchange: Exchange) -> None:
        if not request.accepts[exchange.status]:
            self._line(self._paint(_DIM, "  redirected"))
            return
        names = ["status", *(check.name for check in request.checks)]
        for name in names:
            self._line(f"  {self._paint(_GREEN, '✓')} {name}")

    def _draw(self, failure: Failure, included: tuple[Span, ...]) -> None:
        self.failures += 1
        way = tuple((span, "included here") for span in included)
        code, message, offers = failure.code, failure.message, failure.offers()
        found = Diagnostic(code, Severity.ERROR, message, failure.span, help=offers, related=way)
        drawn = render_one(found, colour=self._color)
        for line in drawn.rstrip().splitlines():
            self._line(f"  {line}")

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text

    def _line(self, text: str) -> None:
        self._write(self._secrets.mask(text))


_PHRASES = frozenset(status.value for status in HTTPStatus)


def _pretty(text: str) -> str:
    """JSON indented, anything else as it is."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return text
