"""Who of a process's VUs is in which room: what one of them sends there is to reach the others.

VUs of other processes are not known here: a worker counts the deliveries among its own VUs, and workers' counts add up.
"""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

M = TypeVar("M", bound=Hashable)


class SocketRooms(Generic[M]):
    """Rooms by name. Members are in the order in which they came, so that all is the same again with one seed."""

    def __init__(self) -> None:
        self._members: dict[str, dict[M, None]] = {}

    def join(self, room: str, member: M) -> None:
        self._members.setdefault(room, {})[member] = None

    def leave(self, room: str, member: M) -> None:
        members = self._members.get(room, {})
        members.pop(member, None)
        if not members:
            self._members.pop(room, None)

    def others(self, room: str, member: M) -> Iterator[M]:
        """Those in a room but for this one."""
        return (each for each in self._members.get(room, ()) if each is not member)
