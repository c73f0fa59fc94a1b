"""How a command shows a result: which percentiles, how many steps, on a terminal of which size."""

import functools
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

import click

from vezaflow.cli.printing import colours
from vezaflow.reports import USUAL, Percentiles, console, read_percentiles
from vezaflow.results import RunResult

_WIDEST = 120
_ELSEWHERE = 100  # columns where there is no terminal


class PercentilesType(click.ParamType[Percentiles]):
    """`p50,p90,p99.9`."""

    name = "percentiles"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Percentiles:
        if isinstance(value, Percentiles):
            return value
        try:
            return read_percentiles(str(value))
        except ValueError as e:
            self.fail(str(e), param, ctx)


PERCENTILES = click.option(
    "--percentiles",
    type=PercentilesType(),
    default=USUAL,
    metavar="p50,p90,p99.9",
    help="Show these percentiles of durations. Default: p50,p95,p99.",
)
_ALL_STEPS = click.option(
    "--all-steps", is_flag=True, help="Show every step, also on a terminal on which only the slowest fit."
)


@dataclass(frozen=True, slots=True)
class View:
    """What the options say."""

    percentiles: Percentiles
    all_steps: bool

    def text(self, result: RunResult, stream: TextIO | None = None) -> str:
        """The result for people, for this stream (None: standard output), without its last line's end."""
        stream = stream or sys.stdout
        size = shutil.get_terminal_size((_ELSEWHERE, 24))
        return console(
            result,
            colour=colours(stream),
            width=min(_WIDEST, size.columns),
            height=None if self.all_steps or not stream.isatty() else size.lines,
            percentiles=self.percentiles,
        ).removesuffix("\n")


def viewing(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options; it gets what they say as `view`."""

    @functools.wraps(command)
    def collected(*words: Any, percentiles: Percentiles, all_steps: bool, **options: Any) -> None:
        command(*words, view=View(percentiles, all_steps), **options)

    return PERCENTILES(_ALL_STEPS(collected))
