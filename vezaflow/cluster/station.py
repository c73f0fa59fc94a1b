"""A Dask scheduler or worker that a run has started: `python -m vezaflow.cluster.station`, here or by SSH.

Laws: what it is to be, and the key of the cluster, come in one line on its standard input; nothing of it is on a
command line, or in a file that stays (Dask makes one for a moment, since OpenSSL reads no other keys). It ends when
that input does, however the run ended: a connection that breaks closes it as well. It listens only where the run
reached it: on loopback, or at the address that SSH came in by.
"""

import asyncio
import os
import sys
import threading
import time
from typing import IO, NoReturn

import dask
import orjson
from distributed import Scheduler, Worker

from vezaflow.cluster.credentials import Credentials

MARK = b"vezaflow-station "  # before what it says: a login shell may print what it likes first
SCHEDULER = "scheduler"
WORKER = "worker"
_CONFIGURATION = {
    "distributed.scheduler.allowed-failures": 0,  # a share of load is not to be run again when its machine is lost
    "distributed.worker.profile.enabled": False,  # else it looks at its threads every 10 ms
}
_LAST_WORDS = 3.0  # seconds that an orderly end has
_ALONE = 30  # seconds that a worker waits for its scheduler


def main() -> NoReturn:
    """Be what the first line says, until the input ends."""
    line = sys.stdin.buffer.readline()
    if line:
        with dask.config.set(_CONFIGURATION):
            asyncio.run(_be(orjson.loads(line)))
    sys.stderr.flush()
    os._exit(0)  # a load's relay may still be in one of its threads


async def _be(order: dict[str, str]) -> None:
    credentials = Credentials(order["certificate"], order["key"])
    host = order["host"] or _reached_at()
    server: Scheduler | Worker
    if order["be"] == SCHEDULER:
        server = Scheduler(host=host, port=0, protocol="tls", security=credentials.security, dashboard=False)
    else:
        server = Worker(
            order["scheduler"],
            nthreads=1,
            host=host,
            protocol="tls",
            security=credentials.security,
            dashboard=False,
            memory_limit=0,
            death_timeout=_ALONE,
        )
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=_until_end, args=(sys.stdin.buffer, loop, over), daemon=True).start()
    async with server:
        sys.stdout.buffer.write(b"\n" + MARK + orjson.dumps({"address": server.address}) + b"\n")
        sys.stdout.buffer.flush()
        await asyncio.wait(
            [asyncio.ensure_future(over.wait()), asyncio.ensure_future(server.finished())],  # type: ignore[no-untyped-call]
            return_when=asyncio.FIRST_COMPLETED,
        )


def _until_end(source: IO[bytes], loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    source.read()
    loop.call_soon_threadsafe(over.set)
    time.sleep(_LAST_WORDS)
    os._exit(1)


def _reached_at() -> str:
    """The address of this machine by which SSH came to it."""
    parts = os.environ.get("SSH_CONNECTION", "").split()  # the client's address and port, the server's
    address = parts[2] if len(parts) == 4 else "127.0.0.1"
    return f"[{address}]" if ":" in address else address


if __name__ == "__main__":
    main()
