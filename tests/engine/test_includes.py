"""Fragments at run time: a scope of their own, inputs in, outputs out."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest
import trio
import trio.testing
from stage import Answer, Played, Reply, Target, always, play

from vezaflow.diagnostics import Diagnostics, render_one, render_text
from vezaflow.plan import Inputs, Plan, build
from vezaflow.plan.bundle import Bundle
from vezaflow.read import read_suite

pytestmark = pytest.mark.trio

ROOT = Path("suite")
ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 2}\n"


def read(files: Mapping[str, str], environment: Mapping[str, str] | None = None) -> tuple[Plan | None, Diagnostics]:
    diagnostics = Diagnostics()
    texts = {"suite.yml": "base_url: http://127.0.0.1:1\n", **files}
    overlay = {ROOT / name: dedent(text) for name, text in texts.items()}
    suite = read_suite([ROOT], diagnostics, overlay=overlay)
    if suite is None or diagnostics.failed:
        return None, diagnostics
    inputs = Inputs(dict(environment or {}))
    plan = build(suite, inputs, diagnostics)
    if plan is not None:
        Bundle.of(suite, inputs).plan()  # what a worker gets is enough for the same plan
    return plan, diagnostics


async def run(
    flow: str, answer: Answer | None = None, environment: Mapping[str, str] | None = None, **parts: str
) -> tuple[list[str], Played]:
    files = {"flow.yml": ONCE + dedent(flow), **{f"parts/{name}.yml": text for name, text in parts.items()}}
    plan, diagnostics = read(files, environment)
    assert plan is not None, render_text(diagnostics.items)
    target = Target(answer or always(Reply()))
    played = await play(plan, target)
    return target.asked, played


async def test_inputs_go_in_and_outputs_come_out(autojump_clock: trio.testing.MockClock) -> None:
    flow = """
        vars: {name: outside}
        steps:
          - include: parts/greet.yml
            with: {name: "ann ${iteration}"}
          - log: ${greeting}, ${name}
    """
    greet = """
        inputs: {name: text, sign: {type: text, default: "!"}}
        outputs: [greeting]
        steps:
          - set: {greeting: "hello ${name}${sign}"}
    """
    _, played = await run(flow, greet=greet)
    assert played.said == ["hello ann 0!, outside", "hello ann 1!, outside"]


async def test_two_includes_of_one_fragment_do_not_meet(autojump_clock: trio.testing.MockClock) -> None:
    flow = """
        steps:
          - {include: parts/next.yml, with: {n: 1}, into: {next: one}}
          - {include: parts/next.yml, with: {n: "${one + 10}"}, into: {next: two}}
          - log: ${one} ${two}
    """
    following = """
        inputs: {n: integer}
        outputs: [next]
        steps:
          - set: {next: "${n + 1}"}
    """
    _, played = await run(flow, next=following)
    assert played.said == ["2 13"] * 2


async def test_what_a_fragment_set_is_forgotten_when_it_is_entered_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    flow = """
        steps:
          - for: n
            in: [1, 2]
            do:
              - {include: parts/odd.yml, with: {n: "${n}"}}
              - log: ${odd ?? "not set"}
    """
    odd = """
        inputs: {n: integer}
        outputs: [odd]
        steps:
          - if: n == 1
            do: [{set: {odd: "yes"}}]
    """
    _, played = await run(flow, odd=odd)
    assert played.said == ["yes", "not set"] * 2


async def test_fragments_nest_and_defaults_mean_what_they_mean_at_home(autojump_clock: trio.testing.MockClock) -> None:
    files = {
        "suite.yml": "base_url: http://127.0.0.1:1\nheaders: {x-user: '${user}'}\nvars: {user: suite}\n",
        "flow.yml": ONCE + "steps:\n  - {include: parts/outer.yml, with: {user: ann}}\n",
        "parts/outer.yml": "inputs: {user: text}\nsteps:\n  - {include: parts/inner.yml, with: {id: '${user}'}}\n",
        "parts/inner.yml": "inputs: {id: text}\nsteps:\n  - {get: '/${id}', headers: {x-id: '${id}'}}\n",
    }
    plan, diagnostics = read(files)
    assert plan is not None, render_text(diagnostics.items)
    target = Target(always(Reply()))
    await play(plan, target)
    (_, _, path, head), _ = target.log
    assert path == "/ann"
    assert "x-user: suite\r\n" in head
    assert "x-id: ann\r\n" in head


async def test_setup_hands_a_fragments_outputs_to_every_vu(autojump_clock: trio.testing.MockClock) -> None:
    files = {
        "suite.yml": "base_url: http://127.0.0.1:1\nsetup: [{include: parts/seed.yml}]\n",
        "flow.yml": ONCE + "steps: [{get: '/${track}'}]\n",
        "parts/seed.yml": "outputs: [track]\nsteps: [{post: /seed, extract: {track: $.id}}]\n",
    }
    plan, diagnostics = read(files)
    assert plan is not None, render_text(diagnostics.items)
    target = Target(always(Reply(body=b'{"id": 7}')))
    await play(plan, target)
    assert target.asked == ["POST /seed", "GET /7", "GET /7"]


async def test_texts_of_the_environment_become_what_an_input_takes(autojump_clock: trio.testing.MockClock) -> None:
    flow = """
        steps:
          - include: parts/a.yml
            with: {n: "${env.N}", on: "${env.ON}", wait: "${env.WAIT}", most: "${env.MOST ?? 2 MiB}"}
    """
    part = """
        inputs: {n: integer, on: boolean, wait: duration, most: size}
        steps:
          - log: ${n + 1} ${not on} ${wait == 2m} ${most}
    """
    _, played = await run(flow, environment={"N": "41", "ON": "false", "WAIT": "120s"}, a=part)
    assert played.said == ["42 true true 2097152"] * 2


async def test_an_input_of_another_type_stops_the_plan() -> None:
    files = {
        "flow.yml": ONCE + "steps: [{include: parts/a.yml, with: {n: '${env.N}'}}]\n",
        "parts/a.yml": "inputs: {n: integer}\nsteps: [{get: '/${n}'}]\n",
    }
    plan, diagnostics = read(files, {"N": "many"})
    assert plan is None
    (found,) = diagnostics.items
    assert (found.code, found.message) == ("VF702", "the input 'n' is \"many\": expected a whole number")
    assert found.span is not None
    assert found.span.source.path.endswith("flow.yml")


async def test_an_input_of_another_type_fails_the_include(autojump_clock: trio.testing.MockClock) -> None:
    flow = """
        steps:
          - get: /first
            extract: {n: $.n}
          - {include: parts/a.yml, with: {n: "${n}"}}
    """
    part = "inputs: {n: integer}\nsteps: [{get: '/${n}'}]\n"
    asked, played = await run(flow, always(Reply(body=b'{"n": [1]}')), a=part)
    assert asked == ["GET /first"] * 2
    (incident,) = played.engine.incidents.items
    assert (incident.code, incident.message) == ("VF605", "the input 'n' is [1]: expected a whole number")


async def test_a_failure_in_a_fragment_shows_the_way_there(autojump_clock: trio.testing.MockClock) -> None:
    flow = "steps:\n  - {include: parts/outer.yml}\n"
    parts = {
        "outer": "steps:\n  - include: parts/inner.yml\n",
        "inner": "steps:\n  - get: /gone\n    on_failure: continue\n  - set: {n: '${1 + vu.x}'}\n  - log: ${n}\n",
    }
    _, played = await run(flow, always(Reply(404)), None, **parts)
    drawn = [render_one(incident.diagnostic(), colour=False) for incident in played.engine.incidents.items]
    assert len(drawn) == 2
    for text in drawn:
        assert [line.split()[1] for line in text.splitlines() if line.lstrip().startswith(("-->", ":::"))] == [
            next(line.split()[1] for line in text.splitlines() if "-->" in line),
            "suite/parts/outer.yml:2:14",
            "suite/flow.yml:3:15",
        ]


async def test_a_fault_that_only_the_plan_finds_shows_the_way_there() -> None:
    files = {
        "flow.yml": ONCE + "steps: [{include: parts/a.yml}]\n",
        "parts/a.yml": "steps: [{get: 'http://[/'}]\n",
    }
    _, diagnostics = read(files)
    (found,) = diagnostics.items
    assert found.code == "VF705"
    assert [(span.source.path, label) for span, label in found.related] == [("suite/flow.yml", "included here")]
