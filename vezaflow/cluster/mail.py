"""A queue on a Dask scheduler, with types and with one way to fail. What is taken from it is kept nowhere.

Law: no call but that which makes one takes longer than its limit and some seconds, also when the scheduler is stopped,
whose machine goes on accepting what is sent to it: Dask's own limits are kept by the scheduler.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from distributed import Client, Queue

_SILENCE = 10.0  # seconds that a scheduler may take longer than asked
_HAIR = 0.1  # seconds that it is surely late by


class SchedulerError(Exception):
    """The scheduler can't be reached any more."""


def asked(client: Client, call: Callable[[], Awaitable[Any]], limit: float) -> Any:
    """What a scheduler replies. `call`: a method of Dask's, called in the client's loop; the scheduler ends it after so
    many seconds, with a TimeoutError. SchedulerError: it failed, or there was no reply."""
    begin = time.monotonic()
    try:
        return client.sync(call, callback_timeout=limit + _SILENCE)  # type: ignore[no-untyped-call]
    except TimeoutError:
        if time.monotonic() - begin >= limit + _SILENCE - _HAIR:
            raise SchedulerError(f"it has not replied for {limit + _SILENCE:g} s") from None
        raise
    except Exception as e:  # of Dask's many
        raise SchedulerError(str(e) or type(e).__name__) from e


class Mail:
    """The queue of a name. Values are what msgpack carries: bytes, texts, numbers, lists and mappings of them."""

    def __init__(self, name: str, client: Client) -> None:
        """Without a limit of its own: whoever makes one has asked the scheduler for something just before.
        SchedulerError: it could not be made."""
        self._client = client
        try:
            self._queue: Any = Queue(name, client=client)  # type: ignore[no-untyped-call]
        except Exception as e:  # of Dask's many
            raise SchedulerError(str(e) or type(e).__name__) from e

    def put(self, value: object, limit: float) -> None:
        """Put a value in. SchedulerError: that failed, or took longer than so many seconds."""
        try:
            asked(self._client, lambda: self._queue.put(value, timeout=limit), limit)
        except TimeoutError as e:
            raise SchedulerError(str(e) or "it takes nothing in") from e

    def take(self, patience: float) -> list[Any]:
        """All that is there, once there is anything; nothing after so many seconds. SchedulerError: it failed."""
        try:
            first = asked(self._client, lambda: self._queue.get(timeout=patience), patience)
        except TimeoutError:
            return []
        return [first, *asked(self._client, lambda: self._queue.get(batch=True), 0.0)]

    def close(self) -> None:
        """Let go of it."""
        try:
            self._queue.close()
        except Exception:  # its scheduler went first
            pass
