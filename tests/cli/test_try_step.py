"""`try --step` on a terminal of its own."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from program import Write, environment, vezaflow

pytestmark = pytest.mark.slow

FLOW = """
vars: {limit: 2}
steps:
  - get: /api/v1/tracks
    name: list
    query: {limit: "${limit}"}
    extract: {track: "$.data[0].id"}
  - get: /api/v1/tracks/${track}
    name: detail
  - get: /api/v1/health
    name: after
finally: [{get: /api/v1/health, name: goodbye}]
"""
PROMPT = "q: quit"


class Terminal:
    """What a program shows on a terminal, and its keys."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process = process
        self._master = master
        self.seen = ""

    def until(self, text: str, count: int = 1, limit: float = 20.0) -> None:
        """Read until `text` was shown so many times."""
        end = time.monotonic() + limit
        while self.seen.count(text) < count:
            assert time.monotonic() < end, self.seen
            if select.select([self._master], [], [], 0.1)[0]:
                self._read()

    def press(self, key: str) -> None:
        os.write(self._master, key.encode())

    def ended(self, limit: float = 20.0) -> int:
        """The exit code."""
        end = time.monotonic() + limit
        while self.process.poll() is None:
            assert time.monotonic() < end, self.seen
            if select.select([self._master], [], [], 0.1)[0]:
                self._read()
        while select.select([self._master], [], [], 0)[0] and self._read():
            pass
        return self.process.returncode

    def _read(self) -> bool:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other end is closed
            return False
        self.seen += data.decode()
        return bool(data)


@contextmanager
def terminal(*words: str | Path, env: dict[str, str] | None = None) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "vezaflow", *map(str, words)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**environment(env), "TERM": "xterm"},
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_enter_runs_one_step_after_the_other(suite: Write) -> None:
    with terminal("try", suite(FLOW), "--step") as screen:
        for stop in range(1, 5):
            screen.until(PROMPT, stop)
            assert screen.seen.count("▶") == stop - 1
            screen.press("\r")
        assert screen.ended() == 0
    assert "4 requests, all as expected" in screen.seen


def test_a_stop_shows_the_yaml_its_place_and_the_variables(suite: Write) -> None:
    folder = suite(FLOW)
    with terminal("try", folder, "--step", "--only", "detail") as screen:
        screen.until(PROMPT)
        before = screen.seen
        screen.press("c")
        assert screen.ended() == 0
    assert f"■ detail  {folder}/flow.yml:8" in before
    assert "8 |   - get: /api/v1/tracks/${track}" in before
    assert "9 |     name: detail" in before
    assert "10 |" not in before
    assert 'track = "' in before
    assert "limit = 2" in before
    assert "■ list" not in before


def test_c_runs_all_that_follows(suite: Write) -> None:
    with terminal("try", suite(FLOW), "--step") as screen:
        screen.until(PROMPT)
        screen.press("c")
        assert screen.ended() == 0
    assert screen.seen.count(PROMPT) == 1


def test_q_sends_nothing_more(suite: Write) -> None:
    with terminal("try", suite(FLOW), "--step") as screen:
        screen.until(PROMPT)
        screen.press("\r")
        screen.until(PROMPT, 2)
        screen.press("q")
        assert screen.ended() == 130
    assert "stopped after 1 request" in screen.seen
    assert "goodbye" not in screen.seen


def test_ctrl_c_ends_it(suite: Write) -> None:
    with terminal("try", suite(FLOW), "--step") as screen:
        screen.until(PROMPT)
        screen.process.send_signal(signal.SIGINT)
        assert screen.ended() == 130
    assert "Traceback" not in screen.seen


def test_a_stop_does_not_count_as_time(suite: Write) -> None:
    waits = """
    steps: [{get: /api/v1/health}]
    finally:
      - poll: {get: /api/v1/health, name: polled}
        until: status() == 200
        within: 1s
    """
    with terminal("try", suite(waits, "preflight: [{get: /api/v1/health}]"), "--step") as screen:
        for stop in range(1, 4):
            screen.until(PROMPT, stop)
            time.sleep(1.2 if stop == 3 else 0)
            screen.press("\r")
        assert screen.ended() == 0, screen.seen


def test_without_a_terminal_it_is_refused(suite: Write) -> None:
    done = vezaflow("try", suite(FLOW), "--step")
    assert done.code == 2
    assert "--step needs a terminal" in done.err


def test_secrets_stay_masked_at_a_stop(suite: Write) -> None:
    flow = 'vars: {copy: "${env.USER_TOKEN}-x"}\nsteps: [{get: "/api/v1/health?q=${copy}"}]'
    env = {"USER_TOKEN": "very-secret-token"}
    with terminal("try", suite(flow, "secrets: [USER_TOKEN]"), "--step", env=env) as screen:
        screen.until(PROMPT)
        screen.press("v")
        screen.until(PROMPT, 2)
        screen.press("q")
        screen.ended()
    assert 'copy = "•••-x"' in screen.seen
    assert "very-secret" not in screen.seen


def test_a_stop_shows_the_row_that_was_dealt(suite: Write) -> None:
    flow = """
    data: {users: {list: [{name: ann}, {name: ben}]}}
    steps: [{get: "/api/v1/tracks/search?q=${users.name}"}]
    """
    with terminal("try", suite(flow), "--step") as screen:
        screen.until(PROMPT)
        screen.press("c")
        assert screen.ended() == 0
    assert 'row 1 of users: {"name":"ann"}' in screen.seen
    assert '  users = {"name":"ann"}' in screen.seen


BESIDE = """
steps:
  - parallel:
      - {get: /api/v1/health, name: one}
      - {get: /api/v1/tracks, name: two}
  - get: /api/v1/health
    name: after
"""


@pytest.mark.parametrize(("only", "stops"), [((), 2), (("--only", "two"), 1)])
def test_what_runs_at_the_same_time_is_one_stop(suite: Write, only: tuple[str, ...], stops: int) -> None:
    with terminal("try", suite(BESIDE), "--step", *only) as screen:
        for stop in range(1, stops + 1):
            screen.until(PROMPT, stop)
            screen.press("\r")
        assert screen.ended() == 0
    assert screen.seen.count(PROMPT) == stops
    assert "■ one" not in screen.seen
