"""The suite that ships is the nightly capacity gate: its numbers, its overrides, and that it runs."""

import re
import shutil
from pathlib import Path

import pytest

from vezaflow.diagnostics import Diagnostics, render_text
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.gates import Outcome, judge
from vezaflow.model import lint, read_suite
from vezaflow.plan import Bundle, Inputs, Plan, build
from vezaflow.sandbox import SandboxSettings, start
from vezaflow.session import Staff, prepare, read, run

ROOT = Path(__file__).parent.parent
FLOWS = ROOT / "flows"
GIVEN = {
    "BASE_URL": "https://staging.veza.fr",
    "STREAM_TRACK_ID": "ad8d004e-4ab1-52d0-ac70-2a021fb40e07",
    "USER_TOKEN": "a-token-of-nobody",
}


def plan_of(environment: dict[str, str]) -> Plan:
    diagnostics = Diagnostics()
    suite = read_suite([FLOWS], diagnostics)
    assert suite is not None
    plan = build(suite, Inputs(environment), diagnostics)
    assert plan is not None, render_text(tuple(diagnostics))
    return plan


def loads(plan: Plan) -> dict[str, tuple[int, float]]:
    return {flow.name: (flow.load.vus, flow.load.duration) for flow in plan.flows}


def gates(plan: Plan) -> set[tuple[str | None, str, str]]:
    return {(gate.flow, gate.metric, gate.condition.text) for gate in plan.gates}


def test_lint_has_nothing_to_say() -> None:
    assert render_text(tuple(lint((FLOWS,))[1])) == ""


def test_1650_users_for_five_minutes() -> None:
    assert loads(plan_of(GIVEN)) == {
        "upload": (100, 300.0),
        "streaming": (500, 300.0),
        "browse": (1000, 300.0),
        "checkout": (50, 300.0),
    }


def test_the_inputs_dial_it_down() -> None:
    turned_down = {"UPLOAD_VUS": "10", "STREAM_VUS": "50", "BROWSE_VUS": "100", "CHECKOUT_VUS": "5", "DURATION": "2m"}
    assert loads(plan_of({**GIVEN, **turned_down})) == {
        "upload": (10, 120.0),
        "streaming": (50, 120.0),
        "browse": (100, 120.0),
        "checkout": (5, 120.0),
    }


def test_the_gates_are_the_launch_bar_and_each_flows_own() -> None:
    assert gates(plan_of(GIVEN)) >= {
        (None, "http_req_duration", "p(95) < 500 ms"),
        (None, "http_req_duration", "p(99) < 1500 ms"),
        (None, "http_req_failed", "rate < 0.5 %"),
        ("streaming", "http_req_duration", "p(95) < 300 ms"),
        ("browse", "http_req_duration", "p(95) < 400 ms"),
        ("checkout", "http_req_duration", "p(95) < 800 ms"),
        ("checkout", "http_req_failed", "rate < 2 %"),
        ("upload", "http_req_failed", "rate < 2 %"),
    }


@pytest.mark.parametrize("target", ["https://veza.fr", "https://api.veza.fr", "https://staging.veza.fr.example.com"])
def test_production_is_refused(target: str) -> None:
    with pytest.raises(VezaflowError) as refused:
        plan_of({**GIVEN, "BASE_URL": target})
    assert refused.value.code == ExitCode.REFUSED


def test_a_slip_in_an_override_is_refused() -> None:
    with pytest.raises(VezaflowError) as refused:
        plan_of({**GIVEN, "BROWSE_VUS": "10000"})
    assert refused.value.code == ExitCode.REFUSED


@pytest.fixture
def hurried(tmp_path: Path) -> Path:
    """The shipped suite with its pauses cut, so that a few VUs do in seconds what they would in minutes."""
    folder = tmp_path / "flows"
    shutil.copytree(FLOWS, folder)
    for flow in folder.glob("*.yml"):
        flow.write_text(re.sub(r"think: \S+\.\.\S+", "think: 5ms..15ms", flow.read_text()))
    return folder


def verdicts(folder: Path, settings: SandboxSettings, *only: str) -> dict[tuple[str | None, str], Outcome]:
    """How each gate does over two seconds of the suite at a hundredth of its load.

    Judged by the figures alone: on a busy machine a run as short as this may rightly end inconclusive.
    """
    with start(settings) as sandbox:
        suite, inputs = read([folder]), Inputs(sandbox.environment, duration=2.0, scale=0.01, only=only)
        plan = prepare(suite, inputs)
        result = run(plan, (), str, Staff(Bundle.of(suite, inputs)))
    return {(v.gate.flow, v.gate.text): v.outcome for v in judge(plan.gates, result.summary)}


@pytest.mark.slow
def test_it_runs_green_against_the_sandbox(hurried: Path) -> None:
    found = verdicts(hurried, SandboxSettings())
    assert set(found.values()) == {Outcome.GREEN}, found


@pytest.mark.slow
def test_it_is_red_when_the_sandbox_fails_too_often(hurried: Path) -> None:
    found = verdicts(hurried, SandboxSettings(error_rate=0.2), "browse")
    assert found[None, "http_req_failed: rate < 0.5 %"] is Outcome.RED


@pytest.mark.slow
def test_it_is_red_when_the_sandbox_is_slow(hurried: Path) -> None:
    found = verdicts(hurried, SandboxSettings(latency=0.45), "browse")
    assert found["browse", "http_req_duration: p(95) < 400 ms"] is Outcome.RED
    assert found[None, "http_req_failed: rate < 0.5 %"] is Outcome.GREEN
