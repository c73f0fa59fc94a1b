"""flows/failover for real: Debian's HAProxy before two sandboxes, one of which goes away under load."""

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from haproxy import NO_RETRY, REDISPATCH, HAProxy, haproxy, needs_haproxy
from processes import Running, until

from vezaflow.errors import ExitCode
from vezaflow.sandbox import Sandbox, start

pytestmark = [pytest.mark.slow, needs_haproxy]
FAILOVER = Path(__file__).parents[2] / "flows" / "failover"
HURRIED = {"FAILOVER_VUS": "4", "FAILOVER_AT": "2s", "FAILOVER_FOR": "2s", "DURATION": "6s"}


@contextmanager
def site(options: str) -> Iterator[tuple[HAProxy, Sandbox]]:
    """HAProxy, and the first of the two backends behind it."""
    with start() as one, start() as two, haproxy([one.base_url, two.base_url], options) as front:
        yield front, one


def environment(front: HAProxy, folder: Path, **more: str) -> dict[str, str]:
    state = {"XDG_STATE_HOME": str(folder)}
    return {"BASE_URL": front.base_url, "HAPROXY_SOCKET": str(front.path), **HURRIED, **state, **more}


def running(env: Mapping[str, str], summary: Path, *options: str) -> Running:
    return Running("run", FAILOVER, "--summary", summary, *options, env=env)


def outcomes(summary: Path) -> tuple[dict[str, str], dict[str, Any]]:
    record = json.loads(summary.read_text())
    return {gate["gate"]: gate["outcome"] for gate in record["gates"] if gate["flow"] is None}, record


def test_a_backend_in_maintenance_is_not_noticed(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    with site(REDISPATCH) as (front, _), running(environment(front, tmp_path), summary) as run:
        until(lambda: front.states()["s1"] != "0" or run.process.poll() is not None)
        assert front.states() == {"s1": "1", "s2": "0"}
        run.end()
        assert front.states() == {"s1": "0", "s2": "0"}
    gates, record = outcomes(summary)
    assert set(gates.values()) == {"green"}, run.text
    (event,) = record["events"]
    assert (event["name"], event["kind"], event["error"]) == ("failover", "haproxy", "")
    assert event["begin"] == pytest.approx(2.0, abs=0.5)
    assert event["end"] - event["begin"] == pytest.approx(2.0, abs=0.5)
    (window,) = record["event_windows"]
    assert window["begin"] == pytest.approx(event["begin"], abs=0.05)  # cut at the moment itself


@pytest.mark.parametrize("options", [REDISPATCH, NO_RETRY], ids=["redispatch", "no redispatch"])
def test_a_backend_that_is_killed_is_noticed_without_redispatch_alone(options: str, tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    late = {"FAILOVER_AT": "4s", "FAILOVER_FOR": "1s"}
    with site(options) as (front, backend), running(environment(front, tmp_path, **late), summary) as run:
        run.until_load(0)
        os.kill(backend.pid, signal.SIGKILL)
        code = run.end()
    gates, _ = outcomes(summary)
    if options is REDISPATCH:
        assert set(gates.values()) == {"green"}, run.text
    else:
        assert code == ExitCode.RED
        assert gates["http_req_failed: rate < 1 %"] == "red", run.text


def test_ctrl_c_puts_the_backend_back(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    longer = {"FAILOVER_AT": "1s", "FAILOVER_FOR": "1m", "DURATION": "2m"}
    with site(REDISPATCH) as (front, _), running(environment(front, tmp_path, **longer), summary) as run:
        until(lambda: front.states()["s1"] == "1")
        run.process.send_signal(signal.SIGINT)
        run.end()
        assert front.states() == {"s1": "0", "s2": "0"}
    _, record = outcomes(summary)
    (event,) = record["events"]
    assert record["interrupted"]
    assert event["undone"] is not None


def test_a_lost_worker_keeps_nothing_from_being_undone(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    longer = {"FAILOVER_AT": "1s", "FAILOVER_FOR": "1m", "DURATION": "2m"}
    with (
        site(REDISPATCH) as (front, _),
        running(environment(front, tmp_path, **longer), summary, "--workers", "2") as run,
    ):
        until(lambda: front.states()["s1"] == "1")
        os.kill(run.workers()[0], signal.SIGKILL)
        run.end()
        assert front.states() == {"s1": "0", "s2": "0"}
    _, record = outcomes(summary)
    assert any(concern["kind"] == "worker_lost" for concern in record["concerns"])
    (window,) = record["event_windows"]
    assert window["begin"] <= record["events"][0]["begin"]  # whole seconds: widened, and said
