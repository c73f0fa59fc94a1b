"""Who is at a scheduler's address, seen before Dask's client goes there: that one tries again until its time is over,
and then knows only that it was.

Laws: it takes some seconds at most, whoever is there; what is wrong is one sentence with its remedy. A Dask scheduler
speaks first: a frame, whose first eight bytes are its length.
"""

import socket
import ssl
import struct
import time

from vezaflow.cluster.address import host_and_port
from vezaflow.errors import ExitCode, VezaflowError

_PATIENCE = 4.0
_HEAD = struct.Struct("<Q")
_LONGEST = 1 << 20  # bytes of the first frame: it has some hundred
_START = "`dask scheduler` and `dask worker` start one; docs/cluster.md says how"
_TRUST = "the certificates of both sides have to be of one CA, and valid today: docs/cluster.md has an example"


def knock(address: str, context: ssl.SSLContext | None, patience: float = _PATIENCE) -> None:
    """Find a Dask scheduler at an address. `context`: to speak TLS with. `patience`: seconds to connect, to agree on
    TLS, to hear the first word, for each. VezaflowError (REFUSED): there is none that speaks with us."""
    host, port = host_and_port(address)
    try:
        with socket.create_connection((host, port), patience) as plain:
            if context is None:
                first = _first_word(plain, patience)
            else:
                with context.wrap_socket(plain, server_hostname=host) as secured:
                    first = _first_word(secured, patience)
    except ssl.SSLCertVerificationError as e:
        raise _refused(f"the certificate of {address} is not trusted: {e.verify_message}", _TRUST) from None
    except ssl.SSLError as e:
        raise _not_agreed(address, e) from None
    except TimeoutError:
        if context is None:
            raise _refused(f"there is no Dask scheduler at {address}: no connection within {patience:g} s") from None
        raise _refused(f"{address} does not agree on TLS within {patience:g} s: nobody replies there") from None
    except OSError as e:
        raise _refused(f"there is no Dask scheduler at {address}: {e.strerror or e}") from None
    except ValueError:  # of IDNA and of TLS, each in its own words
        raise _refused(f"'{host}' in {address} can't be the name of a host") from None
    if first is None:
        tls = "" if context is not None else f"wants TLS (then it is {address.replace('tcp:', 'tls:')}), "
        raise _refused(
            f"{address} accepts connections and then sends nothing for {patience:g} s: "
            f"it {tls}is stopped, or is not a Dask scheduler"
        )
    if len(first) < _HEAD.size or _HEAD.unpack(first)[0] > _LONGEST:
        raise _refused(f"what is at {address} is not a Dask scheduler")


def _first_word(end: socket.socket, patience: float) -> bytes | None:
    """Its first bytes; None: it says nothing."""
    until = time.monotonic() + patience
    said = b""
    while len(said) < _HEAD.size and (left := until - time.monotonic()) > 0:
        end.settimeout(left)
        try:
            piece = end.recv(_HEAD.size - len(said))
        except TimeoutError:
            break
        if not piece:
            return said
        said += piece
    return said or None


def _not_agreed(address: str, e: ssl.SSLError) -> VezaflowError:
    if e.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        plain = address.replace("tls:", "tcp:")
        hint = f"start it with `--protocol tls`; without TLS it is {plain}"
        return _refused(f"what is at {address} does not speak TLS", hint)
    reason = (e.reason or str(e)).lower().replace("_", " ").rpartition("alert ")[2]
    return _refused(f"{address} refuses this machine's certificate: {reason}", _TRUST)


def _refused(message: str, hint: str = _START) -> VezaflowError:
    return VezaflowError(message, hint=hint, code=ExitCode.REFUSED)
