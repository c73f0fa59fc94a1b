"""A queue on a Dask scheduler, with types and with one way to fail. What is taken from it is kept nowhere."""

from typing import Any

from distributed import Client, Queue


class SchedulerError(Exception):
    """The scheduler can't be reached any more."""


class Mail:
    """The queue of a name. Values are what msgpack carries: bytes, texts, numbers, lists and mappings of them."""

    def __init__(self, name: str, client: Client) -> None:
        self._queue: Any = Queue(name, client=client)  # type: ignore[no-untyped-call]

    def put(self, value: object, limit: float) -> None:
        """Put a value in. SchedulerError: that failed, or took longer than so many seconds."""
        try:
            self._queue.put(value, timeout=limit)
        except Exception as e:  # of Dask's many
            raise SchedulerError(str(e) or type(e).__name__) from e

    def take(self, patience: float) -> list[Any]:
        """All that is there, once there is anything; nothing after so many seconds. SchedulerError: it failed."""
        try:
            return [self._queue.get(timeout=patience), *self._queue.get(batch=True)]
        except TimeoutError:
            return []
        except Exception as e:
            raise SchedulerError(str(e) or type(e).__name__) from e

    def close(self) -> None:
        """Let go of it."""
        try:
            self._queue.close()
        except Exception:  # its scheduler went first
            pass
