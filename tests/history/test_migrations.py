"""Files of every version are brought up to date; those of a newer program are refused with one sentence."""

import sqlite3
from pathlib import Path

import pytest
from history_runs import place, stored
from sqlalchemy import Connection, MetaData, create_engine

from vezaflow.errors import VezaflowError
from vezaflow.gates import Outcome
from vezaflow.history import opened, result_of
from vezaflow.history.migrations import MIGRATIONS, migrate, require_known, version_of
from vezaflow.history.tables import METADATA

VERSION_1 = Path(__file__).parent / "version-1.sql"


def test_the_steps_make_the_tables_that_queries_are_written_against(tmp_path: Path) -> None:
    with opened(place(tmp_path), writing=True):
        pass
    engine = create_engine(f"sqlite:///{tmp_path / 'history.db'}")
    found = MetaData()
    found.reflect(engine)
    engine.dispose()
    made = {name: [column.name for column in table.columns] for name, table in found.tables.items()}
    wanted = {name: [column.name for column in table.columns] for name, table in METADATA.tables.items()}
    assert made == wanted | {"schema_version": ["version"]}


def test_a_file_of_version_1_is_read(tmp_path: Path) -> None:
    """version-1.sql is a file as the first version wrote it: it never changes."""
    connection = sqlite3.connect(tmp_path / "history.db")
    connection.executescript(VERSION_1.read_text())
    connection.close()
    with opened(place(tmp_path)) as store:
        assert store is not None
        (row,) = store.rows()
        assert (row.id, row.word.value) == ("20261101T023000Z-000001", "green")
        found = store.get(row.id)
        assert store.add(stored(2))
    assert found is not None
    result = result_of(found)
    assert [verdict.outcome for verdict in result.verdicts] == [Outcome.GREEN] * 3
    assert sum(step.requests for _, step in result.seconds.of(("browse", "search", "GET"))) == 30
    assert result.summary.select("http_reqs").aggregate("count") == 2011


def test_each_step_is_taken_once_and_a_later_one_builds_on_it(tmp_path: Path) -> None:
    def second(connection: Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN colour TEXT")

    engine = create_engine(f"sqlite:///{tmp_path / 'history.db'}")
    for steps in (MIGRATIONS[:1], (MIGRATIONS[0], second), (MIGRATIONS[0], second)):
        with engine.begin() as connection:
            migrate(connection, "here", steps)
            assert version_of(connection) == len(steps)
    engine.dispose()


def test_a_step_that_fails_leaves_the_version_before(tmp_path: Path) -> None:
    def broken(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE more (id TEXT)")
        raise RuntimeError

    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        with pytest.raises(RuntimeError), store._writing() as connection:
            migrate(connection, "here", (*MIGRATIONS, broken))
        with store._reading() as connection:
            assert version_of(connection) == len(MIGRATIONS)
            tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'more'").scalar()
    assert tables == 0


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    with opened(place(tmp_path), writing=True):
        pass
    connection = sqlite3.connect(tmp_path / "history.db")
    connection.execute("UPDATE schema_version SET version = 99")
    connection.commit()
    connection.close()
    for writing in (False, True):
        with pytest.raises(VezaflowError, match="has version 99, and this vezaflow knows versions up to"):  # noqa: SIM117
            with opened(place(tmp_path), writing=writing):
                pass


def test_no_version_is_newer_than_itself() -> None:
    require_known(len(MIGRATIONS), "here")
