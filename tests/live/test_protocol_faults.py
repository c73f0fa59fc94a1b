"""Every way in which a real server on 127.0.0.1 can fail is an exchange with its kind, and leaves the reactor well."""

import errno
import resource
import socket
from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing
from ports import free_port
from scripted_server import OK, Stream, always_ok, read_head, reset, world

from vezaflow.protocols import ErrorKind, Origin, RequestOptions, Resolver, Transport, Want

pytestmark = pytest.mark.trio
BOTH = pytest.mark.parametrize("epoll", [True, False], ids=["epoll", "poll"])
BIG = (memoryview(bytes(2**20)),) * 40  # more than the kernel buffers on loopback


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    made = Transport()
    async with trio.open_nursery() as nursery:
        await nursery.start(made.run)
        yield made
        nursery.cancel_scope.cancel()


@BOTH
async def test_nobody_listens(epoll: bool) -> None:
    async with world(always_ok, epoll=epoll) as w:
        client = w.client()
        found = await client.send(
            Origin("http", "127.0.0.1", free_port()), w.get(), None, RequestOptions(Want.NOTHING, 5.0)
        )
        assert (found.error, found.status, found.reused) == (ErrorKind.REFUSED, 0, False)
        assert "refused" in found.detail
        assert (await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))).error is None


@BOTH
async def test_a_reset_without_an_answer(epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        await read_head(stream)
        reset(stream)  # type: ignore[arg-type]

    async with world(script, epoll=epoll) as w:
        found = await w.client().send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert (found.error, found.bytes_received) == (ErrorKind.RESET, 0)


@BOTH
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", ErrorKind.CLOSED_EARLY),
        (b"HTTP/1.1 200", ErrorKind.CLOSED_EARLY),
        (OK[:-1], ErrorKind.CLOSED_EARLY),
        (b"\x16\x03\x01\x02\x00", ErrorKind.MALFORMED),
    ],
)
async def test_closed_or_garbled(said: bytes, kind: ErrorKind, epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        await read_head(stream)
        await stream.send_all(said)

    async with world(script, epoll=epoll) as w:
        found = await w.client().send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))
        assert found.error is kind
        assert found.ended >= found.started > 0


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize(
    ("said", "body", "kind"),
    [
        (b"", None, ErrorKind.TIMEOUT_WAIT),
        (OK[:20], None, ErrorKind.TIMEOUT_RECEIVE),
        (OK[:-1], None, ErrorKind.TIMEOUT_RECEIVE),
        (None, BIG, ErrorKind.TIMEOUT_SEND),
    ],
)
async def test_a_stall_is_named_by_its_phase(said: bytes | None, body: object, kind: ErrorKind, epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        if said is not None:
            await read_head(stream)
            await stream.send_all(said)
        await trio.sleep_forever()

    async with world(script, epoll=epoll) as w:
        found = await w.client().send(w.origin, w.get(), body, RequestOptions(Want.NOTHING, 0.15))  # type: ignore[arg-type]
        assert found.error is kind
        assert 0.1 < found.ended - found.started < 0.6


@pytest.mark.slow
async def test_a_connection_that_is_never_accepted_times_out(transport: Transport) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):  # fills the backlog
            origin = Origin("http", "127.0.0.1", port)
            found = await transport.client().send(
                origin, b"GET / HTTP/1.1\r\n\r\n", None, RequestOptions(Want.NOTHING, 0.15)
            )
    assert found.error is ErrorKind.TIMEOUT_CONNECT


async def test_a_name_without_an_address() -> None:
    async def lookup(host: str, port: int) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    transport = Transport(resolver=Resolver(lookup))  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        await nursery.start(transport.run)
        client = transport.client()
        origin = Origin("http", "no.such", 80)
        found = await client.send(origin, b"GET / HTTP/1.1\r\n\r\n", None, RequestOptions(Want.NOTHING, 5.0))
        nursery.cancel_scope.cancel()
    assert found.error is ErrorKind.DNS
    assert "not known" in found.detail


@pytest.mark.slow
async def test_a_resolver_that_stalls() -> None:
    async def lookup(host: str, port: int) -> list[object]:
        await trio.sleep_forever()
        raise AssertionError

    transport = Transport(resolver=Resolver(lookup))  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        await nursery.start(transport.run)
        origin = Origin("http", "slow.test", 80)
        found = await transport.client().send(
            origin, b"GET / HTTP/1.1\r\n\r\n", None, RequestOptions(Want.NOTHING, 0.1)
        )
        nursery.cancel_scope.cancel()
    assert found.error is ErrorKind.DNS
    assert "in time" in found.detail


async def test_no_more_files_may_be_opened(transport: Transport) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as probe:
        lowest = probe.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        origin = Origin("http", "127.0.0.1", 9)
        found = await transport.client().send(
            origin, b"GET / HTTP/1.1\r\n\r\n", None, RequestOptions(Want.NOTHING, 5.0)
        )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert found.error is ErrorKind.UNREACHABLE
    assert "ulimit -n" in found.detail


async def test_a_port_that_is_none(transport: Transport) -> None:
    origin = Origin("http", "127.0.0.1", 70_000)
    found = await transport.client().send(origin, b"GET / HTTP/1.1\r\n\r\n", None, RequestOptions(Want.NOTHING, 5.0))
    assert found.error is ErrorKind.URL


async def test_no_local_port_is_left() -> None:
    from vezaflow.protocols.faults import fault_of_code

    kind, detail = fault_of_code(errno.EADDRNOTAVAIL)
    assert kind is ErrorKind.UNREACHABLE
    assert "local port" in detail


# -- kept-alive connections that die ---------------------------------------------------------------------------


@BOTH
async def test_an_idle_connection_that_the_server_closed_is_replaced(epoll: bool) -> None:
    async def once(stream: Stream) -> None:
        await read_head(stream)
        await stream.send_all(OK)

    async with world(once, epoll=epoll) as w:
        client = w.client()
        for _ in range(3):
            found = await client.send(
                w.origin, w.get(method="POST"), None, RequestOptions(Want.NOTHING, 5.0, replayable=False)
            )
            assert (found.error, found.reused) == (None, False)
            await trio.testing.wait_all_tasks_blocked()
            await trio.sleep(0.01)  # the FIN's way through the kernel
        assert len(w.peers) == 3


@BOTH
@pytest.mark.parametrize("rude", [True, False])
async def test_a_request_that_raced_a_close_goes_out_again_if_it_may(rude: bool, epoll: bool) -> None:
    async def answers_once_then_hangs_up_on_the_next(stream: Stream) -> None:
        await read_head(stream)
        await stream.send_all(OK)
        await read_head(stream)
        if rude:
            reset(stream)  # type: ignore[arg-type]

    async with world(answers_once_then_hangs_up_on_the_next, epoll=epoll) as w:
        client = w.client()
        assert (await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))).error is None
        again = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert (again.error, again.status, again.reused) == (None, 200, False)
        lost = await client.send(
            w.origin, w.get(method="POST"), None, RequestOptions(Want.NOTHING, 5.0, replayable=False)
        )
        assert lost.error is (ErrorKind.RESET if rude else ErrorKind.CLOSED_EARLY)
        assert len(w.peers) == 2


async def test_a_failure_is_not_tried_twice() -> None:
    async def script(stream: Stream) -> None:
        await read_head(stream)

    async with world(script) as w:
        found = await w.client().send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert found.error is ErrorKind.CLOSED_EARLY
        assert len(w.peers) == 1


@BOTH
async def test_unsolicited_bytes_on_an_idle_connection_cost_it_its_life(epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        await read_head(stream)
        await stream.send_all(OK)
        await trio.lowlevel.checkpoint()
        await stream.send_all(OK)
        await read_head(stream)

    async with world(script, epoll=epoll) as w:
        client = w.client()
        await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(0.01)
        found = await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert (found.error, found.reused) == (None, False)


# -- the client's own end ---------------------------------------------------------------------------------------


@BOTH
async def test_a_cancelled_request_closes_its_connection_and_no_other(epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        head = await read_head(stream)
        if b"/slow" in head:
            await trio.sleep_forever()
        await stream.send_all(OK)
        await always_ok(stream)

    async with world(script, epoll=epoll) as w:
        patient, cancelled = w.client(), w.client()
        await patient.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancelled.send, w.origin, w.get("/slow"), None, RequestOptions(Want.NOTHING, 5.0))
            await trio.sleep(0.02)
            nursery.cancel_scope.cancel()
        assert len(w.transport.reactor.connections) == 1
        found = await patient.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert (found.error, found.reused) == (None, True)
        again = await cancelled.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        assert (again.error, again.reused) == (None, False)


async def test_cancelled_while_connecting_leaves_nothing_behind(transport: Transport) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            origin = Origin("http", "127.0.0.1", port)
            with trio.move_on_after(0.02) as scope:
                await transport.client().send(
                    origin, b"GET / HTTP/1.1\r\n\r\n", None, RequestOptions(Want.NOTHING, 5.0)
                )
    assert scope.cancelled_caught
    assert transport.reactor.connections == {}


@BOTH
async def test_the_transports_end_interrupts_who_still_waits(epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        await trio.sleep_forever()

    found = []
    async with trio.open_nursery() as outer, world(script, epoll=epoll) as w:

        async def send() -> None:
            found.append(await w.client().send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0)))

        outer.start_soon(send)
        await trio.sleep(0.02)
    assert [exchange.error for exchange in found] == [ErrorKind.INTERRUPTED]


async def test_closing_a_client_closes_its_connections() -> None:
    async with world(always_ok) as w:
        client = w.client()
        await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
        client.close()
        assert w.transport.reactor.connections == {}
        assert (await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))).reused is False


@BOTH
async def test_a_server_that_closes_what_it_accepts_is_never_an_exchange_without_an_outcome(epoll: bool) -> None:
    async def script(stream: Stream) -> None:
        reset(stream)  # type: ignore[arg-type]

    async with world(script, epoll=epoll) as w:
        for _ in range(50):
            found = await w.client().send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))
            assert found.error in (ErrorKind.RESET, ErrorKind.CLOSED_EARLY)
            assert found.detail
