"""Where samples are taken in. One process, one thread, one recorder.

Each step and each flow has a recorder that appends to arrays (request_recorder.py, flow_recorder.py); once a second
`fold` lets numpy turn the arrays into histograms (0.1 µs a sample) and makes a point of the timeline for each flow.
What can be derived (waiting, checks that held, zeros of reused connections) is derived later. Clock values are the
caller's (`time.perf_counter` or trio's clock), kept as seconds since `started`.
"""

from vezaflow.metrics.ages import History
from vezaflow.metrics.catalog import Phase
from vezaflow.metrics.figures import FlowKey, StepKey
from vezaflow.metrics.flow_recorder import FlowRecorder
from vezaflow.metrics.folded_rows import FoldedRows
from vezaflow.metrics.moments import Moment
from vezaflow.metrics.point_samples import PointSamples
from vezaflow.metrics.request_recorder import RequestRecorder, SamplingRecorder
from vezaflow.metrics.samples import RequestSample, TakeSamples
from vezaflow.metrics.successes import SuccessRecorder
from vezaflow.metrics.summary import Summary
from vezaflow.metrics.timeline import Timeline


class _Flow:
    """What belongs to one flow: its recorder, its steps' recorders, its second."""

    __slots__ = ("judged", "name", "recorder", "second", "steps", "successes")

    def __init__(self, name: str, started: float) -> None:
        self.name = name
        self.recorder = FlowRecorder(started)
        self.steps: dict[StepKey, RequestRecorder] = {}  # `judged` of a key: unless a fold says otherwise
        self.second = PointSamples(started)
        self.successes = SuccessRecorder(started)
        self.judged = True

    def fold_into(self, rows: FoldedRows, now: float) -> None:
        """Move what came since the last fold to its rows."""
        for key, step in self.steps.items():
            in_load = key.phase is Phase.ITERATION
            here = key if self.judged or not in_load else key._replace(judged=False)
            step.fold_into(rows, here, self.second if in_load and key.judged else None)
        done, failed = self.recorder.fold_into(rows.iterations[FlowKey(self.name, self.judged)], now)
        self.second.iterations += done
        self.second.iterations_failed += failed
        if self.name:
            self.successes.fold_into(rows.successes[self.name])


class Recorder:
    """All of a process's samples. `started`: the clock's value that times are counted from. `keep`: also each
    second's times until they are asked for, for figures that are a share of something. `samples` gets each request of
    flows with every fold."""

    def __init__(self, started: float, *, keep: bool = False, samples: TakeSamples | None = None) -> None:
        import numpy  # noqa: F401  # its 0.1 s now, not in the middle of the load

        self.started = started
        self._keep = keep
        self._number = 0  # of the second that the last fold ended
        self._moments: list[Moment] = []
        self._take_samples = samples
        self._samples: list[RequestSample] = []
        self._flows: dict[str, _Flow] = {}
        self._rows = FoldedRows()
        self._history = History()

    def begin(self, now: float) -> None:
        """The load begins: from here on times and the timeline count. What came before stays in the figures."""
        self.fold(now)
        self._history = History()
        self._moments.clear()
        self._number = 0
        self.started = now
        for flow in self._flows.values():
            flow.successes.begin(now)
            for step in flow.steps.values():
                step.begin(now)

    def flow(self, name: str) -> FlowRecorder:
        """The flow's recorder, one for each name. Steps of no flow (preflight, setup) are of the flow ""."""
        return self._flow(name).recorder

    def _flow(self, name: str) -> _Flow:
        held = self._flows.get(name)
        if held is None:
            held = self._flows[name] = _Flow(name, self.started)
        return held

    def step(
        self,
        flow: str,
        step: str,
        method: str,
        *,
        phase: Phase = Phase.ITERATION,
        group: str = "",
        tags: tuple[tuple[str, str], ...] = (),
        checks: tuple[str, ...] = (),
        judged: bool = True,
    ) -> RequestRecorder:
        """The step's recorder, one for each set of labels. `checks`: what each response is checked for; not `judged`:
        no gate ever looks at it."""
        key = StepKey(flow, phase, step, method, group, tuple(sorted(tags)), judged)
        owner = self._flow(flow)
        held = owner.steps.get(key)
        if held is None:
            heard = (owner.successes.succeeded,) if phase is Phase.ITERATION else ()
            if self._take_samples is not None and flow:
                held = SamplingRecorder(key, self._samples.append, checks, self.started, *heard)
            else:
                held = RequestRecorder(checks, self.started, *heard)
            owner.steps[key] = held
        else:
            held.expect(checks)
        return held

    def judge(self, flow: str, on: bool, now: float) -> None:
        """From now on the flow's samples are judged by the gates, or only shown."""
        held = self._flow(flow)
        held.fold_into(self._rows, now)
        held.judged = on

    def fold(self, now: float) -> None:
        """Once a second: arrays to histograms, and a point of the timeline for each flow."""
        self._number = max(self._number + 1, round(now - self.started))
        if self._take_samples is not None and self._samples:
            self._take_samples(self._samples.copy())
            self._samples.clear()
        for flow in self._flows.values():
            flow.fold_into(self._rows, now)
            recorder, second = flow.recorder, flow.second
            self._rows.vus[flow.name].look(recorder.vus, recorder.vus_max)
            if flow.name and now > second.begun:
                point = second.point(flow.name, recorder.vus, self.started, now)
                moment = Moment(self._number, point, second.times())
                self._history.take(moment)
                if self._keep:
                    self._moments.append(moment)
                flow.second = PointSamples(now)

    def cut(self, now: float) -> Summary:
        """The figures up to this moment, within a second of the timeline."""
        for flow in self._flows.values():
            flow.fold_into(self._rows, now)
        return self.snapshot()

    def snapshot(self) -> Summary:
        """The figures up to the last fold. Cheap: histograms share their buckets until the next."""
        return self._rows.summary()

    def latest(self) -> Timeline:
        """The points of the last seconds, up to the last fold."""
        return self._history.latest()

    def timeline(self) -> Timeline:
        """The points up to the last fold, the older ones coarser."""
        return self._history.timeline()

    def moments(self) -> tuple[int, tuple[Moment, ...]]:
        """The number of the second that the last fold ended, and what was kept since this was last asked."""
        kept, self._moments = self._moments, []
        return self._number, tuple(kept)
