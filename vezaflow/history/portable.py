"""One run in one file: what `export` writes, and what a run leaves behind when its history can't be written.

Lines of JSON, compressed with gzip (docs/history.md): the start, then the seconds, then the record. Laws: a file that
was cut off gives what came before; what is in it is doubted before it is kept; no secret is in it.
"""

import gzip
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from vezaflow.diagnostics import printable
from vezaflow.errors import VezaflowError
from vezaflow.history.kept import Json, Second, State, Stored, header_from
from vezaflow.history.schema_1 import upgraded
from vezaflow.metrics import INTERVAL, SUMMARY, Point
from vezaflow.plan import Bundle, Inputs
from vezaflow.reports import from_json
from vezaflow.untrusted import MappingOf, Maybe, Null, Shape, TupleOf, misfit, shape_of

FORMAT = 1
SUFFIX = ".run"
_MOST = 1 << 30  # bytes of a file's text: more than a day of a large suite
_GZIP = b"\x1f\x8b"
_EMPTY: Json = {"requests": [], "steps": [], "flows": [], "vus": [], "attempts": []}
"""The figures of a record that has none."""

_LISTED: Shape = {"pooled": {"http_req_duration": {"p95": Null(float)}, "http_req_failed": Null(float)}}
"""Of a record, what lists show."""
_HEADER: Shape = {
    "run_id": str, "suite": str, "description": str, "started": str, "base_url": str, "segment": Maybe(str),
    "folder": Maybe(str),
    "plan": Maybe(Null({"hash": str, "parts": MappingOf(str)})),
    "profile": Maybe(Null({"full": bool, "changes": [str]})),
    "commit": Maybe(Null({"sha": str, "dirty": bool})),
    "host": Maybe(Null({"name": str, "cores": int, "kernel": str})),
}  # fmt: skip
_BUNDLE: Shape = {"files": [TupleOf((str, str))], "flows": [str], "secret_names": [str], "inputs": shape_of(Inputs)}
_SECOND: Shape = {"number": int, "interval": INTERVAL, "points": [{}]}


def written(stored: Stored) -> bytes:
    """The run as a file."""
    lines = [_start(stored.header, stored.bundle), *map(_second, stored.seconds)]
    if stored.record is not None:
        lines.append({"record": stored.record})
    return gzip.compress(b"".join(map(_line, lines)), mtime=0)


def read(file: Path) -> Stored:
    """The run in a file: exported, left behind, or a `summary.json` of any schema.

    Raises VezaflowError where there is none.
    """
    try:
        data = file.read_bytes()
    except OSError as e:
        raise VezaflowError(f"{file} can't be read: {e.strerror}") from None
    try:
        return _run(_lines(data)) if data[:2] == _GZIP else of_summary(_parsed(data))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as e:
        raise VezaflowError(
            f"{file} can't be read as a run: {printable(str(e))[:200]}",
            hint="`vezaflow history export` and `vezaflow run --summary` write such files",
        ) from None


def of_summary(record: Json) -> Stored:
    """The run of which this is the object of `summary.json`. ValueError: it is none."""
    if not isinstance(record, dict) or "schema" not in record:
        raise ValueError("it is not a result of vezaflow")
    if record["schema"] == 1:
        record = upgraded(record)
        if misfit(record.get("figures"), SUMMARY):  # of a version that kept none, or others
            record.pop("figures", None)
    _require_record({"figures": _EMPTY, **record})
    seconds = tuple(Second(number, each) for number, each in enumerate(record.get("by_second", ())))
    segment = record.get("segment")
    bundle = segment.get("bundle") if isinstance(segment, dict) else None
    if bundle is not None:
        _require_bundle(bundle)
    light = {name: value for name, value in record.items() if name != "by_second"}
    return Stored(header_from(record), bundle, seconds, light)


class Spill:
    """A file that grows while the run goes on. It goes into the first of some folders that takes it."""

    def __init__(self, folders: Sequence[Path], run: str) -> None:
        self._candidates = [folder / f"vezaflow-{run}{SUFFIX}" for folder in folders]
        self.file = self._candidates[0]
        self.trouble = ""  # why there is none
        self._lines: list[bytes] = []  # all of it, until a folder took it

    def begin(self, header: Json, bundle: Json | None) -> None:
        self._put([_start(header, bundle)])

    def put(self, seconds: Sequence[Second]) -> None:
        if seconds:
            self._put(map(_second, seconds))

    def end(self, record: Json | None) -> None:
        if record is not None:
            self._put([{"record": record}])

    def _put(self, objects: Iterable[Json]) -> None:
        self._lines.append(b"".join(map(_line, objects)))
        text = gzip.compress(b"".join(self._lines))
        for file in self._candidates:
            try:
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                size = file.stat().st_size if file.exists() else 0
                with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as opened:
                    try:
                        opened.write(text)
                        opened.flush()
                        os.fsync(opened.fileno())
                    except OSError:
                        opened.truncate(size)
                        raise
            except OSError as e:
                self.trouble = f"{file}: {e.strerror}"
                continue
            self.file, self.trouble = file.absolute(), ""
            self._candidates = [file, *(other for other in self._candidates if other != file)]
            self._lines.clear()
            return


def _start(header: Json, bundle: Json | None) -> Json:
    return {"vezaflow": "run", "format": FORMAT, "header": header, "bundle": bundle}


def _second(second: Second) -> Json:
    return {"number": second.number, "interval": second.interval, "points": list(second.points)}


def _line(value: Json) -> bytes:
    return orjson.dumps(value) + b"\n"


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise ValueError("it is not JSON") from None


def _lines(data: bytes) -> Iterator[Any]:
    """The objects of a file; what is cut off at its end is left out."""
    rest = b""
    total = 0
    while data:
        inflater = zlib.decompressobj(wbits=31)
        while data and not inflater.eof:
            try:
                text = inflater.decompress(data, 1 << 20)
            except zlib.error as e:
                raise ValueError(f"it is corrupt: {e}") from None
            data = inflater.unconsumed_tail
            total += len(text)
            if total > _MOST:
                raise ValueError("it is too large")
            *lines, rest = (rest + text).split(b"\n")
            yield from map(_parsed, lines)
            if not text and not data:
                break
        data = inflater.unused_data


def _run(lines: Iterator[Any]) -> Stored:
    start = next(lines, None)
    if not isinstance(start, dict) or start.get("vezaflow") != "run":
        raise ValueError("it is not a run of vezaflow")
    if start["format"] != FORMAT:
        raise ValueError(f"format {str(start['format'])[:20]}, and this version reads {FORMAT}")
    header, bundle = start["header"], start["bundle"]
    if place := misfit(header, _HEADER):
        raise ValueError(f"`header.{place}` is invalid")
    if datetime.fromisoformat(header["started"]).utcoffset() is None:
        raise ValueError("`header.started` has no UTC offset")
    if bundle is not None:
        _require_bundle(bundle)
    seconds: dict[int, Second] = {}
    record: Json | None = None
    for line in lines:
        if "record" in line:
            record = line["record"]
            _require_record({**record, "figures": record.get("figures", _EMPTY)})
            if record["run_id"] != header["run_id"]:
                raise ValueError("its parts are of two runs")
            continue
        if place := misfit(line, _SECOND):
            raise ValueError(f"`{place}` is invalid")
        for point in line["points"]:
            Point.from_json(point)
        seconds[line["number"]] = Second(line["number"], line["interval"], line["points"])
    state = State.COMPLETE if record is not None else State.INTERRUPTED
    return Stored(header, bundle, tuple(seconds[number] for number in sorted(seconds)), record, state)


def _require_record(record: Json) -> None:
    """ValueError: it is no object of `summary.json`."""
    if place := misfit(record, _LISTED):
        raise ValueError(f"`{place}` is invalid")
    from_json(record)


def _require_bundle(bundle: Any) -> None:
    if place := misfit(bundle, _BUNDLE):
        raise ValueError(f"`bundle.{place}` is invalid")
    Bundle.from_json(bundle)
