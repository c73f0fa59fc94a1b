"""What a plan is made from: secrets in whatever dress, variables by their nearest word."""

import base64
from urllib.parse import quote

import pytest
from planned import SUITE, inputs, plan_of, plan_or_faults

from vezaflow.plan import Chance, Scope, Secrets
from vezaflow.plan.steps import PlannedRepeat, PlannedThink, PlannedWhile

TOKEN = "s3cr3t/+token=="


@pytest.mark.parametrize(
    "dress", [TOKEN, quote(TOKEN, safe=""), quote(TOKEN), base64.b64encode(TOKEN.encode()).decode()]
)
def test_a_secret_is_masked_in_every_dress(dress: str) -> None:
    masked = Secrets.of([TOKEN]).mask(f"Authorization: Bearer {dress}, again {dress}")
    assert "s3cr3t" not in masked
    assert dress not in masked
    assert "•••" in masked


def test_what_is_no_secret_stays() -> None:
    assert Secrets.of([TOKEN]).mask("GET /api/v1/health") == "GET /api/v1/health"


def test_a_value_too_short_to_be_a_secret_does_not_blot_out_words() -> None:
    assert Secrets.of(["a", ""]).mask("a banana") == "a banana"


def test_a_constant_that_hides_a_computed_value_leaves_the_others_alone() -> None:
    suite = SUITE + "\nvars: {a: '${uuid()}', b: '${uuid()}'}"
    flow = "vars: {a: 1}\nsteps: [{get: '/${a}/${b}', extract: {c: $.c}}, {get: '/${c}'}]"
    variables = plan_of(flow, suite=suite).flows[0].variables
    assert len(set(variables.names)) == len(variables.names) == len(variables.initial)
    assert [variables.names[slot] for slot, _ in variables.computed] == ["b"]


PAUSES = """
load: {vus: 1, duration: 1m}
steps: [{get: /}, {think: '${env.PAUSE}'}, {repeat: '${env.TIMES}', do: [{get: /}]}, {while: vu > 1, max: '${env.TIMES}', do: [{get: /}]}]
think: ${1s..env.PAUSE}
"""  # noqa: E501


def test_pauses_and_rounds_from_the_environment_are_read_as_a_loads_are() -> None:
    flow = plan_of(PAUSES, inputs=inputs({"PAUSE": "250 ms", "TIMES": "3"})).flows[0]
    scope = Scope([], Chance(0), 1)
    _, think, repeat, loop = flow.steps
    assert isinstance(think, PlannedThink)
    assert isinstance(repeat, PlannedRepeat)
    assert isinstance(loop, PlannedWhile)
    assert flow.think is not None
    assert (think.duration(scope), repeat.times(scope), loop.most(scope)) == (0.25, 3, 3)
    assert flow.think(scope) == (1, 0.25)


def test_what_is_no_pause_and_no_number_of_rounds_is_told_before_the_run() -> None:
    plan, diagnostics = plan_or_faults(PAUSES, inputs=inputs({"PAUSE": "2", "TIMES": "many"}))
    assert plan is None
    assert [d.code for d in diagnostics.items] == ["VF702"] * 4
