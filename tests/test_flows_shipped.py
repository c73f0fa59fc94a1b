"""The suite that ships is the nightly capacity gate: its numbers, its overrides, and that it runs."""

from pathlib import Path

import pytest
from shipped import FLOWS, GIVEN, gates_of, hurried, played, shipped

from vezaflow.diagnostics import render_text
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.gates import Outcome
from vezaflow.lint import lint
from vezaflow.plan import Plan
from vezaflow.sandbox import SandboxSettings


def loads(plan: Plan) -> dict[str, tuple[int, float]]:
    return {flow.name: (flow.load.vus, flow.load.duration) for flow in plan.flows}


def test_lint_has_nothing_to_say() -> None:
    assert render_text(tuple(lint((FLOWS,))[1])) == ""


def test_1650_users_for_five_minutes_and_nothing_from_the_other_suites() -> None:
    assert loads(shipped(FLOWS, GIVEN)) == {
        "upload": (100, 300.0),
        "streaming": (500, 300.0),
        "browse": (1000, 300.0),
        "checkout": (50, 300.0),
    }


def test_the_inputs_dial_it_down() -> None:
    turned_down = {"UPLOAD_VUS": "10", "STREAM_VUS": "50", "BROWSE_VUS": "100", "CHECKOUT_VUS": "5", "DURATION": "2m"}
    assert loads(shipped(FLOWS, {**GIVEN, **turned_down})) == {
        "upload": (10, 120.0),
        "streaming": (50, 120.0),
        "browse": (100, 120.0),
        "checkout": (5, 120.0),
    }


def test_the_gates_are_the_launch_bar_and_each_flows_own() -> None:
    assert gates_of(shipped(FLOWS, GIVEN)) >= {
        (None, "http_req_duration: p(95) < 500 ms"),
        (None, "http_req_duration: p(99) < 1500 ms"),
        (None, "http_req_failed: rate < 0.5 %"),
        ("streaming", "http_req_duration: p(95) < 300 ms"),
        ("browse", "http_req_duration: p(95) < 400 ms"),
        ("checkout", "http_req_duration: p(95) < 800 ms"),
        ("checkout", "http_req_failed: rate < 2 %"),
        ("upload", "http_req_failed: rate < 2 %"),
    }


@pytest.mark.parametrize("target", ["https://veza.fr", "https://api.veza.fr", "https://staging.veza.fr.example.com"])
def test_production_is_refused(target: str) -> None:
    with pytest.raises(VezaflowError) as refused:
        shipped(FLOWS, {**GIVEN, "BASE_URL": target})
    assert refused.value.code == ExitCode.REFUSED


def test_a_slip_in_an_override_is_refused() -> None:
    with pytest.raises(VezaflowError) as refused:
        shipped(FLOWS, {**GIVEN, "BROWSE_VUS": "10000"})
    assert refused.value.code == ExitCode.REFUSED


@pytest.fixture
def nightly(tmp_path: Path) -> Path:
    return hurried(FLOWS, tmp_path / "flows")


@pytest.mark.slow
def test_it_runs_green_against_the_sandbox(nightly: Path) -> None:
    found, _ = played(nightly, SandboxSettings())
    assert set(found.values()) == {Outcome.GREEN}, found


@pytest.mark.slow
def test_it_is_red_when_the_sandbox_fails_too_often(nightly: Path) -> None:
    found, _ = played(nightly, SandboxSettings(error_rate=0.2), "browse")
    assert found[None, "http_req_failed: rate < 0.5 %"] is Outcome.RED


@pytest.mark.slow
def test_it_is_red_when_the_sandbox_is_slow(nightly: Path) -> None:
    found, _ = played(nightly, SandboxSettings(latency=0.45), "browse")
    assert found["browse", "http_req_duration: p(95) < 400 ms"] is Outcome.RED
    assert found[None, "http_req_failed: rate < 0.5 %"] is Outcome.GREEN
