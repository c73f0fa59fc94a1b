"""The sandbox as seen from outside: started, reached, ended.

The child runs in a session of its own, so the Ctrl-C that asks a run to drain doesn't take the target away
from it. It ends when its standard input closes: a parent that is killed leaves no orphan. Nothing here
imports uvicorn or starlette.
"""

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.sandbox.settings import SandboxSettings
from vezaflow.sandbox.target import Sandbox

STARTUP = 20.0  # seconds; it takes about 0.3 s
SHUTDOWN = 3.0
NEEDED = ("uvicorn", "starlette", "python_multipart")


@contextmanager
def start(settings: SandboxSettings | None = None) -> Iterator[Sandbox]:
    """A sandbox in its own process for as long as the `with` lasts; VezaflowError if it can't start."""
    settings = settings or SandboxSettings()
    require_server()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "vezaflow.sandbox"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield _await_ready(process, settings)
    finally:
        _end(process)


def serve(settings: SandboxSettings | None = None) -> None:
    """Run a sandbox in this process until Ctrl-C; the three inputs are printed as `export` lines."""
    require_server()
    from vezaflow.sandbox.server import Server

    server = Server(settings or SandboxSettings())
    sandbox = server.sandbox
    lines = [f"export {name}={value}" for name, value in sandbox.environment.items()]
    sys.stdout.write("\n".join([*lines, "# the sandbox is up; Ctrl-C ends it", ""]))
    sys.stdout.flush()
    try:
        server.run()
    except KeyboardInterrupt:
        pass  # uvicorn has closed everything and raises the signal again: the end that was asked for


def require_server() -> None:
    """VezaflowError with the remedy when the extra is not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise VezaflowError(
            f"the sandbox needs {', '.join(missing)}",
            hint="pip install 'vezaflow[sandbox]'",
            code=ExitCode.USAGE,
        )


def _await_ready(process: "subprocess.Popen[str]", settings: SandboxSettings) -> Sandbox:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(settings.to_json() + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it died early; what it said stands on stderr, and the empty reply below says the rest
    ready, _, _ = select.select([process.stdout], [], [], STARTUP)
    line = process.stdout.readline() if ready else ""
    if not line:
        why = "ended" if ready else f"said nothing for {STARTUP:.0f} s"
        raise VezaflowError(f"the sandbox did not start: it {why}", hint="`vezaflow sandbox` shows why")
    told = json.loads(line)
    if "error" in told:
        raise VezaflowError(told["error"], hint=told["hint"])
    return Sandbox(f"http://{settings.host}:{told['port']}", told["token"], told["track"], process.pid)


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(SHUTDOWN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                pass  # settings that were never read
