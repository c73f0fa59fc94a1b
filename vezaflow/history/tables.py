"""The tables as the newest version has them: what queries are written against. migrations.py makes them."""

from sqlalchemy import Column, Double, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()
RUNS = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("suite", Text, nullable=False),
    Column("started", Text, nullable=False),  # ISO 8601 in UTC, so that texts sort as times do
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("interrupted", Integer, nullable=False),
    Column("duration", Double),
    Column("base_url", Text, nullable=False),
    Column("p95", Double),
    Column("p95_at_least", Integer, nullable=False),
    Column("failed", Double),
    Column("plan_hash", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("pid_started", Text, nullable=False),
    Column("heartbeat", Double, nullable=False),  # seconds since the epoch
    Column("manual_changes", Text, nullable=False),  # JSON
    Column("has_figures", Integer, nullable=False),
    Column("header", Text, nullable=False),  # JSON
    Column("bundle", LargeBinary),  # JSON, compressed; so are the following
    Column("record", LargeBinary),  # without `figures`
    Column("figures", LargeBinary),
)
SECONDS = Table(
    "seconds",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
HEAVY = ("bundle", "record", "figures")
