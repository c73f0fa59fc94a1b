"""The kernel's stamps on our clock: when they count, and when the time of the read stands."""

import socket
import struct
from dataclasses import astuple, dataclass

import pytest

from vezaflow.protocols.stamps import Receiving, Stamps

EPOCH = 1_790_000_000.0  # what the wall clock shows when ours shows 0


@dataclass
class Clocks:
    ours: float = 100.0
    ahead: float = EPOCH
    reading: float = 0.0  # how long one look at the wall clock takes

    def wall(self) -> float:
        moment = self.ours + self.reading / 2 + self.ahead
        self.ours += self.reading
        return moment

    def stamp(self, moment: float) -> list[tuple[int, int, bytes]]:
        """What recvmsg gives for bytes that came at `moment` of our clock."""
        wall = moment + self.ahead
        times = struct.pack("@ll", int(wall), round(wall % 1 * 1e9)) + bytes(32)
        return [(socket.SOL_SOCKET, 37, times)]


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def stamps(clocks: Clocks) -> Stamps:
    made = Stamps(lambda: clocks.ours, on=True, wall=clocks.wall)
    made.compare()
    made.compare()
    return made


def test_a_stamp_is_on_our_clock(clocks: Clocks, stamps: Stamps) -> None:
    assert stamps.when(clocks.stamp(99.95), 99.0, 100.0) == pytest.approx(99.95, abs=1e-5)
    late = pytest.approx(0.05, abs=1e-5)
    assert astuple(stamps.receiving()) == ("kernel", 1, 0, 1, late)


def test_a_read_in_time_is_not_called_late(clocks: Clocks, stamps: Stamps) -> None:
    assert stamps.when(clocks.stamp(99.9995), 99.0, 100.0) == pytest.approx(99.9995, abs=1e-5)
    assert stamps.receiving().late == 0


@pytest.mark.parametrize("moment", [98.9, 100.1])
def test_a_stamp_before_the_request_or_after_the_read_is_none(clocks: Clocks, stamps: Stamps, moment: float) -> None:
    assert stamps.when(clocks.stamp(moment), 99.0, 100.0) == 100.0
    assert stamps.receiving().late == 0


def test_a_read_without_a_stamp_is_counted(stamps: Stamps) -> None:
    assert stamps.when([], 99.0, 100.0) == 100.0
    assert stamps.receiving() == Receiving("read", 1, 1, 0, 0.0)


@pytest.mark.parametrize("step", [-5.0, 0.002, 3600.0])
def test_no_stamp_counts_while_the_wall_clock_has_just_been_stepped(
    clocks: Clocks, stamps: Stamps, step: float
) -> None:
    old = clocks.stamp(99.95)
    clocks.ahead += step
    stamps.compare()
    assert stamps.when(old, 99.0, 100.0) == 100.0
    stamps.compare()
    assert stamps.when(clocks.stamp(99.95), 99.0, 100.0) == pytest.approx(99.95, abs=1e-5)


def test_a_wall_clock_that_is_being_slewed_is_followed(clocks: Clocks, stamps: Stamps) -> None:
    for _ in range(50):
        clocks.ours += 0.05
        clocks.ahead += 0.05 * 500e-6  # the most that the kernel does
        stamps.compare()
        now = clocks.ours
        assert stamps.when(clocks.stamp(now - 0.01), 99.0, now) == pytest.approx(now - 0.01, abs=1e-5)


def test_a_comparison_that_was_interrupted_is_made_again(clocks: Clocks) -> None:
    looks = iter([0.02, 0.000001])

    def wall() -> float:
        moment = clocks.ours + clocks.ahead  # then the interruption, which half of it can't tell
        clocks.ours += next(looks)
        return moment

    stamps = Stamps(lambda: clocks.ours, on=True, wall=wall)
    stamps.compare()
    looks = iter([0.000001])
    stamps.compare()
    assert stamps.when(clocks.stamp(100.0), 99.0, 100.02) == pytest.approx(100.0, abs=1e-5)


def test_who_can_have_no_stamps_says_so(clocks: Clocks) -> None:
    stamps = Stamps(lambda: clocks.ours, on=True)
    closed = socket.socket()
    closed.close()
    stamps.ask(closed)  # refused, as by a kernel that has no such option
    stamps.compare()
    assert not stamps.on
    assert stamps.receiving().clock == "read"
    assert Stamps(lambda: clocks.ours, on=False).receiving().clock == "read"
