"""A run with seconds, files and failures, made by a recorder: what the page's tests look at."""

from dataclasses import replace

from sample_run import GREEN, RED, run

from vezaflow.metrics import Recorder, SecondsKeeper, SecondsRecorder
from vezaflow.results import MASK, RequestedLoad, RunResult

EVIL = "</script><b onclick='x()'>\"&amp;"
FLOW = f"flow: browse\nvars: {{token: {MASK}}}\nsteps:\n  - get: /a?<b>&c\n"


def page_run(seconds: int = 10, flows: int = 2, steps: int = 2, *, red: bool = False, each: int = 40) -> RunResult:
    """`each` responses of each step in each second, 20 ms to 0.4 s, the later the slower; 1 in 50 fails."""
    recorder, cutter, keeper = Recorder(100.0), SecondsRecorder(), SecondsKeeper()
    names = ["browse", "streaming", *(f"flow {number}" for number in range(2, flows))][:flows]
    rows = []
    for flow in names:
        load = recorder.flow(flow)
        load.vus, load.vus_max = 50, 50
        rows += [(load, recorder.step(flow, f"step {n}" if n else f"first {EVIL}", "GET")) for n in range(steps)]
    for second in range(seconds):
        for load, step in rows:
            for number in range(each):
                took = 0.02 + (number * 7919 + second * 31) % 997 / 2700 * (1 + second / seconds)
                if number % 50 == 49:
                    step.answered(503, took, 0.001, 0.01, 200, 100, "status", 100.5 + second, "503 <i>Unavailable</i>")
                else:
                    step.answered(200, took, 0.001, 0.01, 200, 2000)
            load.iteration(0.3)
        recorder.fold(101.0 + second)
        interval = cutter.take(recorder.snapshot(), 1.0 + second)
        assert interval is not None
        keeper.put(interval)
    return replace(
        run(RED if red else GREEN, recorder=recorder),
        duration=float(seconds),
        seconds=keeper.seconds(),
        flows=tuple(RequestedLoad(flow, "constant-vus", 50, float(seconds)) for flow in names),
        texts=(("flows/suite.yml", "gates:\n  http_req_duration: p(95) < 500 ms\n"), ("flows/browse.yml", FLOW)),
    )
