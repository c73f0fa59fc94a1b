"""Where words go: results to standard output, what happens meanwhile to standard error.

Laws: printing never ends a run. A reader who has seen enough (`| head`) closes the pipe, which is no fault, nor is a
terminal that is gone; of a full disk standard error is told once. What `hide` was given stands in no error and no
traceback. No control character but the colours of vezaflow itself reaches a terminal, and no command but its own the
runner of a workflow.
"""

import errno
import os
import shutil
import sys
import traceback
from contextlib import suppress
from types import TracebackType
from typing import TextIO

from vezaflow.diagnostics import harmless, without_commands
from vezaflow.redact import Secrets

_hidden = [Secrets()]  # of the one command that this process runs
_ERASED = "\r\x1b[K"
_passing = [False]  # whether a line stands on the terminal that only says what goes on


def say(text: str, *, commands: bool = False) -> None:
    """Print a result. `commands`: it is made of commands for the runner of a workflow."""
    _print(text, sys.stdout, commands)


def tell(text: str, *, commands: bool = False) -> None:
    """Print what happens meanwhile."""
    _print(text, sys.stderr, commands)


def in_workflow() -> bool:
    """Whether the runner of a workflow reads what is printed: GitHub's, or Forgejo's."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def complain(message: str, hint: str = "") -> None:
    """Print why it can't go on, and what to do."""
    tell(_bold(_hidden[0].mask(f"error: {message}")))
    if hint:
        tell(_hidden[0].mask(f"  hint: {hint}"))


def show_passing(text: str) -> None:
    """Show on a terminal what goes on, in a line that the next output takes away; without text it is taken away."""
    stream = sys.stderr
    shown = _passing[0]
    _passing[0] = bool(text) and live(stream)
    with suppress(OSError):
        if _passing[0]:
            width = shutil.get_terminal_size((80, 24)).columns
            stream.write(f"{_ERASED}{harmless(text, coloured=False, shown=True)[: width - 1]}")
            stream.flush()
        elif shown:
            stream.write(_ERASED)
            stream.flush()


def hide(secrets: Secrets) -> None:
    """From now on no error shows these."""
    _hidden[0] = secrets


def live(stream: TextIO) -> bool:
    """Whether somebody watches it, on a terminal that can redraw a line."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def colours(stream: TextIO) -> bool:
    """Whether words on it may be coloured: on a terminal (https://no-color.org), or where FORCE_COLOR wants it
    (https://force-color.org). NO_COLOR has the last word."""
    if os.environ.get("NO_COLOR"):
        return False
    forced = os.environ.get("FORCE_COLOR", "")
    return forced != "0" if forced else live(stream)


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


def _print(text: str, stream: TextIO, commands: bool = False) -> None:
    if _passing[0]:
        show_passing("")
    page = harmless(f"{text}\n", coloured=colours(stream), shown=stream.isatty())
    if in_workflow() and not commands:
        page = without_commands(page)
    try:
        stream.write(page)
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
