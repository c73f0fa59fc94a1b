"""The one place where what the kernel, the resolver or OpenSSL raised becomes an ErrorKind and a line for
people.
"""

import errno
import os
import socket
import ssl
from typing import TypeAlias

from vezaflow.protocols.exchange import ErrorKind

Fault: TypeAlias = tuple[ErrorKind, str]

_KINDS = {
    errno.ECONNREFUSED: ErrorKind.REFUSED,
    errno.ECONNRESET: ErrorKind.RESET,
    errno.EPIPE: ErrorKind.RESET,
    errno.ECONNABORTED: ErrorKind.RESET,
    errno.ETIMEDOUT: ErrorKind.TIMEOUT_CONNECT,
}

_DETAILS = {
    errno.EADDRNOTAVAIL: "no local port is left for this target (or no such local address)",
    errno.EMFILE: "this process may not open more files: raise `ulimit -n`",
    errno.ENFILE: "the system may not open more files",
    errno.EPIPE: "the peer no longer reads from this connection",
    errno.ENOBUFS: "the kernel has no buffer space left",
}


def fault_of(error: OSError) -> Fault:
    """The kind and the text of what a socket call raised."""
    if isinstance(error, ssl.SSLError):
        return ErrorKind.TLS, tls_reason(error)
    if isinstance(error, socket.gaierror):
        return ErrorKind.DNS, error.strerror or str(error)
    code = error.errno or 0
    return _KINDS.get(code, ErrorKind.UNREACHABLE), _text(code, error)


def fault_of_code(code: int) -> Fault:
    """The same for a bare errno, as `connect_ex` and SO_ERROR give it."""
    return fault_of(OSError(code, os.strerror(code)))


def tls_reason(error: ssl.SSLError) -> str:
    """OpenSSL's reason without the source position that it appends."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message.rstrip('.')}"
    if error.reason:
        return error.reason.lower().replace("_", " ")
    return str(error.args[-1]) if error.args else "handshake failed"


def _text(code: int, error: OSError) -> str:
    return _DETAILS.get(code) or (error.strerror or str(error)).lower()
