"""What may be done to a running test, and what its result says of it."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from planned import plan_of

from vezaflow.control import Steering, screen
from vezaflow.control.steering import LoadControls
from vezaflow.engine import Vitals
from vezaflow.errors import VezaflowError
from vezaflow.gates import ConcernKind, judge
from vezaflow.metrics import Recorder
from vezaflow.outputs import tick_of
from vezaflow.plan import Division, Plan
from vezaflow.results import Health
from vezaflow.scale import WorkerState

FLOW = """
flow: browse
load: {vus: 10, duration: 1m}
steps: [{get: /}]
gates: {http_req_duration: p(95) < 1 s}
"""


class ToldLoad:
    """Has the shape of steering.LoadControls."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def pause(self, flow: str | None = None) -> None:
        self.told.append(("pause", flow))

    def resume(self, flow: str | None = None) -> None:
        self.told.append(("resume", flow))

    def scale(self, flow: str, vus: int) -> None:
        self.told.append(("scale", flow, vus))


class Bench:
    """A steering on a clock that the test turns."""

    def __init__(self, plan: Plan | None = None, *, most: int | None = None, begun: bool = True) -> None:
        self.now = 100.0
        self.load = ToldLoad()
        self.stopped = 0
        self.plan = replace(plan or plan_of(FLOW), guard_vus=most)
        load: LoadControls = self.load
        self.steering = Steering(self.plan, load, "one", self._stop, division=Division(), clock=lambda: self.now)
        if begun:
            self.steering.begin(self.now)

    def _stop(self) -> None:
        self.stopped += 1

    def after(self, seconds: float) -> Steering:
        self.now += seconds
        return self.steering

    def concerns(self) -> list[str]:
        found = list(self.steering.concerns())
        assert all(concern.kind is ConcernKind.LOAD_NOT_REACHED and concern.remedy for concern in found)
        return [concern.text for concern in found]


def test_a_run_left_alone_has_nothing_to_tell() -> None:
    bench = Bench()
    bench.after(60).end()
    assert (list(bench.steering.notes()), bench.concerns()) == ([], [])


def test_time_paused_is_told_and_stands_against_a_verdict() -> None:
    bench = Bench()
    bench.after(10).pause()
    bench.after(4).resume()
    bench.after(10).pause("browse")
    bench.after(2.5).resume("browse")
    bench.after(5).end()
    bench.after(1000)
    assert list(bench.steering.notes()) == ["browse was paused manually for 6.5 s"]
    assert bench.concerns() == ["browse: paused manually for 6.5 s"]
    assert bench.load.told == [("pause", None), ("resume", None), ("pause", "browse"), ("resume", "browse")]


def test_a_pause_that_never_ended_lasts_to_the_end_of_the_load() -> None:
    bench = Bench()
    bench.after(50).pause()
    bench.after(3).pause()
    assert list(bench.after(1).notes()) == ["browse has been paused manually for 4 s"]
    bench.after(6).end()
    bench.after(1000)
    assert list(bench.steering.notes()) == ["browse was paused manually for 10 s"]


def test_a_pause_of_load_that_is_meant_to_be_steered_is_only_told() -> None:
    load = "{executor: externally-controlled, vus: 2, max_vus: 8, duration: 1m}"
    bench = Bench(plan_of(f"flow: browse\nload: {load}\nsteps: [{{get: /}}]"))
    bench.after(10).pause()
    bench.after(4).resume()
    bench.after(5).end()
    assert list(bench.steering.notes()) == ["browse was paused manually for 4 s"]
    assert bench.concerns() == []


def test_vus_taken_away_stand_against_a_verdict_also_when_they_came_back() -> None:
    bench = Bench()
    assert bench.after(5).scale("browse", 4) == "browse: 10 → 4 VUs"
    assert bench.after(5).scale("browse", 10) == "browse: 4 → 10 VUs"
    assert list(bench.steering.notes()) == ["browse was scaled manually from 10 VUs to 4 at 5 s, 10 at 10 s"]
    assert bench.concerns() == ["browse: scaled down manually to 4 of 10 VUs"]


def test_more_vus_than_asked_are_told_and_prove_no_less() -> None:
    bench = Bench()
    bench.after(5).scale("browse", 20)
    assert list(bench.steering.notes()) == ["browse was scaled manually from 10 VUs to 20 at 5 s"]
    assert bench.concerns() == []


def test_the_guard_holds_for_all_flows_together() -> None:
    bench = Bench(most=15)
    with pytest.raises(VezaflowError, match=r"refused: 16 VUs in total.*allows 15"):
        bench.steering.scale("browse", 16)
    bench.steering.scale("browse", 15)
    assert bench.load.told == [("scale", "browse", 15)]


def test_what_the_machine_cannot_hold_is_refused() -> None:
    with pytest.raises(VezaflowError, match="open files needed"):
        Bench().steering.scale("browse", 10**9)


def test_a_misspelt_flow_is_answered_with_the_one_that_was_meant() -> None:
    bench = Bench()
    with pytest.raises(VezaflowError, match="unknown flow 'brwse'") as wrong:
        bench.steering.pause("brwse")
    assert wrong.value.hint == "did you mean 'browse'?"
    assert bench.load.told == []


def test_there_is_nothing_to_steer_before_the_load_and_after_it() -> None:
    bench = Bench(begun=False)
    with pytest.raises(VezaflowError, match="the run is preparing"):
        bench.steering.pause()
    bench.steering.begin(bench.now)
    bench.steering.end()
    with pytest.raises(VezaflowError, match="the run is ending"):
        bench.steering.scale("browse", 1)


def test_what_is_not_paused_cannot_be_resumed() -> None:
    with pytest.raises(VezaflowError, match="nothing is paused"):
        Bench().steering.resume()


def test_stop_is_one_ctrl_c() -> None:
    bench = Bench()
    assert bench.steering.stop().startswith("stopping")
    assert bench.stopped == 1


def ticked(bench: Bench, timed_out: int = 0) -> None:
    recorder = Recorder(0.0)
    step = recorder.step("browse", "/", "GET")
    for _ in range(100):
        step.answered(200, 2.0, 0.0, 0.0, 10, 10)
    for _ in range(timed_out):
        step.unanswered("timeout_wait", 0.5, waited=3.0)
    recorder.flow("browse").vus = 9
    recorder.fold(1.0)
    summary = recorder.snapshot()
    verdicts = judge(bench.plan.gates, summary)
    health = Health((WorkerState("1", Vitals(0.25, 0.25, 0.25, 0.003, 0.004, 50 << 20)),))
    bench.steering.tick(tick_of(bench.plan, summary, recorder.timeline(), verdicts, elapsed=12.0, health=health))


def test_status_says_how_the_run_stands() -> None:
    bench = Bench()
    bench.after(12)
    ticked(bench)
    bench.steering.pause("browse")
    status = bench.steering.status()
    assert (status["run"], status["suite"], status["phase"]) == ("one", "test", "load")
    assert (status["elapsed"], status["remaining"]) == (12.0, 48.0)
    (flow,) = status["flows"]
    assert (flow["flow"], flow["vus"], flow["vus_requested"], flow["paused"]) == ("browse", 9, 10, True)
    assert flow["p95"] == pytest.approx(2.0, rel=0.001)
    assert flow["gates"][0]["so_far"] == "red"


def test_a_p95_among_timeouts_is_a_lower_bound_in_the_status_and_on_its_screen() -> None:
    bench = Bench()
    ticked(bench, timed_out=20)
    status = orjson.loads(orjson.dumps(bench.steering.status()))
    assert (status["flows"][0]["p95"], status["flows"][0]["at_least"]) == (pytest.approx(3.0, rel=0.001), ["p95"])
    assert "     > 3 s" in screen(status, 80)
    assert "p(95) > 3 s as requests timed out, expected < 1 s" in screen(status, 200)


def test_machines_that_are_others_are_asked_whether_they_have_the_connections() -> None:
    asked: list[int] = []

    def elsewhere(plan: Plan) -> None:
        asked.extend(flow.load.max_vus for flow in plan.flows)
        if asked[-1] > 10**7:
            raise VezaflowError("load-2: too many")

    bench = Bench()
    bench.steering = Steering(
        bench.plan, bench.load, "one", print, division=Division(4), elsewhere=elsewhere, clock=lambda: bench.now
    )
    bench.steering.begin(0.0)
    assert bench.after(5).scale("browse", 10**7) == "browse: 10 → 10,000,000 VUs", "this machine is not asked"
    with pytest.raises(VezaflowError, match="load-2: too many"):
        bench.steering.scale("browse", 10**7 + 1)
    assert asked == [10**7, 10**7 + 1]
    assert [told[2] for told in bench.load.told] == [10**7]


def test_the_screen_fits_its_width_and_names_what_broke() -> None:
    bench = Bench()
    bench.after(12)
    ticked(bench)
    bench.after(3).scale("browse", 5)
    text = screen(bench.steering.status(), 80)
    assert max(map(len, text.splitlines())) <= 80
    assert text.splitlines()[1:] == [
        "15 s elapsed, 45 s left",
        "",
        "flow            VUs  iterations    req/s       p95   failed  gates so far",
        "browse          9/5           0      100       2 s      0 %  ✗",
        "",
        "✗ browse: http_req_duration: p(95) < 1 s: p(95) = 2 s, expected < 1 s",
        "",
        "generator: 25 % of a core, event-loop lag p99 3 ms, 50 MiB",
        "browse was scaled manually from 10 VUs to 5 at 15 s",
    ]


def test_the_screen_says_what_is_missing_of_the_load() -> None:
    bench = Bench()
    bench.after(12)
    ticked(bench)
    status = bench.steering.status()
    status["health"]["load_missing"] = 0.05
    assert "of a core, 5 % of the load missing, event-loop lag" in screen(status, 80)


def test_before_the_load_the_screen_says_so() -> None:
    assert screen(Bench(begun=False).steering.status(), 100).splitlines()[1:] == ["preparing: no load yet"]


def _scaled(load: str, vus: int, *, seconds: float = 5.0) -> str:
    bench = Bench(plan_of(f"flow: browse\nload: {load}\nsteps: [{{get: /}}]"))
    return bench.after(seconds).scale("browse", vus)


def test_an_externally_controlled_flow_stays_below_its_max_vus() -> None:
    load = "{executor: externally-controlled, vus: 2, max_vus: 8, duration: 1m}"
    assert _scaled(load, 8) == "browse: 2 → 8 VUs"
    with pytest.raises(VezaflowError, match="allows at most 8 VUs"):
        _scaled(load, 9)


def test_an_open_flow_is_scaled_at_its_most() -> None:
    load = "{executor: constant-arrival-rate, rate: 5/s, duration: 1m, pre_allocated_vus: 2, max_vus: 8}"
    assert _scaled(load, 6) == "browse: 8 → 6 VUs"


def test_a_flow_is_not_scaled_before_it_begins_nor_after_its_end() -> None:
    with pytest.raises(VezaflowError, match="browse starts in 5 s"):
        _scaled("{vus: 2, duration: 1m, start_time: 10s}", 3)
    bench = Bench(
        plan_of("flow: browse\nload: {executor: per-vu-iterations, vus: 2, iterations: 1}\nsteps: [{get: /}]")
    )
    recorder = Recorder(0.0)
    recorder.begin(0.0)
    recorder.flow("browse").iteration(0.1, False)
    recorder.fold(1.0)
    tick = tick_of(bench.plan, recorder.snapshot(), recorder.timeline(), (), elapsed=1.0, health=Health())
    bench.steering.tick(tick)
    with pytest.raises(VezaflowError, match="browse has finished"):
        bench.after(5).scale("browse", 3)
