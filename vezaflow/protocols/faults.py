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


class TlsFault(Exception):  # noqa: N818 (it is no error of ours)
    """Files for TLS that are not right; the text says which, and why."""


_KINDS = {
    errno.ECONNREFUSED: ErrorKind.REFUSED,
    errno.ECONNRESET: ErrorKind.RESET,
    errno.EPIPE: ErrorKind.RESET,
    errno.ECONNABORTED: ErrorKind.RESET,
    errno.ETIMEDOUT: ErrorKind.TIMEOUT_CONNECT,
}

_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)  # X509_V_ERR_*: no issuer that is known, or the certificate's own
_ASKED = {  # alerts with which servers refuse a client (RFC 8446, 6.2)
    "ALERT_CERTIFICATE_REQUIRED": ": the server requires a client certificate, `tls: {cert: path, key: path}`",
    "ALERT_UNKNOWN_CA": ": the server does not trust the issuer of the client certificate",
}

_DETAILS = {
    errno.EADDRNOTAVAIL: "no free local port for this target (or no such local address)",
    errno.EMFILE: "too many open files in this process: raise `ulimit -n`",
    errno.ENFILE: "too many open files in the system",
    errno.EPIPE: "the peer closed this connection for reading",
    errno.ENOBUFS: "no buffer space available",
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
        remedy = "; to trust it, set its CA: `tls: {ca: path}`" if _unknown(error) else ""
        return f"certificate verify failed: {error.verify_message.rstrip('.')}{remedy}"
    if error.reason:
        remedy = next((text for sign, text in _ASKED.items() if sign in error.reason), "")
        return error.reason.lower().replace("_", " ") + remedy
    return str(error.args[-1]) if error.args else "handshake failed"


def _unknown(error: ssl.SSLCertVerificationError) -> bool:
    return error.verify_code in _UNKNOWN_AUTHORITY


def _text(code: int, error: OSError) -> str:
    return _DETAILS.get(code) or (error.strerror or str(error)).lower()
