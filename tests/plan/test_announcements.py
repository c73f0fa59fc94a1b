"""`grafana` and `notify` as planned: the link, the guard, what is left out, what is secret."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from planned import ROOT, SUITE

from vezaflow.diagnostics import Diagnostics
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.model import TEMPLATE_FIELDS
from vezaflow.plan import Inputs, Plan, Surroundings, build
from vezaflow.read import read_suite

FLOW = "steps: [{get: /}]\n"
BEGAN = datetime(2026, 11, 30, 2, 30, tzinfo=UTC)
FACTS = {name: {field: f"<{name}.{field}>" for field in fields} for name, fields in TEMPLATE_FIELDS.items()}


def planned(suite: str, *, announces: bool = True, **environment: str) -> tuple[Plan | None, list[str]]:
    """The plan, and the codes of what is wrong."""
    diagnostics = Diagnostics()
    overlay = {ROOT / "suite.yml": f"{SUITE}\n{suite}", ROOT / "flow.yml": FLOW}
    found = read_suite([ROOT], diagnostics, overlay=overlay)
    assert found is not None
    plan = build(found, Inputs(environment), diagnostics, Surroundings(announces=announces))
    return plan, [diagnostic.code for diagnostic in diagnostics]


def good(suite: str, **environment: str) -> Plan:
    plan, codes = planned(suite, announces=True, **environment)
    assert plan is not None, codes
    return plan


def test_the_link_has_the_window_in_milliseconds_and_the_variables() -> None:
    plan = good('grafana: {url: "http://127.0.0.1:3000/g/", dashboard: a b/k6, variables: {testid: "x&y z", n: 3}}')
    assert plan.announcements.grafana is not None
    url = urlsplit(plan.announcements.grafana.link(BEGAN, 90.5))
    assert (url.scheme, url.netloc, url.path) == ("http", "127.0.0.1:3000", "/g/d/a%20b/k6")
    begin = int(BEGAN.timestamp()) * 1000
    window = [("orgId", "1"), ("from", str(begin)), ("to", str(begin + 90_500))]
    assert parse_qsl(url.query, strict_parsing=True) == [*window, ("var-testid", "x&y z"), ("var-n", "3")]
    assert " " not in url.geturl()
    assert not plan.announcements.sends


def test_a_dashboard_needs_no_slug() -> None:
    plan = good("grafana: {url: 'http://127.0.0.1:3000', dashboard: k6}")
    assert plan.announcements.grafana is not None
    assert urlsplit(plan.announcements.grafana.link(BEGAN, 1)).path == "/d/k6"


def test_a_whole_path_is_no_dashboard() -> None:
    assert planned("grafana: {url: 'http://127.0.0.1:3000', dashboard: d/k6/slug}")[1] == ["VF702"]


HOOK = "notify: [{webhook: '${env.HOOK}', json: {text: a}}]"


@pytest.mark.parametrize(
    "suite",
    ["grafana: {url: 'https://chat.example.org', dashboard: k6}", HOOK],
    ids=["grafana", "webhook"],
)
def test_a_host_that_the_guard_does_not_allow_is_refused(suite: str) -> None:
    with pytest.raises(VezaflowError, match=r"chat.example.org is not loopback and not in `guard: allow`") as caught:
        planned(suite, HOOK="https://chat.example.org/hooks/abc123def")
    assert caught.value.code is ExitCode.REFUSED
    assert "abc123def" not in str(caught.value)
    allowed = f"{suite}\nguard: {{allow: ['*.example.org']}}"
    assert planned(allowed, HOOK="https://chat.example.org/hooks/abc123def")[0] is not None


def test_who_announces_nothing_needs_neither_the_variables_nor_the_guard() -> None:
    plan, codes = planned(HOOK, announces=False)
    assert plan is not None, codes
    assert plan.announcements.notifications == ()
    assert planned(HOOK)[1] == ["VF701"]


def test_an_empty_webhook_or_url_is_left_out() -> None:
    optional = HOOK.replace("env.HOOK", 'env.HOOK ?? ""')
    plan = good(f"{optional}\ngrafana: {{url: '${{env.G ?? \"\"}}', dashboard: k6}}")
    assert (plan.announcements.grafana, plan.announcements.notifications) == (None, ())


def test_tokens_and_webhooks_are_secret_without_being_listed() -> None:
    plan = good(
        f"{HOOK}\ngrafana: {{url: 'http://127.0.0.1:3000', dashboard: k6, token: '${{env.TOKEN}}'}}",
        HOOK="http://127.0.0.1:1/hooks/abc123def",
        TOKEN="glsa_0123456789",
    )
    shown = plan.secrets.mask("glsa_0123456789 at http://127.0.0.1:1/hooks/abc123def or /hooks/abc123def")
    assert "glsa" not in shown
    assert "abc123def" not in shown
    assert dict(plan.shown_inputs) == {"HOOK": "•••", "TOKEN": "•••"}
    assert "glsa" not in repr(plan.announcements)
    assert "abc123def" not in repr(plan.announcements)


def test_a_webhook_with_a_secret_within_is_a_secret_as_a_whole() -> None:
    plan = good("notify: [{webhook: 'http://127.0.0.1:1/hooks/${env.KEY}', json: 1}]", KEY="abc123def")
    assert "abc123def" not in plan.secrets.mask("key abc123def")


def test_the_body_inserts_facts_constants_and_variables_of_the_suite() -> None:
    plan = good(
        "vars: {team: media}\n"
        "notify: [{webhook: 'http://127.0.0.1:1/', json: {text: '${verdict.headline} ${upper(team)}', n: 1.50, "
        "run: '${run}', night: ['${night.text}', '${env.CHANNEL}']}}]",
        CHANNEL="ops",
    )
    (notification,) = plan.announcements.notifications
    assert notification.document(FACTS) == {
        "text": "<verdict.headline> MEDIA",
        "n": 1.5,
        "run": FACTS["run"],
        "night": ["<night.text>", "ops"],
    }


def test_a_variable_that_is_computed_per_vu_is_not_known_to_a_notification() -> None:
    suite = "vars: {id: '${uuid()}'}\nnotify: [{webhook: 'http://127.0.0.1:1/', json: '${id}'}]"
    assert planned(suite)[1] == ["VF704"]


def test_a_header_is_one_line() -> None:
    suite = "notify: [{webhook: 'http://127.0.0.1:1/', json: 1, headers: {x: '${env.X}'}}]"
    assert planned(suite, X="a\nb: c")[1] == ["VF705"]


@pytest.mark.parametrize("url", ["chat", "ftp://127.0.0.1/x", "http://"])
def test_what_is_no_url_is_reported_at_its_place(url: str) -> None:
    assert planned(HOOK, HOOK=url)[1] == ["VF705"]


def test_the_page_of_the_ci_job_is_known_from_its_environment() -> None:
    ci = {"GITHUB_SERVER_URL": "https://git.example.org/", "GITHUB_REPOSITORY": "veza/load", "GITHUB_RUN_ID": "42"}
    assert good("", **ci).announcements.page == "https://git.example.org/veza/load/actions/runs/42"
    assert good("", GITHUB_RUN_ID="42").announcements.page == ""
