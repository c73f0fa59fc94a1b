"""What outputs over a network have in common, against servers that hang, refuse and fail: the load is never waited
for, what may help is tried again, and what is lost is counted."""

import socket
import time
from collections.abc import Sequence

import pytest
import trio
from listener import Answer, listener
from told_run import ToldRun

from vezaflow.outputs import OutputError, Tick
from vezaflow.outputs.posting import PostError
from vezaflow.outputs.sink import Carrier, HttpCarrier, Sink, SinkLimits
from vezaflow.plan import Targets
from vezaflow.session.feeding import Feeding

pytestmark = pytest.mark.trio
QUICK = SinkLimits(queue=3, timeout=0.2, pause=0.001, longest_pause=0.01, longest_asked=0.02, last=0.5)
TICKS = list(ToldRun(requests=1).ticks(5))


def numbered(tick: Tick) -> Sequence[bytes]:
    return [b"last" if tick.last else str(round(tick.elapsed)).encode()]


said: list[str] = []  # what people are told at once


def http(url: str, limits: SinkLimits = QUICK, *, every: float = 1.0) -> Sink:
    target = Targets(url, ()).resolve("/write")
    return Sink("test", numbered, HttpCarrier(target, {"x-key": "k"}, limits.timeout), every, said.append, limits)


async def sent(sink: Sink, ticks: Sequence[Tick] = TICKS, *, pause: float = 0.0) -> str:
    """What was lost, in words; empty without."""
    send, receive = trio.open_memory_channel[Tick](len(ticks))
    lost = ""

    async def run() -> None:
        nonlocal lost
        try:
            await sink.run(receive)
        except OutputError as e:
            lost = str(e)

    async with trio.open_nursery() as nursery, send:
        nursery.start_soon(run)
        for tick in ticks:
            await send.send(tick)
            await trio.sleep(pause)
    return lost


async def test_each_tick_that_is_due_is_sent_in_order_and_the_last_one_always() -> None:
    with listener() as server:
        assert await sent(http(server.url, every=2.0), pause=0.01) == ""
    assert [each.body for each in server.asked] == [b"1", b"3", b"5", b"last"]
    assert {(each.path, each.headers["x-key"]) for each in server.asked} == {("/write", "k")}


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_pass_is_tried_again_until_it_is_taken(status: int) -> None:
    with listener(write=[Answer(status), Answer(status), Answer()]) as server:
        assert await sent(http(server.url), TICKS[-1:]) == ""
    assert [each.body for each in server.asked] == [b"last"] * 3


async def test_a_server_says_how_long_it_wants_to_be_left_alone() -> None:
    limits = SinkLimits(timeout=1.0, pause=0.001, longest_asked=0.1, last=2.0)
    with listener(write=[Answer(429, headers={"Retry-After": "3600"}), Answer()]) as server:
        begin = time.monotonic()
        assert await sent(http(server.url, limits), TICKS[-1:]) == ""
        assert time.monotonic() - begin >= 0.1
    assert len(server.asked) == 2


@pytest.mark.parametrize("asked", ["0", "Wed, 21 Oct 2015 07:28:00 GMT"])
async def test_a_server_that_asks_for_no_pause_is_still_asked_less_and_less_often(asked: str) -> None:
    limits = SinkLimits(timeout=1.0, pause=0.04, longest_pause=10.0, last=0.2)
    with listener(write=[Answer(503, headers={"Retry-After": asked})]) as server:
        assert await sent(http(server.url, limits), TICKS[-1:]) != ""
    assert len(server.asked) <= 4


@pytest.mark.parametrize("status", [400, 401, 404, 302])
async def test_what_is_refused_for_good_is_not_tried_again(status: int) -> None:
    with listener(write=[Answer(status, b"out of order sample")]) as server:
        lost = await sent(http(server.url), TICKS[:1] + TICKS[-1:])
    assert lost == f"lost 2 of 2 payloads: status {status}: out of order sample"
    assert len(server.asked) == 2


@pytest.mark.slow
async def test_of_a_receiver_that_hangs_the_oldest_payloads_are_lost_and_counted() -> None:
    with listener(write=[Answer(hangs=True)]) as server:
        lost = await sent(http(server.url), pause=0.01)  # or it would wait for ever
    assert lost.startswith("lost 6 of 6 payloads, 4 of them not taken within 0.5 s of the load: timeout_wait")


@pytest.mark.slow
async def test_a_receiver_that_is_gone_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    lost = await sent(http(f"http://127.0.0.1:{port}"), TICKS[-1:])
    assert lost.startswith("lost 1 of 1 payload, 1 of them not taken within 0.5 s of the load: refused")


async def test_a_receiver_that_comes_back_gets_what_waited() -> None:
    broken = PostError("refused", again=True)
    carrier = Carrying(broken, broken, broken)
    sink = Sink("test", numbered, carrier, 1.0, said.append, QUICK)
    assert await sent(sink, TICKS[:2] + TICKS[-1:]) == ""
    assert carrier.got == [b"1", b"2", b"last"]


class Carrying:
    """A carrier that does as it is told."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.got: list[bytes] = []

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()

    async def send(self, body: bytes) -> None:
        await trio.lowlevel.checkpoint()
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.got.append(body)


async def test_a_broken_encoder_is_reported_and_ends_no_run() -> None:
    def broken(tick: Tick) -> Sequence[bytes]:
        raise ValueError("no such thing")

    said: list[str] = []
    feeding = Feeding([Sink("broken", broken, Carrying(), 1.0, said.append, QUICK)], said.append)
    async with trio.open_nursery() as nursery:
        feeding.begin(nursery)
        feeding.tick(TICKS[0])
        await trio.sleep(0.1)
        with trio.move_on_after(5):
            await feeding.end(TICKS[-1])
        feeding.close()
        nursery.cancel_scope.cancel()
    assert said == ["output broken failed after 1 tick and got no more: ValueError: no such thing"]


async def test_what_was_lost_is_said_once_and_in_the_notes() -> None:
    said.clear()
    carrier: Carrier = Carrying(PostError("status 400"), None)
    feeding = Feeding([Sink("some", numbered, carrier, 1.0, said.append, QUICK)], said.append)
    async with trio.open_nursery() as nursery:
        feeding.begin(nursery)
        feeding.tick(TICKS[0])
        with trio.move_on_after(5):
            await feeding.end(TICKS[-1])
        feeding.close()
        nursery.cancel_scope.cancel()
    first, *rest = said
    assert first == "output some can't send: status 400; the run continues"
    assert rest == ["output some lost 1 of 2 payloads: status 400"]
    assert feeding.notes() == tuple(rest)


async def test_a_slow_receiver_holds_up_no_tick() -> None:
    with listener(write=[Answer(hangs=True)]) as server:
        feeding = Feeding([http(server.url)], lambda _: None)
        async with trio.open_nursery() as nursery:
            feeding.begin(nursery)
            for tick in TICKS[:-1]:
                feeding.tick(tick)  # or it would wait for ever
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
