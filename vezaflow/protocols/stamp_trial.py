"""Whether the kernel really stamps what arrives here: tried with a connection over the loopback.

Some systems accept the option and stamp nothing (gVisor, some emulators), so that asking is not enough.
"""

import socket
import time
from dataclasses import dataclass

from vezaflow.protocols.stamps import SPACE, Stamps

_ROUNDS = 20
_STARTS_WITHIN = 50  # stamps begin a moment after the first socket asked for them: so many rounds of 10 ms
_PATIENCE = 1.0  # seconds for a byte over the loopback


@dataclass(frozen=True, slots=True)
class StampTrial:
    """Of `rounds` reads `stamped` had a stamp that lies between sending and reading. `latest`: seconds from the
    latest stamp to its read."""

    rounds: int
    stamped: int
    latest: float = 0.0


def try_stamps() -> StampTrial:
    """Send bytes over the loopback and read them with their stamps. Nothing is raised: what fails has no stamps."""
    try:
        return _tried()
    except OSError:
        return StampTrial(_ROUNDS, 0)


def _tried() -> StampTrial:
    stamps = Stamps(time.perf_counter, on=True)
    with stamps.hold(), socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname(), timeout=_PATIENCE)
        far, _ = server.accept()
        with near, far:
            stamps.ask(near)
            for _ in range(_STARTS_WITHIN):
                if not stamps.on or _delay(stamps, far, near) is not None:
                    break
                time.sleep(0.01)
            delays = [_delay(stamps, far, near) for _ in range(_ROUNDS)] if stamps.on else []
    found = [delay for delay in delays if delay is not None]
    return StampTrial(_ROUNDS, len(found), max(found, default=0.0))


def _delay(stamps: Stamps, far: socket.socket, near: socket.socket) -> float | None:
    """How long before its read a byte was stamped; None without a stamp."""
    stamps.compare()
    since = time.perf_counter()
    far.sendall(b"x")
    _, ancillary, _, _ = near.recvmsg(1, SPACE)
    now = time.perf_counter()
    moment = stamps.when(ancillary, since, now)
    return now - moment if moment < now else None
