"""A run is kept whatever the database does: at once, later, or in a file that is taken in later."""

import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from history_runs import beginning, intervals, kept, place, point

from vezaflow.history import HistoryPlace, Word, Writer, open_store, opened, read, result_of
from vezaflow.history import writer as rooms
from vezaflow.reports import to_json

pytestmark = pytest.mark.slow


def keep(where: HistoryPlace, folder: Path, seconds: int = 5) -> Writer:
    """A writer that was given a run up to its end."""
    writer = Writer(open_store(where), [folder])
    writer.begin(beginning())
    for each in intervals(seconds):
        writer.second(each, [point(each.second)])
    return writer


def kept_words(where: HistoryPlace) -> list[Word]:
    with opened(where) as store:
        assert store is not None
        return [row.word for row in store.rows()]


def whole(where: HistoryPlace, seconds: int = 5) -> None:
    """Nothing of the run is missing."""
    with opened(where) as store:
        assert store is not None
        found = store.get(kept(1).run_id)
    assert found is not None
    assert [second.number for second in found.seconds] == list(range(seconds))
    assert to_json(result_of(found))["gates"] == to_json(kept(1))["gates"]


def test_a_run_is_kept_as_it_goes_and_to_its_end(tmp_path: Path) -> None:
    writer = keep(place(tmp_path), tmp_path)
    begin = time.monotonic()
    while time.monotonic() - begin < 10:
        with opened(place(tmp_path)) as store:
            if store is not None and store.weight([kept(1).run_id]):
                break
        time.sleep(0.02)
    assert kept_words(place(tmp_path)) == [Word.RUNNING]
    writer.end(kept(1))
    assert writer.wait() == ""
    assert kept_words(place(tmp_path)) == [Word.GREEN]
    whole(place(tmp_path))
    assert list(tmp_path.glob("*.run")) == []


def test_no_call_waits_while_another_holds_the_file(tmp_path: Path) -> None:
    where = place(tmp_path)
    with opened(where, writing=True):
        pass
    assert where.file is not None
    other = sqlite3.connect(where.file, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    writer = keep(where, tmp_path, seconds=50)  # it would wait for ever: nothing frees the file before it is back
    threading.Timer(1.0, other.rollback).start()
    writer.end(kept(1))
    assert writer.wait() == ""
    other.close()
    whole(where, seconds=50)


def test_what_could_not_be_written_is_in_a_file_that_import_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "PATIENCE", 0.5)
    where = place(tmp_path)
    with opened(where, writing=True):
        pass
    assert where.file is not None
    other = sqlite3.connect(where.file)
    other.execute("BEGIN EXCLUSIVE")
    writer = keep(where, tmp_path)
    writer.end(kept(1))
    said = writer.wait()
    other.rollback()
    other.close()
    file = tmp_path / f"vezaflow-{kept(1).run_id}.run"
    assert f"vezaflow history import {file}" in said
    assert "could not be written" in said
    with opened(where) as store:
        assert store is not None
        store.add(read(file))
    whole(where)
    assert kept_words(where) == [Word.GREEN]


def test_what_waits_too_long_goes_to_the_file_while_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "_HELD", 3)
    monkeypatch.setattr(rooms, "PATIENCE", 1.0)
    where = place(tmp_path / "a file" / "history.db")
    (tmp_path / "a file").write_text("so that nothing can be here")
    writer = Writer(open_store(where), [tmp_path])
    writer.begin(beginning())
    file = tmp_path / f"vezaflow-{kept(1).run_id}.run"
    for each in intervals(3):
        writer.second(each, [])
    deadline = time.monotonic() + 10
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(read(file).seconds) == 3  # and would be there after a crash
    for each in intervals(6)[3:]:
        writer.second(each, [])
    writer.end(kept(1))
    said = writer.wait()
    assert "unable to open database file" in said
    whole_run = read(file)
    assert [second.number for second in whole_run.seconds] == list(range(6))
    assert whole_run.record is not None


def test_a_run_that_failed_on_the_way_keeps_what_came(tmp_path: Path) -> None:
    writer = keep(place(tmp_path), tmp_path)
    assert writer.wait() == ""
    with opened(place(tmp_path)) as store:
        assert store is not None
        found = store.get(kept(1).run_id)
    assert found is not None
    assert (len(found.seconds), found.record) == (5, None)


def test_a_run_that_never_began_is_not_kept(tmp_path: Path) -> None:
    writer = Writer(open_store(place(tmp_path)), [tmp_path])
    assert (writer.wait(), writer.id, list(tmp_path.iterdir())) == ("", "", [])


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 4096)
            except OSError:
                return


def test_a_full_disk_costs_no_second_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "PATIENCE", 1.0)
    disk = tmp_path / "disk"
    with small_disk(disk, "300k"):
        where = place(disk)
        with opened(where, writing=True):
            pass
        filler = disk / "filler"
        fill(filler)
        writer = keep(where, disk, seconds=200)
        writer._folders = (disk, tmp_path)  # the working directory is full as well
        writer.end(kept(1))
        said = writer.wait()
        assert "could not be written" in said
        spilled = read(tmp_path / f"vezaflow-{kept(1).run_id}.run")
        assert len(spilled.seconds) == 200
        filler.unlink()
        with opened(where, writing=True) as store:
            assert store is not None
            assert store.add(spilled)
        whole(where, seconds=200)


def test_a_disk_that_has_room_again_during_the_run_gets_all_of_it(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "300k"):
        where = place(disk)
        with opened(where, writing=True):
            pass
        filler = disk / "filler"
        fill(filler)
        writer = keep(where, tmp_path, seconds=100)
        begin = time.monotonic()
        while not writer._trouble and time.monotonic() - begin < 10:
            time.sleep(0.02)
        assert writer._trouble in ("database or disk is full", "disk I/O error")
        filler.unlink()
        writer.end(kept(1))
        assert writer.wait() == ""
        whole(where, seconds=100)
        assert list(tmp_path.glob("*.run")) == []
