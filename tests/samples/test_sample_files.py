"""Samples in files: whole, in bounds, and never waited for."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vezaflow.metrics import Phase, Recorder, RequestSample, StepKey
from vezaflow.samples import SAMPLE_COLUMNS, SampleFile, SampleWriter

KEY = StepKey("browse", Phase.ITERATION, "search", "GET", "", (), True)
BEGAN, WALL = 100.0, 1_700_000_000.0


def samples(count: int, first: int = 0) -> list[RequestSample]:
    return [
        RequestSample(KEY, BEGAN + number / 1000, 200, "", 0.25, 0.001, 0.049, 100, number)
        for number in range(first, first + count)
    ]


def written(*files: SampleFile, batches: Iterator[list[RequestSample]]) -> SampleWriter:
    writer = SampleWriter(files, lambda text: text.replace("s3cret", "•••"))
    writer.begin(BEGAN, WALL)
    for batch in batches:
        writer.take(batch)
    writer.close()
    return writer


def of_json(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_json_and_csv_have_every_sample(tmp_path: Path) -> None:
    files = [SampleFile(form, str(tmp_path / f"run.{form}"), 10**8, 5) for form in ("json", "csv")]
    broken = RequestSample(KEY._replace(step='s3cret, 5 % "off"'), 101.5, 0, "timeout_wait", None, None, None, 80, 0)
    writer = written(*files, batches=iter([samples(300), [broken]]))
    assert writer.notes() == ()
    rows = of_json(tmp_path / "run.json")
    assert len(rows) == 301
    assert tuple(rows[0]) == SAMPLE_COLUMNS
    assert rows[150] == {
        "time": WALL + 0.15, "elapsed": 0.15, "flow": "browse", "phase": "iteration", "group": "", "step": "search",
        "method": "GET", "status": 200, "error": "", "duration": 0.25, "sending": 0.001, "waiting": 0.2,
        "receiving": 0.049, "bytes_sent": 100, "bytes_received": 150,
    }  # fmt: skip
    assert (rows[300]["step"], rows[300]["error"], rows[300]["duration"]) == (
        '•••, 5 % "off"',
        "timeout_wait",
        None,
    )
    with (tmp_path / "run.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [{name: "" if value is None else value for name, value in row.items()} for row in rows] == [
        {name: type(row[name])(value) if row[name] is not None else value for name, value in line.items()}
        for row, line in zip(rows, table, strict=True)
    ]


def test_files_are_rotated_within_their_bounds_and_what_went_is_said(tmp_path: Path) -> None:
    for number in (1, 2, 7):
        (tmp_path / f"run.csv.{number}").write_text("of a run before\n")
    path = tmp_path / "run.csv"
    batches = (samples(100, first) for first in range(0, 2000, 100))
    writer = written(SampleFile("csv", str(path), 4000, 3), batches=batches)
    kept = [path.with_name("run.csv.2"), path.with_name("run.csv.1"), path]
    assert {each.name for each in tmp_path.iterdir()} == {*(each.name for each in kept), "run.csv.7"}
    assert all(each.stat().st_size <= 4000 for each in kept)
    rows = []
    for each in kept:
        with each.open(newline="") as file:
            rows += [int(row["bytes_received"]) for row in csv.DictReader(file)]
    assert rows == list(range(2000 - len(rows), 2000))
    assert writer.notes() == (
        f"samples of {path}: the oldest {2000 - len(rows):,} were deleted to stay within the size",
    )


def test_nobody_waits_for_a_file_that_takes_nothing_and_what_is_lost_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)  # opening it waits for a reader
    writer = SampleWriter([SampleFile("json", str(path), 10**8, 1)], str, most_waiting=250)
    writer.begin(BEGAN, WALL)
    for first in range(0, 400, 100):
        writer.take(samples(100, first))
    writer.close(within=0.01)
    assert writer.notes() == (f"samples of {path}: writing was too slow: 400 of 400 samples lost",)
    with path.open() as reader:  # let the thread go
        assert len(reader.readlines()) == 200


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "run.csv"
    writer = written(SampleFile("csv", str(path), 10**8, 5), batches=iter([samples(10)]))
    assert writer.notes() == (f"samples of {path}: can't be written: No such file or directory",)
    full = written(SampleFile("csv", "/dev/full", 10**8, 1), batches=iter([samples(10)]))
    assert full.notes() == ("samples of /dev/full: can't be written: No space left on device",)


def test_each_worker_has_a_file_of_its_own() -> None:
    assert SampleFile("json", "out/run.jsonl", 1, 1).of_worker(2).file == "out/run.2.jsonl"


def test_a_recorder_hands_over_each_request_of_flows_with_every_fold() -> None:
    taken: list[RequestSample] = []
    recorder = Recorder(100.0, samples=taken.extend)
    search, setup = recorder.step("browse", "search", "GET"), recorder.step("", "seed", "POST")
    search.answered(200, 0.25, 0.001, 0.049, 100, 2000, "", 100.5)
    search.unanswered("reset", 100.75, "reset by peer", 100, 0)
    setup.answered(200, 0.25, 0.001, 0.049, 100, 2000, "", 100.5)
    assert taken == []
    recorder.fold(101.0)
    assert [(each.at.step, each.ended, each.status, each.error, each.duration) for each in taken] == [
        ("search", 100.5, 200, "", 0.25),
        ("search", 100.75, 0, "reset", None),
    ]
    recorder.fold(102.0)
    assert len(taken) == 2
    assert recorder.snapshot().select("http_reqs", "browse").samples == 2
