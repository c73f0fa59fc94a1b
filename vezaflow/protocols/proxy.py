"""Through an HTTP proxy: requests in absolute-form to one that forwards, CONNECT to one that tunnels (RFC 9112, 3.2;
RFC 9110, 9.3.6).

Laws: credentials are for the proxy alone, so they never enter a tunnel; what `send` was given stays as it was, so a
trace never shows them.
"""

import socket

from vezaflow.protocols.connection import Connection
from vezaflow.protocols.exchange import Body, Exchange, Origin, RequestOptions
from vezaflow.protocols.options import Proxy
from vezaflow.protocols.reactor import Reactor
from vezaflow.protocols.scratch import Scratch

MOST_REPLY = 64 * 1024  # bytes of a proxy's response to CONNECT


class ForwardedConnection(Connection):
    """A connection to a proxy that forwards to `origin`."""

    __slots__ = ("_begin", "_line")

    def __init__(self, sock: socket.socket, reactor: Reactor, scratch: Scratch, origin: Origin, proxy: Proxy) -> None:
        super().__init__(sock, reactor, scratch)
        self._begin = f"{origin.scheme}://{origin.authority}".encode()
        self._line = proxy.header

    def start(self, exchange: Exchange, head: bytes, body: Body, options: RequestOptions) -> None:
        method, _, rest = head.partition(b" ")
        target, _, lines = rest.partition(b"\r\n")
        whole = b"%b %b%b\r\n%b%b" % (method, self._begin, target, self._line, lines)
        super().start(exchange, whole, body, options)


def connect_request(origin: Origin, proxy: Proxy) -> bytes:
    """What asks a proxy for a tunnel to `origin`."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    place = f"{host}:{origin.port}".encode()
    return b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (place, place, proxy.header)


def refusal_of(head: bytes) -> str:
    """Why there is no tunnel, in the proxy's words; nothing if there is one."""
    version, _, said = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    if not version.startswith("HTTP/1."):
        return "the proxy did not send an HTTP response"
    if said[:1] == "2":
        return ""
    remedy = " (set its credentials in the proxy's URL)" if said.startswith("407") else ""
    return f"the proxy refused the tunnel: {said.strip()}{remedy}"
