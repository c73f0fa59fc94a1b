"""A target whose limit is known: so many workers, each of which takes the same time for a request. Requests wait for a
free one in the order in which they came, so beyond the limit the response time grows for as long as the load lasts.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno"


class QueueServer:
    """`limit`: requests per second that its workers can do. `broken`: responses are failures. `late`: by how many
    seconds a response came later than it should have, at most: on a busy machine the limit is another one."""

    def __init__(self, workers: int, service_time: float) -> None:
        self.limit = workers / service_time
        self.broken = False
        self.late = 0.0
        self.port = 0
        self._service_time = service_time
        self._free = [0.0] * workers  # when each worker is free again
        self._loop = asyncio.new_event_loop()

    def run(self, ready: threading.Event) -> None:
        """Serve until `stop`."""
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                done = self._taken()
                await asyncio.sleep(done - self._loop.time())
                self.late = max(self.late, self._loop.time() - done)
                writer.write(_FAILED if self.broken else _OK)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def _taken(self) -> float:
        """When the worker is done that is free first. Sleeping late costs no worker any time."""
        worker = min(range(len(self._free)), key=self._free.__getitem__)
        self._free[worker] = max(self._loop.time(), self._free[worker]) + self._service_time
        return self._free[worker]


@contextmanager
def queue_server(workers: int, service_time: float) -> Iterator[QueueServer]:
    """One that runs in a thread."""
    server, ready = QueueServer(workers, service_time), threading.Event()
    thread = threading.Thread(target=server.run, args=(ready,))
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
