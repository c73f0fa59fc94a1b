"""A program that ends with whoever started it, also where that is killed: this file, run by its path, between the two.

Laws: its standard input is a pipe that its parent holds. When that closes, the program is killed with all that it
started, on Linux also what left its group, and so are folders of it removed. When the program ends, what it left behind
is killed, and this ends as it did. SIGTERM is passed on to its group. The program itself has no standard input.
It starts for every program, so it imports little: 30 ms.
"""

import os
import select
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence

_SUBREAPER, _PARENT_DEATH = 36, 1  # of prctl(2)
_PATIENCE = 5.0  # seconds for killed processes to be gone
_LOOK = 0.02  # seconds between two looks
_NOT_STARTED = 127  # as shells have it
_BY_SIGNAL = 128  # and a signal's number


def warded(command: Sequence[str], *, cpus: Iterable[int] = (), folder: str = "") -> tuple[str, ...]:
    """The words that run a command in the care of a warden: its standard input must be a pipe. `cpus`: the cores that
    it keeps to; none: any. `folder`: is removed where the pipe closes before the command has ended."""
    cores = ",".join(map(str, sorted(cpus)))
    return (sys.executable, "-I", "-S", __file__, cores, folder, *command)


def answer(command: Sequence[str], environment: Mapping[str, str], limit: float) -> str | None:
    """What a command prints on standard output; None where it can't be run, fails, or takes longer than `limit`
    seconds."""
    from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

    try:
        process = Popen(
            warded(command), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment, text=True, errors="replace"
        )
    except OSError:
        return None
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.wait(limit)
        except TimeoutExpired:
            return None
        return process.stdout.read() if process.returncode == 0 else None


def main(cores: str, folder: str, *command: str) -> int:
    """Run a command until it ends, or until standard input closes. The exit code."""
    heard, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    if sys.platform == "linux":
        _prctl(_SUBREAPER, 1)
    program = _started(command, [int(core) for core in cores.split(",") if core])
    while True:
        ready, _, _ = select.select([0, heard], [], [])
        if heard in ready and signal.SIGTERM in os.read(heard, 64):
            _kill(-program, signal.SIGTERM)
        if (code := _reaped(program)) is not None:
            _end_all(program)
            return code
        if 0 in ready and not os.read(0, 64):
            _end_all(program)
            if folder:
                import shutil

                shutil.rmtree(folder, ignore_errors=True)
            return _BY_SIGNAL + signal.SIGKILL


def _prctl(what: int, argument: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(what, argument)


def _started(command: Sequence[str], cores: Sequence[int]) -> int:
    """The program's process, the leader of a group of its own."""
    warden = os.getpid()
    if (program := os.fork()) != 0:
        try:
            os.setpgid(program, program)
        except OSError:
            pass  # it has done so itself, and runs already
        return program
    try:
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        if sys.platform == "linux":
            _prctl(_PARENT_DEATH, signal.SIGKILL)
            if cores:
                os.sched_setaffinity(0, cores)
        if os.getppid() == warden:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.execvp(command[0], list(command))
    except OSError as e:
        os.write(2, f"{command[0]} can't be started: {e.strerror}\n".encode())
    finally:
        os._exit(_NOT_STARTED)


def _reaped(program: int) -> int | None:
    """Collect all that have ended; the program's exit code if it is among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if not pid:
            return code
        if pid == program:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else _BY_SIGNAL - ended


def _end_all(program: int) -> None:
    """Kill what there is of the program: its group, then whatever comes to this process when its own parent dies."""
    import time

    _kill(-program, signal.SIGKILL)
    limit = time.monotonic() + _PATIENCE
    while (children := _children()) and time.monotonic() < limit:
        for child in children:
            _kill(child, signal.SIGKILL)
        time.sleep(_LOOK)
        _reaped(program)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []  # not Linux: the group was all


def _kill(whom: int, number: int) -> None:
    try:
        os.kill(whom, number)
    except (ProcessLookupError, PermissionError):
        pass  # it is gone, or another user's


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
