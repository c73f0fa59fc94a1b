"""`python -m bench.echo PORT HOLD`: a WebSocket server that sends back what it hears, and knows when.

It is written for the bench alone: no library's frames in the way, messages of up to 64 KB, unfragmented. A message is
held for HOLD seconds; how long it really was is the truth that figures of latency are compared with: from the kernel's
receive stamp (over loopback, the moment in which it was sent) to the return of the `send` of its answer. So however
late this server is, that is in the truth. With a HOLD of 0 it has no stamps, and more speed. `GET /stats` says what it
has seen.
"""

import asyncio
import base64
import hashlib
import json
import socket
import struct
import sys
from array import array
from time import time

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CLOSE, _PING, _PONG = 8, 9, 10
_MOST_TIMES = 1 << 20
_STAMPING, _STAMPS = 37, 1 << 3 | 1 << 4  # SO_TIMESTAMPING; what is received, by the kernel's software
_SPACE = socket.CMSG_SPACE(48)
_QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


class Seen:
    """Of all connections."""

    def __init__(self, hold: float) -> None:
        self.hold = hold
        self.open = self.most = self.messages = 0
        self.times = array("d")

    def report(self) -> bytes:
        times = sorted(self.times)
        ranks = {name: times[int(q * (len(times) - 1))] if times else None for name, q in _QUANTILES}
        return json.dumps({"open": self.open, "most": self.most, "messages": self.messages, **ranks}).encode()


class Echo(asyncio.Protocol):
    """One connection."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._held = b""
        self.upgraded = False
        self._transport: asyncio.Transport | Wire

    def connection_made(self, transport: "asyncio.BaseTransport | Wire") -> None:
        assert isinstance(transport, asyncio.Transport | Wire)
        self._transport = transport

    def connection_lost(self, _exc: Exception | None) -> None:
        self._seen.open -= self.upgraded

    def data_received(self, data: bytes) -> None:
        self.received(data, 0.0)

    def received(self, data: bytes, came: float) -> None:
        """Bytes that came at that time."""
        self._held += data
        if not self.upgraded and not self._upgrade():
            return
        answers = []
        while (frame := self._frame()) is not None:
            opcode, payload = frame
            if opcode == _CLOSE:
                self._transport.write(_framed(_CLOSE, payload))
                self._transport.close()
                return
            if opcode == _PING:
                self._transport.write(_framed(_PONG, payload))
            elif opcode != _PONG:
                answers.append(_framed(opcode, payload))
        if not answers:
            return
        if self._seen.hold:
            asyncio.get_running_loop().call_later(self._seen.hold, self._answer, answers, came)
        else:
            self._answer(answers, came)

    def _answer(self, answers: list[bytes], came: float) -> None:
        seen = self._seen
        seen.messages += len(answers)
        self._transport.write(b"".join(answers))
        if came and len(seen.times) < _MOST_TIMES:
            seen.times.extend([time() - came] * len(answers))

    def _upgrade(self) -> bool:
        head, blank, rest = self._held.partition(b"\r\n\r\n")
        if not blank:
            return False
        self._held = rest
        lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
        key = {name.lower(): value.strip() for name, _, value in lines}.get(b"sec-websocket-key")
        if key is None:
            body = self._seen.report()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            self._transport.close()
            return False
        proof = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n"
        )
        self.upgraded = True
        self._seen.open += 1
        self._seen.most = max(self._seen.most, self._seen.open)
        return True

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame: its opcode and what was in it. A client's frames are masked."""
        held = self._held
        if len(held) < 6:
            return None
        size, at = held[1] & 127, 2
        if size == 126:
            size, at = int.from_bytes(held[2:4], "big"), 4
        end = at + 4 + size
        if len(held) < end:
            return None
        mask, masked = held[at : at + 4], held[at + 4 : end]
        whole = (mask * (size // 4 + 1))[:size]
        payload = (int.from_bytes(masked, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")
        self._held = held[end:]
        return held[0] & 15, payload


def _framed(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    head = bytes((0x80 | opcode, size)) if size < 126 else bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
    return head + payload


class Wire:
    """A connection that is read with stamps; what is written to it is short. A read has one stamp, that of its last
    segment: it takes as much as the first message was, and they are all of one size."""

    def __init__(self, sock: socket.socket, echo: Echo) -> None:
        self._sock = sock
        self._echo = echo
        self._bite = 1 << 16
        sock.setblocking(False)
        echo.connection_made(self)
        asyncio.get_running_loop().add_reader(sock, self._readable)

    def _readable(self) -> None:
        try:
            data, ancillary, _, _ = self._sock.recvmsg(self._bite, _SPACE)
        except OSError:
            data, ancillary = b"", []
        if not data:
            self.close()
            return
        came = time()
        if ancillary:
            seconds, nanoseconds = struct.unpack_from("@ll", ancillary[0][2])
            came = min(came, seconds + nanoseconds * 1e-9)
        if self._echo.upgraded:
            self._bite = min(self._bite, len(data))
        self._echo.received(data, came)

    def write(self, data: bytes) -> None:
        """Hand bytes to the kernel."""
        if self._sock.fileno() >= 0:
            try:
                self._sock.sendall(data)
            except OSError:
                self.close()

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()
            self._echo.connection_lost(None)


async def _serve(port: int, hold: float) -> None:
    seen = Seen(hold)
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", port), backlog=16384)
    if hold:
        listener.setsockopt(socket.SOL_SOCKET, _STAMPING, _STAMPS)  # those that it accepts inherit it
        loop.add_reader(listener, lambda: Wire(listener.accept()[0], Echo(seen)))
    else:
        await loop.create_server(lambda: Echo(seen), sock=listener, backlog=16384)
    print(listener.getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
