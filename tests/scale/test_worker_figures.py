"""How much of the load the figures of several workers cover, with scripted workers at the other end of the links."""

from collections.abc import Mapping, Sequence

import pytest
import trio
import trio.testing
from planned import plan_of
from stage import FakeClient, Target

from vezaflow.engine import NO_VITALS, RunEngine
from vezaflow.errors import VezaflowError
from vezaflow.metrics import Recorder, Summary, Timeline
from vezaflow.plan import Bundle, Division, Inputs, Plan
from vezaflow.scale import MachinePart, Report, WorkerLink, WorkerProcesses
from vezaflow.scale.report import Json, WorkerState

PLAN = plan_of("""
flow: browse
load: {vus: 4, duration: 10s}
steps: [{get: /}]
""")


def reported(seconds: float, *, over: bool = False) -> Json:
    report = Report(seconds, Summary(), Timeline(), {}, (WorkerState("1", NO_VITALS),))
    return {
        "is": "report",
        "over": over,
        "stopped": False,
        "stopped_flows": [],
        "second": int(seconds),
        "report": report.to_json(),
        "moments": [],
        "said": [],
        "unsaid": 0,
        "summary": Summary().to_json(),
    }


class ScriptedLink:
    """Has the shape of WorkerLink. What the worker says is given: (seconds on the clock, message)."""

    who = "worker 1"

    def __init__(self, says: Sequence[tuple[float, Json]], trouble: str = "") -> None:
        self.trouble = trouble
        self.waiting = False
        self._says = list(says)

    async def send(self, message: Json) -> None:
        await trio.lowlevel.checkpoint()

    async def receive(self) -> Json | None:
        await trio.sleep_until(self._says[0][0] if self._says else float("inf"))
        return self._says.pop(0)[1]

    async def overhear(self) -> None:
        await trio.lowlevel.checkpoint()

    async def farewell(self) -> tuple[int | None, str]:
        await trio.lowlevel.checkpoint()
        return None, ""

    def kill(self) -> None: ...

    def reap(self) -> None: ...


class ScriptedCrew:
    """Has the shape of Crew."""

    delay = 0.0
    head_start = 0.0
    here = 0

    def __init__(self, *links: WorkerLink) -> None:
        self._links = links

    async def links(self) -> Sequence[WorkerLink]:
        await trio.lowlevel.checkpoint()
        return self._links

    def machines(self, reports: Mapping[int, Report]) -> Sequence[MachinePart]:
        return ()

    def require(self, plan: Plan) -> None: ...


def led_by(*links: WorkerLink) -> WorkerProcesses:
    recorder = Recorder(0.0)
    target = Target(lambda _method, _target: pytest.fail("nothing is sent here"))
    engine = RunEngine(PLAN, recorder=recorder, client=lambda _: FakeClient(target), clock=trio.current_time)
    bundle = Bundle((), (), Inputs({}), ())
    division = Division(len(links))
    return WorkerProcesses(ScriptedCrew(*links), division, bundle, engine, recorder, say=print, clock=trio.current_time)


def beats(until: float) -> list[tuple[float, Json]]:
    return [(0.5 * number, {"is": "beat"}) for number in range(1, int(2 * until))]


def sorted_by_time(*says: tuple[float, Json]) -> list[tuple[float, Json]]:
    return sorted(says, key=lambda each: each[0])


@pytest.mark.trio
async def test_figures_cover_what_all_workers_that_live_have_reported(autojump_clock: trio.testing.MockClock) -> None:
    ready = (0.0, {"is": "ready"})
    swift = [ready, (2.1, reported(2.0)), (4.1, reported(4.0)), (5.1, reported(5.0, over=True)), *beats(5)]
    slow = [ready, (3.1, reported(3.0)), (6.1, reported(6.0, over=True)), *beats(6)]
    workers = led_by(ScriptedLink(sorted_by_time(*swift)), ScriptedLink(sorted_by_time(*slow)))
    covered: dict[float, float] = {}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(workers.load, lambda _begin: None)
        for at in (1.0, 2.5, 3.5, 4.5, 5.5, 6.5):
            await trio.sleep_until(at)
            covered[at] = workers.figures()[0]
    assert covered == {1.0: 0.0, 2.5: 0.0, 3.5: 2.0, 4.5: 3.0, 5.5: 3.0, 6.5: 6.0}


@pytest.mark.trio
async def test_a_way_to_a_worker_that_broke_before_the_load_is_the_reason_of_the_refusal(
    autojump_clock: trio.testing.MockClock,
) -> None:
    workers = led_by(ScriptedLink([], trouble="the scheduler can't be reached: it is gone"))
    with pytest.raises(VezaflowError, match=r"it is gone \(it had 4 of 4 VUs of browse\), before any load"):
        await workers.load(lambda _begin: None)
    assert trio.current_time() < 1
