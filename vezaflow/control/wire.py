"""What travels over a control socket: one JSON mapping a line, from either side.

A request is `{"do": "status" | "pause" | "resume" | "scale" | "mark" | "stop", …}`; a response holds what was asked
for, or `error` and `hint`. Both are bounded, so that neither side can be made to hoard what the other sends.
"""

import os
import socket
import struct
from typing import Any, Protocol

REQUEST_LIMIT = 4096  # bytes of one line
RESPONSE_LIMIT = 1 << 20

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


class Controls(Protocol):
    """What can be done to a running test. Called from the run's own loop: each must be quick.

    `status` is a JSON mapping. The others say in one line what is so now; VezaflowError where it can't be.
    """

    def status(self) -> dict[str, Any]: ...

    def pause(self, flow: str | None = None) -> str: ...

    def resume(self, flow: str | None = None) -> str: ...

    def scale(self, flow: str, vus: int) -> str: ...

    def mark(self, text: str) -> str: ...

    def stop(self) -> str: ...


class Peer(Protocol):
    """A connected socket: the standard library's, or trio's."""

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...


def is_owner(peer: Peer) -> bool:
    """Whether who is at the other end is this very user, by the kernel's word (unix(7), SO_PEERCRED).

    Where the kernel doesn't tell, the folder's mode (0700) alone keeps others out.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    _, uid, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    return bool(uid == os.getuid())
