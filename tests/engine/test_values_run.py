"""Values of `vars` at run time: lists and mappings, computed for the run, for each VU or for each iteration."""

from collections import Counter

import pytest
import trio
import trio.testing
from planned import ROOT, SUITE
from stage import Reply, Target, always, play

from vezaflow.diagnostics import Diagnostics, render_text
from vezaflow.errors import VezaflowError
from vezaflow.plan import Inputs, Plan, build
from vezaflow.plan.bundle import Bundle
from vezaflow.read import read_suite

pytestmark = pytest.mark.trio

LOAD = "load: {executor: per-vu-iterations, vus: 3, iterations: 2}\n"


def read(flows: dict[str, str], suite: str = SUITE, seed: int = 1) -> Plan:
    diagnostics = Diagnostics()
    overlay = {ROOT / "suite.yml": suite, **{ROOT / f"{name}.yml": text for name, text in flows.items()}}
    found = read_suite([ROOT], diagnostics, overlay=overlay)
    assert found is not None
    inputs = Inputs({}, seed=seed)
    plan = build(found, inputs, diagnostics)
    assert plan is not None, render_text(diagnostics.items)
    Bundle.of(found, inputs).plan()  # what a worker gets is enough for the same plan
    return plan


async def asked(plan: Plan) -> list[str]:
    target = Target(always(Reply(body=b'{"id": 7}')))
    played = await play(plan, target)
    assert played.engine.incidents.items == ()
    return [path for _, _, path, _ in target.log]


def kinds(each: str, steps: str = "[{get: '/${it_is}'}]") -> str:
    return f"{LOAD}vars: {{it_is: {{each: {each}, value: '${{uuid()}}'}}}}\nsteps: {steps}\n"


@pytest.mark.parametrize(("each", "different", "times"), [("run", 1, 6), ("vu", 3, 2), ("iteration", 6, 1)])
async def test_a_value_is_computed_once_for_each(
    autojump_clock: trio.testing.MockClock, each: str, different: int, times: int
) -> None:
    counts = Counter(await asked(read({"a": kinds(each)})))
    assert (len(counts), set(counts.values())) == (different, {times})


async def test_a_value_of_an_iteration_stays_within_it(autojump_clock: trio.testing.MockClock) -> None:
    paths = await asked(read({"a": kinds("iteration", "[{get: '/${it_is}'}, {get: '/${it_is}'}]")}))
    assert set(Counter(paths).values()) == {2}


async def test_a_plain_value_is_each_vus_own(autojump_clock: trio.testing.MockClock) -> None:
    flow = f"{LOAD}vars: {{mine: '${{uuid()}}'}}\nsteps: [{{get: '/${{mine}}'}}]\n"
    assert set(Counter(await asked(read({"a": flow}))).values()) == {2}


async def test_lists_and_mappings_are_values_as_any_other(autojump_clock: trio.testing.MockClock) -> None:
    flow = f"""{LOAD}
vars:
  terms: [rock, "${{vu}}"]
  cart: {{each: vu, value: {{id: "${{vu}}", items: [1, "${{terms[1]}}"]}}}}
  plain: {{value: {{each: 1}}, other: 2}}
steps: [{{get: "/${{cart.id}}/${{cart.items[1]}}/${{len(terms)}}/${{plain.value.each}}"}}]
"""
    assert Counter(await asked(read({"a": flow}))) == Counter([f"/{vu}/{vu}/2/1" for vu in (1, 2, 3)] * 2)


async def test_what_the_suite_computes_for_the_run_is_one_for_setup_and_all_flows(
    autojump_clock: trio.testing.MockClock,
) -> None:
    suite = f"""{SUITE}
vars: {{night: {{each: run, value: "${{uuid()}}"}}, seen: {{each: run, value: "${{night}}"}}}}
setup: [{{get: "/${{night}}", extract: {{id: $.id}}}}]
"""
    flow = f"""{LOAD}
vars: {{page: {{each: run, value: "${{seen}}/${{id}}"}}}}
steps: [{{get: "/${{night}}/${{page}}"}}]
"""
    paths = await asked(read({"a": flow, "b": flow}, suite))
    night = paths[0][1:]
    assert Counter(paths[1:]) == {f"/{night}/{night}%2F7": 12}


async def test_a_plain_value_can_name_what_setup_found(autojump_clock: trio.testing.MockClock) -> None:
    suite = f"{SUITE}\nsetup: [{{get: /ids, extract: {{id: $.id}}}}]\n"
    flow = f"{LOAD}vars: {{path: 'tracks/${{id}}'}}\nsteps: [{{get: '/${{path}}'}}]\n"
    assert Counter(await asked(read({"a": flow}, suite))) == {"/ids": 1, "/tracks%2F7": 6}


async def test_a_flow_can_give_it_another_value(autojump_clock: trio.testing.MockClock) -> None:
    suite = f"{SUITE}\nvars: {{night: {{each: run, value: '${{uuid()}}'}}, day: {{each: run, value: 1}}}}\n"
    other = f"{LOAD}vars: {{night: '${{vu}}', day: 2}}\nsteps: [{{get: '/${{night}}/${{day}}'}}]\n"
    assert Counter(await asked(read({"a": other}, suite))) == Counter(["/1/2", "/2/2", "/3/2"] * 2)


async def test_a_step_can_change_it_until_the_iteration_ends(autojump_clock: trio.testing.MockClock) -> None:
    steps = "[{get: '/${it_is}'}, {set: {it_is: changed}}, {get: '/${it_is}'}]"
    paths = Counter(await asked(read({"a": kinds("run", steps)})))
    assert sorted(paths.values()) == [6, 6]
    assert paths["/changed"] == 6


async def test_what_can_not_be_computed_for_the_run_stops_it_before_the_load(
    autojump_clock: trio.testing.MockClock,
) -> None:
    flow = f"{LOAD}vars: {{page: {{each: run, value: '${{pick(list)}}'}}, list: []}}\nsteps: [{{get: '/${{page}}'}}]\n"
    flow = flow.replace("vars: {", "vars: {list: [], ").replace(", list: []}\n", "}\n")
    target = Target(always(Reply()))
    with pytest.RaisesGroup(VezaflowError, flatten_subgroups=True) as caught:
        await play(read({"a": flow}), target)
    assert "no load was sent" in str(caught.value.exceptions[0])
    assert target.log == []


EVERYTHING = """
load: {executor: per-vu-iterations, vus: 4, iterations: 5}
data:
  users: {list: [{name: ann}, {name: ben}, {name: cem}], pick: per_vu, at_end: wrap}
  terms: {list: [rock, jazz, techno, soul], pick: random}
vars:
  night: {each: run, value: "${uuid()}"}
  token: {each: vu, value: "${letters(8)}"}
  cart: {each: iteration, value: "${uuid()}"}
login: [{get: "/in/${users.name}/${token}"}]
steps:
  - get: /${vu}/${iteration}/${night}/${token}/${cart}
    name: values
  - get: /${vu}/${users.name}/${terms}/${random(1, 1000)}/${pick([1, 2, 3])}/${uuid()}
    name: draws
  - think: 1s..2s
"""


async def test_two_runs_of_one_seed_send_the_same_requests_for_each_vu(autojump_clock: trio.testing.MockClock) -> None:
    async def by_vu(seed: int) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in await asked(read({"a": EVERYTHING}, seed=seed)):
            found.setdefault(path.split("/")[1], []).append(path)
        return found | {"in": sorted(found["in"])}  # in which order VUs log in is no part of it

    one, two, other = await by_vu(7), await by_vu(7), await by_vu(8)
    assert one.keys() == {"in", "1", "2", "3", "4"}
    assert one == two
    assert all(one[vu] != other[vu] for vu in one)
