"""One question per name, its answer shared, both families in turn."""

import socket
from typing import Any

import pytest
import trio
import trio.testing

from vezaflow.protocols import Resolver
from vezaflow.protocols.dns import Address, interleave, system_lookup

pytestmark = pytest.mark.trio
FOUR = socket.AF_INET
SIX = socket.AF_INET6


class Oracle:
    """A lookup that takes its time and counts its questions."""

    def __init__(self, answer: list[Address] | OSError) -> None:
        self.answer = answer
        self.asked = 0
        self.go = trio.Event()

    async def __call__(self, host: str, port: int) -> list[Address]:
        self.asked += 1
        await self.go.wait()
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


async def test_a_literal_address_is_not_asked_for() -> None:
    oracle = Oracle([])
    resolver = Resolver(oracle)
    assert await resolver.resolve("127.0.0.1", 80) == [(FOUR, ("127.0.0.1", 80))]
    assert await resolver.resolve("::1", 80) == [(SIX, ("::1", 80, 0, 0))]
    assert oracle.asked == 0


@pytest.mark.parametrize("name", ["localhost", "prod.localhost", "a.b.localhost"])
async def test_localhost_and_the_names_below_it_are_this_machine_whatever_the_resolver_says(name: str) -> None:
    oracle = Oracle([(FOUR, ("10.9.8.7", 80))])
    found = await Resolver(oracle).resolve(name, 80)
    assert found == [(FOUR, ("127.0.0.1", 80)), (SIX, ("::1", 80, 0, 0))]
    assert oracle.asked == 0


async def test_a_crowd_asks_once() -> None:
    oracle = Oracle([(FOUR, ("10.0.0.1", 80))])
    resolver = Resolver(oracle)
    found: list[list[Address]] = []

    async def ask() -> None:
        found.append(await resolver.resolve("sut.test", 80))

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        oracle.go.set()
    assert found == [oracle.answer] * 50
    assert oracle.asked == 1


async def test_an_answer_lives_for_a_minute_and_a_failure_for_a_second() -> None:
    now = 0.0
    oracle = Oracle(socket.gaierror(socket.EAI_AGAIN, "try again"))
    oracle.go.set()
    resolver = Resolver(oracle, clock=lambda: now)
    for _ in range(2):
        with pytest.raises(socket.gaierror, match="try again"):
            await resolver.resolve("sut.test", 80)
    assert oracle.asked == 1
    now = 1.1
    oracle.answer = [(FOUR, ("10.0.0.1", 80))]
    await resolver.resolve("sut.test", 80)
    now = 60.0
    await resolver.resolve("sut.test", 80)
    assert oracle.asked == 2
    now = 61.2
    await resolver.resolve("sut.test", 80)
    assert oracle.asked == 3


async def test_who_asks_may_be_cancelled_without_stranding_the_others() -> None:
    oracle = Oracle([(FOUR, ("10.0.0.1", 80))])
    resolver = Resolver(oracle)
    found: list[Any] = []

    async def ask(scope: trio.CancelScope) -> None:
        with scope:
            found.append(await resolver.resolve("sut.test", 80))

    first, second = trio.CancelScope(), trio.CancelScope()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, first)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(ask, second)
        await trio.testing.wait_all_tasks_blocked()
        first.cancel()
        await trio.testing.wait_all_tasks_blocked()
        oracle.go.set()
    assert found == [oracle.answer]


async def test_no_address_at_all_is_a_failure() -> None:
    oracle = Oracle([])
    oracle.go.set()
    with pytest.raises(socket.gaierror):
        await Resolver(oracle).resolve("sut.test", 80)


@pytest.mark.parametrize("host", ["a" * 64 + ".test", "bad..name", "\udc80"])
async def test_what_is_no_host_name_is_a_failure(host: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 (gaierror, by whichever resolver)
        await Resolver(system_lookup).resolve(host, 80)


async def test_families_take_turns_duplicates_dropped() -> None:
    six = [(SIX, ("::1", 80)), (SIX, ("::2", 80))]
    four = [(FOUR, ("1.1.1.1", 80)), (FOUR, ("2.2.2.2", 80)), (FOUR, ("3.3.3.3", 80))]
    assert interleave([*six, *six, *four]) == [six[0], four[0], six[1], four[1], four[2]]
    assert interleave([]) == []


async def test_names_that_come_once_do_not_pile_up() -> None:
    oracle = Oracle([(FOUR, ("10.0.0.1", 80))])
    oracle.go.set()
    resolver = Resolver(oracle)
    for number in range(5000):
        assert await resolver.resolve(f"host-{number}.test", 80) == [(FOUR, ("10.0.0.1", 80))]
    assert len(resolver._found) <= 4096
