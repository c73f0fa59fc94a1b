"""An HTTP/1.1 answer while it is being parsed: llhttp's callbacks and nothing else.

Three classes, since every callback that a class defines is paid for by every answer: Answer knows the status
and the end; Bodied keeps the body too; Detailed keeps the headers (and the body when told to). A parser is
only held while an answer is on its way: one that ended cleanly goes back to a shared pile, so idle
connections have none.

Laws: interim answers (1xx) are skipped; an answer to HEAD ends with its head; bytes after the end set
`extra`; a body that only the end of the connection delimits is `open_ended`; what is kept never exceeds
`limit`.
"""

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

__all__ = ["Answer", "Bodied", "Detailed", "HttpParserError", "HttpParserUpgrade"]


class Answer:
    """The least that can be known of an answer: its end, its status, and whether the connection lives on."""

    __slots__ = ("done", "extra", "feed", "keep", "parser", "status")

    detailed = False
    interim = False

    def __init__(self) -> None:
        self.done = False
        self.extra = False  # bytes came that nobody had asked for
        self.keep = False
        self.status = 0
        self.parser = HttpResponseParser(self)
        self.feed = self.parser.feed_data

    def release(self) -> None:
        """Let go of the parser, which holds this; once. The two would lie in memory until the collector comes by (30 MB
        of them in a run of 500 users)."""
        del self.parser, self.feed

    def on_message_begin(self) -> None:
        if self.done:
            self.extra = True

    def on_message_complete(self) -> None:
        status = self.parser.get_status_code()
        if status >= 200 and not self.done:
            self.done = True
            self.status = status
            self.keep = self.parser.should_keep_alive()


class Bodied(Answer):
    """An answer whose body is kept, and whose headers are not."""

    __slots__ = ("parts",)

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []

    def on_body(self, part: bytes) -> None:
        if not self.done:
            self.parts.append(part)


class _Headed(Answer):
    """An answer whose headers are looked at one by one."""

    __slots__ = ("bodyless", "chunked", "delimited", "headed", "headers", "interim", "limit", "parts", "size")

    detailed = True

    def __init__(self, *, bodyless: bool, limit: int) -> None:
        super().__init__()
        self.headers: list[tuple[str, str]] = []
        self.parts: list[bytes] = []
        self.bodyless = bodyless
        self.limit = limit
        self.size = 0
        self.headed = False  # the final head is complete
        self.delimited = False  # by a Content-Length
        self.chunked = False
        self.interim = False  # a 1xx answer has just ended

    @property
    def open_ended(self) -> bool:
        """Whether only the end of the connection ends this body (RFC 9112, 6.3)."""
        return self.headed and not self.delimited and not self.chunked

    @property
    def oversized(self) -> bool:
        return self.size > self.limit

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.headed:  # a trailer: never merged into the head (RFC 9110, 6.5.1)
            return
        key = name.decode("latin-1").lower()
        self.headers.append((key, value.decode("latin-1").strip()))
        if key == "content-length":
            self.delimited = True
        elif key == "transfer-encoding":
            self.chunked = value.rstrip().lower().endswith(b"chunked")

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if status < 200:
            return
        self.headed = True
        self.status = status
        if self.bodyless:
            self.done = True
            self.keep = self._lives_on()

    def on_message_complete(self) -> None:
        if not self.headed:  # 1xx: the answer proper is still to come
            self.headers.clear()
            self.delimited = self.chunked = False
            self.interim = True
        elif not self.bodyless:
            super().on_message_complete()

    def _lives_on(self) -> bool:
        """Whether the connection outlives an answer to HEAD, which needs no delimiter though llhttp asks for one."""
        if self.delimited or self.chunked:
            return bool(self.parser.should_keep_alive())
        said = " ".join(value.lower() for name, value in self.headers if name == "connection")
        return "close" not in said and (self.parser.get_http_version() == "1.1" or "keep-alive" in said)


class Headed(_Headed):
    """Headers kept, body dropped."""

    __slots__ = ()


class Detailed(_Headed):
    """Headers and body kept."""

    __slots__ = ()

    def on_body(self, part: bytes) -> None:
        if self.done:  # a second answer's, or to HEAD
            self.extra = True
            return
        self.size += len(part)
        if self.size <= self.limit:
            self.parts.append(part)


def detailed(*, body: bool, bodyless: bool, limit: int) -> _Headed:
    """The answer that sees every header, and keeps the body if that is wanted."""
    kind = Detailed if bodyless or body else Headed
    return kind(bodyless=bodyless, limit=limit)
