"""Live progress on a terminal, redrawn once a second in place.

rich keeps the place on the screen; the lines are made by hand, since a redraw happens in the run's own loop and
a rich table costs it several milliseconds, a ready text about one. No thread of its own, for the same reason.
"""

from collections.abc import AsyncIterable
from contextlib import suppress
from typing import TYPE_CHECKING

from vezaflow.diagnostics import printable
from vezaflow.outputs.lines import display
from vezaflow.outputs.tick import Tick

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class Terminal:
    """An Output for people who watch. `console` is where it draws; stderr's if left out."""

    name = "the display"

    def __init__(self, suite: str, console: "Console | None" = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._suite = suite
        self._console = console or Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    async def run(self, ticks: AsyncIterable[Tick]) -> None:
        with suppress(OSError):  # the terminal is gone: nobody watches, and the run goes on
            self._live.start()
        try:
            async for tick in ticks:
                with suppress(OSError):
                    self._live.update(_text(tick, self._suite, self._console.width), refresh=True)
        finally:
            with suppress(OSError):
                self._live.stop()


def _text(tick: Tick, suite: str, width: int) -> "Text":
    from rich.text import Text

    text = Text(no_wrap=True, overflow="crop")
    for line in display(tick, suite, width):
        for piece, style in line:
            text.append(printable(piece), style)
        text.append("\n")
    text.right_crop(1)
    return text
