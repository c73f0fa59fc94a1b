"""The signals that end a run or a rehearsal: Ctrl-C, and what service managers and closed terminals send.

Law: while somebody listens, a signal interrupts no code; it is handed to the task that listens, and that decides what
ends.
"""

import os
import signal
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import trio


@contextmanager
def stop_signals() -> Iterator[AsyncIterator[signal.Signals]]:
    """Each signal that asks for an end, as it comes. `nohup` has the end of the terminal ignored, and it stays so."""
    hangup = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, *hangup) as signals:
        yield _heard(signals)


async def _heard(signals: AsyncIterator[int]) -> AsyncIterator[signal.Signals]:
    async for number in signals:
        if number == signal.SIGHUP:
            _leave_terminal()
        yield signal.Signals(number)


def _leave_terminal() -> None:
    """Let standard output and error go nowhere where their terminal is gone: each write would fail."""
    for stream in (1, 2):
        try:
            gone = stat.S_ISCHR(os.fstat(stream).st_mode) and not os.isatty(stream)
        except OSError:  # closed
            continue
        if gone:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream)
            os.close(nowhere)
