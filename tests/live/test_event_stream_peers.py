"""Event streams of the standard library's server: over TLS, and while the event loop is busy."""

import hashlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import trio
import trustme
from served import QuietHandler, served

from vezaflow.protocols import Client, ClientOptions, EventMessage, EventStream, EventStreamOptions, Origin, Transport

pytestmark = [pytest.mark.trio, pytest.mark.slow]
TLS = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
Say = Callable[[bytes], None]


@contextmanager
def serving(tell: Callable[[Say], None], *, tls: bool) -> Iterator[Origin]:
    """A server that tells this to everyone, until the connection ends."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.end_headers()

            def say(data: bytes) -> None:
                self.wfile.write(data)
                self.wfile.flush()

            tell(say)

    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with served(Handler, context) as port:
        yield Origin("https" if tls else "http", "127.0.0.1", port)


@asynccontextmanager
async def client() -> AsyncIterator[Client]:
    async with trio.open_nursery() as nursery:
        transport = Transport()
        await nursery.start(transport.run)
        yield transport.client(ClientOptions(insecure=True))
        nursery.cancel_scope.cancel()


async def opened(client: Client, origin: Origin) -> EventStream:
    head = f"GET /events HTTP/1.1\r\nHost: {origin.authority}\r\n\r\n".encode()
    found = await client.open_events(origin, head, EventStreamOptions(5.0))
    assert found.channel is not None, found.exchange.detail
    return found.channel


@TLS
async def test_an_event_is_as_old_as_the_kernel_says_when_the_loop_is_busy(tls: bool) -> None:
    said: list[float] = []

    def tell(say: Say) -> None:
        say(b": hello\n\n")
        time.sleep(0.03)
        said.append(time.perf_counter())
        say(b"data: now\n\n")

    late = []
    with serving(tell, tls=tls) as origin:
        async with client() as one:
            for _ in range(5):
                stream = await opened(one, origin)
                begun = time.perf_counter()
                while time.perf_counter() - begun < 0.1:
                    hashlib.pbkdf2_hmac("sha256", b"busy", b"loop", 20_000)  # lets the server's thread run
                found = await stream.receive(one.clock() + 5)
                assert isinstance(found, EventMessage)
                assert said[-1] < begun + 0.1
                late.append(found.at - said[-1])
                stream.drop()
    assert min(late) >= -0.001
    assert sorted(late)[2] < 0.003  # read when the loop had time, some 60 ms later


@TLS
async def test_a_hundred_thousand_events_arrive_in_order(tls: bool) -> None:
    count = 100_000

    def tell(say: Say) -> None:
        for first in range(0, count, 1000):
            say(b"".join(b"id: %d\ndata: %d\n\n" % (number, number) for number in range(first, first + 1000)))

    seen: list[str] = []
    with serving(tell, tls=tls) as origin:
        async with client() as one:
            head = f"GET / HTTP/1.1\r\nHost: {origin.authority}\r\n\r\n".encode()

            def takes(_channel: object, message: object) -> bool:
                assert isinstance(message, EventMessage)
                seen.append(message.id)
                return True

            found = await one.open_events(origin, head, EventStreamOptions(5.0), on_message=takes)
            assert found.channel is not None
            with trio.fail_after(30):
                ending = await found.channel.ended_by(float("inf"))
    assert ending is not None
    assert seen == [str(number) for number in range(count)]
