"""The plan and the machine → an Explanation: every figure that the page and the document show. Pure.

`at least` is what is certain if nothing fails and nothing is cut off: arrivals and counted iterations are known, of a
closed load that lasts for a time only each VU's first iteration. `at most` is what the pauses allow if responses took
no time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf

from vezaflow import units
from vezaflow.audit import Tools
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.explain.amount import Amount, amount_of, iteration_of
from vezaflow.explain.data_sources import DataSourceExplained, Lasts, Reach, reach_of, taken_by
from vezaflow.explain.load_curve import LoadCurve, load_curve_of
from vezaflow.explain.requests import (
    Around,
    Kept,
    Listens,
    Opened,
    TargetHost,
    Way,
    around,
    hosts_of,
    kept_by,
    led_by_run,
    listeners_of,
    opened_by,
    ways_of,
)
from vezaflow.limits import Bounds, Check, Machine, MachineShare, checks, connections_of, require
from vezaflow.model import Executor, OneOf
from vezaflow.plan import (
    Division,
    Plan,
    PlannedFlow,
    PlannedGate,
    PlannedLoad,
    PlannedStep,
    Segment,
    blocks_of,
    only_here,
    requests_of,
    starts,
    vus_in_time,
)

_Refusal = tuple[VezaflowError | None, str]  # with it in a few words


@dataclass(frozen=True, slots=True)
class FlowExplained:
    """One flow. Of a segment: its share."""

    name: str
    description: str
    load: PlannedLoad
    curve: LoadCurve
    vus: int  # that stand ready, or are asked for
    max_vus: int
    connections: Bounds  # that one VU has open together
    iteration: Amount
    iterations: int  # at least
    iterations_most: int | None  # None: as many as the target responses
    requests: int  # in all, at least
    sent: int  # bytes in all, at least
    rate: float | None  # iterations per second at most; None: as many as the target responses
    login: int  # requests of each VU at least
    final: int
    ways: tuple[Way, ...]
    opened: tuple[Opened, ...]
    listens: tuple[Listens, ...]
    kept: tuple[Kept, ...]
    gates: tuple[str, ...]
    unwatched: bool  # an arrival rate, and no gate says how many starts may be dropped
    mix: tuple[str, ...]  # of each `choose`, the share of each branch
    judged: str  # which part of it by the gates; empty: all of it
    lacks: str = ""  # the data source that may not be enough for all iterations
    traced: int | None = None  # one of so many requests has a trace context

    @property
    def resting(self) -> int:
        """How many VUs the pauses of an arrival rate keep at its peak, of all that it has at most."""
        return ceil(self.rate * self.iteration.pause) if self.load.is_open and self.rate is not None else 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a run of the plan will do on a machine. `refused`: why it would not."""

    plan: Plan
    division: Division
    flows: tuple[FlowExplained, ...]
    data_sources: tuple[DataSourceExplained, ...]
    around: Around
    hosts: tuple[TargetHost, ...]
    led: tuple[tuple[str, str], ...]  # (step, URL as written) whose host only the run tells
    gates: tuple[str, ...]  # pooled over all flows
    refused: VezaflowError | None
    why: str  # it is refused, in a few words; empty: it is not
    limits: tuple[Check, ...] = ()
    machines: tuple[MachineShare, ...] = ()  # of a cluster: then the limits are theirs
    tools: Tools | None = None  # that its audits take, as they were found; None: they were not looked for

    @property
    def vus(self) -> int:
        """At most at once."""
        return sum(flow.max_vus for flow in self.flows)

    @property
    def requests(self) -> int:
        return sum(flow.requests for flow in self.flows)

    @property
    def sent(self) -> int:
        return sum(flow.sent for flow in self.flows)

    @property
    def rate(self) -> float | None:
        """Iterations per second at most."""
        return _total(flow.rate for flow in self.flows)

    @property
    def sent_rate(self) -> float | None:
        """Bytes per second that those send at least."""
        return _total(sent_rate(flow) for flow in self.flows)

    @property
    def request_rate(self) -> float | None:
        """Requests per second at most."""
        return _total(request_rate(flow) for flow in self.flows)


def explain(plan: Plan, there: Machine, division: Division, tools: Tools | None = None) -> Explanation:
    """What the plan will do on this machine. `tools`: what there is of that which its audits take."""
    found = checks(plan, there, division)
    refusals = ((_refusal(found), "not enough resources on this machine"), _unaudited(tools))
    return replace(_explained(plan, division, refusals), limits=found, tools=tools)


def explain_cluster(plan: Plan, machines: Sequence[MachineShare], tools: Tools | None = None) -> Explanation:
    """What the plan will do on the machines of a cluster. Pages are audited from this one, with its `tools`."""
    problems = [problem for each in machines for problem in each.problems]
    refused = VezaflowError(f"the cluster can't carry the load: {'; '.join(problems)}", code=ExitCode.REFUSED)
    division = Division(sum(each.workers for each in machines))
    refusals = (
        (refused if problems else None, "the cluster can't carry it"),
        *only_here(plan),
        _unaudited(tools),
    )
    return replace(_explained(plan, division, refusals), machines=tuple(machines), tools=tools)


def _unaudited(tools: Tools | None) -> _Refusal:
    return None if tools is None else tools.refusal, "pages can't be audited"


def _explained(plan: Plan, division: Division, refusals: Sequence[_Refusal]) -> Explanation:
    refused, why = next((each for each in refusals if each[0] is not None), (None, ""))
    data_sources = _data_sources_of_all(plan, division)
    flows = tuple(_flow(flow, plan, division.segment, reach_of(flow.name, data_sources)) for flow in plan.flows)
    return Explanation(
        plan,
        division,
        flows,
        data_sources,
        around(plan),
        tuple(hosts_of(plan)),
        tuple(led_by_run(plan)),
        tuple(_gates(plan, None)),
        refused,
        why,
    )


def request_rate(flow: FlowExplained) -> float | None:
    """Requests per second at most; None where that is not known."""
    most = flow.iteration.most
    return None if flow.rate is None or most == inf else flow.rate * most


def sent_rate(flow: FlowExplained) -> float | None:
    """Bytes per second that are sent at least when iterations come at their most."""
    return None if flow.rate is None else flow.rate * flow.iteration.sent


def _flow(flow: PlannedFlow, plan: Plan, segment: Segment, reach: Reach) -> FlowExplained:
    load, iteration = flow.load, iteration_of(flow)
    curve = load_curve_of(flow, segment)
    least, most = _counts(flow, iteration, curve, segment)
    count = int(min(least, reach.iterations))
    login, final = amount_of(flow.login), amount_of(flow.final)
    vus = segment.share(load.vus)
    begun = int(min(vus, reach.vus))
    rate = _rate(load, curve, iteration.pause, segment)
    steps = (*flow.login, *flow.steps, *flow.final)
    return FlowExplained(
        name=flow.name,
        description=flow.description,
        load=load,
        curve=curve,
        vus=vus,
        max_vus=segment.share(load.max_vus),
        connections=connections_of(flow),
        iteration=iteration,
        iterations=count,
        iterations_most=most if reach.most is None or (most is not None and most <= reach.most) else reach.most,
        requests=count * iteration.requests + begun * (login.requests + final.requests),
        sent=count * iteration.sent + begun * (login.sent + final.sent),
        login=login.requests,
        final=final.requests,
        rate=rate,
        ways=tuple(ways_of(steps, flow.client)),
        opened=tuple(opened_by(steps)),
        listens=tuple(listeners_of(steps)),
        kept=tuple(kept_by(steps)),
        gates=tuple(_gates(plan, flow.name)),
        unwatched=load.is_open and not any(_speaks_of_starts(gate, flow.name) for gate in plan.gates),
        mix=tuple(_mixes(steps)),
        judged=_judged(flow),
        lacks=reach.lacks,
        traced=flow.trace.every if flow.trace is not None else None,
    )


def _counts(flow: PlannedFlow, iteration: Amount, curve: LoadCurve, segment: Segment) -> tuple[int, int | None]:
    """How many iterations there are at least and at most, if no row is missing."""
    load = flow.load
    count = _iterations(load, segment)
    if load.is_open or load.iterations:
        return count, count
    return count, _most(curve, iteration.pause, segment.share(load.vus), load)


def _data_sources_of_all(plan: Plan, division: Division) -> tuple[DataSourceExplained, ...]:
    """The sources of this machine. Its workers deal even parts of the rows, and may take uneven parts of the load."""
    data_sources = tuple(_data_sources(plan, division.segment))
    if division.workers == 1:
        return data_sources
    of_workers = zip(*(_data_sources(plan, part) for part in division.parts), strict=True)
    return tuple(
        replace(found, uneven=division.workers if any(part.lasts is not Lasts.YES for part in parts) else 0)
        for found, parts in zip(data_sources, of_workers, strict=True)
    )


def _data_sources(plan: Plan, segment: Segment) -> Iterator[DataSourceExplained]:
    """Each source that is dealt from, with all flows that take from it."""
    found: dict[tuple[str, str], DataSourceExplained] = {}
    for flow in plan.flows:
        for _, data_source in flow.data_sources:
            counts = _counts(flow, iteration_of(flow), load_curve_of(flow, segment), segment)
            taken = taken_by(flow.name, data_source, flow.load, counts, segment)
            rows = len(data_source.rows)
            share = segment.share(rows) if data_source.ends else rows
            known = found.setdefault(
                (data_source.owner, data_source.name), DataSourceExplained(data_source, rows, share, ())
            )
            found[data_source.owner, data_source.name] = replace(known, taken=(*known.taken, taken))
    return iter(found.values())


def _iterations(load: PlannedLoad, segment: Segment) -> int:
    """How many there are at least."""
    if load.is_open:
        return len(segment.deal(starts(load), load.max_vus))
    match load.executor:
        case Executor.SHARED_ITERATIONS if load.iterations is not None:
            return segment.iterations(load.iterations, load.vus)
        case Executor.PER_VU_ITERATIONS if load.iterations is not None:
            return segment.share(load.vus) * load.iterations
        case Executor.EXTERNALLY_CONTROLLED:
            return 0  # whoever controls it may send them home at once
        case _:
            return vus_in_time(load, segment)


def _most(curve: LoadCurve, pause: float, vus: int, load: PlannedLoad) -> int | None:
    """How many fit between the pauses: each VU has one before its first."""
    if pause <= 0 or load.executor is Executor.EXTERNALLY_CONTROLLED:
        return None
    return vus + ceil(curve.area / pause)


def _rate(load: PlannedLoad, curve: LoadCurve, pause: float, segment: Segment) -> float | None:
    if load.is_open:
        return curve.peak
    return segment.share(load.max_vus) / pause if pause > 0 else None


def _speaks_of_starts(gate: PlannedGate, flow: str) -> bool:
    return gate.metric == "dropped_iterations" and gate.flow in (None, flow)


def _mixes(steps: Iterable[PlannedStep]) -> Iterator[str]:
    """How often each branch of a `choose` is taken: weights are relative."""
    for step in steps:
        shape = step.shape
        weights = [weight or 0 for weight in shape.weights] if isinstance(shape, OneOf) else []
        if isinstance(shape, OneOf) and (whole := sum(weights)):
            parts = zip(weights, shape.ways, strict=True)
            yield ", ".join(f"{units.ratio(weight / whole)} {_branch(way)}" for weight, way in parts)
        for block in blocks_of(step):
            yield from _mixes(block)


def _branch(steps: Iterable[PlannedStep]) -> str:
    """What a branch is told by: its first request."""
    return next((request.name for request in requests_of(steps)), "without requests")


def _gates(plan: Plan, flow: str | None) -> Iterator[str]:
    return (_gate(gate) for gate in plan.gates if gate.flow == flow)


def _gate(gate: PlannedGate) -> str:
    if not gate.abort:
        return gate.text
    return f"{gate.text}, aborts the run" + (f" (from {units.duration(gate.delay)} on)" if gate.delay else "")


def _judged(flow: PlannedFlow) -> str:
    """What of the load the gates don't judge, in words; empty where they judge it all."""
    parts = [f"from {units.duration(flow.judged_from)} on"] if flow.judged_from else []
    parts += [] if flow.judge_drain else ["without the graceful stop"]
    return ", ".join(parts)


def _refusal(found: Sequence[Check]) -> VezaflowError | None:
    try:
        require(found)
    except VezaflowError as e:
        return e
    return None


def _total(numbers: Iterable[float | None]) -> float | None:
    known = list(numbers)
    return None if None in known else sum(number for number in known if number is not None)
