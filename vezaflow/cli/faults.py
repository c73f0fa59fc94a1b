"""How a sandbox is told to misbehave: the same options for `vezaflow sandbox` and for `--sandbox` of run and try."""

from collections.abc import Callable
from typing import TypeVar

import click

from vezaflow.cli.values import DURATION, RATE, RATIO, SIZE

Command = TypeVar("Command", bound=Callable[..., object])

_FAULTS: tuple[tuple[str, click.ParamType[float] | click.ParamType[int], str], ...] = (
    ("--latency", DURATION, "time added to every response, such as 50ms."),
    ("--jitter", DURATION, "additional random time, up to this much, such as 20ms."),
    ("--page-latency", DURATION, "time added to a page of tracks for each previous page, such as 2ms."),
    ("--filter-latency", DURATION, "time added to a search for each facet that filters it, such as 50ms."),
    ("--wrong-facets", RATIO, "share of searches whose facets have wrong counts, such as 5%."),
    ("--error-rate", RATIO, "share of requests that get a 503 with Retry-After, such as 1%."),
    ("--upload-error-rate", RATIO, "share of upload requests that get a 500, such as 1%."),
    ("--rate-limit", RATE, "requests over this rate get a 429 with Retry-After, such as 100/s."),
    ("--bandwidth", SIZE, "bytes of a stream that come to one listener per second, such as 20kB."),
    ("--slow-rendition", click.INT, "kbit/s of the rendition that comes at half the speed at which it plays."),
    ("--broken-segment", click.INT, "number of the segment, from 1, that is missing in each rendition."),
    ("--ws-drop", RATIO, "share of the chat's messages that are not sent, such as 1%."),
    ("--ws-duplicate", RATIO, "share of the chat's messages that are sent twice, such as 1%."),
    ("--ws-reorder", RATIO, "share of the chat's messages that come after later ones, such as 1%."),
    ("--ws-delay", DURATION, "time added to each of the chat's messages, such as 50ms."),
    ("--ws-close-after", DURATION, "time after which the chat closes a connection, such as 10s."),
    (
        "--ws-token-lifetime",
        DURATION,
        "time after which a token of the chat expires, such as 20s; a login issues one.",
    ),
    ("--sse-delay", DURATION, "time that each event of an event stream is sent late, such as 50ms."),
    ("--ws-idle", DURATION, "time without a message after which the chat closes a connection, such as 30s."),
)
_COUNTS = (
    ("--sse-close-events", "number of events after which an event stream ends."),
    ("--ws-close-messages", "number of messages after which the chat closes their sender's connection."),
    ("--ws-close-code", "code with which the chat closes connections; 0 is 1011, or 4401 for an expired token."),
)
_PAGES = (
    ("--page-slow", "page of the web application that is slow, such as dashboard."),
    ("--page-inaccessible", "page of the web application that is not accessible, such as search."),
)
_AUTH = "the chat's upgrade needs the token: without it, it gets a 401."


def faulty(of: str = "") -> Callable[[Command], Command]:
    """Give a command the options, their help with `of` before it."""

    def given(command: Command) -> Command:
        command = click.option("--ws-auth", is_flag=True, help=_said(of, _AUTH))(command)
        for name, text in reversed(_PAGES):
            command = click.option(name, default="", metavar="PAGE", help=_said(of, text))(command)
        for name, text in reversed(_COUNTS):
            command = click.option(name, type=int, default=0, help=_said(of, text))(command)
        for name, kind, text in reversed(_FAULTS):
            command = click.option(name, type=kind, default=0.0, help=_said(of, text))(command)
        return command

    return given


def _said(of: str, text: str) -> str:
    return f"{of} {text}" if of else text[0].upper() + text[1:]
