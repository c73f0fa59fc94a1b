"""One HTTP request to somebody who is told of a run: its bytes, its answer, and whether a second try may help.

Laws: it goes over a transport of its own, never the load's. Only a 2xx says yes; redirects are not followed, for the
guard has seen no other host. What went wrong is one line, and its caller masks it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from vezaflow import __version__
from vezaflow.plan import Target
from vezaflow.protocols import ClientOptions, ErrorKind, Exchange, RequestOptions, Transport, Want, moment_of

BROKEN = frozenset(
    (
        ErrorKind.DNS,
        ErrorKind.REFUSED,
        ErrorKind.UNREACHABLE,
        ErrorKind.RESET,
        ErrorKind.CLOSED_EARLY,
        ErrorKind.TIMEOUT_CONNECT,
        ErrorKind.TIMEOUT_TLS,
    )
)
"""Failures after which the request has most likely not been taken."""

POST_OPTIONS = ClientOptions(cookies=False)
MOST_BYTES = 1 << 20  # of a response
_AGAIN = (429, *range(500, 600))
_SHOWN = 120  # characters of a response that explains itself


class PostError(Exception):
    """Why a request was not taken, in words. `again`: a second try may help, in so many seconds (None: not said);
    `error`: what broke the exchange, None where there was a response."""

    def __init__(
        self, text: str, *, again: bool = False, after: float | None = None, error: ErrorKind | None = None
    ) -> None:
        super().__init__(text)
        self.again = again
        self.after = after
        self.error = error


async def post(
    transport: Transport, method: str, target: Target, headers: Mapping[str, str], body: bytes, timeout: float
) -> bytes:
    """The body of a 2xx response. Raises PostError; `timeout` is in seconds."""
    client = transport.client(POST_OPTIONS)
    want = Want.HEADERS | Want.BODY | Want.SHOWN
    options = RequestOptions(want, timeout, replayable=False, closes=True)
    try:
        return taken(await client.send(target.origin, _head(method, target, headers, body), body, options))
    finally:
        client.close()


def _head(method: str, target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = {
        "host": f"Host: {target.origin.authority}",
        "user-agent": f"User-Agent: vezaflow/{__version__}",
        "content-type": "Content-Type: application/json",
        **{name.lower(): f"{name}: {value}" for name, value in headers.items()},
        "content-length": f"Content-Length: {len(body)}",
        "connection": "Connection: close",
    }
    return "\r\n".join((f"{method} {target.target} HTTP/1.1", *lines.values(), "", "")).encode()


def taken(exchange: Exchange) -> bytes:
    """The body of a response that says yes. Raises PostError."""
    if exchange.error is not None:
        detail = f": {exchange.detail}" if exchange.detail else ""
        raise PostError(f"{exchange.error.value}{detail}", again=exchange.error in BROKEN, error=exchange.error)
    if 200 <= exchange.status < 300:
        return exchange.body
    said = " ".join(exchange.body.decode("utf-8", "replace").split())
    said = said if len(said) <= _SHOWN else f"{said[: _SHOWN - 1]}…"
    text = f"status {exchange.status}" + (f": {said}" if said else "")
    raise PostError(text, again=exchange.status in _AGAIN, after=_retry_after(exchange))


def _retry_after(exchange: Exchange) -> float | None:
    """Seconds that the server asks to wait (RFC 9110, 10.2.3)."""
    said = next((value for name, value in exchange.headers if name.lower() == "retry-after"), "").strip()
    if said.isascii() and said.isdecimal():
        return float(said[:6])
    moment = moment_of(said)
    return None if moment is None else max(0.0, moment - datetime.now(UTC).timestamp())
