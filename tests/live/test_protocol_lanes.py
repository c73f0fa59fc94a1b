"""Several requests of one VU at once, on real sockets: connections, cookies, limits, ends."""

from collections import Counter

import pytest
import trio
from scripted_server import OK, Stream, World, always_ok, read_head, world

from vezaflow.engine.together import PerHost
from vezaflow.protocols import ErrorKind, RequestOptions, Sender, Want

pytestmark = pytest.mark.trio
BOTH = pytest.mark.parametrize("epoll", [True, False], ids=["epoll", "poll"])


class Crowd:
    """A server that lets nobody go before so many are there, and counts."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.there = self.most = 0
        self.full = trio.Event()
        self.heads: list[bytes] = []

    async def script(self, stream: Stream) -> None:
        while head := await read_head(stream):
            self.heads.append(head)
            self.there += 1
            self.most = max(self.most, self.there)
            if self.there == self.wanted:
                self.full.set()
            await self.full.wait()
            self.there -= 1
            await stream.send_all(OK)


async def send_all(client: Sender, w: World, count: int) -> Counter[ErrorKind | None]:
    """So many requests at once; what came of them."""
    outcomes: Counter[ErrorKind | None] = Counter()

    async def one(number: int) -> None:
        found = await client.send(w.origin, w.get(f"/{number}"), None, RequestOptions(Want.COOKIES, 5.0))
        assert found.started <= found.sent <= found.first <= found.ended
        outcomes[found.error] += 1

    async with trio.open_nursery() as nursery:
        for number in range(count):
            nursery.start_soon(one, number)
    return outcomes


@BOTH
async def test_requests_are_really_on_their_way_together_and_never_more_than_allowed(epoll: bool) -> None:
    crowd = Crowd(4)
    async with world(crowd.script, epoll=epoll) as w:
        client = w.client()
        limited = PerHost(client.beside(), 4)
        assert await send_all(limited, w, 12) == {None: 12}
        assert (crowd.most, len(w.peers)) == (4, 4), "four connections carry all of them"
        assert sorted(head.split()[1] for head in crowd.heads) == sorted(b"/%d" % n for n in range(12))
        client.close()
        assert w.transport.reactor.connections == {}


async def test_connections_are_kept_for_the_next_time_and_the_first_is_one_of_them() -> None:
    async with world(always_ok) as w:
        client = w.client()
        for _ in range(3):
            assert (await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))).error is None
            assert await send_all(PerHost(client.beside(), 3), w, 9) == {None: 9}
        assert len(w.peers) == 3


async def test_closing_lets_all_connections_go_and_the_next_requests_open_new_ones() -> None:
    async with world(always_ok) as w:
        client = w.client()
        for opened in (4, 8):
            assert await send_all(client.beside(), w, 4) == {None: 4}
            assert len(w.peers) == opened
            client.close()
            assert w.transport.reactor.connections == {}


async def test_all_that_is_sent_at_once_is_the_same_user() -> None:
    heads: list[bytes] = []

    async def script(stream: Stream) -> None:
        while head := await read_head(stream):
            heads.append(head)
            path = head.split()[1][1:]
            cookie = b"Set-Cookie: c%b=1; Path=/\r\n" % path
            await stream.send_all(b"HTTP/1.1 200 OK\r\n" + cookie + b"Content-Length: 0\r\n\r\n")

    async with world(script) as w:
        client = w.client()
        await send_all(client.beside(), w, 3)
        await client.send(w.origin, w.get("/last"), None, RequestOptions(Want.COOKIES, 5.0))
        assert all(f"c{n}=1".encode() in heads[-1] for n in range(3))
        assert client.beside().cookies is client.cookies


async def test_who_is_cut_off_leaves_no_connection_half_used() -> None:
    async def silent(stream: Stream) -> None:
        while await read_head(stream):
            await trio.sleep_forever()

    async with world(silent) as w:
        client = w.client()
        with trio.move_on_after(0.05) as scope:
            await send_all(client.beside(), w, 5)
        assert scope.cancelled_caught
        assert w.transport.reactor.connections == {}


async def test_a_request_that_fails_leaves_the_others_alone() -> None:
    async def script(stream: Stream) -> None:
        head = await read_head(stream)
        if b"/1 " not in head:
            await stream.send_all(OK)

    async with world(script) as w:
        outcomes = await send_all(w.client().beside(), w, 4)
    assert outcomes == {None: 3, ErrorKind.CLOSED_EARLY: 1}


async def test_a_small_answer_is_not_confused_with_a_neighbours() -> None:
    """Each task reads its own answer, whichever came first."""

    async def echo(stream: Stream) -> None:
        while head := await read_head(stream):
            number = head.split()[1][1:]
            await trio.sleep(0.01 * (5 - int(number)))
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + number)

    bodies: dict[int, bytes] = {}
    async with world(echo) as w:
        lanes = w.client().beside()

        async def one(number: int) -> None:
            bodies[number] = (
                await lanes.send(w.origin, w.get(f"/{number}"), None, RequestOptions(Want.BODY, 5.0))
            ).body

        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(one, number)
    assert bodies == {number: b"%d" % number for number in range(5)}
