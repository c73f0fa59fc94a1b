"""OpenSSH's own server on loopback: two hosts, known to an OpenSSH client by the configuration that is made for it."""

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from processes import read_proc, until

HOSTS = {"loader-1": "127.0.0.1", "loader-2": "127.0.0.2"}
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
MISSING = "needs OpenSSH's server and client"


def available() -> bool:
    return SSHD is not None and all(map(shutil.which, ("ssh", "ssh-keygen")))


@dataclass(frozen=True)
class SshHosts:
    """`path`: a PATH whose `ssh` reaches them by their names."""

    path: str
    server: "subprocess.Popen[bytes]"

    def processes(self) -> dict[int, bytes]:
        """What runs on them, below the server, with how it was called."""
        found = [self.server.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*"):
                found += [int(child) for child in read_proc(pid, f"task/{task.name}/children").split()]
        return {pid: read_proc(pid, "cmdline") for pid in found[1:]}


@contextmanager
def ssh_hosts(folder: Path) -> Iterator[SshHosts]:
    """They are gone afterwards, but not what was started on them: that has to end by itself."""
    assert SSHD is not None
    folder.mkdir()
    if not os.geteuid():
        Path("/run/sshd").mkdir(exist_ok=True)  # where it locks itself in
    for name in ("host", "user", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    (folder / "authorized").chmod(0o600)
    port = _free_port()
    (folder / "server").write_text(
        f"Port {port}\n"
        + "".join(f"ListenAddress {address}\n" for address in HOSTS.values())
        + f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\nPidFile none\n"
        "StrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPrintMotd no\n"
    )
    key = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known").write_text("".join(f"[{address}]:{port} {key}\n" for address in HOSTS.values()))
    people = "RemoteCommand bash\nRequestTTY yes\n"  # for who logs in
    known = f"Port {port}\nUser {getpass.getuser()}\nIdentitiesOnly yes\nUserKnownHostsFile {folder}/known\n{people}"
    (folder / "client").write_text(
        "".join(
            f"Host {name}\nHostName {address}\nIdentityFile {folder}/user\n{known}" for name, address in HOSTS.items()
        )
        + f"Host stranger\nHostName 127.0.0.1\nIdentityFile {folder}/other\n{known}"
        + f"Host unknown\nHostName 127.0.0.1\nHostKeyAlias another\nIdentityFile {folder}/user\n{known}"
    )
    programs = folder / "bin"
    programs.mkdir()
    (programs / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/client "$@"\n')
    (programs / "ssh").chmod(0o755)
    said = folder / "said"
    with said.open("wb") as file:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "server"], stderr=file, start_new_session=True)
    try:
        until(lambda: said.read_text().count("Server listening") == len(HOSTS) or server.poll() is not None)
        assert server.poll() is None, said.read_text()
        tried = subprocess.run(
            [programs / "ssh", "-oRemoteCommand=none", "-T", "loader-1", "true"],
            capture_output=True,
            text=True,
            check=False,
        )
        if tried.returncode:
            pytest.skip(f"this user may not log in here: {tried.stderr}")
        hosts = SshHosts(f"{programs}:{os.environ['PATH']}", server)
        until(lambda: not hosts.processes())  # the one that this try has left
        yield hosts
    finally:
        server.kill()
        server.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port
