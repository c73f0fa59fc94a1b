"""How a client connects and what it remembers: decided before the run, shared by all VUs of a flow."""

import base64
from dataclasses import dataclass, field

from vezaflow.protocols.bounds import MOST_MESSAGE


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; `user` is empty where it asks for none."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def header(self) -> bytes:
        """The line that proves who we are, or nothing (RFC 9110, 11.7.2)."""
        if not self.user:
            return b""
        return b"Proxy-Authorization: Basic %b\r\n" % base64.b64encode(f"{self.user}:{self.password}".encode())


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """See the module. Files are PEM files."""

    ca_file: str | None = None  # instead of the platform's authorities
    insecure: bool = False  # accept any certificate
    cert_file: str | None = None  # what the client shows to servers that ask
    key_file: str | None = None  # None: the key stands in cert_file
    key_password: str = field(default="", repr=False)
    cookies: bool = True
    http2: bool = False  # over TLS; a server that does not speak it is an error
    proxy: Proxy | None = None
    local_addresses: tuple[str, ...] = ()  # clients are dealt over them in turn


@dataclass(frozen=True, slots=True)
class WebSocketOptions:
    """Times in seconds. `timeout`: for the whole dial, from the name to the response; `compress`: offer
    permessage-deflate (some 30 KB a connection); `max_message`: bytes, decompressed; `ping_every`: 0 for never, and a
    pong that takes longer than `ping_timeout` is the end; `close_timeout`: for the server to confirm a close."""

    timeout: float
    subprotocols: tuple[str, ...] = ()
    compress: bool = False
    max_message: int = MOST_MESSAGE
    ping_every: float = 25.0
    ping_timeout: float = 20.0
    close_timeout: float = 5.0
