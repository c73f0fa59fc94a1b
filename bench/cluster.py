"""What the coordinator of a cluster has to do a second, with machines that are not there.

    python -m bench.cluster                          200 machines with one worker each, for ten seconds
    python -m bench.cluster --machines 1000
    python -m bench.cluster --scheduler              what the way through a Dask scheduler costs as well

First the merge: sealed reports, one a second and machine, are opened, checked, added up and made one report, by the
same code as in a run. Their figures are those of the flows in flows/, after an hour of load. Then the way: as many
messages as that many machines and their coordinator send each other, through a scheduler on this machine. What is told
is CPU time, not wall time: on a busy machine it means the same.
"""

import argparse
import asyncio
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import ceil
from pathlib import Path

import orjson
import trio
from distributed import Client, Queue

from bench.processes import TICK
from vezaflow.cluster.facts import facts
from vezaflow.cluster.machines import Conversation
from vezaflow.cluster.mail import Mail
from vezaflow.cluster.sealed import Handshake, Sealed
from vezaflow.cluster.task import down_queue, up_queue
from vezaflow.diagnostics import Diagnostics
from vezaflow.engine import NO_VITALS, Delivered, RunEngine
from vezaflow.metrics import Recorder
from vezaflow.plan import Bundle, Division, Inputs, Plan, build, requests_of
from vezaflow.protocols import Transport
from vezaflow.read import read_suite
from vezaflow.scale import Json, MachinePart, Report, WorkerLink, WorkerProcesses, WorkerState

FLOWS = Path(__file__).parent.parent / "flows"
RUN = "bench"
BEATS = 3  # batches a second and machine that hold but signs of life
_WARM = 200_000  # requests of each step before the first report: its histograms are as full as they get


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster")
    parser.add_argument("--machines", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--scheduler", action="store_true", help="measure the way through a scheduler as well")
    parser.add_argument("--produce", metavar="ADDRESS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.produce:
        asyncio.run(_produce(options.produce, options.machines, options.seconds))
        return
    plan, bundle = _suite()
    reports = [orjson.dumps(message) for message in _reports(plan, options.seconds)]
    size = _merge(plan, bundle, reports, options.machines)
    if options.scheduler:
        _way(options.machines, options.seconds, size)


def _suite() -> tuple[Plan, Bundle]:
    diagnostics = Diagnostics()
    suite = read_suite([FLOWS], diagnostics)
    assert suite is not None, diagnostics.items
    inputs = Inputs({"BASE_URL": "http://127.0.0.1:1", **_tokens()})
    plan = build(suite, inputs, diagnostics)
    assert plan is not None, [item.message for item in diagnostics.items]
    return plan, Bundle.of(suite, inputs)


def _tokens() -> dict[str, str]:
    from vezaflow.sandbox import UNSTARTED

    return dict(UNSTARTED.environment)


def _reports(plan: Plan, seconds: int) -> Iterator[Json]:
    """What a worker reports, second by second."""
    chance = random.Random(1)
    recorder = Recorder(0.0)
    steps = [
        recorder.step(flow.name, request.name, request.method)
        for flow in plan.flows
        for request in requests_of((*flow.login, *flow.steps, *flow.final))
    ]
    recorder.begin(0.0)
    for step in steps:
        for _ in range(_WARM // 100):
            step.answered(200, 0.02 * chance.lognormvariate(0, 1.2), 1e-4, 0.001 * chance.random(), 300, 4000)
    delivered = {flow.name: Delivered(requested=10, started=10) for flow in plan.flows}
    yield {"is": "ready"}
    for second in range(1, seconds + 1):
        for step in steps:
            for _ in range(10):
                step.answered(200, 0.02 * chance.lognormvariate(0, 1.2), 1e-4, 0.001 * chance.random(), 300, 4000)
        recorder.fold(float(second))
        number, moments = recorder.moments()
        summary = recorder.snapshot()
        report = Report(float(second), summary, recorder.latest(), delivered, (WorkerState("1", NO_VITALS),))
        yield {
            "is": "report",
            "over": second == seconds,
            "stopped": False,
            "stopped_flows": [],
            "second": number,
            "report": report.to_json(),
            "moments": [moment.to_json() for moment in moments],
            "said": [],
            "unsaid": 0,
            "summary": summary.to_json(),
        }


class _Link:
    """A worker whose reports were sealed before; each is opened as it comes."""

    def __init__(self, number: int, sealed: Sequence[bytes], opener: Sealed) -> None:
        self.who = f"worker {number}"
        self.trouble = ""
        self.waiting = False
        self._sealed = iter(sealed)
        self._opener = opener
        self._start = trio.Event()
        self._ready = False

    async def send(self, message: Json) -> None:
        await trio.lowlevel.checkpoint()
        if message.get("do") == "start":
            self._start.set()

    async def receive(self) -> Json | None:
        if self._ready:
            await self._start.wait()
        await trio.lowlevel.checkpoint()
        sealed = next(self._sealed, None)
        if sealed is None:
            return None
        self._ready = True
        (message,) = self._opener.open(sealed)
        return message

    async def overhear(self) -> None:
        await trio.sleep_forever()

    async def farewell(self) -> tuple[int | None, str]:
        await trio.lowlevel.checkpoint()
        return 0, ""

    def kill(self) -> None: ...

    def reap(self) -> None: ...


class _Crew:
    delay = 0.0
    head_start = 0.0
    here = 0

    def __init__(self, links: Sequence[WorkerLink]) -> None:
        self._links = links

    async def links(self) -> Sequence[WorkerLink]:
        await trio.lowlevel.checkpoint()
        return self._links

    def machines(self, reports: Mapping[int, Report]) -> Sequence[MachinePart]:
        return ()

    def require(self, plan: Plan) -> None: ...


def _merge(plan: Plan, bundle: Bundle, reports: Sequence[bytes], machines: int) -> int:
    """Tell what the reports of so many machines cost. The bytes of a sealed one."""
    links, sizes = [], []
    for number in range(1, machines + 1):
        mine, its = Handshake(), Handshake()
        sealer, opener = its.with_coordinator(mine.public, "n"), mine.with_machine(its.public, "n")
        sealed = [sealer.seal([orjson.loads(report)]) for report in reports]
        sizes.append(len(sealed[-1]))
        links.append(_Link(number, sealed, opener))
    recorder, transport = Recorder(0.0), Transport()
    engine = RunEngine(plan, recorder=recorder, client=transport.client)
    workers = WorkerProcesses(_Crew(links), Division(machines), bundle, engine, recorder, say=print)
    begin = time.process_time()
    trio.run(workers.load, lambda _: None)
    taking = time.process_time() - begin
    begin = time.process_time()
    report = workers.report()
    merging = time.process_time() - begin
    seconds = len(reports) - 1
    requests = report.summary.select("http_reqs").aggregate("count")
    every = max(1, ceil(machines / 100))  # seconds between two reports of one, as WorkerProcesses orders it
    a_second = taking / seconds / every + merging
    print(f"{machines} machines, each with {len(report.summary.step_rows())} steps; {requests:,.0f} requests in all")
    print(f"a report: {len(reports[-1]):,} bytes, sealed {sizes[0]:,}")
    print(f"every {every} s from each machine: {sum(sizes) / 1e6 / every:.2f} MB a second")
    each = taking / seconds / machines
    print(f"taking them: {each * machines / every:.3f} s of CPU a second, {1000 * each:.2f} ms each")
    print(f"one report of all: {merging:.3f} s of CPU a second")
    print(f"together {a_second:.0%} of a core")
    return sizes[0]


@contextmanager
def _scheduler() -> Iterator[tuple[str, int]]:
    """A scheduler of its own: its address, and its process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "scheduler.json")
        words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_scheduler", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not file.exists() or not file.read_text():
                time.sleep(0.1)
            yield str(orjson.loads(file.read_text())["address"]), process.pid
        finally:
            process.terminate()
            process.wait()


def _way(machines: int, seconds: int, size: int) -> None:
    """Tell what the messages cost at the scheduler and here."""
    os.environ["BENCH_SIZE"] = str(size)
    logging.getLogger("distributed.core").setLevel(logging.WARNING)
    with _scheduler() as (address, pid):
        words = ["--produce", address, "--machines", str(machines), "--seconds", str(seconds)]
        producer = subprocess.Popen([sys.executable, "-m", "bench.cluster", *words], stdout=subprocess.PIPE)
        with Client(address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
            up = Mail(up_queue(RUN), client)
            up.take(60.0)
            talks = []
            for number in range(machines):
                mine, its = Handshake(), Handshake()
                down = Mail(down_queue(RUN, str(number)), client)
                sealed = mine.with_machine(its.public, "n")
                talks.append(Conversation(number + 1, facts(), "", sealed, down.put))
            warm = 0
            while warm < 10 * machines:  # all are connected, and what has piled up is taken
                warm += len(up.take(1.0))
            begin, here, there = time.monotonic(), time.process_time(), _cpu(pid)
            taken = taken_bytes = 0
            while time.monotonic() - begin < seconds:
                said = up.take(0.5)
                taken += len(said)
                taken_bytes += sum(map(len, said))
            wall = time.monotonic() - begin
            here, there = time.process_time() - here, _cpu(pid) - there
            for talk in talks:
                talk.dismiss()
            for talk in talks:
                talk.join(0.1)
        producer.kill()
        producer.wait()
    wanted = machines * (BEATS + 1)
    print(
        f"through a scheduler: {taken / wall:,.0f} of {wanted:,} messages a second, {taken_bytes / wall / 1e6:.2f} MB/s"
    )
    print(f"CPU a second: scheduler {there / wall:.2f} s, coordinator {here / wall:.2f} s (without the merge)")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:13]) / TICK


async def _produce(address: str, machines: int, seconds: int) -> None:
    """Be all machines: speak as they do, and hear what they are told."""
    size = int(os.environ["BENCH_SIZE"])
    async with Client(address, asynchronous=True, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        up = await Queue(up_queue(RUN), client=client)  # type: ignore[no-untyped-call]
        await up.put(b"ready")

        async def speaks() -> None:
            await asyncio.sleep(random.random())
            while True:
                begin = time.monotonic()
                for beat in range(BEATS + 1):
                    await up.put(bytes(60) if beat else bytes(size))
                    await asyncio.sleep(max(0.0, begin + (beat + 1) / (BEATS + 1) - time.monotonic()))

        async def hears(number: int) -> None:
            down = await Queue(down_queue(RUN, str(number)), client=client)  # type: ignore[no-untyped-call]
            while True:
                try:
                    await down.get(timeout=0.5)
                except TimeoutError:
                    pass

        tasks = [asyncio.create_task(each) for number in range(machines) for each in (speaks(), hears(number))]
        await asyncio.sleep(2 * seconds + 60)
        for task in tasks:
            task.cancel()


if __name__ == "__main__":
    main()
