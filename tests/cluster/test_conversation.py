"""The coordinator's end of a conversation, with a machine at the other end whose clock is another one."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from planned import plan_of

from vezaflow.cluster.crew import ClusterCrew
from vezaflow.cluster.facts import MachineFacts, facts
from vezaflow.cluster.links import RemoteLink
from vezaflow.cluster.machines import Conversation
from vezaflow.cluster.mail import SchedulerError
from vezaflow.cluster.sealed import Handshake
from vezaflow.cluster.task import write_piece
from vezaflow.errors import VezaflowError

HOUR = 3600.0


class FakeMachine:
    """Replies as a machine's task does. Its clock shows `offset` seconds more; each way takes `away` seconds."""

    def __init__(self, offset: float, away: float = 0.0, what: MachineFacts | None = None) -> None:
        mine, its = Handshake(), Handshake()
        self.heard: list[dict[str, Any]] = []
        self.dismissed = threading.Event()
        self._offset, self._away = offset, away
        self.batches: list[list[str]] = []  # of each what is to be done
        self._sealed = its.with_coordinator(mine.public, "n")
        self.talk = Conversation(1, what or facts(), "tcp://10.0.0.7:1", mine.with_machine(its.public, "n"), self._put)

    def _put(self, sealed: bytes, limit: float) -> None:
        messages = self._sealed.open(sealed)
        self.batches.append([message["do"] for message in messages])
        for message in messages:
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

    def says(self, message: dict[str, Any]) -> None:
        self.talk.take(self._sealed.seal([message]))

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


def test_files_go_in_pieces_each_by_itself_and_are_whole_there(tmp_path: Path) -> None:
    large, small = bytes(range(256)) * 40_000, b"a,b\n"
    machine, other = FakeMachine(0.0), FakeMachine(0.0)
    files = {"large.bin": large, "deep/rows.csv": small, "empty": b""}
    crew = ClusterCrew([machine.talk, other.talk], [1, 2], files)
    trio.run(crew.links)
    for each in (machine, other):
        each.end()
        orders = [message for message in each.heard if message["do"] == "file"]
        assert len(orders) == 5, "10 MiB are three pieces"
        assert all(batch.count("file") == 1 and batch[-1] == "file" for batch in each.batches if "file" in batch)
        folder = tmp_path / str(id(each))
        for order in orders:
            write_piece(folder, order)
        assert {name: (folder / name).read_bytes() for name in files} == files


def test_a_machine_with_too_little_for_more_connections_is_named() -> None:
    plan = plan_of("flow: browse\nload: {vus: 4, duration: 10s}\nsteps: [{get: /}]")
    poor, rich = (FakeMachine(0.0, what=replace(facts(), open_files=number)) for number in (100, 10**6))
    poor.talk.name, rich.talk.name = "load-1", "load-2"
    crew = ClusterCrew([rich.talk, poor.talk], [3, 1], {})
    crew.require(plan)
    more = replace(plan, flows=tuple(replace(flow, load=replace(flow.load, max_vus=400)) for flow in plan.flows))
    with pytest.raises(VezaflowError, match=r"the cluster can't carry the load: load-1: 164 open files") as refused:
        crew.require(more)
    assert "load-2" not in refused.value.message
    assert "more machines" in refused.value.message
    assert "--workers" not in refused.value.message, "which does not go with a cluster"
    poor.end()
    rich.end()


def test_a_machine_that_does_not_reply_is_named_with_what_is_known() -> None:
    def put(sealed: bytes, limit: float) -> None:
        raise SchedulerError("it is gone")

    mine, its = Handshake(), Handshake()
    talk = Conversation(1, facts(), "tcp://10.0.0.7:1", mine.with_machine(its.public, "n"), put)
    with pytest.raises(VezaflowError, match="can't continue: the scheduler can't be reached: it is gone"):
        talk.ask({"do": "time"})
    with pytest.raises(VezaflowError, match="it is gone"):
        talk.ask({"do": "time"})


def test_a_machine_that_said_nothing_for_long_is_lost() -> None:
    machine = FakeMachine(0.0)
    crew = ClusterCrew([machine.talk], [1], {"rows.csv": b"a"})
    machine.talk.missed(5.9)
    machine.says({"alive": True})
    machine.talk.missed(5.9)
    assert machine.talk.lost == ""
    machine.talk.missed(0.2)
    assert machine.talk.lost == "nothing was heard of it for 6 s"
    with pytest.raises(VezaflowError, match=r"tcp://10\.0\.0\.7:1\) nothing was heard of it for 6 s"):
        machine.talk.ask({"do": "nothing"})
    (link,) = trio.run(crew.links)
    assert link.trouble == machine.talk.lost, "whoever waits for its worker sees it"
    machine.says({"alive": True})
    assert link.trouble == machine.talk.lost != "", "it may have missed something"
    machine.end()


def test_a_machine_that_does_not_get_its_files_is_the_reason_of_the_refusal() -> None:
    machine = FakeMachine(0.0)

    def put(sealed: bytes, limit: float) -> None:
        raise SchedulerError("it is gone")

    mine, its = Handshake(), Handshake()
    lost = Conversation(2, facts(), "tcp://10.0.0.8:1", mine.with_machine(its.public, "n"), put)
    with pytest.raises(VezaflowError, match=r"tcp://10\.0\.0\.8:1\) can't continue: the scheduler can't be reached"):
        trio.run(ClusterCrew([machine.talk, lost], [1, 1], {"rows.csv": b"a"}).links)
    machine.end()
    assert [message["do"] for message in machine.heard if message["do"] in ("file", "begin")] == ["file"]
