"""How the tables came to be: numbered steps, each from one version of the schema to the next.

Law: a step that was released never changes; what is to be different is a step of its own. Files of every version are
brought up to the newest when they are opened to be written.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from vezaflow.errors import VezaflowError

Migration = Callable[[Connection], None]
_LOCK = 8_312_017_001  # of PostgreSQL: one who migrates at a time


def _version_1(connection: Connection) -> None:
    blob = "BYTEA" if connection.dialect.name == "postgresql" else "BLOB"
    for statement in (
        f"""
        CREATE TABLE runs (
            id TEXT PRIMARY KEY,
            run_id TEXT NOT NULL,
            suite TEXT NOT NULL,
            started TEXT NOT NULL,
            state TEXT NOT NULL,
            outcome TEXT,
            interrupted INTEGER NOT NULL,
            duration DOUBLE PRECISION,
            base_url TEXT NOT NULL,
            p95 DOUBLE PRECISION,
            p95_at_least INTEGER NOT NULL,
            failed DOUBLE PRECISION,
            plan_hash TEXT NOT NULL,
            version TEXT NOT NULL,
            host TEXT NOT NULL,
            machine TEXT NOT NULL,
            pid INTEGER NOT NULL,
            pid_started TEXT NOT NULL,
            heartbeat DOUBLE PRECISION NOT NULL,
            manual_changes TEXT NOT NULL,
            has_figures INTEGER NOT NULL,
            header TEXT NOT NULL,
            bundle {blob},
            record {blob},
            figures {blob}
        )
        """,
        "CREATE INDEX runs_by_start ON runs (started)",
        f"""
        CREATE TABLE seconds (
            run TEXT NOT NULL,
            number INTEGER NOT NULL,
            body {blob} NOT NULL,
            PRIMARY KEY (run, number)
        )
        """,
    ):
        connection.exec_driver_sql(statement)


MIGRATIONS: tuple[Migration, ...] = (_version_1,)


def version_of(connection: Connection) -> int:
    """The schema's version; 0 where there are no tables yet."""
    if connection.dialect.name == "postgresql":
        there = connection.exec_driver_sql("SELECT to_regclass('schema_version') IS NOT NULL").scalar()
    else:
        there = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'").scalar()
    return int(connection.exec_driver_sql("SELECT version FROM schema_version").scalar() or 0) if there else 0


def require_known(version: int, place: str, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Raises VezaflowError for a schema that only a newer vezaflow knows."""
    if version > len(steps):
        raise VezaflowError(
            f"the history {place} has version {version}, and this vezaflow knows versions up to {len(steps)}",
            hint="upgrade vezaflow, or choose another history with --history",
        )


def migrate(connection: Connection, place: str, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the tables up to the newest version, within the connection's transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    version = version_of(connection)
    require_known(version, place, steps)
    if version == len(steps):
        return
    if version == 0:
        connection.exec_driver_sql("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        connection.exec_driver_sql("INSERT INTO schema_version VALUES (0)")
    for step in steps[version:]:
        step(connection)
    connection.exec_driver_sql(f"UPDATE schema_version SET version = {len(steps)}")
