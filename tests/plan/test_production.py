"""No load on production by mistake: the value counts, not how it came into a URL."""

import pytest
from planned import SUITE, inputs, plan_of

from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.plan import GuardError, PlannedRequest
from vezaflow.plan.production import is_production

URL = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    "name",
    ["PROD_URL", "PRODURL", "PROD", "prod-url", "API_PROD", "PRODUCTION_HOST", "PRODUCTIONURL", "PROD2", "apiProdUrl"],
)
def test_names_of_production(name: str) -> None:
    assert is_production(name)


@pytest.mark.parametrize(
    "name", ["PRODUCT", "PRODUCT_URL", "PRODUCER", "REPRODUCE", "PREPROD_URL", "BASE_URL", "product"]
)
def test_names_of_something_else(name: str) -> None:
    assert not is_production(name)


@pytest.mark.parametrize(
    "base_url",
    ['${env["PROD_URL"]}', "${env.PROD_URL}", "${env.PRODURL}", "${env.PROD_URL ?? env.BASE_URL}", "${base}"],
)
def test_a_base_url_of_production_is_refused_before_the_run(base_url: str) -> None:
    suite = f"suite: test\nbase_url: {base_url}\nvars: {{base: '${{indirect}}', indirect: '${{env.PROD_URL}}'}}"
    given = inputs({"PROD_URL": URL, "PRODURL": URL, "BASE_URL": "http://127.0.0.1:1"})
    with pytest.raises(VezaflowError, match="looks like production") as refused:
        plan_of("steps: [{get: /}]", suite=suite, inputs=given)
    assert refused.value.code is ExitCode.REFUSED


@pytest.mark.parametrize(
    "url", ["${env.PROD_URL}/x", "${there}/x", "http://${env.PROD_HOST}:8080/x", "http://a${env['PROD_HOST']}"]
)
def test_a_steps_url_of_production_is_refused_before_the_run(url: str) -> None:
    flow = f'vars: {{there: "${{env.PROD_URL}}"}}\nsteps: [{{get: "{url}"}}]'
    with pytest.raises(VezaflowError, match="looks like production"):
        plan_of(flow, inputs=inputs({"PROD_URL": URL, "PROD_HOST": ".localhost"}))


def test_a_value_of_production_in_a_path_or_a_header_is_no_target() -> None:
    flow = """
    steps: [{get: "/x/${env.PROD_TENANT}?q=${env.PROD_TENANT}", headers: {Origin: "${env.PROD_URL}"}}]
    """
    plan_of(flow, inputs=inputs({"PROD_URL": URL, "PROD_TENANT": "veza"}))


@pytest.mark.parametrize("way", ["set: {there: '${env.PROD_URL}'}", "get: /, extract: {there: $.url}"])
def test_where_an_input_of_production_leads_is_refused_while_the_test_runs(way: str) -> None:
    flow = f"steps: [{{{way}}}, {{get: '${{there}}/x'}}, {{log: '${{env.PROD_URL}}'}}]"
    plan = plan_of(flow, inputs=inputs({"PROD_URL": URL}))
    request = plan.flows[0].steps[1]
    assert isinstance(request, PlannedRequest)
    with pytest.raises(GuardError, match="PROD_URL"):
        plan.targets.resolve(f"{URL}/x")


def test_a_base_url_that_is_the_same_place_under_another_name_is_refused() -> None:
    suite = "suite: test\nbase_url: ${env.BASE_URL}"
    flow = "steps: [{get: /, headers: {Origin: '${env.PROD_URL}'}}]"
    with pytest.raises(VezaflowError, match="is the target of PROD_URL"):
        plan_of(flow, suite=suite, inputs=inputs({"BASE_URL": URL, "PROD_URL": URL}))
    plan_of(flow, suite=suite, inputs=inputs({"BASE_URL": "http://127.0.0.1:8081", "PROD_URL": URL}))


def test_what_base_url_says_by_hand_stands() -> None:
    suite = "suite: test\nbase_url: ${env.PROD_URL}"
    plan = plan_of("steps: [{get: /}]", suite=suite, inputs=inputs({"PROD_URL": URL}, base_url=URL))
    assert plan.targets.base is not None
    assert plan.targets.base.url == f"{URL}/"


def test_an_input_read_by_index_is_an_input_like_any_other() -> None:
    plan = plan_of('steps:\n  - get: /${env["WHERE"]}', suite=SUITE, inputs=inputs({"WHERE": "x", "OTHER": "y"}))
    assert plan.shown_inputs == (("WHERE", "x"),)
