"""What a plan is made from: secrets in whatever dress, variables by their nearest word."""

import base64
from urllib.parse import quote

import pytest
from planned import SUITE, plan_of

from vezaflow.plan import Secrets

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
