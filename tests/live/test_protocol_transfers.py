"""What goes well on real sockets: uploads through slow readers, early answers, many clients, several addresses."""

import hashlib
import socket
import sys

import pytest
import trio
import trio.testing
from scripted_server import OK, Script, Stream, always_ok, read_head, reset, world

from vezaflow.protocols import ErrorKind, Origin, RequestOptions, Resolver, Transport, Want
from vezaflow.protocols.stamps import round_trip

pytestmark = pytest.mark.trio
BOTH = pytest.mark.parametrize("epoll", [True, False], ids=["epoll", "poll"])
PIECE = bytes(range(256)) * 4096  # 1 MiB


def takes(length: int, digests: list[str], step: int = 65536, pause: float = 0.0) -> Script:
    """A script that reads bodies of `length`, `step` bytes at a time, and notes their digests."""

    async def script(stream: Stream) -> None:
        while data := await read_head(stream):
            _, _, rest = data.partition(b"\r\n\r\n")
            digest, left = hashlib.sha256(rest), length - len(rest)
            while left:
                more = await stream.receive_some(min(step, left))
                if not more:
                    return
                digest.update(more)
                left -= len(more)
                await trio.sleep(pause)
            digests.append(digest.hexdigest())
            await stream.send_all(OK)

    return script


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"small",
        PIECE[:100_000],
        PIECE,
        (b"--x\r\n", memoryview(PIECE), b"", b"\r\n--x--"),
        (memoryview(PIECE),) * 12,
        tuple(PIECE[i : i + 7] for i in range(0, 7000, 7)),
    ],
    ids=["empty", "small", "100 kB", "1 MiB", "multipart", "12 MiB", "1000 pieces"],
)
async def test_an_upload_arrives_whole(body: bytes | tuple[bytes | memoryview, ...], epoll: bool) -> None:
    whole = b"".join(body) if isinstance(body, tuple) else body
    digests: list[str] = []
    async with world(takes(len(whole), digests), epoll=epoll) as w:
        client = w.client()
        head = w.get(method="PUT", length=len(whole))
        for _ in range(2):
            found = await client.send(w.origin, head, body, RequestOptions(Want.BODY, 10.0))
            assert (found.error, found.status, found.body) == (None, 200, b"ok"), found.detail
            assert found.bytes_sent == len(head) + len(whole)
            assert found.started <= found.sent <= found.first <= found.ended
        assert found.reused
    assert digests == [hashlib.sha256(whole).hexdigest()] * 2


@pytest.mark.slow
async def test_a_slow_reader_is_seen_as_sending_not_as_waiting() -> None:
    body = (memoryview(PIECE),) * 12
    digests: list[str] = []
    async with world(takes(12 * 2**20, digests, step=2**20, pause=0.01)) as w:
        found = await w.client().send(
            w.origin, w.get(method="PUT", length=12 * 2**20), body, RequestOptions(Want.NOTHING, 10.0)
        )
    assert found.error is None
    assert found.sent - found.started > 0.03
    assert digests == [hashlib.sha256(PIECE * 12).hexdigest()]


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO is read as Linux lays it out")
async def test_what_is_sent_to_a_near_peer_does_not_pile_up_in_the_kernel() -> None:
    async with world(takes(2**20, [])) as w:
        found = await w.client().send(
            w.origin, w.get(method="PUT", length=2**20), PIECE, RequestOptions(Want.NOTHING, 10.0)
        )
        assert found.error is None
        (connection,) = w.transport.reactor.connections.values()
        room = connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        assert room < 2**20 or round_trip(connection.socket) > 0.0001  # a machine so busy that nobody is near


@BOTH
@pytest.mark.parametrize("rude", [False, True])
async def test_an_answer_before_the_upload_ended_is_taken(rude: bool, epoll: bool) -> None:
    """413, then no more reading: the answer counts, the rest isn't sent, the connection isn't used again."""

    async def script(stream: Stream) -> None:
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
        if rude:
            await trio.sleep(0.02)
            reset(stream)  # type: ignore[arg-type]
        await trio.sleep_forever()

    async with world(script, epoll=epoll) as w:
        client = w.client()
        head = w.get(method="PUT", length=40 * 2**20)
        found = await client.send(w.origin, head, (memoryview(PIECE),) * 40, RequestOptions(Want.BODY, 5.0))
        assert (found.error, found.status, found.body) == (None, 413, b"big"), found.detail
        assert found.bytes_sent < 40 * 2**20
        assert found.started <= found.sent <= found.ended
        assert w.transport.reactor.connections == {}


async def test_a_body_that_was_not_wanted_costs_no_memory_and_is_counted() -> None:
    async def script(stream: Stream) -> None:
        while await read_head(stream):
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n")
            for _ in range(8):
                await stream.send_all(PIECE)

    async with world(script, max_body=1000) as w:
        client = w.client()
        for _ in range(3):
            found = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 10.0))
            assert (found.error, found.status, found.body) == (None, 200, b"")
            assert found.bytes_received == 8388608 + 44
        assert found.reused
        kept = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 10.0))
        assert kept.error is ErrorKind.TOO_LARGE


@BOTH
async def test_large_and_small_dropped_answers_share_a_connection_and_a_cut_one_is_counted(epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        for size, said in ((200_000, 200_000), (9_500, 9_500), (2, 2), (200_000, 200_000), (200_000, 150_000)):
            await read_head(stream)
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + PIECE[:said])

    async with world(script, epoll=epoll) as w:
        client = w.client()
        for size in (200_000, 9_500, 2, 200_000):
            found = await client.send(w.origin, w.get(), None, RequestOptions(Want.COOKIES, 10.0))
            assert (found.error, found.bytes_received) == (None, size + 37 + len(str(size))), found.detail
        assert found.reused
        cut = await client.send(w.origin, w.get(), None, RequestOptions(Want.COOKIES, 10.0))
        assert (cut.error, cut.bytes_received) == (ErrorKind.CLOSED_EARLY, 150_000 + 43)


@BOTH
async def test_a_large_body_that_is_wanted_is_whole(epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        while await read_head(stream):
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n")
            await stream.send_all(PIECE * 4)

    async with world(script, epoll=epoll) as w:
        client = w.client()
        for _ in range(2):
            found = await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 10.0))
            assert found.body == PIECE * 4


@BOTH
async def test_two_hundred_clients_at_once(epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        while head := await read_head(stream):
            who = head.split(b" ")[1]
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(who), who))

    async with world(script, epoll=epoll) as w:
        right = 0

        async def user(number: int) -> None:
            nonlocal right
            client = w.client()
            for turn in range(5):
                path = f"/{number}/{turn}"
                found = await client.send(w.origin, w.get(path), None, RequestOptions(Want.BODY, 10.0))
                right += found.error is None and found.body == path.encode() and found.reused == (turn > 0)

        async with trio.open_nursery() as nursery:
            for number in range(200):
                nursery.start_soon(user, number)
        assert right == 1000
        assert len(w.peers) == 200


async def test_a_client_keeps_one_connection_per_origin() -> None:
    async with world(always_ok) as one, world(always_ok) as other:
        client = one.client()
        reused = []
        for w in (one, other, one, other, one):
            origin = Origin(w.origin.scheme, w.origin.host, w.origin.port)  # equal, not the same
            reused.append((await client.send(origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))).reused)
        assert reused == [False, False, True, True, True]
        client.close()
        assert one.transport.reactor.connections == {}


async def test_the_phases_of_a_new_connection_are_its_first_exchanges_own() -> None:
    async with world(always_ok) as w:
        client = w.client()
        first = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert not first.reused
        assert first.connecting > 0
        assert first.tls == 0
        second = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert second.reused
        assert (second.blocked, second.connecting, second.tls) == (0, 0, 0)


async def test_cookies_come_back_to_who_set_them() -> None:
    seen: list[bytes] = []

    async def script(stream: Stream) -> None:
        while head := await read_head(stream):
            seen.append(head)
            await stream.send_all(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: sid=7; Path=/\r\n\r\n"))

    async with world(script) as w:
        client, stranger = w.client(), w.client()
        for _ in range(2):
            await client.send(w.origin, w.get(), None, RequestOptions(Want.COOKIES, 5.0))
        await stranger.send(w.origin, w.get(), None, RequestOptions(Want.COOKIES, 5.0))
        own = w.get()[:-2] + b"cookie: mine=1\r\n\r\n"
        await client.send(w.origin, own, None, RequestOptions(Want.COOKIES, 5.0))
    assert b"Cookie" not in seen[0]
    assert seen[1].endswith(b"\r\nCookie: sid=7\r\n\r\n")
    assert b"Cookie" not in seen[2]
    assert seen[3].endswith(b"\r\ncookie: mine=1; sid=7\r\n\r\n")


# -- several addresses (RFC 8305) ---------------------------------------------------------------------------------


async def send_to(addresses: list[tuple[socket.AddressFamily, tuple[str, int]]]) -> tuple[object, float]:
    async def lookup(host: str, port: int) -> list[object]:
        return list(addresses)

    transport = Transport(resolver=Resolver(lookup))  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        await nursery.start(transport.run)
        client = transport.client()
        origin, head = Origin("http", "many.test", 80), b"GET / HTTP/1.1\r\nHost: many.test\r\n\r\n"
        found = await client.send(origin, head, None, RequestOptions(Want.NOTHING, 5.0))
        left = len(transport.reactor.connections)
        nursery.cancel_scope.cancel()
    assert left <= 1
    return found.error, found.connecting


async def test_the_next_address_is_tried_when_one_refuses() -> None:
    async with world(always_ok) as w:
        refusing = (socket.AF_INET, ("127.0.0.2", w.origin.port))
        error, connecting = await send_to([refusing, (socket.AF_INET, ("127.0.0.1", w.origin.port))])
    assert error is None
    assert connecting < 0.2


@pytest.mark.slow
async def test_the_next_address_is_tried_while_one_is_silent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.3", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            async with world(always_ok) as w:
                silent = (socket.AF_INET, full.getsockname())
                error, connecting = await send_to([silent, (socket.AF_INET, ("127.0.0.1", w.origin.port))])
    assert error is None
    assert 0.2 < connecting < 1.0


async def test_all_addresses_refusing_is_a_refusal() -> None:
    async with world(always_ok) as w:
        port = w.origin.port
        error, _ = await send_to([(socket.AF_INET, (f"127.0.0.{n}", port)) for n in (4, 5, 6)])
    assert error is ErrorKind.REFUSED
