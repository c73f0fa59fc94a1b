"""The files that samples are written to: lines of JSON or CSV, rotated, so that they never fill a disk.

Laws: `FILE` is the newest, `FILE.1` the one before it; a file has at most `most` bytes, and there are at most `files`.
Each process of a load writes files of its own: the second worker of `run.jsonl` writes `run.2.jsonl`. Times are
seconds; what has no value is null, in CSV empty.
"""

import csv
import io
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vezaflow.metrics import RequestSample, StepKey

SAMPLE_COLUMNS = (
    "time", "elapsed", "flow", "phase", "group", "step", "method", "status", "error", "duration", "sending", "waiting",
    "receiving", "bytes_sent", "bytes_received",
)  # fmt: skip
"""The keys of a line. `time`: Unix time, `elapsed`: seconds since the load's begin; both of the end of the request."""
_HEAD = (",".join(SAMPLE_COLUMNS) + "\n").encode()


@dataclass(frozen=True, slots=True)
class SampleFile:
    """Where samples go. `form`: `json` or `csv`; `most`: bytes of one file; `files`: how many of them are kept."""

    form: str
    file: str
    most: int
    files: int

    def of_worker(self, number: int) -> "SampleFile":
        """The same for one of several processes."""
        path = Path(self.file)
        return SampleFile(self.form, str(path.with_name(f"{path.stem}.{number}{path.suffix}")), self.most, self.files)


class Lines:
    """Samples as lines. `began`: the load's begin on the clock, `wall`: the same as Unix time."""

    def __init__(self, form: str, began: float, wall: float, mask: Callable[[str], str]) -> None:
        self.head = _HEAD if form == "csv" else b""
        self.encode = self._csv if form == "csv" else self._json
        self._began = began
        self._wall = wall
        self._mask = mask
        self._names: dict[StepKey, tuple[str, ...]] = {}

    def _row(self, sample: RequestSample) -> tuple[Any, ...]:
        key, ended, status, error, duration, sending, receiving, sent, received = sample
        names = self._names.get(key)
        if names is None:
            written = (key.flow, key.phase.value, key.group, key.step, key.method)
            names = self._names[key] = tuple(map(self._mask, written))
        elapsed = ended - self._began
        waiting = None
        if duration is not None and sending is not None and receiving is not None:
            waiting = _rounded(duration - sending - receiving)
        return (
            _rounded(self._wall + elapsed), _rounded(elapsed), *names, status, error, _rounded(duration),
            _rounded(sending), waiting, _rounded(receiving), sent, received,
        )  # fmt: skip

    def _json(self, samples: Sequence[RequestSample]) -> bytes:
        import orjson

        rows = map(self._row, samples)
        option = orjson.OPT_APPEND_NEWLINE
        return b"".join([orjson.dumps(dict(zip(SAMPLE_COLUMNS, row, strict=True)), option=option) for row in rows])

    def _csv(self, samples: Sequence[RequestSample]) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(map(self._row, samples))
        return text.getvalue().encode()


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 7)


class RotatedFile:
    """The newest file of a SampleFile, open. Raises OSError."""

    def __init__(self, where: SampleFile, head: bytes) -> None:
        self.dropped = 0  # lines in files that had to go
        self._where = where
        self._head = head
        self._counts: list[int] = []  # lines of the files before, the oldest first
        for number in range(1, where.files):
            Path(f"{where.file}.{number}").unlink(missing_ok=True)  # of a run before this one
        self._open()

    def _open(self) -> None:
        self._number = os.open(self._where.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        self._rotates = stat.S_ISREG(os.fstat(self._number).st_mode)  # nobody renames /dev/null
        self._size = self._lines = 0
        self._put(self._head)

    def write(self, data: bytes, lines: int) -> None:
        """Whole lines, which stay together."""
        if self._rotates and self._lines and self._size + len(data) > self._where.most:
            self._rotate()
        self._put(data)
        self._lines += lines

    def _put(self, data: bytes) -> None:
        self._size += len(data)
        while data:
            data = data[os.write(self._number, data) :]

    def _rotate(self) -> None:
        os.close(self._number)
        file = self._where.file
        self._counts.append(self._lines)
        if len(self._counts) == self._where.files:
            self.dropped += self._counts.pop(0)
        for number in range(len(self._counts), 1, -1):
            os.replace(f"{file}.{number - 1}", f"{file}.{number}")
        if self._counts:
            os.replace(file, f"{file}.1")
        self._open()

    def close(self) -> None:
        os.close(self._number)
