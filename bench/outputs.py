"""What an output costs the load, whose process it shares: CPU of a payload, and how late the load's loop is beside it.

    python -m bench.outputs                    sixty steps, each with some requests a second
    python -m bench.outputs --steps 10 --seconds 2

CPU is that of the thread that makes payloads, the median of twenty after the first. Lateness is that of a loop that
wants to go on every two milliseconds, p99, while payloads are made without end: a run makes one per second at most.
"""

import argparse
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import trio

from vezaflow.diagnostics import Diagnostics
from vezaflow.metrics import Recorder
from vezaflow.outputs import Tick, tick_of
from vezaflow.outputs.csv_rows import CsvRows
from vezaflow.outputs.influx import Influx
from vezaflow.outputs.json_lines import to_json
from vezaflow.outputs.otlp import Otlp
from vezaflow.outputs.prometheus import RemoteWrite
from vezaflow.outputs.statsd import StatsD
from vezaflow.plan import Inputs, Plan, PlannedOutput, build
from vezaflow.read import read_suite
from vezaflow.results import Health

Encode = Callable[[Tick], object]
TICKS = 22
PAUSE = 0.002  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.outputs", description="What outputs cost the load.")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--requests", type=int, default=8, help="of a step in a second (8)")
    parser.add_argument("--seconds", type=float, default=5.0, help="for which the lateness is measured (5)")
    options = parser.parse_args()
    plan = _plan(options.steps)
    ticks = list(_ticks(plan, options.steps, options.requests))
    print(f"{'output':<20}{'first':>9}{'CPU':>9}{'late p99':>11}")
    print(f"{'none':<20}{'':>18}{_late(lambda: lambda _: time.sleep(0.1), ticks, options.seconds):>8.1f} ms")
    for name, make in _encoders(plan).items():
        first, usual = _cpu(make(), ticks)
        late = _late(make, ticks, options.seconds)
        print(f"{name:<20}{first:>6.1f} ms{usual:>6.1f} ms{late:>8.1f} ms")


def _encoders(plan: Plan) -> dict[str, Callable[[], Encode]]:
    def planned(name: str, *, native: bool = False, delta: bool = False, tags: bool = False) -> PlannedOutput:
        return PlannedOutput(name, "", "", native=native, delta=delta, tags=tags)

    return {
        "prometheus": lambda: RemoteWrite(planned("prometheus"), plan).encode,
        "prometheus, native": lambda: RemoteWrite(planned("prometheus", native=True), plan).encode,
        "otlp": lambda: Otlp(planned("otlp"), plan).encode,
        "otlp, delta": lambda: Otlp(planned("otlp", delta=True), plan).encode,
        "influx": lambda: Influx(planned("influx"), plan).encode,
        "statsd": lambda: StatsD(planned("statsd"), plan).encode,
        "statsd, tags": lambda: StatsD(planned("statsd", tags=True), plan).encode,
        "webhook": lambda: to_json,
        "csv": lambda: CsvRows("-", plan.secrets).encode,
    }


def _cpu(encode: Encode, ticks: Sequence[Tick]) -> tuple[float, float]:
    """Milliseconds of the first payload, and of a usual one."""
    times = []
    for tick in ticks:
        begun = time.thread_time()
        encode(tick)
        times.append((time.thread_time() - begun) * 1e3)
    return times[0], statistics.median(times[1:])


def _late(make: Callable[[], Encode], ticks: Sequence[Tick], seconds: float) -> float:
    """Milliseconds that a loop is late beside a thread that does nothing else."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            encode = make()
            for tick in ticks:
                if not over.is_set():
                    encode(tick)

    async def loop() -> list[float]:
        found, end = [], time.perf_counter() + seconds
        while (now := time.perf_counter()) < end:
            await trio.sleep(PAUSE)
            found.append((time.perf_counter() - now - PAUSE) * 1e3)
        return found

    thread = threading.Thread(target=work)
    thread.start()
    try:
        return statistics.quantiles(trio.run(loop), n=100)[98]
    finally:
        over.set()
        thread.join()


def _plan(steps: int) -> Plan:
    root, diagnostics = Path("suite"), Diagnostics()
    lines = "".join(f"  - {{get: /{step}, name: step {step}}}\n" for step in range(steps))
    flow = f"flow: browse\nload: {{vus: 20, duration: 10m}}\nsteps:\n{lines}"
    overlay = {root / "suite.yml": "suite: bench\nbase_url: http://127.0.0.1:1", root / "flow.yml": flow}
    suite = read_suite([root], diagnostics, overlay=overlay)
    assert suite is not None
    plan = build(suite, Inputs({}), diagnostics)
    assert plan is not None
    return plan


def _ticks(plan: Plan, steps: int, requests: int) -> Iterator[Tick]:
    recorder, random, began = Recorder(0.0), Random(1), datetime.now(UTC)
    flow = recorder.flow("browse")
    recorders = [recorder.step("browse", f"step {step}", "GET") for step in range(steps)]
    for second in range(1, TICKS + 1):
        for number, step in enumerate(recorders):
            for _ in range(requests):
                step.answered(200, random.lognormvariate(-3, 0.6), 1e-4 * random.random(), 0.01, 200, 2000)
            if number % 10 == 0:
                step.answered(503, 0.5, 0.001, 0.01, 200, 100, "status", float(second), "503")
            if number % 7 == second % 7:
                step.connected(0.001, 0.002, 0.01)
            flow.iteration(1.0)
        recorder.fold(float(second))
        summary = recorder.snapshot()
        tick = tick_of(plan, summary, recorder.timeline(), (), elapsed=float(second), health=Health())
        yield replace(tick, at=began + timedelta(seconds=second), began=began, run_id="bench")


if __name__ == "__main__":
    main()
