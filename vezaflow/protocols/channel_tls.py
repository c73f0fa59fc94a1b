"""A channel's connection over TLS: plaintext goes into records, as many at a time as a slow reader may make us hold."""

import socket
import ssl

from vezaflow.protocols.channel_connection import ChannelConnection
from vezaflow.protocols.exchange import ErrorKind
from vezaflow.protocols.faults import tls_reason
from vezaflow.protocols.phases import CLOSED
from vezaflow.protocols.reactor import Reactor
from vezaflow.protocols.scratch import Scratch
from vezaflow.protocols.tls import SecureConnection

_RECORDS = 128 * 1024  # plaintext encrypted at a time


class SecureChannelConnection(ChannelConnection, SecureConnection):
    """Over TLS."""

    __slots__ = ("channel", "refused", "seen", "switch")

    def __init__(
        self, sock: socket.socket, reactor: Reactor, scratch: Scratch, context: ssl.SSLContext, host: str
    ) -> None:
        SecureConnection.__init__(self, sock, reactor, scratch, context, host, None)
        self.channel = None
        self.refused = None
        self.switch = None
        self.seen = 0.0

    @property
    def clear(self) -> bool:
        return self._unsent is None and not self._outgoing.pending

    def push(self) -> bool:
        return self._push()

    def put(self, data: bytes | memoryview) -> int:
        if not self.clear and not self._push():
            return 0
        taken = 0
        view = memoryview(data)[:_RECORDS]
        try:
            while taken < len(view):
                taken += self._tls.write(view[taken:])
        except ssl.SSLError as error:
            self.fail(ErrorKind.TLS, tls_reason(error))
            return 0
        self._push()
        return taken if self.phase != CLOSED else 0
