"""TLS over a Connection: OpenSSL between memory buffers, fed from our own reads so that bytes are stamped
where they come.

Verified by default against the platform's authorities (or `ca_file`), by host name or by address; SNI for
names; ALPN says http/1.1, and h2 before it where that is wanted; TLS 1.2 at least. A connection that
replaces another of the same client resumes its session. `bytes_sent` and `bytes_received` count HTTP, not records.
"""

import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from vezaflow.protocols.connection import Connection
from vezaflow.protocols.exchange import Body, ErrorKind, Exchange, RequestOptions
from vezaflow.protocols.faults import TlsFault, fault_of, tls_reason
from vezaflow.protocols.options import ClientOptions
from vezaflow.protocols.phases import CLOSED, HANDSHAKE, IDLE, SENDING, TUNNEL, WAITING
from vezaflow.protocols.proxy import MOST_REPLY, refusal_of
from vezaflow.protocols.reactor import HANGUP, TURN, Reactor
from vezaflow.protocols.receiving import READS
from vezaflow.protocols.scratch import Scratch
from vezaflow.protocols.sending import JOIN, fit, pieces_of
from vezaflow.protocols.stamps import SPACE

if TYPE_CHECKING:
    from ssl import SSLSession

_RECORD = 16 * 1024  # plaintext, at most
_RECORDS = 128 * 1024  # plaintext encrypted at a time: what a slow reader makes us hold


def context_for(options: ClientOptions) -> ssl.SSLContext:
    """A context of a client; raises TlsFault if its files are not right."""
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
    except OSError as error:
        raise TlsFault(f"{options.ca_file}: {fault_of(error)[1]}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"] if options.http2 else ["http/1.1"])
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.cert_file is not None:
        try:  # without a password OpenSSL would ask the terminal for one
            context.load_cert_chain(options.cert_file, options.key_file, options.key_password)
        except OSError as error:
            files = " with ".join(name for name in (options.cert_file, options.key_file) if name)
            encrypted = "ENCRYPTED" in Path(options.key_file or options.cert_file).read_text("latin-1")
            raise TlsFault(f"{files}: {_unusable(error, encrypted)}") from None
    return context


def _unusable(error: OSError, encrypted: bool) -> str:
    """Why a certificate and its key can't be used: OpenSSL's own words leave most of it to be guessed."""
    reason = getattr(error, "reason", None) or ""
    if reason == "KEY_VALUES_MISMATCH":
        return "the key does not belong to the certificate"
    if encrypted:
        return "the key is encrypted, and its `password` is missing or wrong"
    return fault_of(error)[1] if reason or not isinstance(error, ssl.SSLError) else "no PEM certificate and key"


class SecureConnection(Connection):
    """A Connection whose bytes are records."""

    __slots__ = ("_incoming", "_outgoing", "_reply", "_tls", "_unsent", "behind")

    _connected_phase = HANDSHAKE

    def __init__(
        self,
        sock: socket.socket,
        reactor: Reactor,
        scratch: Scratch,
        context: ssl.SSLContext,
        host: str,
        session: "SSLSession | None",
    ) -> None:
        super().__init__(sock, reactor, scratch)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host, session=session)
        self._unsent: bytes | memoryview | None = None  # records that the kernel has not taken yet
        self._reply = b""  # of a proxy, as far as it has come
        self.behind = False  # more has come than there was time to parse

    @property
    def session(self) -> "SSLSession | None":
        """What a connection that replaces this one may resume."""
        return self._tls.session

    @property
    def certificate_ends(self) -> float | None:
        certificate = self._tls.getpeercert()  # empty where it was not verified
        return ssl.cert_time_to_seconds(str(certificate["notAfter"])) if certificate else None

    # -- through a proxy -------------------------------------------------------------------------------------

    async def tunnel(self, request: bytes, exchange: Exchange, deadline: float) -> None:
        """Have a proxy open a tunnel, or leave the reason in `exchange`."""
        if self.phase == CLOSED:
            return
        self.phase = TUNNEL
        self.exchange = exchange
        self._unsent = request
        self._push()
        if self.exchange is not None:
            await self.wait(deadline)

    def _replied(self, now: float) -> None:
        """The proxy's response has come, or its beginning."""
        self._reply += self._incoming.read()
        head, blank, rest = self._reply.partition(b"\r\n\r\n")
        if not blank and len(head) <= MOST_REPLY:
            return
        refusal = refusal_of(head)
        if refusal:
            self.fail(ErrorKind.PROXY, refusal)
            return
        self._reply = b""
        self._incoming.write(rest)
        self.settle(HANDSHAKE, now)

    # -- handshake -------------------------------------------------------------------------------------------

    async def handshake(self, exchange: Exchange, deadline: float) -> None:
        """Agree on keys, or leave the reason in `exchange`."""
        if self.phase == CLOSED:
            return
        self.exchange = exchange
        self._shake(self.clock())
        if self.exchange is not None:
            await self.wait(deadline)

    def _shake(self, now: float) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._push()
            return
        except ssl.SSLError as error:
            try:
                self._push()  # the alert
            finally:
                self.fail(ErrorKind.TLS, tls_reason(error))
            return
        if self._push() or self.phase == HANDSHAKE:
            self.agreed(now)

    def agreed(self, now: float) -> None:
        """The keys are there, and so is the protocol that the server chose."""
        self.settle(IDLE, now)

    def be_tapped(self) -> None:
        from vezaflow.protocols.wiretap import Tap, tapped_tls

        self.tap = Tap()
        self._tls = tapped_tls(self._tls, self.tap)

    # -- sending ---------------------------------------------------------------------------------------------

    def start(self, exchange: Exchange, head: bytes, body: Body, options: RequestOptions) -> None:
        self.exchange = exchange
        self.want = options.want._value_
        self.bodyless = options.bodyless
        self.closes = options.closes
        if type(body) is bytes and len(body) <= JOIN:
            head, body = head + body, None
        if body is None and len(head) <= _RECORD:
            self._start_small(exchange, head)
            return
        if not self.fitted:
            fit(self)
        self.pending = pieces_of(head, body)
        self.phase = SENDING
        exchange.bytes_sent = 0
        encrypted = self._encrypt(exchange, self.pending)
        exchange.started = self.clock()  # by now there are records to hand to the kernel
        if encrypted:
            self.flush()

    def _start_small(self, exchange: Exchange, request: bytes) -> None:
        """One record, one send: what nearly all requests are. (1.5 µs less than by way of `pending`.)"""
        self.phase = WAITING
        exchange.bytes_sent = len(request)
        try:
            self._tls.write(request)
        except ssl.SSLError as error:
            self.fail(ErrorKind.TLS, tls_reason(error))
            return
        exchange.started = exchange.sent = self.clock()
        if self._push():
            exchange.sent = self.clock()
        elif self.exchange is exchange:  # the kernel is full
            self.phase = SENDING
            self.pending = []

    def flush(self) -> None:
        exchange, pending = self.exchange, self.pending
        if exchange is None or pending is None:
            self._push()
            return
        while self._push() and pending:
            if not self._encrypt(exchange, pending):
                return
        if self.phase == SENDING and not pending and self._unsent is None:
            self.pending = None
            self.phase = WAITING
            exchange.sent = self.clock()

    def _encrypt(self, exchange: Exchange, pending: list[memoryview]) -> bool:
        """Make records of what is pending, as much as is held at a time; False: that failed."""
        room = _RECORDS
        try:
            while pending and room > 0:
                piece = pending[0] if len(pending[0]) <= room else pending[0][:room]
                taken = self._tls.write(piece)
                room -= taken
                exchange.bytes_sent += taken
                if taken == len(pending[0]):
                    del pending[0]
                else:
                    pending[0] = pending[0][taken:]
        except ssl.SSLError as error:
            self.fail(ErrorKind.TLS, tls_reason(error))
            return False
        return True

    def _push(self) -> bool:
        """Hand records to the kernel; whether all of them are gone."""
        while self._unsent or self._outgoing.pending:
            records = self._unsent or self._outgoing.read()
            try:
                sent = self.socket.send(records)
            except BlockingIOError:
                self._unsent = records
                self.reactor.await_writable(self)
                return False
            except OSError as error:
                self._unsent = None
                self.broken(error)
                return False
            self._unsent = memoryview(records)[sent:] if sent < len(records) else None
        return True

    # -- receiving -------------------------------------------------------------------------------------------

    def ready(self, mask: int, now: float) -> None:
        if self._unsent is not None and self.pending is None and self.phase not in (CLOSED, SENDING):
            self._push()
        super().ready(mask, now)

    def read(self, mask: int, now: float, broken: OSError | None = None) -> None:
        scratch = self.scratch
        stamped = self.reactor.stamps.on  # always: opening records takes so long that a batch's poll is soon past
        until = self.reactor.drained + TURN
        for _ in range(READS):
            try:
                if stamped:
                    count, ancillary, _, _ = self.socket.recvmsg_into((scratch.records,), SPACE)
                else:
                    count = self.socket.recv_into(scratch.records)
            except BlockingIOError:
                if broken is not None:
                    self.fail(*fault_of(broken))
                return
            except OSError as error:
                self.fail(*fault_of(broken or error))
                return
            if count == 0:
                self._cut(now, broken)
                return
            if stamped:
                now = self.stamped(ancillary)
            self._incoming.write(scratch.records_view[:count])
            self._decrypt(now)
            if self.phase == CLOSED:
                return
            if self.behind:
                break
            if count < len(scratch.records) and not mask & HANGUP:
                return
            now = self.clock()
            if now > until and broken is None:
                break
        self.reactor.again(self)

    def _decrypt(self, now: float) -> None:
        if self.phase == TUNNEL:
            self._replied(now)
            return
        if self.phase == HANDSHAKE:
            if self.exchange is None:  # it spoke first: kept for when the handshake starts
                return
            self._shake(now)
            if self.phase in (CLOSED, HANDSHAKE):
                return
        incoming = self._incoming
        while self.phase != CLOSED and incoming.pending and not self.behind:  # one look more costs an exception
            self._open_records(now)
        if self.phase != CLOSED and self._outgoing.pending:
            self._push()  # key updates

    def _open_records(self, now: float) -> None:
        """Parse what the records hold that have come, as much of it as the buffer takes."""
        scratch, incoming = self.scratch, self._incoming
        view, count, last = scratch.view, 0, False
        failure: ssl.SSLError | None = None
        try:
            while incoming.pending and count <= len(view) - _RECORD:
                taken = int(self._tls.read(_RECORD, view[count:]))
                last = taken == 0
                count += taken
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            last = True
        except ssl.SSLError as error:
            failure = error
        if count:
            self.feed(view, count, now)
        if self.phase == CLOSED:
            return
        if last:
            self.ended(now)
        elif failure is not None:
            self.fail(ErrorKind.TLS, tls_reason(failure))

    def _cut(self, now: float, broken: OSError | None) -> None:
        """The TCP connection ended without TLS's close_notify."""
        response = self.response
        if self.phase == TUNNEL:
            self.fail(ErrorKind.PROXY, "the proxy closed the connection instead of opening a tunnel")
        elif self.phase == HANDSHAKE and self.exchange is not None:
            self.fail(ErrorKind.TLS, "the server closed the connection during the handshake")
        elif response is not None and response.streamed and response.open_ended:
            self.fail(ErrorKind.CLOSED_EARLY, "the response was truncated: the connection ended without a TLS close")
        else:
            self.ended(now, broken)
