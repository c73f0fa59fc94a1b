"""The messages of `log` steps while a test runs: no more than people can read."""

from collections.abc import Callable

_SPOKEN = 20  # messages a second; the rest are counted


class LogLimiter:
    """Passes on so many messages a second; what was left out is counted."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._left = _SPOKEN
        self._dropped = 0

    def say(self, message: str) -> None:
        if self._left > 0:
            self._left -= 1
            self._say(message)
        else:
            self._dropped += 1

    def flush(self) -> None:
        """A second is over."""
        if self._dropped:
            self._say(f"… and {self._dropped:,} more messages of `log` steps in this second")
        self._left, self._dropped = _SPOKEN, 0
