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

from vezaflow.metrics import RequestSample, StepKey

SAMPLE_COLUMNS = (
    "time", "elapsed", "flow", "phase", "group", "step", "method", "status", "error", "duration", "sending", "waiting",
    "receiving", "bytes_sent", "bytes_received",
)  # fmt: skip
"""The keys of a line. `time`: Unix time, `elapsed`: seconds since the load's start; both of the end of the request."""
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
    """Samples as lines. `began`: the load's begin on the clock, `wall`: the same as Unix time.

    Of each outcome of a step the line is made once, but for its numbers (2 µs a sample; 6 to 7 by orjson or csv).
    """

    def __init__(self, form: str, began: float, wall: float, mask: Callable[[str], str]) -> None:
        self.head = _HEAD if form == "csv" else b""
        self._line = _csv_line if form == "csv" else _json_line
        self._began = began
        self._wall = wall
        self._mask = mask
        self._known: dict[tuple[StepKey, int, str, bool], str] = {}

    def encode(self, samples: Sequence[RequestSample]) -> bytes:
        """A line for each."""
        began, wall, known = self._began, self._wall, self._known
        lines = []
        for at, ended, status, error, duration, sending, receiving, sent, received in samples:
            elapsed = ended - began
            line = known.get((at, status, error, duration is None)) or self._new(at, status, error, duration)
            if duration is None or sending is None or receiving is None:
                lines.append(line % (wall + elapsed, elapsed, sent, received))
            else:
                waiting = max(0.0, duration - sending - receiving)
                times = (duration, sending, waiting, receiving)
                lines.append(line % (wall + elapsed, elapsed, *times, sent, received))
        return "".join(lines).encode()

    def _new(self, at: StepKey, status: int, error: str, duration: float | None) -> str:
        """What stands around the numbers of a line."""
        names = map(self._mask, (at.flow, at.phase.value, at.group, at.step, at.method))
        times: list[_Number | None] = [_Number("%.7f") if duration is not None else None] * 4
        moment, count = _Number("%.6f"), _Number("%d")
        line = self._line((moment, moment, *names, status, error, *times, count, count))
        self._known[at, status, error, duration is None] = line
        return line


class _Number(str):
    """How a number that is not known yet will be written."""


def _json_line(cells: Sequence[str | int | None]) -> str:
    import orjson

    written = (cell if isinstance(cell, _Number) else _literal(orjson.dumps(cell).decode()) for cell in cells)
    pairs = (f'"{name}":{cell}' for name, cell in zip(SAMPLE_COLUMNS, written, strict=True))
    return "{" + ",".join(pairs) + "}\n"


def _csv_line(cells: Sequence[str | int | None]) -> str:
    text = io.StringIO()
    known = (_literal(cell) if isinstance(cell, str) and not isinstance(cell, _Number) else cell for cell in cells)
    csv.writer(text, lineterminator="\n").writerow(known)
    return text.getvalue()


def _literal(text: str) -> str:
    return text.replace("%", "%%")


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
