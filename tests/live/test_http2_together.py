"""Several requests of one VU at once over HTTP/2: streams of one connection, each with its own fate."""

from collections import Counter
from dataclasses import replace

import pytest
import trio
import trio.testing
from h2.errors import ErrorCodes
from h2.events import StreamReset
from h2_peer import Papers, Peer, crowd, goaway, send_all, settled
from scripted_server import Stream, world

from vezaflow.protocols import ErrorKind, RequestOptions, Want

pytestmark = pytest.mark.trio


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


PATHS = [f"/{number}" for number in range(5)]


async def test_requests_share_one_connection_and_answers_come_in_any_order(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        for count in (5, 5):
            for request in reversed(await crowd(peer, count)):
                await peer.respond(request, request.path.encode() * 1000)
        await peer.request()

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        for reused in (False, True):
            found = await send_all(client.beside(), w, PATHS)
            assert {path: (o.error, o.body) for path, o in found.items()} == {
                path: (None, path.encode() * 1000) for path in PATHS
            }
            assert all(o.received >= 2000 for o in found.values())
            assert [o.reused for o in found.values()].count(False) == (0 if reused else 1), "one of them connected"
        assert len(w.peers) == 1
        client.close()
        assert w.transport.reactor.connections == {}


async def test_the_connection_of_what_went_before_is_the_one(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        while request := await peer.request():
            await peer.respond(request)

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        for _ in range(2):
            assert (await client.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))).error is None
            assert {o.error for o in (await send_all(client.beside(), w, PATHS)).values()} == {None}
        assert len(w.peers) == 1


@pytest.mark.parametrize("window", [1000, 65_535])
async def test_bodies_share_the_servers_windows(papers: Papers, window: int) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream, window=window)
        while request := await peer.request():
            await peer.respond(request, str(len(request.body)).encode())

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        await settled(w, client)
        found = await send_all(client.beside(), w, PATHS, method="POST", body=b"x" * 100_000)
        assert {(o.error, o.body) for o in found.values()} == {(None, b"100000")}, [o.detail for o in found.values()]
        assert all(o.sent >= 100_000 for o in found.values())
        assert len(w.peers) == 1


async def test_a_stream_that_is_reset_leaves_the_others_alone(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        for request in await crowd(peer, 5):
            if request.path == "/2":
                peer.wire.reset_stream(request.stream, ErrorCodes.INTERNAL_ERROR)
            else:
                await peer.respond(request)
        await peer.request()

    async with world(script, tls=papers.server()) as w:
        found = await send_all(w.client(papers.options).beside(), w, PATHS)
        assert {path: o.error for path, o in found.items()} == {
            path: ErrorKind.RESET if path == "/2" else None for path in PATHS
        }


async def test_one_that_comes_too_late_is_called_off_and_the_others_go_on(papers: Papers) -> None:
    peers: list[Peer] = []

    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        peers.append(peer)
        slow, fast = sorted(await crowd(peer, 2), key=lambda request: request.path)
        while not any(isinstance(event, StreamReset) for event in peer.seen):
            await peer.receive()
        await peer.respond(fast)
        assert slow.path == "/0"
        await peer.request()

    async with world(script, tls=papers.server()) as w:
        lanes = w.client(papers.options).beside()
        found: dict[str, ErrorKind | None] = {}

        async def one(path: str, timeout: float) -> None:
            found[path] = (await lanes.send(w.origin, w.get(path), None, RequestOptions(Want.BODY, timeout))).error

        async with trio.open_nursery() as nursery:
            nursery.start_soon(one, "/0", 0.1)
            nursery.start_soon(one, "/1", 5.0)
        assert found == {"/0": ErrorKind.TIMEOUT_WAIT, "/1": None}
        assert len(w.peers) == 1


async def test_who_is_cut_off_is_called_off_and_the_others_go_on(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        requests = await crowd(peer, 2)
        while not any(isinstance(event, StreamReset) for event in peer.seen):
            await peer.receive()
        (gone,) = [event.stream_id for event in peer.seen if isinstance(event, StreamReset)]
        await peer.respond(next(request for request in requests if request.stream != gone))
        await peer.request()

    async with world(script, tls=papers.server()) as w:
        lanes = w.client(papers.options).beside()
        errors: list[ErrorKind | None] = []

        async def one() -> None:
            errors.append((await lanes.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))).error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(one)
            with trio.move_on_after(0.1) as scope:
                await lanes.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))
            assert scope.cancelled_caught
        assert errors == [None]


async def test_what_a_goaway_left_out_goes_out_again_on_one_new_connection(papers: Papers) -> None:
    asked: Counter[str] = Counter()

    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        if not asked:
            first = await peer.request()
            assert first is not None
            await peer.respond(first)
            requests = await crowd(peer, 5)
            asked.update(request.path for request in requests)
            taken = sorted(requests, key=lambda request: request.stream)[:2]
            await stream.send_all(goaway(taken[-1].stream, ErrorCodes.NO_ERROR))
            for request in taken:
                await peer.respond(request)
            await peer.receive()
            return
        while again := await peer.request():
            asked[again.path] += 1
            await peer.respond(again)

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        await settled(w, client)
        found = await send_all(client.beside(), w, PATHS, method="POST")
        assert {o.error for o in found.values()} == {None}, [o.detail for o in found.values()]
        assert sorted(asked.values()) == [1, 1, 2, 2, 2]
        assert len(w.peers) == 2


async def test_who_opened_the_connection_closes_it_though_it_was_refused_once(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer, seen = Peer(stream), set[str]()
        while request := await peer.request():
            if request.path in seen:
                await peer.respond(request)
            else:
                peer.wire.reset_stream(request.stream, ErrorCodes.REFUSED_STREAM)
                await peer.flush()
            seen.add(request.path)

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        for path in ("/a", "/a", "/b", "/b"):
            await client.send(w.origin, w.get(path), None, RequestOptions(Want.BODY, 5.0))
        assert {o.error for o in (await send_all(client.beside(), w, PATHS)).values()} == {None}
        await client.send(w.origin, w.get("/c"), None, RequestOptions(Want.BODY, 5.0))
        assert len(w.peers) <= 2
        client.close()
        assert w.transport.reactor.connections == {}


async def test_a_connection_that_ends_fails_all_that_are_on_it(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        requests = await crowd(peer, 3)
        peer.wire.send_headers(requests[0].stream, [(b":status", b"200")])
        await peer.flush()
        await peer.receive()

    async with world(script, tls=papers.server()) as w:
        with trio.fail_after(5):
            found = await send_all(w.client(papers.options).beside(), w, PATHS[:3], method="POST")
        assert {o.error for o in found.values()} == {ErrorKind.CLOSED_EARLY}
        assert w.transport.reactor.connections == {}


async def test_no_more_are_on_their_way_than_the_server_takes(papers: Papers) -> None:
    most = 0

    async def script(stream: Stream) -> None:
        nonlocal most
        peer = Peer(stream, streams=2)
        first = await peer.request()
        assert first is not None
        await peer.respond(first)
        for _ in range(4):
            requests = await crowd(peer, 2)
            with trio.move_on_after(0.02):
                await peer.request()
                raise AssertionError("a third")
            most = max(most, peer.wire.open_inbound_streams)
            for request in requests:
                await peer.respond(request)
        await peer.request()

    async with world(script, tls=papers.server()) as w:
        client = w.client(papers.options)
        await settled(w, client)
        await trio.testing.wait_all_tasks_blocked(0.01)
        found = await send_all(client.beside(), w, [f"/{number}" for number in range(8)])
        assert {o.error for o in found.values()} == {None}, [o.detail for o in found.values()]
    assert most == 2


async def test_where_nobody_listens_each_request_fails(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        await stream.aclose()

    async with world(script, tls=papers.server()) as w:
        with trio.fail_after(10):
            found = await send_all(w.client(papers.options).beside(), w, PATHS[:3])
        assert all(o.error is not None for o in found.values())
        assert w.transport.reactor.connections == {}


async def test_one_that_opens_in_vain_does_so_for_all(papers: Papers) -> None:
    async def silent(stream: Stream) -> None:
        await trio.sleep_forever()

    async with world(silent) as w:
        lanes, origin = w.client(papers.options).beside(), replace(w.origin, scheme="https")
        errors: list[ErrorKind | None] = []

        async def one() -> None:
            errors.append((await lanes.send(origin, w.get(), None, RequestOptions(Want.BODY, 0.2))).error)

        with trio.fail_after(0.9):  # not one after another
            async with trio.open_nursery() as nursery:
                for _ in range(5):
                    nursery.start_soon(one)
        assert errors == [ErrorKind.TIMEOUT_TLS] * 5
        assert len(w.peers) == 1


async def test_who_is_cut_off_while_it_opens_leaves_that_to_the_next(papers: Papers) -> None:
    async def script(stream: Stream) -> None:
        peer = Peer(stream)
        while request := await peer.request():
            await peer.respond(request)

    async with world(script, tls=papers.server()) as w:
        lanes = w.client(papers.options).beside()
        errors: list[ErrorKind | None] = []

        async def one(scope: trio.CancelScope) -> None:
            with scope:
                errors.append((await lanes.send(w.origin, w.get(), None, RequestOptions(Want.BODY, 5.0))).error)

        scopes = [trio.CancelScope() for _ in range(3)]
        async with trio.open_nursery() as nursery:
            for scope in scopes:
                nursery.start_soon(one, scope)
                await trio.lowlevel.checkpoint()
            scopes[0].cancel()
        assert errors == [None, None]


async def test_per_client_settings_hold_for_all(papers: Papers) -> None:
    """Without HTTP/2 each has a connection of its own."""
    from scripted_server import always_ok

    async with world(always_ok, tls=papers.server("http/1.1")) as w:
        found = await send_all(w.client(replace(papers.options, http2=False)).beside(), w, PATHS)
        assert {o.error for o in found.values()} == {None}
        assert len(w.peers) == 5
