"""Replies made once: the two ASGI messages of a response, ready to be sent any number of times."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

JSON = b"application/json"
PLAYLIST = b"application/vnd.apple.mpegurl"
TRANSPORT_STREAM = b"video/mp2t"

Message = dict[str, Any]  # ASGI's own type for a message


@dataclass(frozen=True, slots=True)
class Reply:
    """`route` is the path's template, under which the reply is counted."""

    route: str
    status: int
    start: Message
    body: Message


def reply(
    route: str,
    body: bytes,
    *,
    status: int = 200,
    kind: bytes = JSON,
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> Reply:
    fields = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *headers]
    start = {"type": "http.response.start", "status": status, "headers": fields}
    return Reply(route, status, start, {"type": "http.response.body", "body": body})


def json_reply(route: str, value: object, *, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = ()) -> Reply:
    return reply(route, orjson.dumps(value), status=status, headers=headers)


def refusal(route: str, status: int, detail: str, *, headers: Sequence[tuple[bytes, bytes]] = ()) -> Reply:
    """An error in the API's one shape: `{"error": {"code": …, "message": …}}`."""
    return json_reply(route, {"error": {"code": status, "message": detail}}, status=status, headers=headers)
