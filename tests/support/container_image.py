"""An image of Containerfile, built by what this machine has (podman, buildah or docker), and programs that run in it.

Its base is the one that Containerfile names where that can be fetched, else a Debian of debootstrap's, which is made
once and kept in the user's cache. With buildah, which keeps no containers running, a program runs in the image's files
as the image's user, on this machine's network.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from processes import read_proc, until

ROOT = Path(__file__).parent.parent.parent
TAG = "vezaflow-test"
BASE_TAG = "localhost/vezaflow-test-base"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# This machine's certificates, for a network whose proxy has some of its own.
BASE = f"""\
FROM scratch
ADD base.tar /
COPY ca-certificates.crt {CERTIFICATES}
RUN printf '[global]\\ncert = {CERTIFICATES}\\n' >/etc/pip.conf
"""
# Without it buildah wants rights over control groups and networks that not every machine gives.
ENVIRONMENT = os.environ | {"BUILDAH_ISOLATION": "chroot"}


def command(*words: str | Path, limit: float = 900) -> "subprocess.CompletedProcess[str]":
    """Run to its end; standard error is in the output."""
    line = list(map(str, words))
    return subprocess.run(
        line, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=limit
    )


@cache
def builder() -> str:
    """The one that `make image` takes; empty if it does not work."""
    found = next((name for name in ("podman", "buildah", "docker") if shutil.which(name)), "")
    return found if found and command(found, "info").returncode == 0 else ""


def debian() -> Path:
    """The folder to build a base from."""
    if os.geteuid() or not shutil.which("debootstrap"):
        pytest.skip("its base can't be fetched; to make one needs debootstrap and root")
    folder = platformdirs.user_cache_path("vezaflow") / "container-base"
    if not (folder / "base.tar").exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as parts:
            tree, tar = Path(parts, "tree"), Path(parts, "base.tar")
            wanted = "--include=python3,python3-venv,ca-certificates"
            if command("debootstrap", "--variant=minbase", wanted, "bookworm", tree).returncode:
                pytest.skip("its base can't be fetched, and debootstrap can't make one")
            unused = [f"--exclude=./var/{name}/*" for name in ("cache/apt", "lib/apt/lists")]
            assert command("tar", "-C", tree, *unused, "-cf", tar, ".").returncode == 0
            tar.rename(folder / "base.tar")
    shutil.copy(CERTIFICATES, folder)
    (folder / "Containerfile").write_text(BASE)
    return folder


@dataclass(frozen=True)
class Image:
    """`container`: buildah's, of the image; with the others each program gets one."""

    config: dict[str, Any]
    container: str = ""

    def line(self, suite: Path, *arguments: str, instead: str = "", name: str = "") -> list[str]:
        """The command that docs/containers.md has, `instead` starts another program than the image's own."""
        mount = ["--volume", f"{suite}:/suite"]
        if self.container:
            program = [instead] if instead else self.config["Entrypoint"]
            return [builder(), "run", *mount, self.container, "--", *program, *arguments]
        named = ["--name", name] if name else []
        other = ["--entrypoint", instead] if instead else []
        return [builder(), "run", "--rm", "--network", "host", *named, *mount, *other, TAG, *arguments]

    def run(self, suite: Path, *arguments: str, instead: str = "") -> "subprocess.CompletedProcess[str]":
        return command(*self.line(suite, *arguments, instead=instead), limit=120)

    def stopped(self, suite: Path, *arguments: str, when: str) -> "subprocess.CompletedProcess[str]":
        """Run it and do what `podman stop --time 60` does once it has printed something."""
        name = f"{TAG}-{os.getpid()}"
        process = subprocess.Popen(
            self.line(suite, *arguments, name=name),
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        text = ""
        while when not in text:
            line = process.stdout.readline()
            assert line, f"ended before it said {when!r}: {text}"
            text += line
        if self.container:
            until(lambda: program_of(process.pid))
            os.kill(program_of(process.pid)[0], signal.SIGTERM)
        else:
            assert command(builder(), "stop", "--time", "60", name).returncode == 0
        rest, _ = process.communicate(timeout=90)
        return subprocess.CompletedProcess(process.args, process.returncode, text + rest)


def program_of(pid: int) -> list[int]:
    """The vezaflow that was started by a process, or by one that it started."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").glob("*") for child in children_of(pid, task.name)]
    below = [found for child in children for found in program_of(child)]
    words = read_proc(pid, "cmdline").split(b"\0")  # of buildah's own processes, too, but for the first word
    own = words[0].startswith(b"/opt/vezaflow/bin/python") and words[1] == b"/opt/vezaflow/bin/vezaflow"
    return [pid] if own else below


def children_of(pid: int, task: str) -> list[bytes]:
    return read_proc(pid, f"task/{task}/children").split()


@contextmanager
def image() -> Iterator[Image]:
    """The image as `make image` builds it. The test is skipped where there is no builder or no base."""
    if not builder():
        pytest.skip("needs podman, buildah or docker")
    given = re.search(r"ARG BASE=(\S+)", (ROOT / "Containerfile").read_text())
    assert given is not None
    options: list[str] = []
    if command(builder(), "pull", given[1]).returncode:
        folder = debian()
        done = command(builder(), "build", "--tag", BASE_TAG, "--file", folder / "Containerfile", folder)
        assert done.returncode == 0, done.stdout
        options = [f"BASE={BASE_TAG}"]
    done = command("make", "image", f"TAG={TAG}", *options)
    if "NewConnectionError" in done.stdout:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stdout
    kind = ["--type", "image"] if builder() != "docker" else []
    seen = json.loads(command(builder(), "inspect", *kind, TAG).stdout)
    container = ""
    try:
        if builder() == "buildah":
            container = command("buildah", "from", TAG).stdout.strip()
            yield Image(seen["OCIv1"]["config"], container)
        else:
            yield Image(seen[0]["Config"])
    finally:
        if container:
            command("buildah", "rm", container)
        command(builder(), "rmi", TAG)
