"""A PostgreSQL of the test's own, from the machine's packages: no TCP, a socket in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_USER = "postgres"


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    return Path(elsewhere).parent if elsewhere else None


class Postgres:
    """A server that can be stopped and started."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self.url = f"postgresql://{_USER}@/postgres?host={folder}"

    def init(self) -> None:
        self._run("initdb", "-D", str(self._folder / "data"), "-U", _USER, "-A", "trust", "--no-sync")

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self._folder} -c fsync=off"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *words: str) -> None:
        line = [str(self._programs / program), *words]
        if os.geteuid() == 0:  # which PostgreSQL refuses to be
            line = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", *line]
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", timeout=60, text=True)
        assert done.returncode == 0, done.stdout


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running server; the test is skipped where there can be none."""
    programs = _programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL on this machine")
    folder = Path(tempfile.mkdtemp(prefix="vezaflow-pg-"))  # short: it holds a socket
    server = Postgres(programs, folder)
    try:
        if os.geteuid() == 0:
            if shutil.which("setpriv") is None:
                pytest.skip("PostgreSQL does not run as root, and there is no setpriv")
            try:
                shutil.chown(folder, _USER, _USER)
            except LookupError:
                pytest.skip(f"PostgreSQL does not run as root, and there is no user {_USER}")
        server.init()
        server.start()
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
