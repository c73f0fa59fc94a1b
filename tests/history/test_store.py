"""What is kept comes back whole; the same kept twice changes nothing; two writers share a file."""

import os
import sqlite3
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from history_runs import START, beginning, intervals, kept, place, point, stored

from vezaflow.errors import VezaflowError
from vezaflow.gates import Outcome
from vezaflow.history import State, Word, open_store, opened, result_of
from vezaflow.history.kept import Second, header_of
from vezaflow.history.process import Process, lives, this_process
from vezaflow.reports import console, to_json

GONE = Process("elsewhere", this_process().machine, 4_194_303, "1")


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    result = kept(1)
    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        assert store.add(stored(1))
        found = store.get(result.run_id)
    assert found is not None
    assert to_json(result_of(found)) == to_json(result)
    assert console(result_of(found)) == console(result)


def test_a_run_that_is_there_is_not_taken_twice(tmp_path: Path) -> None:
    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        assert [store.add(stored(1)), store.add(stored(1)), len(store.rows())] == [True, False, 1]


def test_rows_are_the_newest_first_and_say_what_lists_show(tmp_path: Path) -> None:
    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        for number, day, outcome in ((1, 0.0, Outcome.GREEN), (2, 2.0, Outcome.RED), (3, 1.0, Outcome.INCONCLUSIVE)):
            store.add(stored(number, day=day, outcome=outcome))
        store.add(stored(4, suite="other"))
        rows = store.rows("veza-capacity")
        late = store.rows(since=START.replace(day=2))
    assert [row.word for row in rows] == [Word.RED, Word.INCONCLUSIVE, Word.GREEN]
    assert [row.id[-6:] for row in late] == ["000002", "000003"]
    pooled = to_json(kept(2))["pooled"]
    assert (rows[0].p95, rows[0].failed) == (pooled["http_req_duration"]["p95"], pooled["http_req_failed"])
    assert (rows[0].duration, rows[0].base_url, rows[0].state) == (10.4, "https://staging.veza.fr", State.COMPLETE)


def test_a_run_whose_process_is_gone_is_interrupted_with_the_figures_of_its_seconds(tmp_path: Path) -> None:
    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        start = beginning()
        store.begin(header_of(start), start.bundle.to_json(), GONE)
        store.put(start.run_id, [Second.of(n, each, [point(n + 1)]) for n, each in enumerate(intervals(4))])
        (row,) = store.rows()
        (again,) = store.rows()
        found = store.get(start.run_id)
    assert row == again
    assert (row.word, row.state, row.duration, row.failed) == (Word.INTERRUPTED, State.INTERRUPTED, 4.0, 0.1)
    assert row.p95 == pytest.approx(0.1, rel=0.002)
    assert found is not None
    result = result_of(found)
    assert result.summary.select("http_reqs").aggregate("count") == 40
    assert result.summary.select("http_req_failed").aggregate("rate") == pytest.approx(0.1)
    assert len(result.seconds.intervals) == len(result.timeline.points) == 4
    page = console(result)
    assert "the run ended after 4 s, before its result" in page
    assert "Generator" not in page


def test_a_run_that_runs_is_running_until_its_process_ends(tmp_path: Path) -> None:
    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        start = beginning()
        store.begin(header_of(start), start.bundle.to_json(), this_process())
        assert [row.word for row in store.rows()] == [Word.RUNNING]
        store.put(start.run_id, [Second.of(0, intervals(1)[0])])
        store.put(start.run_id, [Second.of(0, intervals(1)[0])])  # of whose commit nobody knew
        record = to_json(kept(1))
        store.end(start.run_id, [], record)
        assert [row.word for row in store.rows()] == [Word.GREEN]
        found = store.get(start.run_id)
    assert found is not None
    assert len(found.seconds) == 1


def test_a_run_elsewhere_lives_as_long_as_its_heart_beats() -> None:
    other = Process("elsewhere", "another boot", 1, "1")
    assert lives(other, 1000.0, 1030.0)
    assert not lives(other, 1000.0, 1100.0)
    assert lives(this_process(), 0.0, time.time())
    assert not lives(replace(this_process(), started="1"), time.time(), time.time())


def test_pruned_figures_leave_the_verdict_and_the_gates(tmp_path: Path) -> None:
    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        store.add(stored(1))
        run = kept(1).run_id
        weight = store.weight([run])
        store.drop_figures([run])
        store.shrink()
        assert (weight > 1000, store.weight([run])) == (True, 0)
        assert [(row.word, row.has_figures) for row in store.rows()] == [(Word.GREEN, False)]
        found = store.get(run)
    assert found is not None
    result = result_of(found)
    assert result.verdicts[0].value == kept(1).verdicts[0].value
    assert "pruned" in console(result)


def test_two_writers_share_one_file(tmp_path: Path) -> None:
    with opened(place(tmp_path), writing=True):
        pass
    failures: list[BaseException] = []

    def write(first: int) -> None:
        try:
            store = open_store(place(tmp_path))
            for number in range(first, first + 20):
                store.add(stored(number))
            store.close()
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with opened(place(tmp_path)) as store:
        assert store is not None
        assert (failures, len(store.rows())) == ([], 40)


def test_the_file_is_its_owners_alone_and_in_wal(tmp_path: Path) -> None:
    where = place(tmp_path / "state")
    with opened(where, writing=True):
        pass
    assert where.file is not None
    assert (os.stat(where.file).st_mode & 0o777, os.stat(where.file.parent).st_mode & 0o777) == (0o600, 0o700)
    connection = sqlite3.connect(where.file)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_history_that_is_not_there_is_not_made_by_who_reads(tmp_path: Path) -> None:
    with opened(place(tmp_path)) as store:
        assert store is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_text("these are notes of mine, and no database at all")
    with pytest.raises(VezaflowError, match="can't be used: file is not a database"), opened(place(tmp_path)):
        pass
