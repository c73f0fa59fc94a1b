"""The target: nginx on one core, and the counter that all contenders are judged by.

Files and configuration live in a folder of the run; ports are free ones of the loopback. The process stays
in the foreground, so that the pid we end is the pid we started.
"""

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from bench.processes import end, pin

TEMPLATE = Path(__file__).parent / "target" / "nginx.conf"
SEGMENT = 192 * 1024
CHUNK = 1024 * 1024
TRACK = "6f9d2c1e-8f3b-4c55-9a56-0b7f6f0f2a11"


@dataclass(frozen=True, slots=True)
class Target:
    """A running nginx. `base` is what contenders load."""

    base: str
    status: str
    version: str

    def requests(self) -> int:
        """How many requests nginx has finished or begun so far, over all connections."""
        with urllib.request.urlopen(self.status, timeout=5) as answer:
            figures = re.search(r"\n\s*(\d+) (\d+) (\d+)\s*\n", answer.read().decode())
        if figures is None:
            raise RuntimeError("stub_status said something else than expected")
        return int(figures[3])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _track(number: int) -> dict[str, object]:
    return {
        "id": f"{number:08x}{TRACK[8:]}",
        "title": f"Track number {number}",
        "artist": f"Artist {number % 7}",
        "duration": 180 + number,
        "genre": "ambient",
    }


def _write_files(folder: Path) -> None:
    """The answers, about the size that Veza's are."""
    folder.mkdir(parents=True, exist_ok=True)
    page = {"data": [_track(n) for n in range(20)], "next_cursor": "eyJpZCI6MjB9", "total": 4211}
    products = [{"id": f"product-{n}", "price": 990 + n, "currency": "EUR", "stock": n} for n in range(20)]
    segments = "".join(f"#EXTINF:6.000,\nsegment-{n}.ts\n" for n in range(30))
    answers = {
        "search.json": json.dumps(page),
        "tracks.json": json.dumps(page),
        "track.json": json.dumps(_track(1)),
        "products.json": json.dumps({"data": products}),
        "received.json": "{}",
        "master.m3u8": (
            "#EXTM3U\n"
            '#EXT-X-STREAM-INF:BANDWIDTH=128000,CODECS="mp4a.40.2"\n128k/index.m3u8\n'
            '#EXT-X-STREAM-INF:BANDWIDTH=256000,CODECS="mp4a.40.2"\n256k/index.m3u8\n'
            '#EXT-X-STREAM-INF:BANDWIDTH=320000,CODECS="mp4a.40.2"\n320k/index.m3u8\n'
        ),
        "index.m3u8": f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n{segments}#EXT-X-ENDLIST\n",
    }
    for name, text in answers.items():
        (folder / name).write_text(text)
    (folder / "segment.ts").write_bytes(b"\x47" * SEGMENT)


def _write_certificate(folder: Path) -> None:
    """For 127.0.0.1, by an authority that nobody keeps: no contender verifies it."""
    certificate = trustme.CA().issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "certificate.pem"))


def _wait_until_up(status: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(status, timeout=1):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError(f"nginx did not start: {log.read_text() if log.exists() else 'no log'}")


def _check_that_bodies_are_read(base: str) -> None:
    """Sends one chunk and has nginx say how many bytes of it it has read."""
    request = urllib.request.Request(f"{base}/check/chunk", data=b"x" * CHUNK, method="POST")
    with urllib.request.urlopen(request, timeout=5) as answer:
        seen = int(answer.read())
    if seen < CHUNK:
        raise RuntimeError(f"nginx answered after {seen} of {CHUNK} bytes: uploads would not be measured")


@contextmanager
def target(folder: Path, core: int, log: Path | None = None, *, tls: bool = False) -> Iterator[Target]:
    """nginx pinned to `core`, until the block ends; requests are logged only where a log is given."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        raise SystemExit("the bench needs nginx (Debian: nginx-light)")
    _write_files(folder / "files")
    _write_certificate(folder)
    ports = {"PORT": str(_free_port()), "TLS": str(_free_port()), "STATUS": str(_free_port())}
    text = TEMPLATE.read_text()
    log_to = f"{log} bench" if log else "off"
    for name, value in {**ports, "ROOT": str(folder), "LOG": log_to}.items():
        text = text.replace(f"@{name}@", value)
    conf = folder / "nginx.conf"
    conf.write_text(text)
    version = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr.strip()
    process = subprocess.Popen(pin(core, [program, "-p", str(folder), "-c", str(conf)]))
    status = f"http://127.0.0.1:{ports['STATUS']}/"
    plain = f"http://127.0.0.1:{ports['PORT']}"
    base = f"https://127.0.0.1:{ports['TLS']}" if tls else plain
    try:
        _wait_until_up(status, process, folder / "error.log")
        _check_that_bodies_are_read(plain)
        yield Target(base, status, version.removeprefix("nginx version: ") + (" over TLS 1.3" if tls else ""))
    finally:
        end(process)
