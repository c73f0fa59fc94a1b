"""Times on real sockets while our own loop is late: what the server did is what is reported.

The server is threads of its own and notes when it read a request and between which two moments it answered, on the
clock that the client is stamped with. It holds the truth; tests never trust how long a sleep took.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import trio
import trustme

from vezaflow.protocols import Client, ClientOptions, Exchange, Origin, RequestOptions, Transport, Want

pytestmark = pytest.mark.trio

DELAY = 0.005
HELD = 0.05  # for so long our loop does nothing
SLACK = 0.01  # between the server's system call and the stamp, on a busy machine


@dataclass
class Truth:
    """What the server did, request by request, in the order of its threads' ends."""

    origin: Origin
    read: dict[bytes, float] = field(default_factory=dict)
    answering: dict[bytes, float] = field(default_factory=dict)
    answered: dict[bytes, float] = field(default_factory=dict)


@contextmanager
def server(body: bytes, tls: ssl.SSLContext | None) -> Iterator[Truth]:
    """Answers each request `DELAY` after it came."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    truth = Truth(Origin("https" if tls else "http", "127.0.0.1", listener.getsockname()[1]))
    said = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def serve(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with tls.wrap_socket(sock, server_side=True) if tls else sock as peer:
            while head := peer.recv(65536):
                truth.read[head] = time.perf_counter()
                time.sleep(DELAY)
                truth.answering[head] = time.perf_counter()
                peer.sendall(said)
                truth.answered[head] = time.perf_counter()

    def accept() -> None:
        try:
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        except OSError:
            return

    threading.Thread(target=accept, daemon=True).start()
    with listener:
        yield truth
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def get(name: str) -> bytes:
    return f"GET /{name} HTTP/1.1\r\nHost: sut.test\r\n\r\n".encode()


def check(truth: Truth, head: bytes, exchange: Exchange) -> None:
    assert exchange.error is None, exchange.detail
    assert exchange.started <= exchange.sent <= exchange.first <= exchange.ended
    assert exchange.started <= truth.read[head]
    assert truth.answering[head] <= exchange.first <= truth.answered[head] + SLACK
    assert truth.answering[head] <= exchange.ended <= truth.answered[head] + SLACK


def hold(transport: Transport, truth: Truth, head: bytes) -> None:
    """Keep the loop from its work until an answer has lain there for `HELD`: for no reason of the server's."""
    if transport.receiving().clock != "kernel":
        pytest.skip("this kernel stamps nothing")
    given_up = time.perf_counter() + 3.0
    while head not in truth.answered and time.perf_counter() < given_up:
        time.sleep(DELAY)
    time.sleep(HELD)


@pytest.mark.parametrize("size", [2, 50_000], ids=["small", "several reads"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
async def test_a_late_loop_is_not_the_servers_delay(secure: bool, size: int, tls: ssl.SSLContext) -> None:
    transport = Transport()
    with server(bytes(size), tls if secure else None) as truth:
        async with trio.open_nursery() as nursery:
            await nursery.start(transport.run)
            client = transport.client(ClientOptions(insecure=True))
            await client.send(truth.origin, get("first"), None, RequestOptions(Want.NOTHING, 5.0))
            for number in range(3):
                head = get(str(number))
                found: list[Exchange] = []

                async def send(head: bytes = head, found: list[Exchange] = found) -> None:
                    found.append(await client.send(truth.origin, head, None, RequestOptions(Want.NOTHING, 5.0)))

                async with trio.open_nursery() as sending:
                    sending.start_soon(send)
                    await trio.lowlevel.checkpoint()
                    while head not in truth.read:
                        await trio.lowlevel.checkpoint()
                    hold(transport, truth, head)
                check(truth, head, found[0])
            receiving = transport.receiving()
            nursery.cancel_scope.cancel()
    assert receiving.late >= 3
    assert HELD / 2 < receiving.latest < 1.0
    assert receiving.unstamped == 0


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
async def test_a_crowd_that_starts_in_one_instant_shows_nothing_of_our_own(secure: bool, tls: ssl.SSLContext) -> None:
    """Every user costs the loop 2 ms before its first request, as a crowd of users does that all begin at once."""
    transport = Transport()
    crowd = 30
    found: dict[bytes, Exchange] = {}
    with server(b"ok", tls if secure else None) as truth:
        async with trio.open_nursery() as nursery:
            await nursery.start(transport.run)

            async def user(client: Client, head: bytes) -> None:
                time.sleep(0.002)  # noqa: ASYNC251 (that is the point)
                exchange = await client.send(truth.origin, head, None, RequestOptions(Want.NOTHING, 10.0))
                time.sleep(0.002)  # noqa: ASYNC251
                found[head] = exchange

            async with trio.open_nursery() as users:
                for number in range(crowd):
                    users.start_soon(user, transport.client(ClientOptions(insecure=True)), get(str(number)))
            clock = transport.receiving().clock
            nursery.cancel_scope.cancel()
    if clock != "kernel":
        pytest.skip("this kernel stamps nothing")
    assert len(found) == crowd
    for head, exchange in found.items():
        check(truth, head, exchange)


class HoldsOnce(trio.abc.Instrument):
    """Holds the loop between a connection's start and the loop's next look at its sockets."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.held = False

    def before_io_wait(self, timeout: float) -> None:
        if self.transport.reactor.connections and not self.held:
            self.held = True
            time.sleep(HELD)


async def test_a_late_loop_is_not_the_networks_delay() -> None:
    transport = Transport()
    with server(b"ok", None) as truth:
        async with trio.open_nursery() as nursery:
            await nursery.start(transport.run)
            if transport.receiving().clock != "kernel":
                pytest.skip("this kernel stamps nothing")
            instrument = HoldsOnce(transport)
            trio.lowlevel.add_instrument(instrument)
            found = await transport.client().send(truth.origin, get("first"), None, RequestOptions(Want.NOTHING, 5.0))
            trio.lowlevel.remove_instrument(instrument)
            nursery.cancel_scope.cancel()
    assert instrument.held
    assert 0 < found.connecting < HELD / 2
    check(truth, get("first"), found)
