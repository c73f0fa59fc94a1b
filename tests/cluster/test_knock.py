"""Who is not a Dask scheduler that speaks with us is known in a moment, and said with what to do."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from vezaflow.cluster.knock import knock
from vezaflow.errors import ExitCode, VezaflowError

FRAME = (120).to_bytes(8, "little") + bytes(120)  # as a scheduler begins
CA, OTHER = trustme.CA(), trustme.CA()
PAST = datetime(2020, 1, 1, tzinfo=UTC)


def context(purpose: ssl.Purpose, leaf: trustme.LeafCert | None, trusted: trustme.CA = CA) -> ssl.SSLContext:
    """As Dask has them: both sides show a certificate, names are not looked at."""
    found = ssl.create_default_context(purpose)
    found.check_hostname = False
    found.verify_mode = ssl.CERT_REQUIRED
    trusted.configure_trust(found)
    if leaf is not None:
        leaf.configure_cert(found)
    return found


GOOD, FOREIGN, EXPIRED = (
    CA.issue_cert("one"),
    OTHER.issue_cert("one"),
    CA.issue_cert("one", not_before=PAST, not_after=PAST + timedelta(days=1)),
)


@contextmanager
def somebody(does: Callable[[socket.socket], None]) -> Iterator[str]:
    """Accepts one connection, and does something with it until the other side has closed it."""

    def accept() -> None:
        end, _ = server.accept()
        with end:
            try:
                does(end)
                end.settimeout(5)
                while end.recv(4096):
                    pass
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def secured(leaf: trustme.LeafCert) -> Callable[[socket.socket], None]:
    def speak(end: socket.socket) -> None:
        with context(ssl.Purpose.CLIENT_AUTH, leaf).wrap_socket(end, server_side=True) as secure:
            secure.sendall(FRAME)
            secure.recv(1)

    return speak


def refusal(address: str, mine: ssl.SSLContext | None = None, patience: float = 5) -> VezaflowError:
    with pytest.raises(VezaflowError) as refused:
        knock(address, mine, patience=patience)
    assert refused.value.code is ExitCode.REFUSED
    assert refused.value.hint
    return refused.value


def test_a_scheduler_is_found() -> None:
    with somebody(lambda end: end.sendall(FRAME)) as where:
        knock(f"tcp://{where}", None)
    with somebody(secured(GOOD)) as where:
        knock(f"tls://{where}", context(ssl.Purpose.SERVER_AUTH, GOOD))


def test_nobody_is_there() -> None:
    assert "no Dask scheduler at tcp://127.0.0.1:1: Connection refused" in refusal("tcp://127.0.0.1:1").message
    assert "no Dask scheduler at tcp://x.invalid:1: " in refusal("tcp://x.invalid:1").message


@pytest.mark.parametrize("host", ["a..b", ".host", f"{'a' * 64}.example"])
@pytest.mark.parametrize("mine", [None, context(ssl.Purpose.SERVER_AUTH, GOOD)], ids=["tcp", "tls"])
def test_what_can_be_no_host_is_said(host: str, mine: ssl.SSLContext | None) -> None:
    assert host in refusal(f"tcp://{host}:8786", mine).message


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_10.0\r\n", b"+OK", b"\0" * 7])
def test_something_else_is_there(said: bytes) -> None:
    def speak(end: socket.socket) -> None:
        end.sendall(said)
        end.shutdown(socket.SHUT_WR)

    with somebody(speak) as where:
        assert refusal(f"tcp://{where}").message == f"what is at tcp://{where} is not a Dask scheduler"


def test_who_is_silent_may_want_tls_or_be_stopped() -> None:
    with somebody(lambda _: None) as where:
        message = refusal(f"tcp://{where}", patience=0.1).message
        assert "sends nothing for 0.1 s" in message
        assert f"it wants TLS (then it is tls://{where}), is stopped, or is not a Dask scheduler" in message
    with somebody(lambda _: None) as where:
        mine = context(ssl.Purpose.SERVER_AUTH, GOOD)
        assert "does not agree on TLS within 0.1 s" in refusal(f"tls://{where}", mine, 0.1).message


def test_a_scheduler_without_tls_is_told_apart() -> None:
    with somebody(lambda end: end.sendall(FRAME)) as where:
        refused = refusal(f"tls://{where}", context(ssl.Purpose.SERVER_AUTH, GOOD))
    assert refused.message == f"what is at tls://{where} does not speak TLS"
    assert f"tcp://{where}" in refused.hint


@pytest.mark.parametrize(
    ("theirs", "mine", "trusted", "said"),
    [
        (FOREIGN, GOOD, CA, "the certificate of tls://{} is not trusted: unable to get local issuer certificate"),
        (EXPIRED, GOOD, CA, "the certificate of tls://{} is not trusted: certificate has expired"),
        (GOOD, FOREIGN, CA, "tls://{} refuses this machine's certificate: unknown ca"),
        (GOOD, EXPIRED, CA, "tls://{} refuses this machine's certificate: certificate expired"),
        (GOOD, None, CA, "tls://{} refuses this machine's certificate: certificate required"),
    ],
)
def test_certificates_that_do_not_fit_are_told(
    theirs: trustme.LeafCert, mine: trustme.LeafCert | None, trusted: trustme.CA, said: str
) -> None:
    with somebody(secured(theirs)) as where:
        refused = refusal(f"tls://{where}", context(ssl.Purpose.SERVER_AUTH, mine, trusted))
    assert refused.message.startswith(said.format(where))
    assert "of one CA" in refused.hint
