"""The phases of a connection, and what each event does in them.

    phase        event                                    action         phase after
    ───────────  ───────────────────────────────────────  ─────────────  ───────────────────────────
    CONNECTING   the socket is writable, without error    settle         IDLE; over TLS HANDSHAKE
                 the socket has an error                  fail           CLOSED
    TUNNEL       the proxy responds with 2xx              settle         HANDSHAKE
                 with another status, or the end          fail           CLOSED
    HANDSHAKE    keys are agreed                          settle         IDLE
                 an alert, or the end                     fail           CLOSED
    IDLE         start: the kernel takes all              –              WAITING
                 start: the kernel takes a part           –              SENDING
                 bytes, or the end                        close          CLOSED
    SENDING      the kernel takes the rest                flush          WAITING
                 the kernel takes no more (reset)         read           as bytes in WAITING, or fail
                 the response is complete                 finish         CLOSED
    WAITING      bytes: the response goes on              feed           WAITING
                 complete, and the connection is kept     finish         IDLE
                 complete, and it is not                  finish         CLOSED
                 the end, which completes this response   finish         CLOSED
                 the end, which does not                  fail           CLOSED
    any          the deadline (TIMEOUTS)                  expire, fail   CLOSED
                 the task is cancelled                    _abort         CLOSED
                 the transport is closed                  abandon, fail  CLOSED

`settle`, `finish` and `fail` leave the exchange and wake the task that waits. An HTTP/2 connection is IDLE while its
streams (http2_stream.py) are SENDING or WAITING. tests/protocols/test_phases.py goes through the rows.
"""

from vezaflow.protocols.exchange import ErrorKind

IDLE, CONNECTING, TUNNEL, HANDSHAKE, SENDING, WAITING, CLOSED = range(7)

TIMEOUTS = {
    CONNECTING: (ErrorKind.TIMEOUT_CONNECT, "the connection was not established in time"),
    TUNNEL: (ErrorKind.TIMEOUT_CONNECT, "the proxy did not open the tunnel in time"),
    HANDSHAKE: (ErrorKind.TIMEOUT_TLS, "the TLS handshake was not completed in time"),
    SENDING: (ErrorKind.TIMEOUT_SEND, "the request could not be sent in time"),
    WAITING: (ErrorKind.TIMEOUT_WAIT, "no response in time"),
}
TOO_LATE = ErrorKind.TIMEOUT_RECEIVE, "the response was not completed in time"  # WAITING, when a part of it has come
