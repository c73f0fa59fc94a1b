"""WebSockets with servers that nobody here wrote: `websockets`' asyncio server, plainly, over TLS, through proxies."""

import asyncio
import hashlib
import ssl
import time
from pathlib import Path

import pytest
import trio
import trio.testing
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_server import Stream, world
from tiny_proxy import tiny_proxy
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response
from ws_peer import get, opened, soon, ws_client, ws_server
from ws_script import BINARY, CLOSE, CONT, PING, PONG, TEXT, Heard, accept, close, frame

from vezaflow.protocols import ChannelMessage, ClientOptions, Ending, ErrorKind, Proxy, Voice, WebSocketOptions
from vezaflow.protocols.websocket import WebSocketChannel

BOTH = pytest.mark.parametrize("epoll", [True, False], ids=["epoll", "poll"])
SIZES = [0, 1, 124, 125, 126, 127, 65535, 65536, 65537]


class Papers:
    def __init__(self, folder: Path) -> None:
        ca = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        ca.cert_pem.write_to_path(self.ca_file)
        self.server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.server.set_alpn_protocols(["h2", "http/1.1"])
        ca.issue_cert("127.0.0.1").configure_cert(self.server)
        self.client = ClientOptions(ca_file=self.ca_file)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


@BOTH
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("compress", [False, True], ids=["raw", "deflate"])
@pytest.mark.trio
async def test_messages_come_back_whole_and_in_order(papers: Papers, epoll: bool, tls: bool, compress: bool) -> None:
    options = papers.client if tls else ClientOptions()
    with ws_server(tls=papers.server if tls else None, compression="deflate" if compress else None) as origin:
        async with ws_client(options, epoll=epoll) as client:
            channel = await opened(client, origin, compress=compress)
            messages: list[str | bytes] = [b"\xff" * size for size in SIZES] + ["é" * size for size in SIZES]
            for message in messages:
                outgoing = await channel.send(message, soon(client))
                assert outgoing.error is None, outgoing.detail
            for message in messages:
                found = await channel.receive(soon(client))
                assert isinstance(found, ChannelMessage)
                assert found.data == message
            assert await channel.ping(soon(client)) is not None
            ending = await channel.close(3999, "done")
            assert (ending.code, ending.reason, ending.by_server, ending.error) == (3999, "done", False, None)


@pytest.mark.slow
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.trio
async def test_sixteen_mebibytes_come_back(papers: Papers, tls: bool) -> None:
    whole = bytes(range(256)) * (16 << 12)
    with ws_server(tls=papers.server if tls else None) as origin:
        async with ws_client(papers.client if tls else ClientOptions()) as client:
            channel = await opened(client, origin)
            outgoing = await channel.send(whole, soon(client, 20))
            assert (outgoing.error, outgoing.size) == (None, len(whole))
            found = await channel.receive(soon(client, 20))
            assert isinstance(found, ChannelMessage)
            assert found.data == whole


@pytest.mark.trio
async def test_the_request_says_what_was_asked_for_and_cookies_go_both_ways() -> None:
    seen: list[Request] = []

    def note(_peer: ServerConnection, request: Request) -> None:
        seen.append(request)

    def set_cookie(_peer: ServerConnection, _request: Request, response: Response) -> None:
        response.headers["Set-Cookie"] = "b=2"

    with ws_server(process_request=note, process_response=set_cookie, subprotocols=["chat.v2"]) as origin:
        async with ws_client() as client:
            client.cookies.take(origin, "/", "a=1")
            head = get(origin, "/ws?room=1", "Origin: https://veza.test\r\nAuthorization: Bearer t\r\n")
            found = await client.open_websocket(origin, head, WebSocketOptions(5.0, ("chat.v1", "chat.v2")))
            assert found.channel is not None, found.exchange.detail
            assert found.channel.subprotocol == "chat.v2"
            exchange = found.exchange
            assert (exchange.error, exchange.status) == (None, 101)
            assert exchange.begun < exchange.started <= exchange.sent <= exchange.first <= exchange.ended
            assert client.cookies.get("b") == "2"
    request = seen[0]
    assert request.path == "/ws?room=1"
    assert {name: request.headers[name] for name in ("Origin", "Authorization", "Cookie", "Host")} == {
        "Origin": "https://veza.test", "Authorization": "Bearer t", "Cookie": "a=1", "Host": origin.authority,
    }  # fmt: skip


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 1013, 1014, 3000, 4999])
@pytest.mark.trio
async def test_a_servers_close_keeps_its_code_and_reason(code: int) -> None:
    async def leave(peer: ServerConnection) -> None:
        await peer.send("last words")
        await peer.close(code, "why not")

    with ws_server(leave) as origin:
        async with ws_client() as client:
            channel = await opened(client, origin)
            assert isinstance(await channel.receive(soon(client)), ChannelMessage)
            ending = await channel.receive(soon(client))
            assert isinstance(ending, Ending)
            assert (ending.code, ending.reason, ending.by_server, ending.error) == (code, "why not", True, None)
            refused = await channel.send("x", soon(client))
            assert refused.error is ErrorKind.CLOSED_EARLY


@pytest.mark.trio
async def test_messages_are_taken_as_they_arrive_and_answered_from_there() -> None:
    async def ask(peer: ServerConnection) -> None:
        await peer.send("ping")
        await peer.send("news")
        assert await peer.recv() == "pong"
        await peer.send("thanks")

    with ws_server(ask) as origin:
        async with ws_client() as client:
            taken: list[ChannelMessage] = []

            def answer(channel: Voice, message: ChannelMessage) -> bool:
                if message.data != "ping":
                    return False
                taken.append(message)
                assert channel.post("pong").sent > 0
                return True

            channel = await opened(client, origin, on_message=answer)
            came = [await channel.receive(soon(client)) for _ in range(2)]
            assert [each.data for each in came if isinstance(each, ChannelMessage)] == ["news", "thanks"]
            assert len(taken) == 1


@pytest.mark.trio
async def test_frames_can_be_looked_at_both_ways() -> None:
    seen: list[tuple[bool, int, bytes]] = []
    with ws_server() as origin:
        async with ws_client() as client:
            channel = await opened(client, origin, on_frame=lambda *frame: seen.append(frame[:3]))
            await channel.send("a", soon(client))
            await channel.receive(soon(client))
            await channel.close(4000, "b")
    code = b"\x0f\xa0b"
    assert seen == [(True, TEXT, b"a"), (False, TEXT, b"a"), (True, CLOSE, code), (False, CLOSE, code)]


@pytest.mark.trio
async def test_a_client_that_closes_takes_its_channels_along() -> None:
    codes: list[int | None] = []

    async def wait(peer: ServerConnection) -> None:
        await peer.wait_closed()
        codes.append(peer.close_code)

    with ws_server(wait) as origin:
        async with ws_client() as client:
            channel = await opened(client, origin)
            client.close()
            ending = await channel.receive(soon(client))
            assert isinstance(ending, Ending)
            assert ending.error is ErrorKind.INTERRUPTED
    assert codes == [1001]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.trio
async def test_through_a_proxys_tunnel(papers: Papers, tls: bool) -> None:
    with ws_server(tls=papers.server if tls else None) as origin:
        async with tiny_proxy() as proxy:
            options = ClientOptions(ca_file=papers.ca_file, proxy=proxy.address)
            async with ws_client(options) as client:
                channel = await opened(client, origin)
                await channel.send("through", soon(client))
                found = await channel.receive(soon(client))
                assert isinstance(found, ChannelMessage)
                assert found.data == "through"
                channel.drop()
            assert proxy.heads[0].startswith(b"CONNECT 127.0.0.1:")


@pytest.mark.parametrize(
    ("reply", "detail"),
    [(b"HTTP/1.1 502 Bad\r\n\r\n", "refused the tunnel: 502"), (b"", "instead of opening a tunnel")],
)
@pytest.mark.trio
async def test_a_proxy_that_opens_no_tunnel_says_why(reply: bytes, detail: str) -> None:
    with ws_server() as origin:
        async with tiny_proxy(reply=reply) as proxy, ws_client(ClientOptions(proxy=proxy.address)) as client:
            found = await client.open_websocket(origin, get(origin), WebSocketOptions(5.0))
            assert found.exchange.error is ErrorKind.PROXY
            assert detail in found.exchange.detail


@pytest.mark.trio
async def test_nobody_there_and_no_trust_are_what_they_are_for_requests(papers: Papers) -> None:
    with ws_server(tls=papers.server) as origin:
        async with ws_client() as client:
            found = await client.open_websocket(origin, get(origin), WebSocketOptions(5.0))
            assert (found.channel, found.exchange.error) == (None, ErrorKind.TLS)
    async with ws_client(ClientOptions(proxy=Proxy("127.0.0.1", 1))) as client:
        found = await client.open_websocket(origin, get(origin), WebSocketOptions(5.0))
        assert (found.channel, found.exchange.error) == (None, ErrorKind.REFUSED)


@pytest.mark.slow
@pytest.mark.trio
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_a_message_is_as_old_as_the_kernel_says_when_the_loop_is_busy(papers: Papers, tls: bool) -> None:
    said: list[float] = []

    async def answer(peer: ServerConnection) -> None:
        await peer.recv()
        await asyncio.sleep(0.03)
        said.append(time.perf_counter())
        await peer.send("now")
        await peer.wait_closed()

    late = []
    with ws_server(answer, tls=papers.server if tls else None) as origin:
        async with ws_client(papers.client if tls else ClientOptions()) as client:
            for _ in range(5):
                channel = await opened(client, origin)
                channel.post("go")
                begun = time.perf_counter()
                while time.perf_counter() - begun < 0.1:
                    hashlib.pbkdf2_hmac("sha256", b"busy", b"loop", 20_000)  # lets the server's thread run
                found = await channel.receive(soon(client))
                assert isinstance(found, ChannelMessage)
                assert said[-1] < begun + 0.1
                late.append(found.at - said[-1])
                channel.drop()
    assert min(late) >= -0.001
    assert sorted(late)[2] < 0.003  # read when the loop had time, some 60 ms later


CUTS = st.lists(st.integers(1, 70_000), max_size=12)
KINDS = st.sampled_from([TEXT, BINARY])
BODIES = st.lists(st.tuples(KINDS, st.sampled_from(SIZES), st.integers(1, 4)), min_size=1, max_size=5)


def framed(kind: int, body: bytes, pieces: int) -> bytes:
    """A message in so many fragments, a ping before each but the first."""
    step = len(body) // pieces + 1
    parts = [body[at : at + step] for at in range(0, len(body), step)] or [b""]
    frames = b""
    for number, part in enumerate(parts):
        frames += frame(PING, b"p") if number else b""
        frames += frame(CONT if number else kind, part, fin=number == len(parts) - 1)
    return frames


@given(BODIES, CUTS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_messages_arrive_whole_however_they_are_cut(bodies: list[tuple[int, int, int]], cuts: list[int]) -> None:
    messages = [(kind, (b"%d" % number * size)[:size], pieces) for number, (kind, size, pieces) in enumerate(bodies)]
    data = b"".join(framed(*message) for message in messages) + close(1000)

    async def script(stream: Stream) -> None:
        heard = Heard()
        await stream.send_all(accept(await _head(stream)))
        at = 0
        for cut in [*cuts, len(data)]:
            await stream.send_all(data[at : at + cut])
            await trio.lowlevel.checkpoint()
            at += cut
        await heard.until(stream, CLOSE)
        pings.append(sum(kind == PONG for kind, _ in heard.frames))

    pings: list[int] = []

    async def run() -> list[str | bytes]:
        async with world(script) as w:
            found = await w.client().open_websocket(w.origin, get(w.origin), WebSocketOptions(5.0))
            assert isinstance(found.channel, WebSocketChannel)
            came: list[str | bytes] = []
            with trio.fail_after(10):
                while isinstance(each := await found.channel.receive(float("inf")), ChannelMessage):
                    came.append(each.data)
                await found.channel.gone()
            return came

    came = trio.run(run)
    assert came == [body.decode() if kind == TEXT else body for kind, body, _ in messages]
    assert pings == [data.count(frame(PING, b"p"))]


async def _head(stream: Stream) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += await stream.receive_some(65536)
    return data


@pytest.mark.trio
async def test_a_message_that_comes_while_a_wait_is_being_cancelled_is_kept() -> None:
    with ws_server() as origin:
        async with ws_client() as client:
            channel = await opened(client, origin)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(channel.receive, soon(client))
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
                channel.arrived(ChannelMessage("late", client.clock(), 4))  # before the cancelled task runs
            found = await channel.receive(soon(client))
            assert isinstance(found, ChannelMessage)
            assert found.data == "late"
