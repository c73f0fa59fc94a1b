"""A scheduler and a worker as processes of a run's own, told over their standard input what they are."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import orjson
import pytest

from vezaflow.cluster.credentials import Credentials
from vezaflow.cluster.station import MARK, SCHEDULER, WORKER

pytestmark = pytest.mark.slow
WAYS = {
    "127.0.0.1": "198.51.100.1 50000 127.0.0.1 22",
    "[::1]": "2001:db8::1 50000 ::1 22",
}


@contextmanager
def station(order: Mapping[str, str], way: str) -> Iterator[str]:
    """Its address. It ends by itself, in order."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "vezaflow.cluster.station"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "SSH_CONNECTION": way},
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(orjson.dumps(order) + b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"\n", "who prints before it may leave a line open"
        said = process.stdout.readline()
        assert said.startswith(MARK)
        yield orjson.loads(said.removeprefix(MARK))["address"]
        process.stdin.close()
        assert process.wait(20) == 0


@pytest.mark.parametrize("address", WAYS)
def test_it_listens_where_ssh_came_to_it_and_ends_with_its_input(address: str) -> None:
    family = socket.AF_INET6 if "[" in address else socket.AF_INET
    try:
        socket.create_server((address.strip("[]"), 0), family=family).close()
    except OSError:
        pytest.skip(f"there is no {address} here")
    credentials = Credentials.new()
    order = {"certificate": credentials.certificate, "key": credentials.key, "host": ""}
    with (
        station({**order, "be": SCHEDULER}, WAYS[address]) as scheduler,
        station({**order, "be": WORKER, "scheduler": scheduler}, WAYS[address]) as worker,
    ):
        assert scheduler.startswith(f"tls://{address}:")
        assert worker.startswith(f"tls://{address}:")


def test_without_an_order_it_ends() -> None:
    line = [sys.executable, "-P", "-m", "vezaflow.cluster.station"]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (0, b"")


def test_the_key_is_not_shown_with_its_certificate() -> None:
    credentials = Credentials.new()
    assert "PRIVATE KEY" in credentials.key
    assert "PRIVATE" not in repr(credentials)
