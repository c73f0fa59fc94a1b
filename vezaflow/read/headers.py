"""The headers that an author writes: which of them can be sent.

Laws: a name is a token (RFC 9110, 5.6.2); what frames the message is written by vezaflow alone, from the body that it
sends (RFC 9112, 6; 9110, 7.6.1); `connection` is `close` or `keep-alive`. A null value leaves its header out.
"""

import re

from vezaflow.diagnostics import Diagnostics
from vezaflow.model import Pairs
from vezaflow.read.mappings import Row, pairs
from vezaflow.read.trees import check_key, text_or_null
from vezaflow.syntax import Entry, Literal, Scalar

FRAMING = frozenset(
    ("connection", "content-length", "http2-settings", "keep-alive", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade")
)  # fmt: skip
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_KEEPS = ("close", "keep-alive")


def read_headers(row: Row) -> Pairs:
    """The `headers` of a mapping; what can't be sent is reported and left out."""
    entries = pairs(row.node("headers"), "'headers'", row.field("headers").wanted, row.diagnostics)
    first: dict[str, Entry] = {}
    for entry in entries:
        name = entry.key.text.lower()
        if not check_key(entry.key, row.diagnostics) or not _is_sendable(entry, row.diagnostics):
            continue
        if name in first:
            _report_twice(entry, first[name], row.diagnostics)
        else:
            first[name] = entry
    return tuple((e.key.text, text_or_null(e.value, e.key.text, row.diagnostics)) for e in first.values())


def closes(headers: Pairs) -> bool:
    """Whether these say that the connection is not kept."""
    return any(
        name.lower() == "connection" and isinstance(value, Literal) and str(value.value).lower() == "close"
        for name, value in headers
    )


def _is_sendable(entry: Entry, diagnostics: Diagnostics) -> bool:
    key, value = entry.key, entry.value
    name = key.text.lower()
    if not _TOKEN.fullmatch(key.text):
        diagnostics.error(
            "VF150",
            key.span,
            f"{key.text!r} is not a valid header name" if key.text else "missing header name",
            help="a name consists of letters, digits and any of !#$%&'*+-.^_`|~",
        )
        return False
    if name == "connection" and isinstance(value, Scalar) and value.text.lower() in _KEEPS:
        return True
    if name in FRAMING:
        diagnostics.warning(
            "VF151",
            key.span,
            f"'{key.text}' is set by vezaflow and not sent",
            help="only `close` and `keep-alive` are allowed"
            if name == "connection"
            else "vezaflow sets the headers for the body and the connection; remove this one",
        )
        return False
    return True


def _report_twice(entry: Entry, first: Entry, diagnostics: Diagnostics) -> None:
    diagnostics.error(
        "VF102",
        entry.key.span,
        f"the header '{entry.key.text}' is set twice",
        label="the second",
        related=((first.key.span, "the first"),),
        help="header names are case-insensitive",
    )
