"""The kept runs as a table that people like: when, what, how it ended, and how fast it was."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from vezaflow import units
from vezaflow.history import KeptRun, short_ids
from vezaflow.reports import Look, table
from vezaflow.results import is_level

_HEAD = ("id", "started", "suite", "verdict", "p95", "failed", "duration", "load", "commit", "target")
_SPARE = ("target", "commit", "load", "duration")
_SHA = 7  # characters of a commit
_SCHEMES = ("https://", "http://")


def listed(runs: Sequence[KeptRun], every: Sequence[KeptRun], now: datetime, look: Look) -> Iterator[str]:
    """The lines of a table. `every`: the runs among which ids are to be told apart."""
    if not runs:
        yield "no runs are kept yet" if not every else "no run is like this"
        return
    ids = short_ids(every)
    yield from table(_HEAD, [_cells(run, ids[run.id], now) for run in runs], look, _SPARE)


def _cells(run: KeptRun, name: str, now: datetime) -> tuple[str, ...]:
    commit = "–" if run.commit is None else run.commit.sha[:_SHA] + ("+" if run.commit.dirty else "")
    return (
        name,
        f"{run.started.astimezone():%Y-%m-%d %H:%M} ({_ago(now - run.started)})",
        run.suite,
        run.word.value + (" (segment)" if run.segment else ""),
        "–" if run.p95 is None else units.duration(run.p95),
        "–" if run.failed is None else units.ratio(run.failed),
        "–" if run.duration is None else units.duration(round(run.duration, 1)),
        _load(run),
        commit,
        _target(run.base_url),
    )


def _load(run: KeptRun) -> str:
    if run.segment:
        return f"segment {run.segment}"
    if run.manual_changes:
        return "changed manually"
    if is_level(run.changes):
        return "capacity level"
    return {True: "full", False: "turned down", None: "–"}[run.full]


def _target(base_url: str) -> str:
    for scheme in _SCHEMES:
        base_url = base_url.replace(scheme, "")
    return base_url.rstrip("/")


def _ago(age: timedelta) -> str:
    """`just now`, `5m ago`, `3h ago`, `12d ago`."""
    seconds = age / timedelta(seconds=1)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit} ago"
    return "just now"
