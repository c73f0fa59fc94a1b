"""`outputs` of suite.yml and `--out`, planned: one table, the guard, secrets, what is empty."""

import re

import pytest
from planned import ROOT

from vezaflow.diagnostics import Diagnostics, render_text
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.keys import OUTPUT
from vezaflow.outputs import OUTPUTS
from vezaflow.plan import NO_OUTS, STATS, Inputs, Out, Outs, Plan, Surroundings, build
from vezaflow.read import read_suite

FLOW = "flow: a\nload: {vus: 1, duration: 1s}\nsteps: [{get: /}]\n"


def planned(
    outputs: str, *options: Out, outs: Outs | None = None, **environment: str
) -> tuple[Plan | None, Diagnostics]:
    diagnostics = Diagnostics()
    text = f"suite: t\nbase_url: http://127.0.0.1:1\nguard: {{allow: [metrics.lan]}}\n{outputs}"
    suite = read_suite([ROOT], diagnostics, overlay={ROOT / "suite.yml": text, ROOT / "flow.yml": FLOW})
    if suite is None or diagnostics.failed:
        return None, diagnostics
    wanted = Outs(options, suites=True) if outs is None else outs
    return build(suite, Inputs(environment), diagnostics, Surroundings(outs=wanted)), diagnostics


def plan_of(outputs: str, *options: Out, **environment: str) -> Plan:
    plan, diagnostics = planned(outputs, *options, outs=None, **environment)
    assert plan is not None, render_text(diagnostics.items)
    return plan


def test_what_a_suite_can_say_and_an_option_can_is_one_table() -> None:
    assert [field.key for field in OUTPUT.fields] == list(OUTPUTS)


def test_an_output_has_its_defaults() -> None:
    (found,) = plan_of("outputs: {prometheus: {url: http://metrics.lan:9090}}").outputs
    assert found.target is not None
    assert found.target.url == "http://metrics.lan:9090/api/v1/write"
    assert (found.stats, found.every, found.native, found.stale_markers) == (STATS, 5.0, False, False)


def test_an_output_can_be_its_first_value_alone() -> None:
    one, other = plan_of("outputs: {json: run.jsonl, otlp: http://127.0.0.1:4318}").outputs
    assert one.file == "run.jsonl"
    assert other.target is not None
    assert other.target.target == "/v1/metrics"


def test_an_option_stands_for_the_suites_output_of_that_name_with_its_other_settings() -> None:
    suite = "outputs: {prometheus: {url: http://metrics.lan/a, native: true, labels: {testid: x}}}"
    (found,) = plan_of(suite, Out("prometheus", "http://127.0.0.1:9/write")).outputs
    assert found.target is not None
    assert found.target.url == "http://127.0.0.1:9/write"
    assert (found.native, found.labels) == (True, (("testid", "x"),))
    (named,) = plan_of(suite, Out("prometheus", None)).outputs
    assert named.target is not None
    assert named.target.url == "http://metrics.lan/a"


def test_options_have_the_usual_places_and_may_come_twice() -> None:
    found = plan_of("", Out("prometheus", None), Out("json", "a"), Out("json", "b"), Out("statsd", None)).outputs
    assert [each.word for each in found] == ["--out prometheus", "--out json=a", "--out json=b", "--out statsd"]
    assert found[0].target is not None
    assert found[0].target.url == "http://localhost:9090/api/v1/write"
    assert (found[3].host, found[3].port) == ("localhost", 8125)


def test_what_is_empty_is_left_out() -> None:
    assert plan_of('outputs: {prometheus: {url: "${env.P ?? \'\'}"}, influx: ""}').outputs == ()


def test_without_being_asked_for_there_are_none() -> None:
    suite = "outputs: {json: run.jsonl}"
    for outs in (NO_OUTS, Outs((), suites=False)):
        plan, _ = planned(suite, outs=outs)
        assert plan is not None
        assert plan.outputs == ()


@pytest.mark.parametrize(
    ("suite", "options", "told"),
    [
        ("outputs: {otlp: http://other.lan/x}", (), "`outputs: otlp`: other.lan is not loopback"),
        ("outputs: {statsd: other.lan:8125}", (), "`outputs: statsd`: other.lan is not loopback"),
        ("", (Out("prometheus", "http://other.lan"),), "--out prometheus=http://other.lan: other.lan is not loopback"),
    ],
)
def test_the_guard_decides_before_anything_is_sent(suite: str, options: tuple[Out, ...], told: str) -> None:
    with pytest.raises(VezaflowError) as raised:
        planned(suite, *options)
    assert told in raised.value.message
    assert raised.value.code is ExitCode.REFUSED
    assert "guard" in raised.value.hint


def test_an_option_that_is_no_url_is_said() -> None:
    with pytest.raises(VezaflowError, match=re.escape("--out prometheus=nonsense:")):
        planned("", Out("prometheus", "nonsense"))


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example.org/T0/s3cr3t", "hooks.example.org/T0/s3cr3t", "http://h:s3cr3t/", "http://a:b:s3cr3t"],
)
def test_the_url_of_a_webhook_that_is_refused_is_not_shown(url: str) -> None:
    with pytest.raises(VezaflowError) as raised:
        planned("", Out("webhook", url))
    assert "--out webhook: " in raised.value.message
    assert "s3cr3t" not in f"{raised.value.message} {raised.value.hint}"


def test_one_of_the_suite_that_is_no_url_is_not_shown_either() -> None:
    _, diagnostics = planned('outputs: {webhook: "${env.HOOK}"}', HOOK="hooks.example.org/T0/s3cr3t")
    (found,) = [each for each in diagnostics.items if each.code == "VF705"]
    assert "s3cr3t" not in f"{found.message} {found.help}"


def test_tokens_passwords_and_webhooks_are_secrets() -> None:
    suite = """
outputs:
  prometheus: {url: http://metrics.lan, auth: {bearer: "${env.A}"}, headers: {x-api-key: "${env.B}"}}
  influx: {url: http://metrics.lan/write, auth: {basic: {user: u, password: "${env.C}"}}}
  webhook: {url: "http://metrics.lan/hooks/${env.D}"}
"""
    values = {"A": "token-1234567", "B": "key-1234567", "C": "password-1234567", "D": "hook-1234567"}
    plan = plan_of(suite, **values)
    masked = plan.secrets.mask(" ".join(values.values()))
    assert not any(value in masked for value in values.values())
    assert not any(value in repr(plan.outputs) for value in values.values())
    first, second, _ = plan.outputs
    assert ("Authorization", "Bearer token-1234567") in first.headers
    assert dict(second.headers)["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("suite", "code"),
    [
        ("outputs: {promtheus: http://127.0.0.1}", "VF104"),
        ("outputs: {prometheus: {native: true}}", "VF127"),
        ("outputs: {prometheus: {url: http://127.0.0.1, stats: [p95, mode]}}", "VF702"),
        ("outputs: {prometheus: {url: http://127.0.0.1, labels: {a-b: x}}}", "VF702"),
        ("outputs: {otlp: {url: http://127.0.0.1, temporality: sometimes}}", "VF1"),
        ("outputs: {prometheus: {url: nonsense}}", "VF705"),
        ("outputs: [json]", "VF1"),
        ("outputs: {json: [a]}", "VF1"),
    ],
)
def test_what_is_wrong_is_shown_at_its_place(suite: str, code: str) -> None:
    _, diagnostics = planned(suite)
    assert any(each.code.startswith(code) for each in diagnostics), render_text(diagnostics.items)
