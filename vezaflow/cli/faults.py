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
    ("--error-rate", RATIO, "share of requests that get a 503 with Retry-After, such as 1%."),
    ("--upload-error-rate", RATIO, "share of upload requests that get a 500, such as 1%."),
    ("--rate-limit", RATE, "requests over this rate get a 429 with Retry-After, such as 100/s."),
    ("--bandwidth", SIZE, "bytes of a stream that come to one listener per second, such as 20kB."),
    ("--slow-rendition", click.INT, "kbit/s of the rendition that comes at half the speed at which it plays."),
    ("--broken-segment", click.INT, "number of the segment, from 1, that is missing in each rendition."),
)


def faulty(of: str = "") -> Callable[[Command], Command]:
    """Give a command the options, their help with `of` before it."""

    def given(command: Command) -> Command:
        for name, kind, text in reversed(_FAULTS):
            said = f"{of} {text}" if of else text[0].upper() + text[1:]
            command = click.option(name, type=kind, default=0, help=said)(command)
        return command

    return given
