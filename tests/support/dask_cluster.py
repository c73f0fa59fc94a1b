"""A Dask scheduler and its workers as processes of their own, on loopback or in network namespaces. Nothing of them
outlives the test."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from processes import Running, is_worker, read_proc, until

_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass
class DaskProcess:
    """A scheduler, or a worker with its nanny, in a session of its own. `said`: the file of all that it prints."""

    process: "subprocess.Popen[bytes]"
    said: Path

    @property
    def text(self) -> str:
        return self.said.read_text(errors="replace")

    def family(self) -> list[int]:
        """It and all that it has started, the eldest first."""
        found = [self.process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*"):
                found += [int(child) for child in read_proc(pid, f"task/{task.name}/children").split()]
        return list(dict.fromkeys(found))

    def loads(self) -> list[int]:
        """The worker processes of vezaflow that it has started and that live."""
        return [pid for pid in self.family() if is_worker(pid)]

    def kill(self) -> None:
        """As a machine that loses its power: it, its nanny's child, but not what is in groups of its own."""
        self._signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """The same stands still."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It stands still no more."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.family():
            if os.getpgid(pid) == self.process.pid:
                os.kill(pid, number)

    def end(self) -> None:
        """At the end of a test."""
        for pid in self.family():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


@dataclass
class DaskCluster:
    """`address`: of the scheduler."""

    folder: Path
    address: str = ""
    scheduler: DaskProcess = field(init=False)
    workers: list[DaskProcess] = field(default_factory=list)
    _environment: dict[str, str] = field(default_factory=dict)
    _started: list[DaskProcess] = field(default_factory=list)

    def start_scheduler(self, *words: str, host: str = "127.0.0.1") -> None:
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        words = ("--host", host, "--port", "0", "--no-dashboard", "--scheduler-file", str(file), *words)
        self.scheduler = self._start("scheduler", words)
        until(lambda: _address(file) or self.scheduler.process.poll() is not None)
        assert self.scheduler.process.poll() is None, self.scheduler.text
        self.address = _address(file)

    def add_worker(self, *words: str, prefix: Sequence[str] = ()) -> DaskProcess:
        known = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(self.folder / "dask"))
        worker = self._start("worker", (self.address, *known, *words), prefix)
        self.workers.append(worker)
        return worker

    def wait(self) -> None:
        """Until all workers are known to the scheduler."""
        for worker in self.workers:
            until(lambda worker=worker: "Registered to:" in worker.text or worker.process.poll() is not None)  # type: ignore[misc]
            assert worker.process.poll() is None, worker.text

    def loads(self) -> list[int]:
        return [pid for worker in self.workers for pid in worker.loads()]

    def until_load(self, run: Running, asked: Sequence[str], count: int = 2) -> list[int]:
        """The worker processes of all machines, once their target is `asked`."""
        until(lambda: asked or run.process.poll() is not None)
        found = self.loads()
        assert len(found) == count, run.text
        return found

    def end(self) -> None:
        for each in reversed(self._started):
            each.end()

    def _start(self, kind: str, words: Sequence[str], prefix: Sequence[str] = ()) -> DaskProcess:
        said = self.folder / f"{kind}-{len(self.workers)}.txt"
        kept = {name: value for name, value in os.environ.items() if name in _KEPT}
        with said.open("wb") as file:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", f"distributed.cli.dask_{kind}", *words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**kept, "PYTHONUNBUFFERED": "1", **self._environment},
                start_new_session=True,
            )
        self._started.append(DaskProcess(process, said))
        return self._started[-1]


def _address(file: Path) -> str:
    try:
        found: str = json.loads(file.read_text())["address"]
    except (OSError, ValueError):
        return ""
    return found


@contextmanager
def dask_cluster(
    folder: Path,
    workers: int,
    *,
    host: str = "127.0.0.1",
    words: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[DaskCluster]:
    """A scheduler and so many workers. `words`: options of both, those of TLS."""
    folder.mkdir(parents=True, exist_ok=True)
    found = DaskCluster(folder, _environment=dict(environment or {}))
    found.start_scheduler(*words, host=host)
    try:
        for _ in range(workers):
            found.add_worker(*words)
        found.wait()
        yield found
    finally:
        found.end()


def gone(pids: Sequence[int]) -> bool:
    """Whether none of these worker processes lives any more."""
    return not any(is_worker(pid) for pid in pids)
