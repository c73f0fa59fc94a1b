"""Where words go: results to standard output, what happens meanwhile to standard error.

A reader who has seen enough (`| head`) closes the pipe, or the terminal itself; that ends the printing, not the run.
"""

import errno
import os
import sys
from typing import TextIO


def say(text: str) -> None:
    """Print a result."""
    _print(text, sys.stdout)


def tell(text: str) -> None:
    """Print what happens meanwhile."""
    _print(text, sys.stderr)


def live(stream: TextIO) -> bool:
    """Whether somebody watches it, on a terminal that can redraw a line."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def colours(stream: TextIO) -> bool:
    """Whether words on it may be coloured (https://no-color.org)."""
    return live(stream) and not os.environ.get("NO_COLOR")


def _print(text: str, stream: TextIO) -> None:
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
