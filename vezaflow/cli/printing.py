"""Where words go: results to standard output, what happens meanwhile to standard error.

Laws: printing never ends a run. A reader who has seen enough (`| head`) closes the pipe, which is no fault, nor is a
terminal that is gone; of a full disk standard error is told once. What `hide` was given stands in no error and no
traceback. No control character but the colours of vezaflow itself reaches a terminal.
"""

import errno
import os
import sys
import traceback
from types import TracebackType
from typing import TextIO

from vezaflow.diagnostics import harmless
from vezaflow.redact import Secrets

_hidden = [Secrets()]  # of the one command that this process runs


def say(text: str) -> None:
    """Print a result."""
    _print(text, sys.stdout)


def tell(text: str) -> None:
    """Print what happens meanwhile."""
    _print(text, sys.stderr)


def complain(message: str, hint: str = "") -> None:
    """Print why it can't go on, and what to do."""
    tell(_bold(_hidden[0].mask(f"error: {message}")))
    if hint:
        tell(_hidden[0].mask(f"  hint: {hint}"))


def hide(secrets: Secrets) -> None:
    """From now on no error shows these."""
    _hidden[0] = secrets


def live(stream: TextIO) -> bool:
    """Whether somebody watches it, on a terminal that can redraw a line."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def colours(stream: TextIO) -> bool:
    """Whether words on it may be coloured (https://no-color.org)."""
    return live(stream) and not os.environ.get("NO_COLOR")


def open_streams() -> None:
    """Give a program that was started without its streams (`>&-`) some that lead nowhere: a file or a socket that is
    opened later would get their numbers."""
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(number)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def close_streams() -> None:
    """Print what is left to print."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _give_up(stream)


def show_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A traceback, for sys.excepthook: without secrets."""
    tell(_hidden[0].mask("".join(traceback.format_exception(kind, error, trace))).removesuffix("\n"))


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if colours(sys.stderr) else text


def _print(text: str, stream: TextIO) -> None:
    try:
        stream.write(harmless(f"{text}\n", coloured=colours(stream), shown=stream.isatty()))
        stream.flush()
    except OSError as e:
        _give_up(stream)
        if stream is sys.stdout and e.errno not in (errno.EPIPE, errno.EIO):
            tell(f"standard output can't be written: {e.strerror}")


def _give_up(stream: TextIO) -> None:
    """All that is printed from now on leads nowhere, and so does what waits to be printed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
