"""What a warden has in its care ends with whoever started it. And nothing starts a process that outlives vezaflow."""

import ast
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from families import Process, gone, started_by

from vezaflow.warden import answer, warded

PACKAGE = Path(__file__).parent.parent / "vezaflow"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and collects orphans as only Linux lets one do"),
]
BROOD = "sleep 600 & setsid sleep 600 & (setsid sleep 600 &) ; echo up; "  # in the group, beside it, and an orphan
ENDS = {  # who starts processes, and why they end when it is killed
    "audit/children.py": "a warden",
    "warden.py": "a warden",
    "sandbox/process.py": "its standard input closes",
    "cluster/stations.py": "its standard input closes",
    "scale/link.py": "the kernel ends it (PR_SET_PDEATHSIG), or its socket closes",
    "session/provenance.py": "git says what it knows within milliseconds, and has a limit of time",
}
STARTS = {"Popen", "run", "call", "check_call", "check_output", "open_process", "run_process", "system", "popen"}
STARTS |= {"fork", "forkpty", "posix_spawn", "posix_spawnp", "Process", "ProcessPoolExecutor", "launch"}
MODULES = {"subprocess", "os", "trio", "lowlevel", "multiprocessing", "asyncio", "futures", "click", "pty"}


def starts_processes(path: Path) -> bool:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in {"subprocess", "multiprocessing"}:
            return True
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in STARTS:
            continue
        owner = node.func.value
        name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
        if name in MODULES and (name, node.func.attr) not in {("trio", "run"), ("asyncio", "run")}:
            return True
    return False


def test_it_is_known_how_every_process_ends_when_vezaflow_is_killed() -> None:
    found = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if starts_processes(path)}
    assert found == ENDS.keys()


@contextmanager
def started(script: str, folder: str = "") -> Iterator["subprocess.Popen[str]"]:
    """A process that has a shell script in the care of a warden; the script has said `up`."""
    program = (
        "import subprocess, sys, time\n"
        "from vezaflow.warden import warded\n"
        "subprocess.Popen(warded(sys.argv[2:], folder=sys.argv[1]), stdin=subprocess.PIPE, start_new_session=True)\n"
        "time.sleep(600)\n"
    )
    words = [sys.executable, "-c", program, folder, "sh", "-c", script]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=PACKAGE.parent) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield process
        finally:
            process.kill()


def family_with(process: "subprocess.Popen[str]", sleepers: int) -> list[Process]:
    """All that a process has started, once so many sleep."""
    limit = time.monotonic() + 30
    while True:
        family = started_by(process.pid)
        if sum(each.words.startswith("sleep 600") for each in family) == sleepers:
            return family
        assert time.monotonic() < limit, family
        time.sleep(0.02)


def test_a_killed_parent_takes_all_with_it_and_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    (folder / "deep").mkdir(parents=True)
    with started(f"trap '' TERM; {BROOD} sleep 600", str(folder)) as process:
        family = family_with(process, 4)
    assert gone(family, 5) == []
    assert not folder.exists()


def test_a_killed_warden_takes_its_program_with_it() -> None:
    with started("echo up; exec sleep 600") as process:
        (warden, *family) = family_with(process, 1)
        os.kill(warden.pid, signal.SIGKILL)
        assert gone(family, 5) == []


def test_a_program_that_ends_leaves_nothing_and_its_code_is_passed_on() -> None:
    with subprocess.Popen(
        warded(("sh", "-c", f"{BROOD} sleep 0.1; exit 7")), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        family = started_by(process.pid)
        assert process.wait(10) == 7
    assert [each.words for each in family if each.lives] == []


def test_sigterm_reaches_the_program() -> None:
    script = "trap 'echo asked; exit 3' TERM; echo up; while :; do sleep 0.05; done"
    with subprocess.Popen(warded(("sh", "-c", script)), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        assert process.stdout.readline() == b"asked\n"
        assert process.wait(10) == 3


def test_what_a_program_says_is_its_answer() -> None:
    assert answer(("sh", "-c", "echo 1.2; read x || echo no input"), os.environ, 10) == "1.2\nno input\n"
    assert answer(("sh", "-c", "echo 1.2; exit 1"), os.environ, 10) is None
    assert answer(("/nonexistent",), os.environ, 10) is None


def test_a_program_that_does_not_answer_is_ended_with_all_that_it_started() -> None:
    begun = time.monotonic()
    assert answer(("sh", "-c", f"{BROOD} sleep 600"), os.environ, 0.5) is None
    assert time.monotonic() - begun < 10
    assert [each.words for each in started_by(os.getpid()) if "sleep 600" in each.words] == []


def test_a_program_keeps_to_its_cores() -> None:
    core = min(os.sched_getaffinity(0))
    with subprocess.Popen(
        warded(("sh", "-c", "grep Cpus_allowed_list /proc/self/status"), cpus=[core]),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.read().split()[-1] == str(core)
