"""The same history in a PostgreSQL, which may go away during a run."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from history_runs import beginning, intervals, kept, point, stored
from postgres import Postgres, postgres

from vezaflow.cli.runs import kept_runs, named
from vezaflow.errors import VezaflowError
from vezaflow.history import HistoryPlace, Word, Writer, open_store, opened, place_of, result_of
from vezaflow.reports import to_json

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as found:
        yield found


@pytest.fixture
def where(server: Postgres) -> HistoryPlace:
    """An empty history."""
    where = place_of(server.url, {})
    with opened(where, writing=True) as store:
        assert store is not None
        store.delete([row.id for row in store.rows()])
    return where


def test_runs_are_kept_listed_pruned_and_deleted(where: HistoryPlace) -> None:
    with opened(where, writing=True) as store:
        assert store is not None
        assert [store.add(stored(1)), store.add(stored(1)), store.add(stored(2, day=1))] == [True, False, True]
        assert [row.word for row in store.rows()] == [Word.GREEN] * 2
        found = store.get(kept(1).run_id)
        assert found is not None
        assert to_json(result_of(found)) == to_json(kept(1))
        assert store.weight([kept(1).run_id]) > 1000
        store.drop_figures([kept(1).run_id])
        store.shrink()
        assert store.weight([kept(1).run_id]) == 0
        store.delete([kept(1).run_id])
        assert [row.id for row in store.rows()] == [kept(2, day=1).run_id]


def test_a_server_that_is_stopped_and_started_during_a_run_gets_all_of_it(
    server: Postgres, where: HistoryPlace, tmp_path: Path
) -> None:
    writer = Writer(open_store(where), [tmp_path])
    writer.begin(beginning())
    all_of_it = intervals(30)
    for each in all_of_it[:10]:
        writer.second(each, [point(each.second)])
    deadline = time.monotonic() + 10
    while writer._waiting and time.monotonic() < deadline:
        time.sleep(0.02)
    server.stop()
    try:
        for each in all_of_it[10:20]:
            writer.second(each, [point(each.second)])
        deadline = time.monotonic() + 15
        while not writer._trouble and time.monotonic() < deadline:
            time.sleep(0.02)
        assert writer._trouble
        assert len(writer._waiting) == 10
    finally:
        server.start()
    for each in all_of_it[20:]:
        writer.second(each, [point(each.second)])
    writer.end(kept(1))
    assert writer.wait() == ""
    with opened(where) as store:
        assert store is not None
        found = store.get(kept(1).run_id)
    assert found is not None
    assert [second.number for second in found.seconds] == list(range(30))
    assert [each.second for each in result_of(found).seconds.intervals] == [each.second for each in all_of_it]


def test_a_real_run_outlives_a_server_that_restarts_and_is_kept_whole(
    server: Postgres, where: HistoryPlace, tmp_path: Path
) -> None:
    (tmp_path / "suite.yml").write_text("suite: test\nbase_url: ${env.BASE_URL}\n")
    flow = "load: {vus: 1, duration: 8s}\nsteps: [{get: /api/v1/health, name: health}]\nthink: 50ms\n"
    (tmp_path / "flow.yml").write_text(flow + "gates: {http_req_failed: rate < 1 %}\n")
    command = [sys.executable, "-m", "vezaflow", "run", str(tmp_path), "--sandbox", "--history", server.url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 30
        while not kept_runs(server.url) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)  # of the load, which goes on all the while
        server.stop()
        time.sleep(2)
        server.start()
        said = process.communicate(timeout=60)[0]
    finally:
        process.kill()
    assert process.returncode in (0, 98), said
    (row,) = kept_runs(server.url)
    assert f"kept: {row.id}" in said
    result = named("last", server.url)
    kept_requests = sum(step.requests for _, step in result.seconds.of(("flow", "health", "GET")))
    assert kept_requests == result.summary.select("http_reqs").aggregate("count")
    assert len(result.seconds.intervals) >= 8
    assert list(tmp_path.glob("*.run")) == []


def test_two_programs_that_make_the_tables_at_once_make_them_once(server: Postgres) -> None:
    name = f"twice{time.time_ns()}"
    script = f"""
import sys
from sqlalchemy import create_engine
from vezaflow.history import opened, place_of
with opened(place_of({server.url.replace("/postgres?", f"/{name}?")!r}), writing=True) as store:
    print(len(store.rows()))
"""
    import psycopg

    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    both = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0] for process in both] == ["0\n", "0\n"]


def test_a_server_that_is_not_there_is_said_in_a_line_without_its_password() -> None:
    where = place_of("postgresql://me:secret-word@127.0.0.1:9/nights", {})
    with pytest.raises(VezaflowError) as caught, opened(where):
        pass
    assert "me:•••@127.0.0.1:9/nights can't be used: " in caught.value.message
    assert "secret-word" not in caught.value.message
    assert "\n" not in caught.value.message


def test_a_missing_driver_is_said_with_what_to_install() -> None:
    script = """
import sys
sys.modules["psycopg"] = None
from vezaflow.history import opened, place_of
try:
    opened(place_of("postgresql://db/nights")).__enter__()
except Exception as e:
    print(e.message, e.hint, sep="|")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "needs the driver of PostgreSQL|pip install 'vezaflow[postgres]'" in done.stdout
