"""A status as one screen of text. Pure: what a run answered in, lines out."""

from collections.abc import Iterator
from typing import Any

from vezaflow import units
from vezaflow.outputs import missing

_MARKS = {"green": "✓", "red": "✗", "inconclusive": "–"}
_NAME = 24  # columns of a flow's name at most


def screen(status: dict[str, Any], width: int) -> str:
    """What `vezaflow status` shows, at most `width` columns wide."""
    return "\n".join(line if len(line) <= width else line[: width - 1] + "…" for line in _lines(status))


def _lines(status: dict[str, Any]) -> Iterator[str]:
    yield f"{status['suite']}  run {status['run']}, process {status['pid']}"
    yield _clock(status)
    flows = status["flows"]
    if not flows:
        return
    name = min(_NAME, max(4, *(len(flow["flow"]) for flow in flows)))
    rows = [*flows, status["pooled"]] if len(flows) > 1 or status["pooled"]["gates"] else flows
    yield ""
    yield f"{'flow':<{name}}  {'VUs':>11}  {'iterations':>10}  {'req/s':>7}  {'p95':>8}  {'failed':>7}  gates so far"
    for row in rows:
        yield _row(row, name)
    yield from _broken(rows)
    generator = status["health"]
    yield ""
    lag = f"event-loop lag p99 {units.duration(generator['lag_p99'])}"
    share, lack = f"generator: {units.ratio(generator['cpu_mean'])} of a core", missing(generator["load_missing"])
    yield ", ".join(filter(None, (share, lack, lag, units.size(generator["memory"]))))
    yield from status["manual_changes"]
    yield from (f"event {line}" for line in status.get("events", ()))


def _clock(status: dict[str, Any]) -> str:
    if status["phase"] != "load":
        return "preparing: no load yet" if status["phase"] == "preparing" else "ending: load finished"
    left = units.duration(round(status["remaining"])) + " left" if status["remaining"] >= 1 else "draining"
    return f"{units.duration(round(status['elapsed']))} elapsed, {left}"


def _row(flow: dict[str, Any], name: int) -> str:
    vus = units.number(flow["vus"])
    if flow["vus"] != flow["vus_requested"]:
        vus += f"/{units.number(flow['vus_requested'])}"
    p95 = "–" if flow["p95"] is None else units.duration(flow["p95"])
    if "p95" in flow.get("at_least", ()):
        p95 = f"> {p95}"
    failed = "–" if flow["http_req_failed"] is None else units.ratio(flow["http_req_failed"])
    marks = " ".join(_MARKS[gate["so_far"]] for gate in flow["gates"])
    paused = "paused " if flow.get("paused") else ""
    return (
        f"{flow['flow'][:name]:<{name}}  {vus:>11}  {units.number(flow['iterations']):>10}  "
        f"{units.number(flow['http_reqs_per_second']):>7}  {p95:>8}  {failed:>7}  {paused}{marks}"
    ).rstrip()


def _broken(rows: list[dict[str, Any]]) -> Iterator[str]:
    red = [(row["flow"], gate) for row in rows for gate in row["gates"] if gate["so_far"] == "red"]
    if red:
        yield ""
    for flow, gate in red:
        yield f"✗ {flow}: {gate['gate']}: {gate['reason']}"
