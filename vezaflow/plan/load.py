"""A flow's load with its inputs: every number known, `--vus`, `--scale` and `--duration` worked in.

`--scale` multiplies VUs, rates and shared iterations. `--duration` is the whole load's; stages keep their proportions.
`--vus` is what the executor has most of at once: ramps keep their shape below it, an arrival rate gets a pool of
exactly so many.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from vezaflow.model import MOST_RATE, MOST_VUS, Executor, Load
from vezaflow.plan.inputs import Inputs
from vezaflow.plan.settings import Settings
from vezaflow.syntax import Expression

GRACE = 30.0  # seconds, as k6's gracefulStop and gracefulRampDown
FAILURE_BACKOFF = 5.0  # seconds: a target that comes back is found soon, and thousands of VUs do not keep it down
MAX_DURATION = 600.0  # seconds, as k6's maxDuration of the iteration executors


class PlannedStage(NamedTuple):
    """A straight line from where the load stands to `target` (VUs, or starts per second)."""

    duration: float
    target: float


@dataclass(frozen=True, slots=True)
class PlannedLoad:
    """Times in seconds, rates per second. For the iteration executors `duration` is k6's maxDuration.

    A ramp goes from `start` through `stages`; a constant rate is a ramp of one level stage.
    """

    executor: Executor
    vus: int  # the most that the load asks for at once; of an open model those that stand ready
    max_vus: int  # the most that there can ever be
    duration: float
    iterations: int | None = None  # of each VU, or shared by all: as the executor says
    start: float = 0.0
    stages: tuple[PlannedStage, ...] = ()
    start_time: float = 0.0
    graceful_ramp_down: float = GRACE
    graceful_stop: float = GRACE

    @property
    def is_open(self) -> bool:
        """Whether iterations start when they are due, whatever the target does."""
        return self.executor.is_open

    @property
    def asks(self) -> bool:
        """Whether it asks for anything; a load that a person controls may begin with nothing."""
        return bool(self.max_vus if self.peak_rate is None else self.peak_rate)

    @property
    def peak_rate(self) -> float | None:
        """The most starts per second that are asked for; None for a closed model."""
        return max((self.start, *(stage.target for stage in self.stages))) if self.is_open else None


def plan_load(load: Load, flow: str, inputs: Inputs, settings: Settings) -> PlannedLoad:
    """The load of the flow of this name."""
    planned = _Reader(load, inputs.scale, settings).planned()
    if planned.duration <= 0:
        settings.refuse("VF420", load.span, "this load has zero duration")
    elif not planned.asks:
        settings.refuse("VF420", load.span, "this load is zero from start to end")
    wanted = inputs.vus.get(flow)
    if wanted is not None:
        planned = _with_vus(planned, wanted)
    if inputs.duration is not None:
        planned = _lasting(planned, inputs.duration)
    return planned


class _Reader:
    """The numbers of one load, scaled."""

    def __init__(self, load: Load, scale: float, settings: Settings) -> None:
        self._load = load
        self._scale = scale
        self._settings = settings

    def planned(self) -> PlannedLoad:
        load = self._load
        whole = PlannedLoad(
            load.executor,
            vus=0,
            max_vus=0,
            duration=self._seconds(load.duration, MAX_DURATION),
            start_time=self._seconds(load.start_time, 0.0),
            graceful_ramp_down=self._seconds(load.graceful_ramp_down, GRACE),
            graceful_stop=self._seconds(load.graceful_stop, GRACE),
        )
        match load.executor:
            case Executor.RAMPING_VUS:
                return self._ramp_of_vus(whole)
            case Executor.CONSTANT_ARRIVAL_RATE:
                rate = self._rate(load.rate)
                level = replace(whole, start=rate, stages=(PlannedStage(whole.duration, rate),))
                return self._pool(level, load.pre_allocated_vus)
            case Executor.RAMPING_ARRIVAL_RATE:
                stages = tuple(PlannedStage(self._seconds(s.duration, 0.0), self._rate(s.target)) for s in load.stages)
                ramp = replace(whole, start=self._rate(load.start_rate), stages=stages, duration=_length(stages))
                return self._pool(ramp, load.pre_allocated_vus)
            case Executor.EXTERNALLY_CONTROLLED:
                return self._pool(whole, load.vus, least=0)
            case _:
                return self._fixed(whole)

    def _fixed(self, whole: PlannedLoad) -> PlannedLoad:
        load = self._load
        vus = self._vus(load.vus, 1)
        iterations: int | None = None
        if load.executor is Executor.SHARED_ITERATIONS:
            iterations = self._count(load.iterations, 1)
        elif load.iterations is not None:
            iterations = self._settings.count(load.iterations)
        return _crowd(replace(whole, iterations=iterations), vus)

    def _ramp_of_vus(self, whole: PlannedLoad) -> PlannedLoad:
        start = self._vus(self._load.start_vus, 1, least=0)
        targets = [(stage, self._vus(stage.target, 0, least=0)) for stage in self._load.stages]
        stages = tuple(PlannedStage(self._seconds(stage.duration, 0.0), target) for stage, target in targets)
        most = max((start, *(target for _, target in targets)))
        return replace(whole, vus=most, max_vus=most, start=start, stages=stages, duration=_length(stages))

    def _pool(self, whole: PlannedLoad, ready: Expression | None, *, least: int = 1) -> PlannedLoad:
        """VUs that stand ready, and the most that there can be: no fewer than stand ready."""
        first = 1 if ready is None else self._settings.count(ready, least=least, most=MOST_VUS)
        limit = self._load.max_vus
        most = first if limit is None else self._settings.count(limit, least=max(1, first), most=MOST_VUS)
        return replace(whole, vus=_scaled(first, self._scale), max_vus=_scaled(most, self._scale))

    def _seconds(self, written: Expression | None, default: float) -> float:
        return default if written is None else self._settings.seconds(written)

    def _rate(self, written: Expression | None) -> float:
        return 0.0 if written is None else self._settings.rate(written, most=MOST_RATE) * self._scale

    def _vus(self, written: Expression | None, default: int, *, least: int = 1) -> int:
        return self._count(written, default, least=least, most=MOST_VUS)

    def _count(self, written: Expression | None, default: int, *, least: int = 1, most: int | None = None) -> int:
        count = default if written is None else self._settings.count(written, least=least, most=most)
        return _scaled(count, self._scale)


def _length(stages: tuple[PlannedStage, ...]) -> float:
    return sum(stage.duration for stage in stages)


def _scaled(number: float, factor: float) -> int:
    """Whole again; what is not nothing stays at least one."""
    return max(1, round(number * factor)) if number else 0


def _with_vus(load: PlannedLoad, vus: int) -> PlannedLoad:
    """As many VUs as the command line says."""
    match load.executor:
        case Executor.RAMPING_VUS if load.vus:
            factor = vus / load.vus
            stages = tuple(PlannedStage(s.duration, _scaled(s.target, factor)) for s in load.stages)
            return replace(load, vus=vus, max_vus=vus, start=_scaled(load.start, factor), stages=stages)
        case Executor.EXTERNALLY_CONTROLLED:
            return replace(load, vus=vus, max_vus=max(vus, load.max_vus))
        case _:
            return _crowd(load, vus)


def _crowd(load: PlannedLoad, vus: int) -> PlannedLoad:
    """So many VUs, but no more than there is to do."""
    if load.executor is Executor.SHARED_ITERATIONS and load.iterations is not None:
        vus = min(vus, load.iterations)
    return replace(load, vus=vus, max_vus=vus)


def _lasting(load: PlannedLoad, duration: float) -> PlannedLoad:
    """The same load in so many seconds."""
    factor = duration / load.duration if load.duration > 0 else 0.0
    stages = tuple(PlannedStage(stage.duration * factor, stage.target) for stage in load.stages)
    return replace(load, duration=duration, stages=stages)
