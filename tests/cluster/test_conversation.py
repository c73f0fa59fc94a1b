"""The coordinator's end of a conversation, with a machine at the other end whose clock is another one."""

import threading
import time
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from vezaflow.cluster.facts import facts
from vezaflow.cluster.links import RemoteLink
from vezaflow.cluster.machines import Conversation
from vezaflow.cluster.mail import SchedulerError
from vezaflow.cluster.sealed import Handshake

HOUR = 3600.0


class FakeMachine:
    """Replies as a machine's task does. Its clock shows `offset` seconds more; each way takes `away` seconds."""

    def __init__(self, offset: float, away: float = 0.0, jitter: float = 0.0) -> None:
        mine, its = Handshake(), Handshake()
        self.heard: list[dict[str, Any]] = []
        self.dismissed = threading.Event()
        self._offset, self._away, self._jitter = offset, away, jitter
        self._sealed = its.with_coordinator(mine.public, "n")
        self.talk = Conversation(1, facts(), "tcp://10.0.0.7:1", mine.with_machine(its.public, "n"), self._put)

    def _put(self, sealed: bytes, limit: float) -> None:
        for message in self._sealed.open(sealed):
            self.heard.append(message)
            if message["do"] == "time":
                self._pause()
                now = time.perf_counter() + self._offset
                self._pause()
                self.talk.take(self._sealed.seal([{"time": now, "asked": message["asked"]}]))
            if message["do"] == "dismiss":
                self.dismissed.set()

    def _pause(self) -> None:
        until = time.perf_counter() + self._away
        while time.perf_counter() < until:
            pass

    def end(self) -> None:
        self.talk.dismiss()
        self.talk.join(5)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-400 * HOUR, 400 * HOUR), min_size=2, max_size=4))
def test_clocks_that_are_hours_apart_agree_on_the_start(offsets: list[float]) -> None:
    machines = [FakeMachine(offset, away=0.0002) for offset in offsets]
    at = time.perf_counter() + 2
    try:
        for machine, offset in zip(machines, offsets, strict=True):
            machine.talk.compare_clocks()
            clock = machine.talk.clock
            assert 0 < clock.error < 1
            trio.run(RemoteLink(1, machine.talk, {}).send, {"do": "start", "at": at})
            machine.end()
            (told,) = [message["message"] for message in machine.heard if message["do"] == "tell"]
            begins = told["at"] - offset  # by the coordinator's clock
            assert begins == pytest.approx(at, abs=clock.error + 1e-6)
    finally:
        for machine in machines:
            machine.end()


def test_other_orders_are_passed_on_as_they_are() -> None:
    machine = FakeMachine(HOUR)
    machine.talk.compare_clocks()
    trio.run(RemoteLink(2, machine.talk, {"A": "b"}).send, {"do": "stop", "at": 5.0})
    machine.end()
    said = [message for message in machine.heard if message["do"] not in ("time", "beat")]
    assert said == [
        {"do": "begin", "worker": 2, "environment": {"A": "b"}},
        {"do": "tell", "worker": 2, "message": {"do": "stop", "at": 5.0}},
        {"do": "dismiss"},
    ]


def test_a_scheduler_that_is_gone_breaks_the_way() -> None:
    def put(sealed: bytes, limit: float) -> None:
        raise SchedulerError("it is gone")

    mine, its = Handshake(), Handshake()
    talk = Conversation(1, facts(), "tcp://10.0.0.7:1", mine.with_machine(its.public, "n"), put)
    link = RemoteLink(1, talk, {})
    talk.join(5)
    assert talk.trouble == "the scheduler can't be reached: it is gone"
    with pytest.raises(trio.BrokenResourceError):
        trio.run(link.send, {"do": "stop"})


def test_what_a_machine_says_of_a_worker_comes_in_its_order_and_then_its_end() -> None:
    machine = FakeMachine(0.0)

    async def listens() -> None:
        link = RemoteLink(3, machine.talk, {})
        for number in range(3):
            link.heard({"worker": 3, "message": {"is": "beat", "number": number}})
        link.heard({"worker": 3, "ended": -9, "tail": "its last words"})
        assert link.waiting
        assert [await link.receive() for _ in range(4)] == [
            *({"is": "beat", "number": number} for number in range(3)),
            None,
        ]
        assert await link.farewell() == (-9, "its last words")

    trio.run(listens)
    machine.end()
