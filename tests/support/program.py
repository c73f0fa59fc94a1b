"""The program as the shell sees it: run in a process of its own, with an environment of the test's own."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import click
from click.testing import CliRunner

from vezaflow.cli.main import program
from vezaflow.errors import ExitCode, VezaflowError


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str
    seconds: float

    @property
    def text(self) -> str:
        return self.out + self.err


class Write(Protocol):
    """The fixture `suite`: writes a suite of one flow and gives its folder."""

    def __call__(self, flow: str, suite: str = "") -> Path: ...


_TRIES = 3
STATE = tempfile.mkdtemp(prefix="vezaflow-tests-")  # what `try` records goes here, and the history
atexit.register(shutil.rmtree, STATE, ignore_errors=True)


def environment(values: Mapping[str, str] | None = None) -> dict[str, str]:
    """Little more than PATH: nothing of the machine that runs the tests leaks in."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {**kept, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "XDG_STATE_HOME": STATE, **(values or {})}


def vezaflow(
    *words: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None, limit: float = 60
) -> Done:
    """Run `vezaflow …` to its end. A load that it could not put on in time, because the machine had other things to
    do, is put on again: what is tested is not the machine."""
    for _ in range(_TRIES - 1):
        done = _once(words, env, cwd, limit)
        if done.code != ExitCode.INCONCLUSIVE or "the generator was overloaded" not in done.text:
            return done
        if kept := re.search(r"^kept: (\S+)", done.text, re.MULTILINE):
            _once(("history", "delete", kept[1]), env, cwd, limit)
    return _once(words, env, cwd, limit)


def _once(words: Sequence[str | Path], env: Mapping[str, str] | None, cwd: Path | None, limit: float) -> Done:
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "vezaflow", *map(str, words)],
        capture_output=True,
        text=True,
        env=environment(env),
        cwd=cwd,
        timeout=limit,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - begin)


def interrupted(*words: str | Path, when: str, times: int = 1, env: Mapping[str, str] | None = None) -> Done:
    """Run `vezaflow …` and press Ctrl-C `times` times once `when` was printed on standard error."""

    def press(process: "subprocess.Popen[str]") -> None:
        for _ in range(times):
            time.sleep(0.3)  # the load has begun; and two presses are not one
            process.send_signal(signal.SIGINT)

    return _disturbed(*words, when=when, how=press, env=env)


def starved(*words: str | Path, when: str, pulses: int, pulse: float) -> Done:
    """Run `vezaflow …` and, once `when` was printed on standard error, stop it `pulses` times for `pulse` seconds."""

    def stop(process: "subprocess.Popen[str]") -> None:
        for _ in range(pulses):
            process.send_signal(signal.SIGSTOP)
            time.sleep(pulse)
            process.send_signal(signal.SIGCONT)
            time.sleep(pulse)

    return _disturbed(*words, when=when, how=stop)


def _disturbed(
    *words: str | Path,
    when: str,
    how: Callable[["subprocess.Popen[str]"], None],
    env: Mapping[str, str] | None = None,
) -> Done:
    begin = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "vezaflow", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(env),
        start_new_session=True,
    )
    assert process.stderr is not None
    seen = ""
    while when not in seen:
        line = process.stderr.readline()
        assert line, f"ended before it said {when!r}: {seen}"
        seen += line
    how(process)
    out, err = process.communicate(timeout=60)
    return Done(process.returncode, out, seen + err, time.monotonic() - begin)


def ends_well(line: list[str]) -> None:
    """Run a command in this process; it ends with one of the exit codes, or this raises what it ended with."""
    outcome = CliRunner().invoke(program, line, standalone_mode=False, env={"XDG_RUNTIME_DIR": "/nonexistent"})
    fault: Any = outcome.exception
    expected = (SystemExit, VezaflowError, click.ClickException, click.exceptions.Exit, click.Abort)
    if fault is not None and not isinstance(fault, expected):
        raise fault
