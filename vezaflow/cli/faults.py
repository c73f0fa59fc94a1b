"""How a sandbox is told to misbehave: the same options for `vezaflow sandbox` and for `--sandbox` of run and try."""

from collections.abc import Callable
from typing import TypeVar

import click

from vezaflow.cli.values import DURATION, RATE, RATIO, QuantityType

Command = TypeVar("Command", bound=Callable[..., object])

_FAULTS: tuple[tuple[str, QuantityType, str], ...] = (
    ("--latency", DURATION, "time added to every answer, such as 50ms."),
    ("--jitter", DURATION, "a random time on top, up to this much."),
    ("--page-latency", DURATION, "time added to a page of tracks for each page before it, such as 2ms."),
    ("--error-rate", RATIO, "share of requests answered with 503 and Retry-After, such as 1%."),
    ("--upload-error-rate", RATIO, "share of uploads' requests answered with 500."),
    ("--rate-limit", RATE, "requests beyond so many are answered with 429 and Retry-After, such as 100/s."),
)


def faulty(of: str = "") -> Callable[[Command], Command]:
    """Give a command the options, their help with `of` before it."""

    def given(command: Command) -> Command:
        for name, kind, text in reversed(_FAULTS):
            said = f"{of} {text}" if of else text[0].upper() + text[1:]
            command = click.option(name, type=kind, default=0.0, help=said)(command)
        return command

    return given
