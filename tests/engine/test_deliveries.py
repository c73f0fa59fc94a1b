"""Deliveries across processes, as engines beside each other on one mock clock: their figures are those of one."""

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from random import Random

import pytest
import trio
import trio.testing
from planned import plan_of
from stage import Reply, Said, Target, always

from vezaflow.engine import EVERY, Deliveries, RunEngine
from vezaflow.metrics import Recorder, merge_all
from vezaflow.metrics.channels import Channels
from vezaflow.plan import Plan, Segment
from vezaflow.scale.relay import Relay

pytestmark = pytest.mark.trio

Heard = str | bytes
Fate = Callable[[str, int], list[float]]  # what was said, and to which member → after which times it comes


class Room:
    """Fake rooms whose members hear what others say, by a fate that depends on nothing else."""

    def __init__(self, target: Target, fate: Fate) -> None:
        self.target, self.fate = target, fate

    def __call__(self, heard: Heard) -> Iterable[Said]:
        if heard:
            name = json.loads(heard)["id"]
            sender = int(name.partition("-")[0])
            for socket in self.target.sockets:
                member = int(socket.path[1:])
                if socket.ending is None and member != sender and member % 2 == sender % 2:
                    for after in self.fate(name, member):
                        socket.say(Said(json.dumps({"type": "message", "id": name}), after))
        return ()


def target(fate: Fate) -> Target:
    found = Target(always(Reply(101, after=0.05)))
    found.talk = Room(found, fate)
    return found


async def played(plan: Plan, target: Target, workers: int) -> Channels:
    """The figures of all WebSockets of a plan that so many engines run."""
    begin = trio.current_time()
    recorders = [Recorder(begin) for _ in range(workers)]
    others = [Deliveries(plan, number) for number in range(workers)]
    relay = Relay(range(workers))
    over = trio.Event()
    left = [workers]

    async def announce(number: int, mine: Deliveries) -> None:
        while True:
            await trio.sleep(EVERY)
            now = trio.current_time()
            relay.take(number, mine.announce() or "", now)  # type: ignore[arg-type] # it reads none of it
            for other, announced, until in relay.due():
                others[other].take(announced, until, now)  # type: ignore[arg-type]
            mine.look(now)

    async def load(number: int, engine: RunEngine) -> None:
        await engine.load(begin)
        ended = trio.current_time()
        if workers > 1:
            await trio.sleep(2 * EVERY)
            assert others[number].known >= ended
        left[0] -= 1
        if not left[0]:
            over.set()

    async with trio.open_nursery() as nursery:
        for number in range(workers):
            engine = RunEngine(
                plan,
                recorder=recorders[number],
                client=target.client,
                clock=trio.current_time,
                segment=Segment(number, workers),
                elsewhere=others[number] if workers > 1 else None,
            )
            await nursery.start(engine.wheel.run)
            await engine.setup()
            if workers > 1:
                nursery.start_soon(announce, number, others[number])
            nursery.start_soon(load, number, engine)
        await over.wait()
        nursery.cancel_scope.cancel()
    whole = Channels()
    for recorder in recorders:
        recorder.fold(trio.current_time())
    for row in merge_all(recorder.snapshot() for recorder in recorders).channels.values():
        whole.add(row)
    return whole


def counts(row: Channels) -> dict[str, object]:
    found: dict[str, object] = {each.name: getattr(row, each.name) for each in fields(row) if each.type is int}
    return found | {
        "failures": dict(row.failures),
        "latencies": row.latency.samples,
        "mean": round(row.latency.mean or 0, 6),
    }


def talk(load: str, within: str = "1s", where: str = 'json("$.id") == sent.id') -> Plan:
    return plan_of(f"""load: {load}
vars: {{me: '${{vu}}'}}
steps:
  - websocket: /${{vu}}
    name: chat
    room: room-${{mod(vu, 2)}}
    do:
      - think: "${{500 + vu * 7}}ms"
      - for: n
        in: [1, 2, 3, 4, 5]
        do:
          - send: {{json: {{id: "${{vu}}-${{n}}-${{iteration}}", text: hello}}}}
            deliver: {{where: 'json("$.type") == "message" and {where}', within: {within}}}
          - think: "${{100 + vu * 3}}ms"
      - think: 2s
""")


def at_once(_name: str, _member: int) -> list[float]:
    return [0.02]


def as_it_comes(name: str, member: int) -> list[float]:
    """Some are lost, late, duplicated or overtaken."""
    chance = Random(f"{name}:{member}").random()
    if chance < 0.1:
        return []
    if chance < 0.2:
        return [1.3]
    if chance < 0.3:
        return [0.02, 0.05]
    return [0.6] if chance < 0.5 else [0.02]


@pytest.mark.parametrize("workers", [2, 3])
async def test_several_processes_count_what_one_does(workers: int, autojump_clock: trio.testing.MockClock) -> None:
    plan = talk("{executor: per-vu-iterations, vus: 8, iterations: 1}")
    one = await played(plan, target(at_once), 1)
    assert (one.sent, one.expected, one.delivered, one.lost) == (40, 120, 120, 0)
    assert counts(await played(plan, target(at_once), workers)) == counts(one)


@pytest.mark.parametrize("workers", [2, 3])
async def test_so_with_all_that_can_become_of_a_message(workers: int, autojump_clock: trio.testing.MockClock) -> None:
    plan = talk("{executor: per-vu-iterations, vus: 8, iterations: 1}")
    one = await played(plan, target(as_it_comes), 1)
    assert min(one.delivered, one.lost, one.late, one.duplicated, one.reordered) > 0
    assert counts(await played(plan, target(as_it_comes), workers)) == counts(one)


async def test_conditions_see_the_variables_of_a_sender_elsewhere(autojump_clock: trio.testing.MockClock) -> None:
    where = 'json("$.id") == sent.id and startswith(json("$.id"), concat(me, "-"))'
    plan = talk("{executor: per-vu-iterations, vus: 4, iterations: 1}", where=where)
    assert counts(await played(plan, target(at_once), 2)) == counts(await played(plan, target(at_once), 1))


async def test_what_is_under_way_when_members_are_cut_off_counts_nowhere(
    autojump_clock: trio.testing.MockClock,
) -> None:
    plan = talk("{vus: 8, duration: 1150ms, graceful_stop: 0s}", within="5s")
    one = await played(plan, target(as_it_comes), 1)
    assert 0 < one.expected == one.delivered < 120
    assert counts(await played(plan, target(as_it_comes), 3)) == counts(one)


async def test_a_member_that_is_done_waits_for_what_others_have_sent_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    plan = plan_of("""load: {executor: per-vu-iterations, vus: 2, iterations: 1}
steps:
  - websocket: /${vu * 2}
    name: chat
    room: lobby
    do:
      - think: "${vu * 500}ms"
      - send: {json: {id: "${vu * 2}-1"}}
        deliver: {where: 'json("$.id") == sent.id', within: 1s}
""")
    for workers in (1, 2):
        row = await played(plan, target(lambda _name, _member: [0.9]), workers)
        assert (row.sent, row.expected, row.delivered) == (2, 1, 1)  # the first has left when the second sends
