"""A response as expectations, extractors and the functions of an expression read it.

Decoded at most once however many of them look; nothing is decoded that nobody asks for.
"""

from collections.abc import Callable, Sequence
from time import time
from typing import Any

from vezaflow.plan.documents import Documents
from vezaflow.protocols import Exchange, Sender
from vezaflow.syntax import MOST_VALUES, JsonError, JsonPath, decoded, look_over_json

Reader = Callable[[bytes, str], Any]  # of a body and its Content-Type
_UNREAD = object()
_read = Documents().read


class UndecodableError(ValueError):
    """The body is not what it was read as (not JSON, not text)."""


class ResponseView:
    """A view of one exchange, made only for steps that look further than the status."""

    __slots__ = ("_client", "_documents", "_exchange", "_json", "_text", "redirects", "url")

    def __init__(
        self,
        exchange: Exchange,
        url: str,
        client: Sender | None = None,
        redirects: Sequence[dict[str, Any]] = (),
    ) -> None:
        self._exchange = exchange
        self._client = client
        self._json: Any = _UNREAD
        self._text: str | None = None
        self._documents: dict[Reader, Any] | None = None
        self.url = url  # absolute: what relative URIs of a playlist are joined to
        self.redirects = redirects  # on the way here, in their order: status, url, location

    @property
    def status(self) -> int:
        return self._exchange.status

    @property
    def duration(self) -> float:
        """http_req_duration in seconds."""
        return self._exchange.ended - self._exchange.started

    @property
    def timing(self) -> dict[str, float]:
        """The parts of the time that the request took, in seconds; those of connecting are 0 on a reused one."""
        e = self._exchange
        blocked, connecting, tls = (0.0, 0.0, 0.0) if e.reused else (e.blocked, e.connecting, e.tls)
        return {
            "duration": e.ended - e.started,
            "blocked": blocked,
            "connecting": connecting,
            "tls": tls,
            "sending": e.sent - e.started,
            "waiting": e.first - e.sent,
            "receiving": e.ended - e.first,
        }

    @property
    def certificate(self) -> float | None:
        """Seconds until the certificate of the server that answered ends; None without a verified one."""
        ends = self._client.certificate_ends() if self._client is not None else None
        return None if ends is None else ends - time()

    @property
    def size(self) -> int:
        """Bytes of the decoded body."""
        return len(self._exchange.body)

    @property
    def body(self) -> bytes:
        return self._exchange.body

    @property
    def _content_type(self) -> str:
        """Of several the first."""
        return next((value for key, value in self._exchange.headers if key == "content-type"), "")

    @property
    def headers(self) -> list[tuple[str, str]]:
        return self._exchange.headers

    def json(self) -> Any:
        """The body as JSON. Raises UndecodableError, which says how the body begins."""
        if self._json is _UNREAD:
            body = self._exchange.body
            try:
                if len(body) > MOST_VALUES:  # a smaller one has no more
                    look_over_json(body)
                self._json = _read(body)
            except JsonError as e:
                raise UndecodableError(f"the body is not valid JSON ({e}): {_begin(body)}") from None  # JSON is UTF-8
            except ValueError as e:
                raise UndecodableError(f"the JSON body is too large: {e}") from None
        return self._json

    def at(self, path: JsonPath) -> list[Any]:
        """What a path finds in the body as JSON. Raises UndecodableError, also where it can't be followed."""
        document = self.json()
        try:
            return path(document)
        except ValueError as e:
            raise UndecodableError(str(e)) from None

    def document(self, read: Reader) -> Any:
        """The body as `read` makes it. Raises UndecodableError with the reason of its ValueError."""
        documents = self._documents
        if documents is None:
            documents = self._documents = {}
        if read not in documents:
            try:
                documents[read] = read(self._exchange.body, self._content_type)
            except ValueError as e:
                raise UndecodableError(f"the body can't be read ({e}): {self.glimpse()}") from None
        return documents[read]

    def text(self) -> str:
        """The body as text, in the charset that the server says, else UTF-8; what is none of it is U+FFFD."""
        if self._text is None:
            self._text = decoded(self._exchange.body, self._content_type)
        return self._text

    def header(self, name: str) -> str | None:
        """The value under that name, whatever its case: all lines of it as one list (RFC 9110, 5.3). Set-Cookie, which
        is none, keeps its lines."""
        wanted = name.lower()
        lines = [value for key, value in self._exchange.headers if key == wanted]
        return ("\n" if wanted == "set-cookie" else ", ").join(lines) if lines else None

    def cookie(self, name: str) -> str | None:
        """The value that this VU's jar has under that name."""
        return self._client.cookies.get(name) if self._client is not None else None

    @property
    def cookies(self) -> list[str]:
        """The names of the cookies in this VU's jar."""
        return sorted({cookie.name for cookie in self._client.cookies.cookies}) if self._client is not None else []

    def glimpse(self) -> str:
        """How the body begins, on one line."""
        return _begin(self._exchange.body, self._content_type)


def _begin(body: bytes, content_type: str = "text/plain", width: int = 80) -> str:
    if not body:
        return "the body is empty"
    text = " ".join(decoded(body[: 4 * width], content_type).split())
    return text if len(text) <= width else f"{text[: width - 1]}…"
