"""A kept run → its RunResult: what every report and comparison begins with.

Laws: of a complete run it is the result that the run had. Of one that was interrupted it is what its seconds give:
requests, failures and times by step, without a verdict. Of a pruned one the gates keep their values, and there are no
figures by step.
"""

from dataclasses import replace
from datetime import datetime

from vezaflow import units
from vezaflow.diagnostics import Source
from vezaflow.errors import ExitCode
from vezaflow.gates import Concern, ConcernKind, Outcome
from vezaflow.history.kept import Json, State, Stored
from vezaflow.metrics import (
    FlowKey,
    Iterations,
    Phase,
    Point,
    RequestKey,
    Requests,
    Seconds,
    SecondsKeeper,
    StepKey,
    Summary,
    Timeline,
    Vus,
    merged,
)
from vezaflow.reports import from_json, provenance_from_json, to_json
from vezaflow.results import Health, RequestedLoad, RunResult, Versions

_EMPTY: Json = Summary().to_json()


def result_of(stored: Stored) -> RunResult:
    """The result. ValueError: this version can't read what another one kept."""
    seconds = _seconds(stored)
    record = stored.record
    if record is None:
        return _interrupted(stored, seconds)
    sources = {path: Source(path, text) for path, text in _texts(stored)}
    whole = {"figures": _EMPTY, **record, "by_second": seconds.to_json()}
    if "figures" not in record:
        whole["notes"] = [*record["notes"], "the figures by step were pruned from the history"]
    return replace(from_json(whole, sources), texts=_texts(stored))


def _texts(stored: Stored) -> tuple[tuple[str, str], ...]:
    """The suite's files, where the history has them."""
    return tuple((path, text) for path, text in (stored.bundle or {}).get("files", ()))


def stored_of(result: RunResult, bundle: Json | None = None) -> Stored:
    """A result as it is kept, for one that was not kept as it went."""
    from vezaflow.history.portable import of_summary

    stored = of_summary(to_json(result))
    return Stored(stored.header, bundle or stored.bundle, stored.seconds, stored.record)


def _seconds(stored: Stored) -> Seconds:
    """Bounded as those of `summary.json` are."""
    keeper = SecondsKeeper()
    for interval in stored.of_intervals():
        keeper.put(interval)
    return keeper.seconds()


def _interrupted(stored: Stored, seconds: Seconds) -> RunResult:
    header = stored.header
    points = tuple(Point.from_json(dict(point)) for second in stored.seconds for point in second.points)
    duration = max((interval.second for interval in seconds.intervals), default=0.0)
    text = f"the run ended after {units.duration(round(duration, 1))}, before its result: its process was killed"
    if stored.state is State.RUNNING:
        text = f"the run is not over: these are its first {units.duration(round(duration, 1))}"
    inputs = (stored.bundle or {}).get("inputs", {})
    return RunResult(
        suite=header["suite"],
        run_id=header["run_id"],
        started=datetime.fromisoformat(header["started"]),
        duration=duration,
        outcome=Outcome.INCONCLUSIVE,
        exit_code=ExitCode.INTERRUPTED,
        interrupted=True,
        verdicts=(),
        concerns=(Concern(ConcernKind.INTERRUPTED, text, "run it again: `vezaflow rerun` takes the same files"),),
        summary=_summary(seconds, points, duration),
        timeline=Timeline(points),
        flows=tuple(_load(flow, points, duration) for flow in dict.fromkeys(point.flow for point in points)),
        health=Health(),
        inputs=tuple(inputs.get("environment", {}).items()),
        seed=inputs.get("seed", 0),
        versions=Versions("", "", ""),
        base_url=header["base_url"],
        description=header["description"],
        seconds=seconds,
        texts=_texts(stored),
        provenance=provenance_from_json(header),
    )


def _load(flow: str, points: tuple[Point, ...], duration: float) -> RequestedLoad:
    return RequestedLoad(flow, "", max(point.vus for point in points if point.flow == flow), duration)


def _summary(seconds: Seconds, points: tuple[Point, ...], duration: float) -> Summary:
    requests: dict[RequestKey, Requests] = {}
    for name in seconds.steps:
        flow, step, method = name
        held = [second for _, second in seconds.of(name)]
        at = StepKey(flow, Phase.ITERATION, step, method, "", (), judged=True)
        count, failed = sum(each.requests for each in held), sum(each.failed for each in held)
        times = merged(each.duration for each in held)
        requests[RequestKey(at, 0, "")] = Requests(count - failed, duration=times)
        if failed:
            requests[RequestKey(at, 0, "status")] = Requests(
                failed, first=0.0, last=duration, detail="the kind of failure is only known at the end of a run"
            )
    flows = {}
    vus = {}
    for flow in dict.fromkeys(point.flow for point in points):
        own = [point for point in points if point.flow == flow]
        flows[FlowKey(flow, True)] = Iterations(
            done=sum(point.iterations for point in own),
            failed=sum(point.iterations_failed for point in own),
            seconds=duration,
        )
        counts = [point.vus for point in own]
        vus[flow] = Vus(counts[-1], min(counts), max(counts), max(counts), len(counts))
    return Summary(requests=requests, flows=flows, vus=vus)
