"""Ctrl-C and its like end a run in every phase, by the program itself against a server that keeps it waiting."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent

import pytest
from program import Done, environment

pytestmark = pytest.mark.slow

PATIENCE = 60.0  # seconds for what takes a moment
LONG = 30.0  # seconds that the server keeps a request to /hang waiting


@pytest.mark.parametrize("module", ["click", "vezaflow.session"])
def test_ctrl_c_while_the_program_is_loaded_is_silent(module: str, tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(f"""
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            exec("raise KeyboardInterrupt")  # as where a dataclass is made
sys.meta_path.insert(0, Interrupted())
from vezaflow.cli import main
main()
""")
    line = [sys.executable, "-m", "interrupted", "run", "--help"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")


class Server(ThreadingHTTPServer):
    """Answers at once, but for paths below /hang; tells which of these were asked for."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hung = threading.Event()
        self.over = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        if self.path.startswith("/hang"):
            server.hung.set()
            server.over.wait(LONG)
        try:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


class Run:
    """A run that hangs where its flow asks for /hang."""

    def __init__(
        self, server: Server, folder: Path, flow: str, suite: str = "", words: Sequence[str] = (), verb: str = "run"
    ) -> None:
        (folder / "suite.yml").write_text(f"suite: s\nbase_url: http://127.0.0.1:{server.server_port}\n{dedent(suite)}")
        (folder / "flow.yml").write_text(dedent(flow))
        self.server = server
        self.summary = folder / "summary.json"
        self._err = folder / "err.txt"
        with self._err.open("w") as err:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "vezaflow",
                    verb,
                    str(folder),
                    *(("--quiet", "--summary", str(self.summary)) if verb == "run" else ()),
                    *words,
                ],
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
                env=environment(),
                start_new_session=True,
            )

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def hangs(self) -> None:
        assert self.server.hung.wait(PATIENCE), self.err

    def says(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.err:
            assert time.monotonic() < end, self.err
            time.sleep(0.02)

    def press(self, which: signal.Signals = signal.SIGINT) -> None:
        os.kill(self.process.pid, which)

    def ended(self) -> Done:
        begin = time.monotonic()
        out, _ = self.process.communicate(timeout=PATIENCE)
        assert "Traceback" not in self.err, self.err
        return Done(self.process.returncode, out, self.err, time.monotonic() - begin)


LOAD = "load: {executor: per-vu-iterations, vus: 2, iterations: 1}"
GATES = "gates: {http_req_failed: rate == 0 %}"
FLOW = f"{LOAD}\nsteps: [{{get: /ok}}]\n{GATES}"
HANGS = f"{LOAD}\nsteps: [{{get: /ok}}, {{get: /hang}}]\n{GATES}"
FINAL = f"{FLOW}\nfinally: [{{get: /hang}}]"
LOGIN = f"{FLOW}\nlogin: [{{get: /hang}}]"
STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("which", STOPS)
@pytest.mark.parametrize("phase", ["preflight", "setup"])
def test_one_ends_what_comes_before_the_load(server: Server, tmp_path: Path, phase: str, which: signal.Signals) -> None:
    with Run(server, tmp_path, FLOW, f"{phase}: [{{get: /hang}}]") as run:
        run.hangs()
        run.press(which)
        done = run.ended()
    assert done.code == 130, done.text
    assert "stopped before any load was sent" in done.err


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("flow", [HANGS, FINAL, LOGIN], ids=["steps", "finally", "login"])
def test_a_second_one_cuts_off_what_runs_in_the_load(server: Server, tmp_path: Path, flow: str, workers: str) -> None:
    with Run(server, tmp_path, flow, "teardown: [{get: /ok, name: tidy}]", ("--workers", workers)) as run:
        run.hangs()
        run.press()
        run.says("press Ctrl-C again")
        run.press()
        done = run.ended()
    assert done.code == 130, done.text
    assert "stopped manually" in done.out
    assert json.loads(run.summary.read_text())["interrupted"] is True


@pytest.mark.parametrize("which", STOPS)
def test_any_of_them_lets_iterations_end_and_writes_the_result(
    server: Server, tmp_path: Path, which: signal.Signals
) -> None:
    with Run(server, tmp_path, HANGS, "teardown: [{get: /ok, name: tidy}]") as run:
        run.hangs()
        run.press(which)
        run.says("press Ctrl-C again")
        server.over.set()
        done = run.ended()
    assert done.code == 130, done.text
    summary = json.loads(run.summary.read_text())
    assert summary["interrupted"] is True
    assert "tidy" in run.summary.read_text()


@pytest.mark.parametrize("which", STOPS)
def test_teardown_is_cut_off_by_the_second_and_the_complete_load_keeps_its_verdict(
    server: Server, tmp_path: Path, which: signal.Signals
) -> None:
    with Run(server, tmp_path, FLOW, "teardown: [{get: /hang}]") as run:
        run.hangs()
        run.press(which)
        run.says("teardown is running")
        run.press(which)
        done = run.ended()
    assert done.code == 0, done.text
    assert "GREEN" in done.out
    assert "teardown: aborted manually" in done.out
    assert json.loads(run.summary.read_text())["interrupted"] is False


def test_one_in_teardown_changes_nothing_of_a_complete_run(server: Server, tmp_path: Path) -> None:
    with Run(server, tmp_path, FLOW, "teardown: [{get: /hang}]") as run:
        run.hangs()
        run.press()
        run.says("teardown is running")
        server.over.set()
        done = run.ended()
    assert done.code == 0, done.text
    assert "cut off" not in done.out


def test_the_teardown_of_a_load_that_was_stopped_is_cut_off_by_the_next(server: Server, tmp_path: Path) -> None:
    flow = f"load: {{vus: 1, duration: 60s}}\nsteps: [{{get: /ok}}, {{think: 20ms}}]\n{GATES}"
    with Run(server, tmp_path, flow, "setup: [{log: ready}]\nteardown: [{get: /hang}]") as run:
        run.says("ready")
        time.sleep(0.5)
        run.press()
        run.hangs()
        run.press()
        done = run.ended()
    assert done.code == 130, done.text
    assert "teardown: aborted manually" in done.out


def test_a_hangup_that_is_ignored_stays_ignored(server: Server, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        run = Run(server, tmp_path, HANGS)
    finally:
        signal.signal(signal.SIGHUP, before)
    with run:
        run.hangs()
        run.press(signal.SIGHUP)
        server.over.set()
        done = run.ended()
    assert done.code == 0, done.text


@pytest.mark.parametrize("which", STOPS)
@pytest.mark.parametrize("phase", ["setup", "login", "steps", "finally", "teardown"])
def test_each_of_them_ends_try_in_every_phase(
    server: Server, tmp_path: Path, phase: str, which: signal.Signals
) -> None:
    flow = "steps: [{get: /hang}]" if phase == "steps" else "steps: [{get: /ok}]"
    of_suite = phase in ("setup", "teardown")
    steps = "" if phase == "steps" else f"{phase}: [{{get: /hang}}]"
    flow, suite = (flow, steps) if of_suite else (f"{flow}\n{steps}", "")
    with Run(server, tmp_path, f"{LOAD}\n{flow}", suite, verb="try") as run:
        run.hangs()
        run.press(which)
        done = run.ended()
    assert done.code == 130, done.text


@pytest.mark.parametrize("which", STOPS)
def test_one_that_comes_when_all_is_said_changes_no_exit_code(
    server: Server, tmp_path: Path, which: signal.Signals
) -> None:
    with Run(server, tmp_path, FLOW, "teardown: [{get: /hang}]") as run:
        run.hangs()
        run.press(which)
        run.says("teardown is running")
        run.press(which)
        assert run.process.stdout is not None
        assert "GREEN" in run.process.stdout.read()
        time.sleep(0.05)  # the stream is closed, and Python tidies up
        for _ in range(20):
            if run.process.poll() is None:
                run.press(which)
        assert run.process.wait(PATIENCE) == 0, run.err
