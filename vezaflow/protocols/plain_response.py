"""An HTTP/1.1 response that comes whole in one read and says nothing of note: llhttp's callbacks and nothing else.

Three classes, since every callback that a class defines is paid for by every response: PlainResponse knows the status
and the end; HeaderResponse has fields, which are parsed beside it (a callback each would cost more than all the rest);
BodyResponse keeps the body too. Their parsers go back to a shared pile, so idle connections have none.

Law: what is read here is read as by `StreamedResponse`, or it is handed over to that: what llhttp refuses, what has not
ended, what ends the connection, heads that are written in an odd way where their fields are wanted.
tests/protocols/test_readers.py holds the two against each other.
"""

import re
from collections.abc import Sequence
from typing import Literal

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from vezaflow.protocols.head import Fields

__all__ = [
    "BodyResponse", "HeaderResponse", "HttpParserError", "HttpParserUpgrade", "PlainResponse", "tells_coding",
    "tells_cookies", "tells_either", "tells_transfer",
]  # fmt: skip

_COOKIE = rb"[sS][eE][tT]-[cC][oO][oO][kK][iI][eE]:"
_TRANSFER = rb"[tT][rR][aA][nN][sS][fF][eE][rR]-[eE][nN][cC][oO][dD][iI][nN][gG]:(?! chunked\r)"
_CODING = rb"[cC][oO][nN][tT][eE][nN][tT]-[eE][nN][cC][oO][dD][iI][nN][gG]:|" + _TRANSFER
tells_cookies = re.compile(rb"\n" + _COOKIE).search  # spelt out: a third less time than with IGNORECASE
tells_coding = re.compile(rb"\n(?:" + _CODING + rb")").search
tells_transfer = re.compile(rb"\n" + _TRANSFER).search  # a coding besides chunked
tells_either = re.compile(rb"\n(?:" + _COOKIE + rb"|" + _CODING + rb")").search


class PlainResponse:
    """The least that can be known of a response: its end, its status, and whether the connection lives on."""

    __slots__ = ("done", "extra", "feed", "keep", "parser", "status")

    streamed: Literal[False] = False
    interim: Literal[False] = False
    fields: Fields = []  # noqa: RUF012 (a HeaderResponse has its own)
    parts: Sequence[bytes] = ()
    codings = ()

    def __init__(self) -> None:
        self.done = False
        self.extra = False  # bytes came that belong to no request
        self.keep = False
        self.status = 0
        self.parser = HttpResponseParser(self)
        self.feed = self.parser.feed_data

    @property
    def texts(self) -> list[tuple[str, str]]:
        """The fields as people read them."""
        return [field[2] for field in self.fields]

    def release(self) -> None:
        """Let go of the parser, which holds this; once. The two would lie in memory until the collector comes by (30 MB
        of them in a run of 500 users)."""
        del self.parser, self.feed

    def on_message_begin(self) -> None:
        if self.done:
            self.extra = True

    def on_message_complete(self) -> None:
        if not self.done:
            self.done = True
            self.status = self.parser.get_status_code()
            self.keep = self.parser.should_keep_alive()


class HeaderResponse(PlainResponse):
    """A response with fields, whose body is not kept."""

    __slots__ = ("fields", "parts")

    def __init__(self) -> None:
        super().__init__()
        self.fields: Fields = []
        self.parts: list[bytes] = []

    def clear(self) -> None:
        """Make ready for the next response."""
        self.done = False
        self.fields = []
        self.parts = []


class BodyResponse(HeaderResponse):
    """A response whose body is kept, with or without its fields."""

    __slots__ = ()

    def on_body(self, part: bytes) -> None:
        if not self.done:
            self.parts.append(part)
