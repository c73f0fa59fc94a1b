"""Closed load models on a mock clock: who starts when, who ends when, and what is counted."""

import pytest
import trio
import trio.testing
from planned import inputs, plan_of
from stage import Reply, Target, always, play

from vezaflow.engine import RunEngine
from vezaflow.metrics import Recorder
from vezaflow.protocols import ErrorKind

pytestmark = pytest.mark.trio

OK = always(Reply(after=0.1))


async def test_constant_vus_iterate_until_the_duration_is_over(autojump_clock: trio.testing.MockClock) -> None:
    plan = plan_of("load: {vus: 4, duration: 10s}\nsteps: [{get: /x}]\nthink: 900ms")
    played = await play(plan, OK)
    assert played.count("iterations") == 4 * 10
    assert played.count("http_reqs") == 4 * 10
    assert 9 < played.seconds < 10.5


async def test_vus_are_let_in_one_after_another(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(OK)
    await play(plan_of("load: {vus: 50, duration: 5s}\nsteps: [{get: /x}, {think: 1m}]\n"), target)
    starts = [at for at, *_ in target.log]
    assert starts == sorted(starts)
    assert 0.04 < starts[-1] - starts[0] < 0.2


async def test_each_vu_of_per_vu_iterations_does_its_own_number(autojump_clock: trio.testing.MockClock) -> None:
    plan = plan_of("load: {executor: per-vu-iterations, vus: 3, iterations: 5}\nsteps: [{get: '/${vu}'}]")
    target = Target(OK)
    played = await play(plan, target)
    assert sorted(target.asked) == sorted(f"GET /{vu}" for vu in (1, 2, 3) for _ in range(5))
    assert played.engine.flows[0].delivered.unfinished == 0


async def test_shared_iterations_are_done_once_each_by_whoever_is_free(autojump_clock: trio.testing.MockClock) -> None:
    plan = plan_of("load: {executor: shared-iterations, vus: 7, iterations: 50}\nsteps: [{get: /x}]")
    played = await play(plan, OK)
    assert played.count("iterations") == 50


async def test_iterations_that_time_did_not_allow_are_counted(autojump_clock: trio.testing.MockClock) -> None:
    load = "load: {executor: shared-iterations, vus: 2, iterations: 50, max_duration: 1s, graceful_stop: 0s}"
    plan = plan_of(f"{load}\nsteps: [{{get: /x}}]")
    played = await play(plan, always(Reply(after=0.3)))
    done = played.count("iterations")
    assert 6 <= done <= 8
    assert played.engine.flows[0].delivered.unfinished == 50 - done


async def test_a_running_iteration_gets_the_graceful_stop(autojump_clock: trio.testing.MockClock) -> None:
    plan = plan_of("load: {vus: 1, duration: 1s, graceful_stop: 5s}\nsteps: [{get: /x}]")
    played = await play(plan, always(Reply(after=3.0)))
    assert played.count("iterations") == 1
    assert played.seconds == pytest.approx(3.0, abs=0.1)


async def test_what_still_runs_after_the_graceful_stop_is_cut_off_and_no_failure(
    autojump_clock: trio.testing.MockClock,
) -> None:
    plan = plan_of("load: {vus: 1, duration: 1s, graceful_stop: 2s}\nsteps: [{get: /x}]")
    played = await play(plan, always(Reply(after=60.0)))
    assert played.count("iterations") == 0
    assert played.count("http_req_failed") == 0
    assert played.seconds == pytest.approx(3.0, abs=0.1)


async def test_a_pause_between_iterations_does_not_hold_up_the_end(autojump_clock: trio.testing.MockClock) -> None:
    played = await play(plan_of("load: {vus: 1, duration: 2s}\nsteps: [{get: /x}]\nthink: 1h"), OK)
    assert played.seconds == pytest.approx(2.0, abs=0.1)


async def test_pace_keeps_the_beat_whatever_the_answers_take(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(after=0.4)))
    await play(plan_of("load: {vus: 1, duration: 10s}\nsteps: [{get: /x}]\npace: 1s"), target)
    starts = [at for at, *_ in target.log]
    assert len(starts) == 10
    assert starts[-1] - starts[0] == pytest.approx(9.0, abs=0.1)


async def test_a_flow_with_a_start_time_waits_for_it(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(OK)
    begin = trio.current_time()
    await play(plan_of("load: {vus: 1, duration: 1s, start_time: 30s}\nsteps: [{get: /x}]\nthink: 2s"), target)
    assert target.log[0][0] - begin == pytest.approx(30.0, abs=0.1)


async def test_stop_lets_iterations_end_and_begins_none(autojump_clock: trio.testing.MockClock) -> None:
    async def stop_soon(engine: RunEngine) -> None:
        await trio.sleep(1.05)
        engine.stop()

    target = Target(always(Reply(after=0.5)))
    plan = plan_of("load: {vus: 2, duration: 1h}\nsteps: [{get: /x}, {get: /y}]")
    played = await play(plan, target, during=stop_soon)
    assert played.seconds == pytest.approx(2.0, abs=0.1)
    assert target.asked.count("GET /x") == target.asked.count("GET /y")


async def test_login_runs_once_per_vu_and_is_not_the_load(autojump_clock: trio.testing.MockClock) -> None:
    flow = """
    load: {executor: per-vu-iterations, vus: 3, iterations: 4}
    login:
      - post: /login
        json: {user: "${vu}"}
        extract: {token: $.token}
    steps:
      - get: /x
        headers: {authorization: "Bearer ${token}"}
    """
    target = Target(lambda method, path: Reply(body=b'{"token":"t1"}') if path == "/login" else Reply())
    played = await play(plan_of(flow), target)
    assert target.asked.count("POST /login") == 3
    assert played.count("http_reqs") == 12
    assert all("authorization: Bearer t1" in head for _, _, path, head in target.log if path == "/x")


@pytest.mark.parametrize("scope", ["flow", "run"])
async def test_a_stop_in_login_is_obeyed(autojump_clock: trio.testing.MockClock, scope: str) -> None:
    flow = f"load: {{vus: 1, duration: 5s}}\nlogin: [{{stop: {scope}}}]\nsteps: [{{get: /x}}]\nfinally: [{{get: /bye}}]"
    target = Target(always(Reply()))
    played = await play(plan_of(flow), target)
    assert target.asked == ["GET /bye"]
    assert played.engine.stopped == (scope == "run")
    assert played.engine.flows[0].delivered.login_failed == 0


@pytest.mark.parametrize(("status", "good"), [(200, True), (500, False)])
async def test_a_rehearsal_that_login_stops_is_good_unless_a_step_failed(
    autojump_clock: trio.testing.MockClock, status: int, good: bool
) -> None:
    flow = "login: [{get: /, on_failure: continue}, {stop: flow}]\nsteps: [{get: /x}]"
    plan, target = plan_of("load: {vus: 1, duration: 5s}\n" + flow), Target(always(Reply(status)))
    engine = RunEngine(plan, recorder=Recorder(0.0), client=target.client, clock=trio.current_time)
    assert await engine.rehearse(plan.flows[0]) is good
    assert target.asked == ["GET /"]


async def test_a_vu_that_can_not_log_in_puts_no_load_on(autojump_clock: trio.testing.MockClock) -> None:
    flow = "load: {vus: 2, duration: 5s}\nlogin: [{post: /login}]\nsteps: [{get: /x}]"
    target = Target(lambda method, path: Reply(status=401))
    played = await play(plan_of(flow), target)
    assert target.asked == ["POST /login"] * 2
    assert played.engine.flows[0].delivered.login_failed == 2


async def test_finally_runs_once_per_vu_even_when_it_was_cut_off(autojump_clock: trio.testing.MockClock) -> None:
    flow = """
    load: {vus: 3, duration: 1s, graceful_stop: 0s}
    steps: [{get: /slow}]
    finally: [{post: /logout}]
    """
    target = Target(lambda method, path: Reply(after=60.0 if path == "/slow" else 0.1))
    played = await play(plan_of(flow), target)
    assert target.asked.count("POST /logout") == 3
    assert played.seconds < 2


async def test_finally_is_bounded(autojump_clock: trio.testing.MockClock) -> None:
    flow = "load: {vus: 1, duration: 1s}\nsteps: [{get: /x}, {think: 1s}]\nfinally: [{post: /logout}]"
    target = Target(lambda method, path: Reply(after=3600.0 if path == "/logout" else 0.1))
    assert (await play(plan_of(flow), target)).seconds < 15


async def test_a_target_that_refuses_at_once_does_not_hang_the_run(autojump_clock: trio.testing.MockClock) -> None:
    plan = plan_of("load: {executor: shared-iterations, vus: 2, iterations: 200}\nsteps: [{get: /x}]")
    played = await play(plan, always(Reply(error=ErrorKind.REFUSED, after=0.0)))
    assert played.count("http_reqs") == 200
    assert played.count("iterations_failed") == 200
    assert played.summary.select("http_req_failed").aggregate("rate", None) == 1.0
    assert played.summary.select("http_req_duration").aggregate("p", 95) is None


async def test_setup_hands_its_values_to_every_vu(autojump_clock: trio.testing.MockClock) -> None:
    suite = """
    suite: test
    base_url: http://127.0.0.1:1
    setup: [{get: /ids, extract: {ids: {json: "$[*]", all: true}}}]
    teardown: [{post: "/clean/${len(ids)}"}]
    """
    target = Target(lambda method, path: Reply(body=b"[7]"))
    flow = "load: {executor: per-vu-iterations, vus: 2, iterations: 1}\nsteps: [{get: '/item/${pick(ids)}'}]"
    await play(plan_of(flow, suite=suite), target)
    assert target.asked == ["GET /ids", "GET /item/7", "GET /item/7", "POST /clean/1"]


async def test_preflight_is_tried_again_for_as_long_as_it_says(autojump_clock: trio.testing.MockClock) -> None:
    suite = """
    suite: test
    base_url: http://127.0.0.1:1
    preflight: {steps: [{get: /health, expect: 200}], retry: {for: 10s, every: 2s}}
    """
    tries: list[float] = []

    def answer(method: str, path: str) -> Reply:
        tries.append(trio.current_time())
        return Reply(status=503 if len(tries) < 4 else 200, after=0.0)

    await play(plan_of("load: {executor: per-vu-iterations, iterations: 1}\nsteps: [{get: /x}]", suite=suite), answer)
    assert tries[3] - tries[0] == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize(("vus", "choose"), [(3, False), (1, True)], ids=["a crowd", "one user who chooses"])
async def test_one_seed_sends_the_same_requests(autojump_clock: trio.testing.MockClock, vus: int, choose: bool) -> None:
    steps = """
      - get: "/s?q=${pick(words)}&n=${random(1, 1000)}"
      - get: "/u/${uuid()}"
    """
    if choose:
        steps = "  - choose: [{weight: 3, do: [{get: '/a/${uuid()}'}]}, {weight: 1, do: [{get: '/b/${uuid()}'}]}]"
    load = f"load: {{executor: per-vu-iterations, vus: {vus}, iterations: 8}}\n"
    flow = f"{load}vars: {{words: [a, b, c, d, e, f]}}\nsteps:\n{steps}"
    if not choose:
        flow = flow.replace("e, f]}", 'e, f], mine: "${uuid()}"}') + '  - get: "/m/${mine}"\n'
    logs = []
    for seed in (5, 5, 6):
        target = Target(OK)
        await play(plan_of(flow, inputs=inputs(seed=seed)), target)
        logs.append(sorted(target.asked))
    assert logs[0] == logs[1]
    assert logs[0] != logs[2]


RAMP = "load: {{executor: ramping-vus, start_vus: {start}, stages: [{stages}]}}\nsteps: [{{get: /}}]\nthink: 100ms"


@pytest.mark.parametrize(
    ("start", "stages", "asked"),
    [
        (0, "{duration: 10s, target: 20}", 19),
        (0, "{duration: 5s, target: 20}, {duration: 5s, target: 20}", 20),
        (0, "{duration: 5s, target: 10}, {duration: 5s, target: 2}", 10),
        (4, "{duration: 10s, target: 4}, {duration: 0s, target: 50}", 4),
        (0, "{duration: 3s, target: 5}, {duration: 3s, target: 0}, {duration: 4s, target: 5}", 5),
    ],
    ids=["ends at its peak", "holds", "comes down", "jumps at the end", "comes twice"],
)
async def test_a_ramp_asks_for_the_vus_that_come_in_time(
    start: int, stages: str, asked: int, autojump_clock: trio.testing.MockClock
) -> None:
    played = await play(plan_of(RAMP.format(start=start, stages=stages)), always(Reply(after=0.01)))
    delivered = played.engine.flows[0].delivered
    assert (delivered.requested, delivered.most) == (asked, asked)


async def test_a_user_who_comes_again_draws_anew(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(after=0.01)))
    stages = ((1, 1), (1, 0), (0, 1), (1, 1))
    twice = RAMP.format(start=1, stages=", ".join(f"{{duration: {time}s, target: {vus}}}" for time, vus in stages))
    await play(plan_of(twice.replace("get: /", "get: '/${uuid()}'")), target)
    assert len(target.asked) > 15
    assert len(set(target.asked)) == len(target.asked)


async def test_each_iteration_may_have_connections_of_its_own(autojump_clock: trio.testing.MockClock) -> None:
    load = "load: {executor: per-vu-iterations, vus: 1, iterations: 3}\nlogin: [{post: /login}]"
    steps = "steps: [{get: /x}, {get: /y}]\nthink: 1s"
    kept, renewed = Target(OK), Target(OK)
    await play(plan_of(f"{load}\n{steps}"), kept)
    assert len(kept.closed) == 1
    await play(plan_of(f"{load}\n{steps}\nhttp: {{connections: per_iteration}}"), renewed)
    begins = [at for at, _, path, _ in renewed.log if path == "/x"]
    ends = [at + 0.1 for at, _, path, _ in renewed.log if path == "/y"]
    assert renewed.closed[:-1] == pytest.approx(sorted(begins + ends))
