"""What is done once for all segments (events, the server's figures) is in the result that is merged of them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from processes import Running, Target, result, target, write_suite
from prometheus import needs_prometheus, prometheus

from vezaflow.diagnostics import Diagnostics
from vezaflow.engine import Delivered, Vitals
from vezaflow.errors import VezaflowError
from vezaflow.gates import Outcome, windows_of
from vezaflow.metrics import Recorder, Slicer
from vezaflow.model import ActionKind, ObservedKind
from vezaflow.observe import Observed, ObservedFigures, ObservedSeries, Period
from vezaflow.plan import Bundle, Inputs, Plan, Segment, build
from vezaflow.read import read_suite
from vezaflow.reports import summary_json
from vezaflow.results import EventWindow, Happened, RunResult
from vezaflow.sandbox import SandboxSettings, start
from vezaflow.scale import Report, SegmentResult, WorkerState
from vezaflow.session import merge
from vezaflow.session.outcome import Circumstances
from vezaflow.session.segments import segment_result

SUITE = """
suite: test
base_url: http://127.0.0.1:1
observe:
  prometheus: {url: "", metrics: {hits: {counter: hits_total}}}
events:
  - {name: failover, at: 3s, for: 2s, window: 1s}
  - {name: deploy}
gates:
  http_req_failed{during:failover}: rate < 20 %
  http_reqs{during:none}: count >= 28
  http_req_failed{during:deploy}: rate < 1 %
  recovery_time{event:failover}: max < 3 s
  server.hits: count >= 100
"""
FLOW = """
flow: browse
load: {vus: 4, duration: 10s}
steps: [{get: /, name: page}]
"""
STARTED = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
CALM = Vitals(0.1, 0.1, 0.2, 0.001, 0.002, 50 << 20)
FAILOVER = Happened("failover", ActionKind.MARK, 3.0, 5.0)
SERVER = Observed(
    "http://p/",
    (
        ObservedFigures(
            "hits",
            ObservedKind.COUNTER,
            "hits_total",
            None,
            Period(1.0, 11.0),
            (ObservedSeries((), 0.5, 11.5, 0.0, 120.0),),
        ),
    ),
)


def made(suite: str = SUITE) -> tuple[Plan, Bundle]:
    overlay = {Path("suite/suite.yml"): suite, Path("suite/flow.yml"): FLOW}
    diagnostics = Diagnostics()
    found = read_suite([Path("suite")], diagnostics, overlay=overlay)
    assert found is not None
    plan = build(found, Inputs({}), diagnostics)
    assert plan is not None, [each.message for each in diagnostics]
    return plan, Bundle.of(found, Inputs({}))


def part(plan: Plan, bundle: Bundle, index: int) -> SegmentResult:
    """One of two segments: two requests in the middle of each second, one of which fails from 3 s to 4 s."""
    recorder = Recorder(0.0, keep=True)
    recorder.flow("browse").vus = 1
    page = recorder.step("browse", "page", "GET")
    recorder.begin(0.0)
    slicer = Slicer(windows_of(plan).questions)
    for second in range(1, 11):
        for failure in ("", "status" if second == 4 else ""):
            page.answered(500 if failure else 200, 0.1, 0.0, 0.0, 10, 10, failure, second - 0.5)
        recorder.fold(float(second))
        for _ in slicer.cut(float(second), recorder.snapshot()):
            pass
    moments = [moment.to_json() for moment in recorder.moments()[1]]
    report = Report(
        10.0,
        recorder.snapshot(),
        recorder.timeline(),
        {"browse": Delivered(requested=2, started=2)},
        (WorkerState("1", CALM),),
    )
    return SegmentResult(Segment(index, 2), bundle, report, moments, slicer.slices())


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    plan, bundle = made()

    def write(
        index: int,
        *,
        after: float = 0.0,
        change: Callable[[SegmentResult], SegmentResult] = lambda x: x,
        observed: Observed | None = SERVER,
    ) -> Path:
        first = index == 0
        run = Circumstances(
            f"run-{index}",
            STARTED + timedelta(seconds=after),
            events=(FAILOVER,) if first else (),
            observed=observed if first else None,
        )
        file = tmp_path / f"{index}.json"
        file.write_bytes(summary_json(segment_result(plan, change(part(plan, bundle, index)), run)))
        return file

    return write


def reasons(merged: RunResult) -> dict[str, str]:
    return {f"{each.gate.metric} {dict(each.gate.labels)}": each.reason for each in merged.verdicts}


def values(merged: RunResult) -> list[float | None]:
    return [each.value for each in merged.verdicts]


def test_gates_on_events_and_on_the_server_are_judged_by_all_segments(put: Callable[..., Path]) -> None:
    merged = merge([put(0), put(1)])
    assert values(merged) == [pytest.approx(2 / 12), 28.0, None, pytest.approx(1.0, abs=0.2), 120.0]
    outcomes = [each.outcome for each in merged.verdicts]
    assert outcomes == [Outcome.GREEN, Outcome.GREEN, Outcome.INCONCLUSIVE, Outcome.GREEN, Outcome.GREEN]
    assert merged.verdicts[2].reason == "the event 'deploy' did not happen"
    assert merged.event_windows == (EventWindow("failover", 3.0, 6.0),)
    assert merged.observed == SERVER


def test_the_windows_are_by_the_clock_of_the_segment_that_carries_the_events_out(put: Callable[..., Path]) -> None:
    merged = merge([put(0), put(1, after=0.4)])
    assert values(merged)[:2] == [pytest.approx(2 / 14), 26.0], "the other one's third second is touched, too"
    (window,) = merged.event_windows
    assert [window.begin, window.end] == pytest.approx([2.4, 6.4])


def test_without_the_first_segment_these_gates_say_that_it_is_missing(put: Callable[..., Path]) -> None:
    merged = merge([put(1)])
    assert {each.outcome for each in merged.verdicts} == {Outcome.INCONCLUSIVE}
    assert set(reasons(merged).values()) == {
        "segment 1/2, which carries out the events, is missing",
        "the server's figures could not be read: segment 1/2, which reads them, is missing",
    }


def test_without_another_segment_they_are_judged_by_what_there_is(put: Callable[..., Path]) -> None:
    merged = merge([put(0)])
    assert values(merged)[0] == pytest.approx(1 / 6)
    assert merged.outcome is not Outcome.GREEN


def test_a_file_of_an_earlier_version_has_no_figures_of_windows_but_recoveries(put: Callable[..., Path]) -> None:
    merged = merge([put(0), put(1, change=lambda each: replace(each, slices=None))])
    found = reasons(merged)
    why = "segment 2/2 has no figures by the second: an earlier version wrote its file"
    assert [found[f"http_req_failed {{'during': '{name}'}}"] for name in ("failover", "deploy")] == [
        why,
        "the event 'deploy' did not happen",
    ]
    assert found["http_reqs {'during': 'none'}"] == why
    assert found["recovery_time {'event': 'failover'}"] == ""


def test_a_first_segment_that_read_nothing_is_named(put: Callable[..., Path]) -> None:
    (reason,) = [each.reason for each in merge([put(0, observed=None), put(1)]).verdicts if each.gate.is_elsewhere]
    assert reason == (
        "the server's figures could not be read: segment 1/2 has none: `observe` had no URL there, or an earlier "
        "version wrote its file"
    )


def test_slices_that_are_broken_are_refused(put: Callable[..., Path]) -> None:
    def broken(each: SegmentResult) -> SegmentResult:
        assert each.slices is not None
        return replace(each, slices=tuple(replace(one, packed="!") for one in each.slices))

    with pytest.raises(VezaflowError, match="the seconds of one of the segments can't be read: the slice at 3 s"):
        merge([put(0), put(1, change=broken)])


def test_a_segment_shows_no_table_of_client_and_server(put: Callable[..., Path]) -> None:
    told = json.loads(put(0).read_text())
    assert told["observed"]["figures"]
    assert told["observed"]["paths"] == []


@pytest.fixture(scope="module")
def veza() -> Iterator[Target]:
    with target() as found:
        yield found


@pytest.mark.slow
def test_an_event_of_one_segment_is_judged_over_both(veza: Target, tmp_path: Path) -> None:
    suite = """
    events: [{name: flush, at: 1s, for: 1s, do: [{get: /flush}]}]
    gates:
      http_reqs{during:flush}: count >= 1
      http_reqs{during:none}: count >= 1
      recovery_time{event:flush}: max < 2 s
      http_reqs{during:flush,phase:event}: count == 1
    """
    folder = write_suite(tmp_path / "suite", "load: {vus: 4, duration: 4s}\nsteps: [{get: /x}, {think: 50ms}]", suite)
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    env = {"BASE_URL": veza.base_url}
    words = [("run", folder, "--segment", f"{n}/2", "--summary", file) for n, file in enumerate(files, 1)]
    with Running(*words[0], env=env) as one, Running(*words[1], "--workers", "2", env=env) as other:
        assert (one.end(), other.end()) == (98, 98), one.text + other.text
    whole = tmp_path / "whole.json"
    with Running("merge", *files, "--summary", whole, env=env) as merged:
        assert merged.end() in (0, 98), merged.text  # they may have begun too far apart for so short a load
    told = result(whole)
    assert [gate["outcome"] for gate in told["gates"]] == ["green"] * 4, told["gates"]
    during, outside = (gate["value"] for gate in told["gates"][:2])
    assert during + outside == told["pooled"]["http_reqs"]
    assert veza.asked.count("/flush") == 1
    (window,) = told["event_windows"]
    assert window["begin"] <= 1.1
    assert window["end"] >= 2.0


@pytest.mark.slow
@needs_prometheus
def test_one_segment_reads_the_server_and_the_whole_is_judged_by_it(tmp_path: Path) -> None:
    suite = """
    observe:
      prometheus:
        url: ${env.PROMETHEUS_URL}
        metrics: {latency: {histogram: http_request_duration_seconds, by: [method, path]}}
    gates: {"server.latency{path:/api/v1/tracks}": p(95) < 10 s}
    """
    flow = "load: {vus: 4, duration: 4s}\nsteps: [{get: /api/v1/tracks}, {think: 50ms}]"
    folder = write_suite(tmp_path / "suite", flow, suite)
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    with start(SandboxSettings()) as sandbox, prometheus(targets=[sandbox.base_url.removeprefix("http://")]) as server:
        server.until('up{job="test"} == 1')
        env = {**sandbox.environment, "PROMETHEUS_URL": server.url}
        words = [("run", folder, "--segment", f"{n}/2", "--summary", file) for n, file in enumerate(files, 1)]
        with Running(*words[0], env=env) as one, Running(*words[1], env=env) as other:
            assert (one.end(), other.end()) == (98, 98), one.text + other.text
    assert result(files[1])["observed"] is None
    whole = tmp_path / "whole.json"
    with Running("merge", *files, "--summary", whole, env=env) as merged:
        assert merged.end() in (0, 98), merged.text
    told = result(whole)
    assert [gate["outcome"] for gate in told["gates"]] == ["green"], told["gates"]
    (path,) = told["observed"]["paths"]
    assert path["client_requests"] == told["pooled"]["http_reqs"]
    assert path["server_requests"] == pytest.approx(path["client_requests"], rel=0.6)
    assert "Client and server" in merged.text
