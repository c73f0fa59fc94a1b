"""Who of a process's VUs is in which room: what one of them sends there is to reach the others.

VUs of other processes are not known here: what comes from them is in the ledgers of deliveries.py.
"""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from vezaflow.engine.deliveries import Deliveries

M = TypeVar("M", bound=Hashable)


class SocketRooms(Generic[M]):
    """Rooms by name. Members are in the order in which they came, so that all is the same again with one seed.
    `elsewhere`: what goes to other processes and comes from them, where there are any."""

    def __init__(self, elsewhere: Deliveries | None = None) -> None:
        self.elsewhere = elsewhere
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
