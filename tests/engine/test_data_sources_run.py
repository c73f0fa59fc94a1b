"""Rows dealt to VUs on a mock clock: who gets which, and what happens when they are used up."""

from collections import Counter

import pytest
import trio
import trio.testing
from planned import ROOT, SUITE, plan_of
from stage import Reply, Target, always, play

from vezaflow.diagnostics import Diagnostics
from vezaflow.engine import Delivered, RunEngine
from vezaflow.metrics import Phase, Recorder
from vezaflow.outputs import Trace
from vezaflow.outputs.traced import Traced, TracedMessage
from vezaflow.plan import Inputs, Plan, Segment, build
from vezaflow.read import read_suite

pytestmark = pytest.mark.trio

LETTERS = "[a, b, c, d, e, f]"


def flow(source: str, load: str, steps: str = "[{get: '/${vu}/${rows}'}]", more: str = "") -> str:
    return f"load: {load}\ndata: {{rows: {source}}}\nsteps: {steps}\n{more}"


def each(vus: int, iterations: int) -> str:
    return f"{{executor: per-vu-iterations, vus: {vus}, iterations: {iterations}}}"


def read(files: dict[str, str]) -> Plan:
    diagnostics = Diagnostics()
    suite = read_suite([ROOT], diagnostics, overlay={ROOT / name: text for name, text in files.items()})
    assert suite is not None
    plan = build(suite, Inputs({}), diagnostics)
    assert plan is not None, diagnostics
    return plan


async def asked(plan: Plan, segment: Segment | None = None) -> tuple[list[str], Delivered]:
    """What the VUs asked for, and what the first flow delivered."""
    target = Target(always(Reply(after=0.01)))
    engine = RunEngine(
        plan, recorder=Recorder(trio.current_time()), client=target.client, clock=trio.current_time, segment=segment
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.wheel.run)
        await engine.load(trio.current_time())
        nursery.cancel_scope.cancel()
    assert engine.incidents.items == ()
    return [path for _, _, path, _ in target.log], engine.flows[0].delivered


async def test_a_list_is_dealt_in_its_order_and_begins_again(autojump_clock: trio.testing.MockClock) -> None:
    paths, _ = await asked(plan_of(flow("[a, b, c]", each(2, 3))))
    assert sorted(path[-1] for path in paths) == ["a", "a", "b", "b", "c", "c"]
    assert [path[-1] for path in paths[:3]] == ["a", "b", "c"]


async def test_one_row_holds_for_the_whole_iteration(autojump_clock: trio.testing.MockClock) -> None:
    rows = "[{user: ann, mail: a@x}, {user: ben, mail: b@x}]"
    steps = "[{get: '/${rows.user}'}, {get: '/${rows.mail}'}, {get: '/${rows.user | upper}'}]"
    paths, _ = await asked(plan_of(flow(rows, each(1, 2), steps)))
    assert paths == ["/ann", "/a%40x", "/ANN", "/ben", "/b%40x", "/BEN"]


async def test_a_row_is_a_mapping_where_it_stands_whole(autojump_clock: trio.testing.MockClock) -> None:
    steps = """[{get: '/${rows["user"]}/${len(rows)}/${rows.nick ?? "none"}'}]"""
    paths, _ = await asked(plan_of(flow("{list: [{user: ann}, {user: ben, nick: b}]}", each(1, 2), steps)))
    assert paths == ["/ann/1/none", "/ben/2/b"]


async def test_a_vu_has_the_row_of_its_number(autojump_clock: trio.testing.MockClock) -> None:
    paths, _ = await asked(plan_of(flow(f"{{list: {LETTERS}, pick: per_vu}}", each(3, 2))))
    assert Counter(paths) == Counter(["/1/a", "/2/b", "/3/c"] * 2)


async def test_a_row_of_the_vu_is_there_in_login_and_vars_and_finally(autojump_clock: trio.testing.MockClock) -> None:
    more = "vars: {greeting: 'hi-${rows}'}\nlogin: [{get: '/in/${rows}'}]\nfinally: [{get: '/out/${rows}'}]\n"
    source = f"{{list: {LETTERS}, pick: unique, each: vu}}"
    paths, _ = await asked(plan_of(flow(source, each(2, 2), "[{get: '/${greeting}'}]", more)))
    assert Counter(paths) == Counter(["/in/a", "/in/b", *["/hi-a", "/hi-b"] * 2, "/out/a", "/out/b"])


async def test_what_iterations_set_is_forgotten_and_the_vus_row_is_not(autojump_clock: trio.testing.MockClock) -> None:
    steps = "[{get: '/${rows}/${seen ?? 0}'}, {set: {seen: 1}}]"
    paths, _ = await asked(plan_of(flow(f"{{list: {LETTERS}, each: vu}}", each(1, 2), steps)))
    assert paths == ["/a/0", "/a/0"]


@pytest.mark.parametrize("pick", ["unique", "shuffle"])
async def test_one_seed_deals_one_order_whoever_comes_first(autojump_clock: trio.testing.MockClock, pick: str) -> None:
    async def rows() -> list[str]:
        plan = plan_of(flow(f"{{list: {LETTERS}, pick: {pick}}}", each(3, 2)), inputs=Inputs({}, seed=5))
        return [path[-1] for path in (await asked(plan))[0]]

    assert await rows() == await rows()
    assert sorted(await rows()) == list("abcdef")


async def test_random_rows_are_the_vus_own_draw_and_the_same_each_night(
    autojump_clock: trio.testing.MockClock,
) -> None:
    source = f"{{list: {LETTERS}, pick: random}}"
    one, _ = await asked(plan_of(flow(source, each(4, 10)), inputs=Inputs({}, seed=5)))
    other, _ = await asked(plan_of(flow(source, each(4, 10)), inputs=Inputs({}, seed=6)))
    again, _ = await asked(plan_of(flow(source, each(2, 10)), inputs=Inputs({}, seed=5)))
    assert Counter(again) == Counter(path for path in one if path[1] in "12"), "whoever else is there"
    assert Counter(one) != Counter(other)
    assert len({path[-1] for path in one}) > 3


@pytest.mark.parametrize("pick", ["unique", "per_vu"])
async def test_segments_never_share_a_unique_row(autojump_clock: trio.testing.MockClock, pick: str) -> None:
    plan = plan_of(flow(f"{{list: {list(range(50))}, pick: {pick}}}", each(10, 3 if pick == "unique" else 1)))
    shares = [await asked(plan, Segment(index, 4)) for index in range(4)]
    rows = [path.rpartition("/")[2] for paths, _ in shares for path in paths]
    assert len(rows) == len(set(rows)) == (30 if pick == "unique" else 10)


async def test_flows_that_share_a_source_never_get_the_same_row(autojump_clock: trio.testing.MockClock) -> None:
    suite = f"{SUITE}\ndata: {{rows: {{list: {LETTERS}, pick: unique}}}}\n"
    text = f"load: {each(3, 1)}\nsteps: [{{get: '/${{rows}}'}}]\n"
    paths, _ = await asked(read({"suite.yml": suite, "one.yml": text, "two.yml": text}))
    assert sorted(paths) == ["/a", "/b", "/c", "/d", "/e", "/f"]


LONG = "{vus: 2, duration: 1m}"
ENDS: list[tuple[str, str, dict[str, int]]] = [
    (LONG, "stop_vu", {}),
    (LONG, "stop_flow", {}),
    (LONG, "inconclusive", {"rows": 1}),
    ("{executor: constant-arrival-rate, rate: 10/s, duration: 1m, pre_allocated_vus: 2}", "stop_flow", {}),
    ("{executor: constant-arrival-rate, rate: 10/s, duration: 1m, pre_allocated_vus: 2}", "inconclusive", {"rows": 1}),
    ("{executor: shared-iterations, vus: 2, iterations: 100}", "stop_vu", {}),
    ("{executor: shared-iterations, vus: 2, iterations: 100}", "inconclusive", {"rows": 1}),
]


@pytest.mark.parametrize(("load", "end", "used_up"), ENDS)
async def test_when_the_rows_are_used_up_nothing_begins_and_no_request_is_missing(
    autojump_clock: trio.testing.MockClock, load: str, end: str, used_up: dict[str, int]
) -> None:
    begin = trio.current_time()
    paths, delivered = await asked(plan_of(flow(f"{{list: {LETTERS}, pick: unique, at_end: {end}}}", load)))
    assert sorted(path[-1] for path in paths) == list("abcdef")
    assert delivered.iterations == 6
    assert delivered.stopped_by_author
    assert (delivered.exhausted, delivered.dropped) == (used_up, {})
    assert trio.current_time() - begin < 2


async def test_a_vu_without_a_row_never_was(autojump_clock: trio.testing.MockClock) -> None:
    source = "{list: [a, b], pick: per_vu, at_end: stop_vu}"
    more = "login: [{get: '/in/${rows}'}]\nfinally: [{get: '/out/${rows}'}]\n"
    paths, delivered = await asked(plan_of(flow(source, each(5, 1), "[{get: /}]", more)))
    assert Counter(paths) == Counter(["/in/a", "/in/b", "/", "/", "/out/a", "/out/b"])
    assert (delivered.login_failed, delivered.exhausted) == (0, {})


async def test_who_comes_again_is_dealt_another_unique_row_and_its_own_per_vu(
    autojump_clock: trio.testing.MockClock,
) -> None:
    stages = f"[{', '.join(f'{{duration: 1s, target: {target}}}' for target in (1, 0, 1, 1))}]"
    load = f"{{executor: ramping-vus, start_vus: 1, stages: {stages}, graceful_ramp_down: 0s}}"

    async def rows(source: str) -> list[str]:
        paths, _ = await asked(plan_of(flow(source, load, more="think: 10s\n")))
        return [path[-1] for path in paths]

    assert await rows(f"{{list: {LETTERS}, pick: unique, each: vu}}") == ["a", "b"]
    assert await rows(f"{{list: {LETTERS}, pick: per_vu}}") == ["a", "a"]


async def test_a_fragment_gets_a_row_by_its_inputs_only(autojump_clock: trio.testing.MockClock) -> None:
    steps = "[{include: parts/p.yml, with: {user: '${rows}', mail: '${rows.mail}'}}]"
    fragment = "inputs: {user: mapping, mail: text}\nsteps: [{get: '/${user.mail}/${mail}'}]\n"
    paths, _ = await asked(
        read({"suite.yml": SUITE, "a.yml": flow("[{mail: a@x}]", each(1, 1), steps), "parts/p.yml": fragment})
    )
    assert paths == ["/a%40x/a%40x"]


async def test_a_rehearsal_shows_its_rows(autojump_clock: trio.testing.MockClock) -> None:
    shown: list[Traced] = []
    plan = plan_of(flow("{list: [{user: ann}], each: vu}", each(1, 1), "[{get: '/${rows.user}'}]"))
    target = Target(always(Reply()))
    engine = RunEngine(
        plan,
        recorder=Recorder(trio.current_time()),
        client=target.client,
        clock=trio.current_time,
        observer=Trace(shown.append),
    )
    assert await engine.rehearse(plan.flows[0])
    assert shown[0] == TracedMessage(Phase.ITERATION, 'row 1 of rows: {"user":"ann"}')
    assert target.asked == ["GET /ann"]


async def test_a_flow_without_sources_is_as_it_was(autojump_clock: trio.testing.MockClock) -> None:
    suite = f"{SUITE}\ndata: {{rows: {{list: {LETTERS}, pick: unique}}}}\n"
    plan = plan_of(f"load: {each(10, 2)}\nsteps: [{{get: /}}]", suite=suite)
    assert plan.flows[0].data_sources == (), "a source that it never names deals it nothing"
    played = await play(plan, always(Reply()))
    assert played.count("iterations") == 20
