"""When bytes came, by the kernel's clock: what a late loop can't spoil.

Linux stamps a segment as it arrives (SO_TIMESTAMPING, asked for at connect: what came before has no stamp), and
`recvmsg` hands over the stamp of the last one that a read took. Such a read costs 0.7 µs more, so it is only made
when the loop may be late. Laws: a stamp lies between the request's first byte and the read, and counts only while the
wall clock (the kernel's stamps are in it) has not been stepped; in every other case the time of the read stands.
"""

import math
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias

Clock = Callable[[], float]
Ancillary: TypeAlias = list[tuple[int, int, bytes]]  # of recvmsg

SPACE = socket.CMSG_SPACE(48) if hasattr(socket, "CMSG_SPACE") else 0
_OPTION = 37  # SO_TIMESTAMPING, which Python's socket module does not name
_FLAGS = 1 << 3 | 1 << 4  # SOF_TIMESTAMPING_RX_SOFTWARE, SOF_TIMESTAMPING_SOFTWARE
_TIME = struct.Struct("@ll").unpack_from  # a struct timespec, the first of three
_INFO = struct.Struct("=68xI28xI44xI")  # of Linux's tcp_info: tcpi_rtt, tcpi_total_retrans, tcpi_min_rtt
_TRIES = 3
_STEP = 0.0005  # seconds: two comparisons of the clocks that differ by more than this ...
_SLEW = 0.001  # ... and this share of the time between them were not on one and the same wall clock
_LATE = 0.001  # seconds; from here on a read that the loop came late to is counted


def kernel_stamps() -> bool:
    """Whether the kernel of this machine stamps what comes."""
    stamps = Stamps(time.perf_counter, on=True)
    with stamps.hold():
        return stamps.on


@dataclass(frozen=True, slots=True)
class Receiving:
    """By which clock responses were stamped, and what the loop's lateness would have added to them."""

    clock: str = "read"  # kernel | read
    reads: int = 0  # that were made when the loop may have been late
    unstamped: int = 0  # of these, the ones to which the kernel gave no stamp
    late: int = 0  # of these, the ones made over 1 ms after the bytes had come; the stamps have put them right
    latest: float = 0.0  # seconds: the most that a stamp has put right


class Stamps:
    """The stamps of one reactor; `on` while reads can ask for them."""

    __slots__ = (
        "_clock",
        "_compared",
        "_late",
        "_latest",
        "_offset",
        "_stamped",
        "_steady",
        "_unstamped",
        "_wall",
        "on",
    )

    def __init__(self, clock: Clock, *, on: bool, wall: Clock = time.time) -> None:
        self._clock = clock
        self._wall = wall
        self.on = on and sys.platform == "linux"
        self._offset = 0.0  # what the wall clock shows more
        self._compared = 0.0
        self._steady = False
        self._stamped = self._unstamped = self._late = 0
        self._latest = 0.0

    def hold(self) -> closing[socket.socket]:
        """Has the kernel stamp all that comes: it begins a moment after the first socket asked for it."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ask(sock)
        self.compare()
        return closing(sock)

    def ask(self, sock: socket.socket) -> None:
        """Have what `sock` receives from now on stamped."""
        if self.on:
            try:
                sock.setsockopt(socket.SOL_SOCKET, _OPTION, _FLAGS)
            except OSError:  # an old kernel, or a sandbox around it
                self.on = False

    def compare(self) -> None:
        """Find how far apart the clocks are: before stamps are read, and often enough to see a step."""
        if not self.on:
            return
        tightest = float("inf")
        before, compared = self._offset, self._compared
        for _ in range(_TRIES):  # one that was interrupted tells little
            begun = self._clock()
            wall = self._wall()
            took = self._clock() - begun
            if took < tightest:
                tightest = took
                self._offset = wall - begun - took / 2
                self._compared = begun
            if took < 2e-6:
                break
        self._steady = abs(self._offset - before) < _STEP + _SLEW * (self._compared - compared)

    def when(self, ancillary: Ancillary, since: float, now: float) -> float:
        """The moment when what a read took came, at most `now`; `now` if there is no such stamp after `since`."""
        if not ancillary or not self._steady:
            self._unstamped += 1
            return now
        seconds, nanoseconds = _TIME(ancillary[0][2])
        moment: float = seconds - self._offset + nanoseconds * 1e-9
        if moment < since:  # nothing of a response (a TLS ticket, say), or the clock has just been stepped
            return now
        self._stamped += 1
        late = now - moment
        if late < _LATE:
            return moment if late > 0 else now
        self._late += 1
        if late > self._latest:
            self._latest = late
        return moment

    def receiving(self) -> Receiving:
        clock = "kernel" if self.on and self._stamped >= self._unstamped else "read"
        return Receiving(clock, self._stamped + self._unstamped, self._unstamped, self._late, self._latest)


def connected_in(sock: socket.socket) -> float:
    """How long the kernel took to establish a connection, in seconds: its first round trip. Infinity where it doesn't
    tell, or had to ask twice."""
    micros, resent, _ = _told(sock)
    return micros * 1e-6 if micros and not resent else math.inf


def round_trip(sock: socket.socket) -> float:
    """The shortest round trip of a connection yet, in seconds; infinity where the kernel doesn't tell."""
    micros = _told(sock)[2]
    return micros * 1e-6 if micros else math.inf


def _told(sock: socket.socket) -> tuple[int, int, int]:
    try:
        known = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    except (AttributeError, OSError):
        return 0, 0, 0
    return _INFO.unpack(known) if len(known) == _INFO.size else (0, 0, 0)
