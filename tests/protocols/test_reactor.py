"""The reactor stamps what it polls and sleeps when nothing is in flight."""

import socket

import pytest
import trio
import trio.testing

from vezaflow.protocols import Origin, RequestOptions, Transport, Want
from vezaflow.protocols.park import park, trap, wake

pytestmark = pytest.mark.trio
ORIGIN = Origin("http", "sut.test", 80)


async def test_a_drain_stamps_with_its_own_time() -> None:
    now = 100.0
    transport = Transport(clock=lambda: now)
    client = transport.client()
    ours, theirs = socket.socketpair()
    client.adopt(ORIGIN, ours)
    async with trio.open_nursery() as nursery:
        await nursery.start(transport.run)
        found = []

        async def send() -> None:
            found.append(await client.send(ORIGIN, b"GET / HTTP/1.1\r\n\r\n", None, RequestOptions(Want.NOTHING, 50.0)))

        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        now = 101.0
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        transport.drain()
        now = 102.0
        theirs.sendall(b"body")
        transport.drain()
        now = 103.0
        await trio.testing.wait_all_tasks_blocked()
        assert [(e.started, e.sent, e.first, e.ended) for e in found] == [(100.0, 100.0, 101.0, 102.0)]
        nursery.cancel_scope.cancel()
    theirs.close()


async def test_nothing_wakes_an_idle_transport(autojump_clock: trio.testing.MockClock) -> None:
    """With the mock clock, a sweep that went on would move time forward."""
    transport = Transport()
    async with trio.open_nursery() as nursery:
        await nursery.start(transport.run)
        statistics = trio.lowlevel.current_statistics()
        assert statistics.seconds_to_next_deadline == float("inf")
        nursery.cancel_scope.cancel()


async def test_parking_is_a_checkpoint_like_any_other() -> None:
    """The message that is yielded was made by trio once: this fails should trio change what it expects."""
    aborted = []

    def abort(_: object) -> trio.lowlevel.Abort:
        aborted.append(True)
        return trio.lowlevel.Abort.SUCCEEDED

    message = trap(abort)
    with trio.move_on_after(0) as scope:
        await park(message)
    assert scope.cancelled_caught
    assert aborted == [True]

    task = trio.lowlevel.current_task()
    for _ in range(3):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.lowlevel.checkpoint)

            async def later() -> None:
                wake(task)

            nursery.start_soon(later)
            await park(message)
