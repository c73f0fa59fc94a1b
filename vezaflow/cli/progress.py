"""What takes longer than a second says so: on standard error, where a terminal is, until it is done.

In a log there would be nothing to take away again, and a program that reads the output wants none of it: there nothing
is said.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

from vezaflow.cli.printing import show_passing

_PATIENCE = 1.0  # seconds


@contextmanager
def working(what: str, *, quiet: bool = False, after: float = _PATIENCE) -> Iterator[None]:
    """Do something of which is said, once it takes long, what it is: `reading 14 runs`. Not if `quiet`."""
    if quiet:
        yield
        return
    timer = Timer(after, show_passing, (f"{what} …",))
    timer.daemon = True  # nobody waits for words
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        show_passing("")
