"""`/debug/pprof/…` of the sandbox: real profiles of itself, as Go's net/http/pprof serves them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from vezaflow.profiles import parse_pprof, record_of
from vezaflow.sandbox import Sandbox

MANY = 50


@contextmanager
def busy(sandbox: Sandbox) -> Iterator[None]:
    """Somebody sends many requests at once, all the while."""
    over = threading.Event()
    request = b"GET /nowhere HTTP/1.1\r\nHost: sandbox\r\n\r\n"  # starlette answers, which takes more than a look-up

    def ask() -> None:
        host, _, port = sandbox.base_url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), 10) as connection:
            while not over.is_set():
                connection.sendall(request * MANY)
                answered = b""
                while answered.count(b"HTTP/1.1 404") < MANY or not answered.endswith(b"}}"):
                    answered += connection.recv(65536)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield
    finally:
        over.set()
        asker.join()


@pytest.mark.slow
def test_a_cpu_profile_is_of_what_the_sandbox_does(sandbox: Sandbox, visitor: httpx.Client) -> None:
    with busy(sandbox):
        response = visitor.get("/debug/pprof/profile", params={"seconds": 2}, timeout=20)
    assert response.headers["content-type"] == "application/octet-stream"
    record = record_of(parse_pprof(response.content), "cpu", 0.0, 2.0)
    assert (record.kind, record.unit) == ("cpu", "nanoseconds")
    assert record.seconds == pytest.approx(2.0, abs=0.7)
    assert record.samples > 10
    assert record.total == record.samples * 10_000_000
    served = record.of("vezaflow.sandbox.app.Api.__call__")
    assert served is not None
    assert 0 < served.cum < 1
    assert served.flat < served.cum


@pytest.mark.slow
def test_a_second_cpu_profile_is_refused_with_the_words_of_go(sandbox: Sandbox, visitor: httpx.Client) -> None:
    found: list[int] = []

    def first() -> None:
        found.append(httpx.get(f"{sandbox.base_url}/debug/pprof/profile?seconds=1", timeout=20).status_code)

    asker = threading.Thread(target=first)
    asker.start()
    refused = None
    while asker.is_alive() and refused is None:
        response = visitor.get("/debug/pprof/profile", params={"seconds": 1}, timeout=20)
        refused = response if response.status_code == 500 else None
    asker.join()
    assert refused is not None or found == [500]
    if refused is not None:
        assert refused.text == "Could not enable CPU profiling: cpu profiling already in use\n"
        assert found == [200]


def test_a_goroutine_profile_has_the_tasks_that_wait(visitor: httpx.Client) -> None:
    record = record_of(parse_pprof(visitor.get("/debug/pprof/goroutine").content), "goroutine", 0.0, 0.0)
    assert (record.kind, record.unit) == ("goroutine", "count")
    assert any(each.function.startswith("vezaflow.sandbox.server.Server") for each in record.top)


@pytest.mark.parametrize("name", ["heap", "mutex", "", "profile/more"])
def test_other_profiles_are_not_there(name: str, visitor: httpx.Client) -> None:
    assert visitor.get(f"/debug/pprof/{name}").status_code == 404


def test_profiles_are_no_requests_of_the_load(visitor: httpx.Client) -> None:
    visitor.get("/debug/pprof/goroutine")
    assert "pprof" not in visitor.get("/metrics").text
