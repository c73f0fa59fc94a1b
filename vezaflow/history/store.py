"""The history's tables: runs are put in as they go, and read whole or as light rows.

Laws: SQLite in WAL, durable at each commit, so that two programs write one file and a crash loses only what was not yet
committed; PostgreSQL by the same statements. To write the same again changes nothing, so that a commit of which nobody
knows whether it was done is simply repeated. Whatever the database says against it is `DATABASE_ERRORS`.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, Table, create_engine, delete, event, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from vezaflow.errors import VezaflowError
from vezaflow.gates import Outcome
from vezaflow.history.kept import (
    Figures,
    Json,
    KeptRun,
    Second,
    State,
    Stored,
    figures_of,
    figures_of_seconds,
    id_of,
    packed,
    unpacked,
)
from vezaflow.history.migrations import MIGRATIONS, migrate, require_known, version_of
from vezaflow.history.place import HistoryPlace
from vezaflow.history.process import Process, lives
from vezaflow.history.tables import HEAVY, RUNS, SECONDS
from vezaflow.metrics import Interval
from vezaflow.results import Commit
from vezaflow.units import AtLeast

DATABASE_ERRORS = (SQLAlchemyError, OSError)
_BUSY = 5.0  # seconds that SQLite waits for another writer
_CONNECT = 3  # seconds for a PostgreSQL to accept
_LIGHT = [column for column in RUNS.columns if column.name not in HEAVY]
_NOBODY = Process("", "", 0, "")


class Store:
    """An open history. Use it from one thread at a time; every call may raise one of DATABASE_ERRORS."""

    def __init__(self, engine: Engine, place: HistoryPlace) -> None:
        self._engine = engine
        self.place = place

    def close(self) -> None:
        self._engine.dispose()

    def prepare(self) -> None:
        """Make the tables, or bring them up to date. Raises VezaflowError where only a newer vezaflow knows them."""
        with self._writing() as connection:
            migrate(connection, str(self.place))

    def refresh(self) -> None:
        """The same without a lock, where they are up to date already."""
        with self._reading() as connection:
            version = version_of(connection)
        require_known(version, str(self.place))
        if version < len(MIGRATIONS):
            self.prepare()

    def begin(self, header: Json, bundle: Json | None, process: Process) -> None:
        """A run begins."""
        with self._writing() as connection:
            self._insert(connection, RUNS, [_row(header, bundle, State.RUNNING, process)])

    def put(self, run: str, seconds: Sequence[Second]) -> None:
        """A running run's seconds, and the sign that it lives."""
        with self._writing() as connection:
            self._insert(connection, SECONDS, [_second(run, second) for second in seconds])
            alive = {"heartbeat": time.time(), "state": State.RUNNING.value}
            connection.execute(
                update(RUNS).where(RUNS.c.id == run, RUNS.c.state != State.COMPLETE.value).values(**alive)
            )

    def end(self, run: str, seconds: Sequence[Second], record: Json) -> None:
        """A run is over."""
        with self._writing() as connection:
            self._insert(connection, SECONDS, [_second(run, second) for second in seconds])
            connection.execute(update(RUNS).where(RUNS.c.id == run).values(**_ended(record)))

    def add(self, stored: Stored) -> bool:
        """Keep a run from elsewhere. A run that is there without its end gets what it lacks; False: all is there."""
        state = State.COMPLETE if stored.record is not None else State.INTERRUPTED
        row = _row(stored.header, stored.bundle, state, _NOBODY)
        if stored.record is not None:
            row |= _ended(stored.record)
        else:
            row |= _columns(figures_of_seconds(stored.of_intervals()))
        row["has_figures"] = int(bool(stored.seconds) or "figures" in (stored.record or {}))
        with self._writing() as connection:
            there = connection.execute(select(RUNS.c.state).where(RUNS.c.id == stored.id)).scalar()
            if there == State.COMPLETE.value:
                return False
            before = self._count(connection, stored.id)
            self._insert(connection, RUNS, [row])
            self._insert(connection, SECONDS, [_second(stored.id, second) for second in stored.seconds])
            if there is not None and stored.record is not None:
                connection.execute(update(RUNS).where(RUNS.c.id == stored.id).values(**_ended(stored.record)))
            return there is None or stored.record is not None or self._count(connection, stored.id) > before

    def rows(self, suite: str | None = None, since: datetime | None = None, limit: int | None = None) -> list[KeptRun]:
        """The runs as light rows, the newest first. A run whose process is gone is `interrupted`."""
        asked = select(*_LIGHT).order_by(RUNS.c.started.desc(), RUNS.c.id.desc())
        if suite is not None:
            asked = asked.where(RUNS.c.suite == suite)
        if since is not None:
            asked = asked.where(RUNS.c.started >= since.isoformat())
        if limit is not None:
            asked = asked.limit(limit)
        with self._reading() as connection:
            found = [dict(row) for row in connection.execute(asked).mappings()]
        return [_kept(self._settled(row)) for row in found]

    def get(self, run: str) -> Stored | None:
        """A whole run; None where there is none of this id."""
        with self._reading() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.id == run)).mappings().first()
            if row is None:
                return None
            seconds = tuple(self._seconds(connection, run))
        record = None if row["record"] is None else unpacked(row["record"])
        if record is not None and row["figures"] is not None:
            record["figures"] = unpacked(row["figures"])
        bundle = None if row["bundle"] is None else unpacked(row["bundle"])
        state = _state(dict(row))
        return Stored(orjson.loads(row["header"]), bundle, seconds, record, state)

    def weight(self, runs: Sequence[str]) -> int:
        """Bytes that the figures of these runs take."""
        total = 0
        with self._reading() as connection:
            for run in runs:
                body = select(func.sum(func.length(SECONDS.c.body))).where(SECONDS.c.run == run)
                figures = select(func.length(RUNS.c.figures)).where(RUNS.c.id == run)
                total += int(connection.execute(body).scalar() or 0) + int(connection.execute(figures).scalar() or 0)
        return total

    def drop_figures(self, runs: Sequence[str]) -> None:
        """What is left of these runs is their start and their record."""
        with self._writing() as connection:
            for run in runs:
                connection.execute(delete(SECONDS).where(SECONDS.c.run == run))
                connection.execute(update(RUNS).where(RUNS.c.id == run).values(figures=None, has_figures=0))

    def delete(self, runs: Sequence[str]) -> None:
        with self._writing() as connection:
            for run in runs:
                connection.execute(delete(SECONDS).where(SECONDS.c.run == run))
                connection.execute(delete(RUNS).where(RUNS.c.id == run))

    def shrink(self) -> None:
        """Give back to the file system what was freed; PostgreSQL does so by itself."""
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert raw is not None
                raw.execute("VACUUM")

    def _settled(self, row: Json) -> Json:
        """The row; of a run whose process is gone it gets the figures of its seconds, once."""
        state = _state(row)
        if row["state"] != State.RUNNING.value or state is State.RUNNING:
            return row
        with self._reading() as connection:
            seconds = list(self._seconds(connection, row["id"]))
        figures = _columns(figures_of_seconds([Interval.from_json(second.interval) for second in seconds]))
        found = {"state": state.value, **figures}
        try:
            with self._writing() as connection:
                same = (RUNS.c.id == row["id"], RUNS.c.heartbeat == row["heartbeat"])
                connection.execute(update(RUNS).where(*same).values(**found))
        except DATABASE_ERRORS:
            pass  # a file that may only be read
        return {**row, **found}

    def _seconds(self, connection: Connection, run: str) -> Iterator[Second]:
        asked = select(SECONDS.c.number, SECONDS.c.body).where(SECONDS.c.run == run).order_by(SECONDS.c.number)
        for number, body in connection.execute(asked):
            interval, points = unpacked(body)
            yield Second(number, interval, points)

    def _count(self, connection: Connection, run: str) -> int:
        return int(connection.execute(select(func.count()).where(SECONDS.c.run == run)).scalar() or 0)

    def _insert(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Put in what is not there yet."""
        if rows:
            dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
            connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection


def open_store(place: HistoryPlace) -> Store:
    """The history there, to be written: `prepare` it before all else. Raises VezaflowError where it can't be one."""
    if place.file is not None:
        return Store(_sqlite(place.file), place)
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise VezaflowError(
            f"the history {place} needs the driver of PostgreSQL", hint="pip install 'vezaflow[postgres]'"
        ) from None
    try:
        engine = create_engine(
            place.url,
            pool_pre_ping=True,
            pool_size=1,
            hide_parameters=True,
            connect_args={"connect_timeout": _CONNECT, "options": "-c statement_timeout=30000"},
        )
    except (ArgumentError, ValueError):
        raise VezaflowError(
            f"the history {place} is not a valid URL", hint="write postgresql://user@host:5432/database"
        ) from None
    return Store(engine, place)


@contextmanager
def opened(place: HistoryPlace, *, writing: bool = False) -> Iterator[Store | None]:
    """The history there, for a command that reads it; None where there is no such file yet.

    `writing`: it is made where it is missing. Raises VezaflowError where it can't be read.
    """
    if place.file is not None and not writing and not place.file.exists():
        yield None
        return
    store = open_store(place)
    try:
        if writing:
            make_folder(place)
            store.prepare()
        else:
            store.refresh()
        yield store
    except SQLAlchemyError as e:
        raise VezaflowError(f"the history {place} can't be used: {reason(e)}") from None
    finally:
        store.close()


def make_folder(place: HistoryPlace) -> None:
    """Make what a file needs, closed to others. Raises VezaflowError where that can't be."""
    if place.file is None:
        return
    try:
        place.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(place.file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as e:
        raise VezaflowError(
            f"the history {place} can't be written: {e.strerror}",
            hint="choose another place with --history, or --no-history",
        ) from None


def reason(error: BaseException) -> str:
    """What the database said, in a line."""
    said = getattr(error, "orig", None) or error
    text = said.strerror if isinstance(said, OSError) and said.strerror else str(said)
    return next((line.strip() for line in text.splitlines() if line.strip()), type(said).__name__)[:200]


def _sqlite(file: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(file)),
        connect_args={"timeout": _BUSY, "check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # who begins a transaction is us: see _began
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    @event.listens_for(engine, "begin")
    def _began(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _row(header: Json, bundle: Json | None, state: State, process: Process) -> Json:
    plan = header.get("plan")
    return {
        "id": id_of(header),
        "run_id": header["run_id"],
        "suite": _text(header["suite"]),
        "started": datetime.fromisoformat(header["started"]).isoformat(),
        "state": state.value,
        "base_url": _text(header["base_url"]),
        "plan_hash": plan["hash"] if plan else "",
        "host": process.host,
        "machine": process.machine,
        "pid": process.pid,
        "pid_started": process.started,
        "heartbeat": time.time(),
        "has_figures": 1,
        "header": orjson.dumps(header).decode(),
        "bundle": None if bundle is None else packed(bundle),
        "record": None,
        "figures": None,
        **_columns(Figures()),
    }


def _ended(record: Json) -> Json:
    """The columns of a run that has its record."""
    light = {name: value for name, value in record.items() if name not in ("figures", "by_second")}
    figures = record.get("figures")
    return {
        "state": State.COMPLETE.value,
        "record": packed(light),
        "figures": None if figures is None else packed(figures),
        **_columns(figures_of(record)),
    }


def _columns(figures: Figures) -> Json:
    return {
        "duration": figures.duration,
        "p95": None if figures.p95 is None else float(figures.p95),
        "p95_at_least": int(isinstance(figures.p95, AtLeast)),
        "failed": figures.failed,
        "outcome": figures.outcome,
        "interrupted": int(figures.interrupted),
        "manual_changes": orjson.dumps(list(figures.manual_changes)).decode(),
        "version": figures.version,
    }


def _second(run: str, second: Second) -> Json:
    return {"run": run, "number": second.number, "body": packed([second.interval, list(second.points)])}


def _state(row: Json) -> State:
    state = State(row["state"])
    if state is not State.RUNNING:
        return state
    process = Process(row["host"], row["machine"], row["pid"], row["pid_started"])
    return state if lives(process, row["heartbeat"], time.time()) else State.INTERRUPTED


def _kept(row: Json) -> KeptRun:
    header = orjson.loads(row["header"])
    plan, profile, commit = (header.get(name) for name in ("plan", "profile", "commit"))
    return KeptRun(
        id=row["id"],
        run_id=row["run_id"],
        suite=row["suite"],
        started=datetime.fromisoformat(row["started"]),
        state=State(row["state"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        interrupted=bool(row["interrupted"]),
        duration=row["duration"],
        base_url=row["base_url"],
        p95=AtLeast(row["p95"]) if row["p95"] is not None and row["p95_at_least"] else row["p95"],
        failed=row["failed"],
        plan_hash=row["plan_hash"],
        plan_parts=plan["parts"] if plan else {},
        full=profile["full"] if profile else None,
        changes=tuple(profile["changes"]) if profile else (),
        manual_changes=tuple(orjson.loads(row["manual_changes"])),
        commit=Commit(commit["sha"], commit["dirty"]) if commit else None,
        version=row["version"],
        segment=header.get("segment") or "",
        has_figures=bool(row["has_figures"]),
    )


def _text(text: str) -> str:
    """A text that every database takes."""
    return text.replace("\0", "")
