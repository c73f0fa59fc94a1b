"""The table of vezaflow/protocols/phases.py, row by row: a connection in a phase, an event, the phase after it."""

import socket
import ssl
import struct
import time
from collections.abc import Callable

import pytest
import trustme

from vezaflow.protocols import ErrorKind, Exchange, RequestOptions, Want
from vezaflow.protocols.connection import Connection
from vezaflow.protocols.phases import (
    CLOSED,
    CONNECTING,
    HANDSHAKE,
    IDLE,
    SENDING,
    TIMEOUTS,
    TOO_LATE,
    TUNNEL,
    WAITING,
)
from vezaflow.protocols.reactor import WRITE, EpollReactor
from vezaflow.protocols.scratch import Scratch
from vezaflow.protocols.tls import SecureConnection

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
OPEN = b"HTTP/1.1 200 OK\r\n\r\nok"
LARGE = bytes(8 << 20)  # more than a socket pair holds


class Pair:
    """A connection, its peer, and the exchange on it."""

    def __init__(self, kind: Callable[[socket.socket, EpollReactor, Scratch], Connection]) -> None:
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        self.reactor = EpollReactor(time.perf_counter)
        self.connection = kind(ours, self.reactor, Scratch(1000))
        self.reactor.watch(self.connection)
        self.exchange = Exchange()

    def enter(self, phase: int) -> "Pair":
        """Come to a phase, with an exchange where there is one."""
        connection = self.connection
        connection.phase = IDLE if phase in (SENDING, WAITING) else phase
        if phase in (SENDING, WAITING):
            self.start(LARGE if phase == SENDING else None)
        elif phase != IDLE:
            connection.exchange = self.exchange
        assert connection.phase == phase
        return self

    def start(self, body: bytes | None = None) -> None:
        head = b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"
        self.connection.start(self.exchange, head, body, RequestOptions(Want.NOTHING, 5.0))

    def close(self) -> None:
        self.connection.close()
        self.theirs.close()
        self.reactor.close()


Event = Callable[[Pair], object]


def says(data: bytes) -> Event:
    def event(pair: Pair) -> None:
        pair.theirs.sendall(data)
        pair.reactor.drain()

    return event


def ends(pair: Pair) -> None:
    pair.theirs.shutdown(socket.SHUT_WR)
    pair.reactor.drain()


def after(*events: Event) -> Event:
    def event(pair: Pair) -> None:
        for each in events:
            each(pair)

    return event


def takes_the_rest(pair: Pair) -> None:
    pair.theirs.setblocking(False)
    while pair.connection.phase == SENDING:
        pair.theirs.recv(1 << 20)
        pair.connection.ready(WRITE, pair.reactor.clock())


def resets(pair: Pair) -> None:
    pair.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    pair.theirs.close()
    pair.connection.flush()


def is_refused(pair: Pair) -> None:
    """The socket has an error when it becomes writable."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ours = socket.socket()
        ours.setblocking(False)
        ours.connect_ex(closed.getsockname())
    pair.connection.socket.close()
    pair.connection.socket = ours
    pair.connection.ready(WRITE, pair.reactor.clock())


def expires(pair: Pair) -> None:
    pair.connection.expire()


def is_writable(pair: Pair) -> None:
    pair.connection.ready(WRITE, pair.reactor.clock())


PLAIN: dict[str, tuple[int, Event, int, ErrorKind | None]] = {
    "connecting ends": (CONNECTING, is_writable, IDLE, None),
    "connecting fails": (CONNECTING, is_refused, CLOSED, ErrorKind.REFUSED),
    "connecting takes too long": (CONNECTING, expires, CLOSED, ErrorKind.TIMEOUT_CONNECT),
    "all of a request is taken": (IDLE, Pair.start, WAITING, None),
    "a part of a request is taken": (IDLE, lambda pair: pair.start(LARGE), SENDING, None),
    "bytes without a request": (IDLE, says(b"HTTP"), CLOSED, None),
    "the end without a request": (IDLE, ends, CLOSED, None),
    "the rest is taken": (SENDING, takes_the_rest, WAITING, None),
    "nothing more is taken": (SENDING, resets, CLOSED, ErrorKind.RESET),
    "a response before all is sent": (SENDING, says(SIZED), CLOSED, None),
    "sending takes too long": (SENDING, expires, CLOSED, ErrorKind.TIMEOUT_SEND),
    "a response begins": (WAITING, says(SIZED[:-1]), WAITING, None),
    "a response ends": (WAITING, says(SIZED), IDLE, None),
    "a response ends in two pieces": (WAITING, after(says(SIZED[:-1]), says(SIZED[-1:])), IDLE, None),
    "a response ends its connection": (WAITING, says(CLOSING), CLOSED, None),
    "the end completes a response": (WAITING, after(says(OPEN), ends), CLOSED, None),
    "the end instead of a response": (WAITING, ends, CLOSED, ErrorKind.CLOSED_EARLY),
    "the end within a response": (WAITING, after(says(SIZED[:-1]), ends), CLOSED, ErrorKind.CLOSED_EARLY),
    "no response in time": (WAITING, expires, CLOSED, ErrorKind.TIMEOUT_WAIT),
    "half a response in time": (WAITING, after(says(SIZED[:-1]), expires), CLOSED, ErrorKind.TIMEOUT_RECEIVE),
    "the transport is closed": (WAITING, lambda pair: pair.reactor.close(), CLOSED, ErrorKind.INTERRUPTED),
}


@pytest.mark.parametrize(("phase", "event", "expected", "error"), PLAIN.values(), ids=PLAIN)
def test_a_plain_connection(phase: int, event: Event, expected: int, error: ErrorKind | None) -> None:
    goes(Pair(Connection), phase, event, expected, error)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Pair:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return Pair(lambda sock, reactor, scratch: SecureConnection(sock, reactor, scratch, context, "a.test", None))


SECURE: dict[str, tuple[int, Event, int, ErrorKind | None]] = {
    "connecting ends": (CONNECTING, is_writable, HANDSHAKE, None),
    "a proxy opens the tunnel": (TUNNEL, says(b"HTTP/1.1 200 OK\r\n\r\n"), HANDSHAKE, None),
    "a proxy refuses the tunnel": (TUNNEL, says(b"HTTP/1.1 403 No\r\n\r\n"), CLOSED, ErrorKind.PROXY),
    "the end instead of a tunnel": (TUNNEL, ends, CLOSED, ErrorKind.PROXY),
    "the tunnel takes too long": (TUNNEL, expires, CLOSED, ErrorKind.TIMEOUT_CONNECT),
    "no TLS": (HANDSHAKE, says(SIZED), CLOSED, ErrorKind.TLS),
    "the end within the handshake": (HANDSHAKE, ends, CLOSED, ErrorKind.TLS),
    "the handshake takes too long": (HANDSHAKE, expires, CLOSED, ErrorKind.TIMEOUT_TLS),
}


@pytest.mark.parametrize(("phase", "event", "expected", "error"), SECURE.values(), ids=SECURE)
def test_a_secure_connection(secure: Pair, phase: int, event: Event, expected: int, error: ErrorKind | None) -> None:
    goes(secure, phase, event, expected, error)


def test_keys_are_agreed(secure: Pair, authority: trustme.CA) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("a.test").configure_cert(context)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)

    def agrees(pair: Pair) -> None:
        assert isinstance(pair.connection, SecureConnection)
        pair.connection._shake(pair.reactor.clock())
        for _ in range(2):
            incoming.write(pair.theirs.recv(1 << 16))
            try:
                server.do_handshake()
            except ssl.SSLWantReadError:
                says(outgoing.read())(pair)

    goes(secure, HANDSHAKE, agrees, IDLE, None)


def test_every_phase_that_is_waited_for_has_its_own_time_out() -> None:
    assert set(TIMEOUTS) == {CONNECTING, TUNNEL, HANDSHAKE, SENDING, WAITING}
    assert TOO_LATE not in TIMEOUTS.values()


def goes(pair: Pair, phase: int, event: Event, expected: int, error: ErrorKind | None) -> None:
    try:
        event(pair.enter(phase))
        assert (pair.connection.phase, pair.exchange.error) == (expected, error)
        on_its_way = expected in (SENDING, WAITING)
        assert (pair.connection.exchange is not None) == on_its_way, "the exchange is left when it is over"
    finally:
        pair.close()
