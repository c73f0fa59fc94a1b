"""What differs between two runs besides their figures: said before any figure, for it may explain them all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from vezaflow import units
from vezaflow.gates import ConcernKind
from vezaflow.results import RequestedLoad, RunResult


class Subject(Enum):
    """What of a run differs."""

    SUITE = "suite"
    PLAN = "plan"
    LOAD = "load"
    TARGET = "target"
    HOST = "host"
    CONTROL = "manual changes"
    TRUST = "trust"
    STEPS = "steps"


@dataclass(frozen=True, slots=True)
class Difference:
    subject: Subject
    text: str


def differences(before: RunResult, after: RunResult) -> tuple[Difference, ...]:
    """All that differs, the plan first; empty where both asked the same of the same target from the same machine."""
    return tuple(Difference(subject, text) for subject, text in _differences(before, after))


def _differences(before: RunResult, after: RunResult) -> Iterator[tuple[Subject, str]]:
    if before.suite != after.suite:
        yield Subject.SUITE, f"different suites: {before.suite}, then {after.suite}"
    yield from ((Subject.PLAN, text) for text in _plans(before, after))
    yield from ((Subject.LOAD, text) for text in _loads(before, after))
    if before.base_url != after.base_url:
        yield Subject.TARGET, f"different targets: {before.base_url or 'none'}, then {after.base_url or 'none'}"
    yield from ((Subject.HOST, text) for text in _hosts(before, after))
    for order, run in (("first", before), ("second", after)):
        yield from ((Subject.CONTROL, f"{order} run: {text}") for text in run.manual_changes)
    for order, run in (("first", before), ("second", after)):
        if run.interrupted:
            yield Subject.TRUST, f"{order} run: interrupted after {units.duration(round(run.duration))}"
        for concern in run.concerns:
            if concern.kind in (ConcernKind.SATURATED, ConcernKind.LOAD_NOT_REACHED):
                yield Subject.TRUST, f"{order} run: {concern.text}"
    first, second = before.seconds.steps, after.seconds.steps
    for order, some, others in (("first", first, second), ("second", second, first)):
        names = [f"{flow} › {step}" for flow, step, _ in (name for name in some if name not in others)]
        if names and others:
            yield Subject.STEPS, f"only in the {order} run: {', '.join(names)}"


def _plans(before: RunResult, after: RunResult) -> Iterator[str]:
    if before.provenance is None or after.provenance is None:
        yield "one of the files is of a version that kept no plan: whether the plans differ is unknown"
        return
    if before.provenance.identity.digest != after.provenance.identity.digest:
        changes = after.provenance.identity.changes(before.provenance.identity)
        yield f"different plans: {'; '.join(changes) or 'unknown parts'}"


def _loads(before: RunResult, after: RunResult) -> Iterator[str]:
    profiles = [run.provenance.profile.changes if run.provenance else () for run in (before, after)]
    if profiles[0] != profiles[1]:
        shown = ["; ".join(changes) or "the full load" for changes in profiles]
        yield f"different loads: {shown[0]}, then {shown[1]}"
        return
    flows: list[Mapping[str, RequestedLoad]] = [{load.flow: load for load in run.flows} for run in (before, after)]
    for name in dict.fromkeys((*flows[0], *flows[1])):
        shown = [_load(loads.get(name)) for loads in flows]
        if shown[0] != shown[1]:
            yield f"different loads of {name}: {shown[0]}, then {shown[1]}"


def _load(load: RequestedLoad | None) -> str:
    if load is None:
        return "not run"
    rate = f", {units.rate(load.rate)}" if load.rate is not None else ""
    return f"{load.executor}, {units.counted(load.vus, 'VU')}, {units.duration(load.duration)}{rate}"


def _hosts(before: RunResult, after: RunResult) -> Iterator[str]:
    if before.provenance is None or after.provenance is None:
        return
    first, second = before.provenance.host, after.provenance.host
    if first != second:
        shown = [f"{host.name} ({units.counted(host.cores, 'core')}, {host.kernel})" for host in (first, second)]
        yield f"different machines: {shown[0]}, then {shown[1]}"
