"""The thread that writes samples, beside the load.

Laws: who hands samples over never waits; at most MOST_WAITING of them wait, and what has no room is lost and counted.
The thread works in small pieces with rests between them (aside.py): the load's loop shares its interpreter. What fails
is said in `notes`, and changes nothing else. `close` waits `SAMPLE_LAST` seconds for what is left.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue

from vezaflow.aside import patiently
from vezaflow.metrics import RequestSample
from vezaflow.samples.files import Lines, RotatedFile, SampleFile
from vezaflow.units import counted

MOST_WAITING = 300_000  # samples: about 60 MB
PIECE = 50  # samples that are written at a time: 0.1 ms of work
SAMPLE_LAST = 5.0  # seconds for what is left when the load is over


class SampleWriter:
    """Writes to all of these files. `begin` once, `take` again and again, `close` in the end."""

    def __init__(
        self, files: Sequence[SampleFile], mask: Callable[[str], str], *, most_waiting: int = MOST_WAITING
    ) -> None:
        self._files = tuple(files)
        self._mask = mask
        self._most_waiting = most_waiting
        self._queue: SimpleQueue[list[RequestSample] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._given_up = False
        self._taken = self._done = self._lost = 0
        self._dropped: dict[str, int] = {}  # by file, samples in files that had to go
        self._troubles: dict[str, str] = {}  # by file

    def begin(self, began: float, wall: float) -> None:
        """The load begins at this moment of the clock, which is `wall` in Unix time."""
        self._thread = threading.Thread(target=self._run, args=(began, wall), name="samples", daemon=True)
        self._thread.start()

    def take(self, samples: list[RequestSample]) -> None:
        """Take samples over, or count them as lost."""
        if self._thread is None or self._taken - self._done + len(samples) > self._most_waiting:
            self._lost += len(samples)
            return
        self._taken += len(samples)
        self._queue.put(samples)

    def close(self, within: float = SAMPLE_LAST) -> None:
        """Wait until all is written, for so long. Blocks."""
        if self._thread is None:
            return
        self._queue.put(None)
        self._thread.join(within)
        self._given_up = self._thread.is_alive()
        if self._given_up:
            self._lost += self._taken - self._done

    def notes(self) -> tuple[str, ...]:
        """What was lost, a line each."""
        found = [f"samples of {file}: {trouble}" for file, trouble in self._troubles.items()]
        if self._lost:
            of = counted(self._taken + self._lost - (self._taken - self._done if self._given_up else 0), "sample")
            files = ", ".join(where.file for where in self._files)
            found.append(f"samples of {files}: writing was too slow: {self._lost:,} of {of} lost")
        found += [
            f"samples of {file}: the oldest {dropped:,} were deleted to stay within the size"
            for file, dropped in self._dropped.items()
        ]
        return tuple(found)

    def _run(self, began: float, wall: float) -> None:
        opened: list[tuple[SampleFile, Lines, RotatedFile]] = []
        for where in self._files:
            lines = Lines(where.form, began, wall, self._mask)
            try:
                opened.append((where, lines, RotatedFile(where, lines.head)))
            except OSError as e:
                self._troubles[where.file] = f"can't be written: {e.strerror}"
        for piece in patiently(self._pieces()):
            for target in tuple(opened):
                where, lines, file = target
                try:
                    _put(piece, lines, file, where.most)
                except OSError as e:
                    self._troubles[where.file] = f"failed after {counted(self._done, 'sample')}: {e.strerror}"
                    opened.remove(target)
                if file.dropped:
                    self._dropped[where.file] = file.dropped
            self._done += len(piece)
        for _, _, file in opened:
            file.close()

    def _pieces(self) -> Iterator[Sequence[RequestSample]]:
        while (samples := self._queue.get()) is not None:
            for start in range(0, len(samples), PIECE):
                yield samples[start : start + PIECE]


def _put(samples: Sequence[RequestSample], lines: Lines, file: RotatedFile, most: int) -> None:
    """Write them in as many parts as it takes for each to fit into a file. Raises OSError."""
    data = lines.encode(samples)
    if len(samples) == 1 or len(lines.head) + len(data) <= most:
        file.write(data, len(samples))
        return
    half = len(samples) // 2
    _put(samples[:half], lines, file, most)
    _put(samples[half:], lines, file, most)
