"""From samples to a summary: what counts where, and that workers' shares add up to the whole."""

import itertools
import subprocess
import sys

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vezaflow.metrics import (
    ERROR_CLASSES,
    ERRORS,
    INTERRUPTED,
    METRICS,
    Counter,
    Gauge,
    Phase,
    Point,
    Recorder,
    Summary,
    Trend,
    Window,
    merge_all,
)
from vezaflow.metrics.attempts import Attempts
from vezaflow.metrics.catalog import Of
from vezaflow.metrics.channels import ChannelRecorder, Channels
from vezaflow.metrics.figures import Connections, Iterations, Requests, Vus
from vezaflow.metrics.listening import Listening
from vezaflow.metrics.streams import Streams
from vezaflow.metrics.successes import Successes
from vezaflow.protocols import ErrorKind
from vezaflow.units import AtLeast


def count(summary: Summary, metric: str, flow: str | None = None, **labels: str) -> float | None:
    return summary.select(metric, flow, labels.items()).aggregate("count")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(0.0)


def test_an_answer_counts_with_its_times_and_bytes(recorder: Recorder) -> None:
    recorder.step("f", "s", "GET").answered(200, 0.1, 0.01, 0.02, 10, 20)
    recorder.fold(1.0)
    summary = recorder.snapshot()
    assert count(summary, "http_reqs") == 1
    assert (count(summary, "data_sent"), count(summary, "data_received")) == (10, 20)
    assert summary.select("http_req_waiting").aggregate("max") == pytest.approx(0.07)


def test_no_answer_counts_as_failed_and_in_no_latency(recorder: Recorder) -> None:
    step = recorder.step("f", "s", "GET")
    step.unanswered("refused", 0.5, "connection refused")
    step.answered(200, 0.1, 0.0, 0.0, 1, 1)
    recorder.fold(1.0)
    summary = recorder.snapshot()
    assert summary.select("http_req_failed").aggregate("rate") == 0.5
    assert count(summary, "http_req_duration") == 1
    assert count(summary, "http_req_errors", error="refused") == 1
    assert summary.error_rows()[0].detail == "connection refused"


def test_an_unexpected_answer_is_failed_but_still_an_answer(recorder: Recorder) -> None:
    recorder.step("f", "s", "GET").answered(503, 0.1, 0.0, 0.0, 1, 1, "status", 0.5)
    recorder.fold(1.0)
    summary = recorder.snapshot()
    assert count(summary, "http_req_duration", expected_response="false", status="503") == 1
    assert count(summary, "http_req_duration", expected_response="true") is None
    assert summary.select("http_req_failed").aggregate("rate") == 1.0


def test_the_label_error_asks_for_a_share_of_all_requests(recorder: Recorder) -> None:
    step = recorder.step("f", "s", "GET")
    step.unanswered("reset", 0.1)
    for _ in range(3):
        step.answered(200, 0.1, 0.0, 0.0, 1, 1)
    recorder.fold(1.0)
    assert recorder.snapshot().select("http_req_failed", labels=[("error", "reset")]).aggregate("rate") == 0.25


def test_what_the_end_cut_off_is_neither_a_success_nor_a_failure(recorder: Recorder) -> None:
    recorder.step("f", "s", "GET").unanswered("interrupted", 0.5)
    recorder.fold(1.0)
    summary = recorder.snapshot()
    assert summary.select("http_req_failed").aggregate("rate") is None
    assert count(summary, "http_reqs") is None
    assert count(summary, "http_reqs_interrupted") == 1
    assert summary.error_rows() == ()


def test_a_reused_connection_took_no_time_to_open(recorder: Recorder) -> None:
    step = recorder.step("f", "s", "GET")
    step.connected(0.001, 0.002, 0.003)
    for _ in range(4):
        step.answered(200, 0.1, 0.0, 0.0, 1, 1)
    recorder.fold(1.0)
    connecting = recorder.snapshot().select("http_req_connecting")
    assert connecting.samples == 4
    assert (connecting.aggregate("med"), connecting.aggregate("max")) == (0.0, 0.002)


def test_checks_that_held_are_those_answered_but_not_failed(recorder: Recorder) -> None:
    step = recorder.step("f", "s", "GET", checks=("a", "b"))
    for _ in range(4):
        step.answered(200, 0.1, 0.0, 0.0, 1, 1)
    step.check_failed("a")
    recorder.fold(1.0)
    summary = recorder.snapshot()
    assert summary.select("checks").aggregate("rate") == 7 / 8
    assert summary.select("checks", labels=[("check", "a")]).aggregate("rate") == 3 / 4


def test_only_iterations_are_asked_about_unless_a_phase_is_named(recorder: Recorder) -> None:
    recorder.step("f", "login", "POST", phase=Phase.LOGIN).answered(200, 0.1, 0.0, 0.0, 1, 1)
    recorder.fold(1.0)
    summary = recorder.snapshot()
    assert count(summary, "http_reqs") is None
    assert count(summary, "http_reqs", phase="login") == 1


def test_what_is_not_judged_is_kept_apart(recorder: Recorder) -> None:
    step, flow = recorder.step("f", "s", "GET"), recorder.flow("f")
    flow.vus = 1
    recorder.judge("f", False, 0.0)
    step.answered(200, 9.0, 0.0, 0.0, 1, 1)
    recorder.judge("f", True, 0.4)
    step.answered(200, 0.1, 0.0, 0.0, 1, 1)
    recorder.fold(1.0)
    summary = recorder.snapshot()
    assert summary.select("http_req_duration").aggregate("max") == pytest.approx(0.1)
    assert summary.select("http_req_duration", judged=False).aggregate("max") == pytest.approx(9.0)
    assert summary.select("http_req_duration", judged=None).samples == 2
    assert summary.seconds("f") == pytest.approx(0.6)
    assert recorder.timeline().of("f")[0].requests == 2


def test_time_passes_for_a_flow_only_while_it_runs(recorder: Recorder) -> None:
    flow = recorder.flow("f")
    recorder.fold(5.0)
    flow.vus = 1
    recorder.fold(6.0)
    flow.vus = 0
    recorder.fold(9.0)
    assert recorder.snapshot().seconds("f") == 1.0


def test_a_failed_iteration_counts_but_does_not_shorten_the_duration(recorder: Recorder) -> None:
    flow = recorder.flow("f")
    flow.iteration(2.0)
    flow.iteration(0.1, failed=True)
    flow.interrupted()
    flow.dropped("no_free_vu", 1)
    flow.group("checkout", 0.5)
    recorder.fold(1.0)
    summary = recorder.snapshot()
    found = [count(summary, f"iterations{kind}") for kind in ("", "_failed", "_interrupted")]
    assert found == [2, 1, 1]
    assert summary.select("iteration_duration").aggregate("min") == 2.0
    assert count(summary, "dropped_iterations", reason="no_free_vu") == 1
    assert count(summary, "group_duration", group="checkout") == 1


def test_a_step_of_several_attempts_is_measured_as_a_whole(recorder: Recorder) -> None:
    course = recorder.step("f", "s", "GET").attempts()
    course.ended(3.0, failed=False)
    course.ended(9.0, failed=True)
    course.retried()
    course.asked_to_wait(obeyed=True)
    course.asked_to_wait(obeyed=False)
    recorder.fold(1.0)
    before = recorder.snapshot()
    course.ended(1.0, failed=False)
    recorder.fold(2.0)
    summary = recorder.snapshot()
    longest = summary.select("step_duration", labels=[("step", "s")]).aggregate("max")
    assert longest == AtLeast(9.0)
    assert isinstance(longest, AtLeast)  # the step failed: the whole would have taken longer
    assert summary.select("step_failed").aggregate("rate") == pytest.approx(1 / 3)
    assert (count(summary, "backpressure_obeyed"), count(summary, "backpressure_ignored")) == (1, 1)
    assert count(summary, "http_req_retries", step="s") == 1
    assert count(summary, "step_duration", step="other") is None
    assert count(summary.minus(before), "step_duration") == 1


def test_vus_are_looked_at_once_a_fold(recorder: Recorder) -> None:
    flow = recorder.flow("f")
    for second, vus in enumerate((5, 9, 7), 1):
        flow.vus = vus
        recorder.fold(float(second))
    assert recorder.snapshot().select("vus", "f") == Gauge(7, 5, 9, 3)


def test_a_point_has_the_percentiles_of_its_own_second(recorder: Recorder) -> None:
    step, flow = recorder.step("f", "s", "GET"), recorder.flow("f")
    flow.vus = 3
    for duration in (0.1, 0.2, 0.3, 0.4):
        step.answered(200, duration, 0.0, 0.0, 1, 2)
    step.unanswered("reset", 0.5, "", 1, 0)
    recorder.fold(1.0)
    step.answered(200, 0.9, 0.0, 0.0, 1, 2)
    recorder.fold(2.0)
    first, second = recorder.timeline().points
    assert (first.requests, first.failed, first.vus, first.bytes_sent, first.bytes_received) == (5, 1, 3, 5, 8)
    assert (first.p50, first.p95, first.max) == (0.2, 0.4, 0.4)
    assert (second.requests, second.p50) == (1, 0.9)


def test_at_the_beginning_of_the_load_time_starts_anew(recorder: Recorder) -> None:
    step = recorder.step("f", "s", "GET")
    recorder.begin(30.0)
    step.unanswered("reset", 31.5)
    recorder.fold(32.0)
    assert recorder.snapshot().error_rows()[0].first == 1.5
    assert [point.second for point in recorder.timeline().points] == [2.0]


def test_a_timeout_is_a_sample_of_at_least_the_time_that_was_waited(recorder: Recorder) -> None:
    step = recorder.step("f", "s", "GET")
    for _ in range(9):
        step.answered(200, 0.1, 0.01, 0.02, 1, 1)
    step.unanswered("timeout_wait", 0.5, waited=0.3, waiting=0.2)
    recorder.fold(1.0)
    summary = recorder.snapshot()
    assert count(summary, "http_req_duration") == 10
    assert count(summary, "http_req_duration", error="timeout_wait") == 1
    p90, p95 = (summary.select("http_req_duration").aggregate("p", share) for share in (90, 95))
    assert p90 == pytest.approx(0.1)
    assert not isinstance(p90, AtLeast)
    assert (p95, isinstance(p95, AtLeast)) == (0.3, True)
    assert isinstance(summary.select("http_req_waiting").aggregate("max"), AtLeast)
    assert count(summary, "http_req_receiving") == 9
    (row,) = summary.step_rows()
    assert (row.requests, row.failed, row.duration.most) == (10, 1, 0.3)


def test_a_second_of_timeouts_has_its_lower_bound_in_the_timeline(recorder: Recorder) -> None:
    flow, step = recorder.flow("f"), recorder.step("f", "s", "GET")
    flow.vus = 1
    step.answered(200, 0.1, 0.0, 0.0, 1, 1)
    step.unanswered("timeout_wait", 0.5, waited=0.3)
    recorder.fold(1.0)
    (point,) = recorder.timeline().points
    assert (point.p50, point.p95) == (0.1, 0.3)
    record = orjson.loads(orjson.dumps(point.to_json()))
    assert record["at_least"] == ["p95", "p99", "max"]
    assert Point.from_json(record) == point
    assert isinstance(Point.from_json(record).p95, AtLeast)
    del record["at_least"]
    assert Point.from_json(record) == point


def test_a_class_of_statuses_and_of_errors_selects_all_of_them(recorder: Recorder) -> None:
    step = recorder.step("f", "s", "GET")
    for status in (200, 404, 422, 503, 999):
        step.answered(status, 0.1, 0.0, 0.0, 1, 1, "status" if status >= 400 else "", 0.5)
    for kind in ("timeout_wait", "timeout_connect", "refused"):
        step.unanswered(kind, 0.5)
    recorder.fold(1.0)
    summary = recorder.snapshot()
    asked = {status: count(summary, "http_reqs", status=status) for status in ("2xx", "4xx", "404", "5XX", "9xx", "0")}
    assert asked == {"2xx": 1, "4xx": 2, "404": 1, "5XX": 1, "9xx": 1, "0": 3}
    assert count(summary, "http_reqs", status="1xx") == 0
    assert count(summary, "http_req_errors", error="timeout") == 2
    assert count(summary, "http_req_errors", error="connection") == 1


def test_the_kinds_of_failure_are_those_of_the_protocols() -> None:
    assert set(ERRORS) == {kind.value for kind in ErrorKind} - {INTERRUPTED}
    assert {kind for kinds in ERROR_CLASSES.values() for kind in kinds} <= set(ERRORS)


def test_every_metric_can_be_asked_for_even_of_nothing() -> None:
    for metric in METRICS.values():
        measured = Summary().select(metric.name)
        assert measured.samples == 0
        assert {measured.aggregate(name, 95) for name in metric.aggregates} == {None}


events = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from([200, 404, 0]),
        st.floats(1e-4, 10.0),
        st.booleans(),
    ),
    max_size=60,
)


def talk(channel: ChannelRecorder, status: int, seconds: float, *, good: bool) -> None:
    """What a WebSocket may go through."""
    if not status:
        channel.refused("refused" if good else "timeout_connect")
        return
    channel.opened(seconds / 8)
    channel.sent("" if good else "reset")
    channel.received()
    channel.waited("" if good else "timeout_message")
    channel.pinged(seconds / 9)
    if good:
        channel.delivered(seconds, reordered=status == 404)
        channel.duplicated()
        channel.cut(seconds)
    else:
        channel.lost()
        channel.reached()
        if status == 404:
            channel.late(seconds)
        channel.ended(seconds, 1006)


def worker(part: list[tuple[str, int, float, bool]], begin: int = 0) -> Summary:
    recorder = Recorder(0.0)
    for flow in ("a", "b"):
        recorder.flow(flow).vus = 1
    for number, (flow, status, duration, good) in enumerate(part):
        step = recorder.step(flow, "s", "GET", checks=("c",))
        if status:
            step.answered(status, duration, duration / 4, duration / 8, 1, 2, "" if good else "status", begin + number)
        elif (begin + number) % 3:
            step.unanswered("reset" if good else "refused", begin + number, f"{duration}")
        else:
            step.unanswered("timeout_wait", begin + number, "", waited=duration, waiting=duration / 2)
        course = step.attempts()
        course.ended(duration, failed=not good)
        if status == 404:
            course.retried()
            course.asked_to_wait(obeyed=good)
        talk(step.channels(), status, duration, good=good)
        recorder.flow(flow).iteration(duration, not good)
        if number == 20:
            recorder.fold(0.5)
    recorder.fold(1.0)
    return recorder.snapshot()


@settings(max_examples=30)
@given(events, st.lists(st.integers(0, 60), max_size=3))
def test_the_merge_of_any_split_over_workers_answers_as_the_whole(
    part: list[tuple[str, int, float, bool]], cuts: list[int]
) -> None:
    edges = [0, *sorted(cuts), len(part)]
    merged = merge_all(worker(part[a:b], a) for a, b in itertools.pairwise(edges))
    whole = worker(part)
    assert dict(merged.requests) == dict(whole.requests)
    assert dict(merged.steps) == dict(whole.steps)
    assert dict(merged.attempts) == dict(whole.attempts)
    for metric in set(METRICS) - {"vus", "vus_max"}:
        assert merged.select(metric) == whole.select(metric)


@settings(max_examples=30)
@given(events)
def test_json_brings_the_same_summary_back(part: list[tuple[str, int, float, bool]]) -> None:
    summary = worker(part)
    assert Summary.from_json(summary.to_json()) == summary


def test_a_snapshot_stays_as_it_was(recorder: Recorder) -> None:
    step = recorder.step("f", "s", "GET")
    step.answered(200, 0.1, 0.0, 0.0, 1, 1)
    recorder.fold(1.0)
    before = recorder.snapshot()
    step.answered(200, 0.1, 0.0, 0.0, 1, 1)
    recorder.fold(2.0)
    assert (count(before, "http_reqs"), count(recorder.snapshot(), "http_reqs")) == (1, 2)


def test_a_window_sees_only_its_last_seconds(recorder: Recorder) -> None:
    step, flow, window = recorder.step("f", "s", "GET"), recorder.flow("f"), Window(2.0, "http_req_duration", "f")
    flow.vus = 1
    for second, duration in enumerate((5.0, 0.1, 0.2, 0.3), 1):
        step.answered(200, duration, 0.0, 0.0, 1, 1)
        recorder.fold(float(second))
        window.push(float(second), recorder.snapshot())
    seen = window.view().select("http_req_duration", "f")
    assert isinstance(seen, Trend)
    assert seen.samples == 2
    assert seen.aggregate("max") == pytest.approx(0.3, rel=0.002)
    assert window.view().select("http_reqs", "f") == Counter(2, 2, 2.0)


@settings(max_examples=15)
@given(events)
def test_a_narrowed_summary_answers_its_question_as_the_whole_does(part: list[tuple[str, int, float, bool]]) -> None:
    whole = worker(part)
    for metric in METRICS:
        assert whole.only("a", metric).select(metric, "a") == whole.select(metric, "a")
        assert whole.only(None, metric).select(metric) == whole.select(metric)


def test_every_metric_names_what_its_rows_have() -> None:
    kinds = {
        Of.REQUESTS: Requests, Of.FAILURES: Requests, Of.INTERRUPTED: Requests, Of.CONNECTIONS: Connections,
        Of.STEPS: Attempts, Of.CHANNELS: Channels, Of.LISTENING: Listening, Of.STREAMS: Streams, Of.FLOWS: Iterations,
        Of.VUS: Vus, Of.EVENTS: Successes,
    }  # fmt: skip
    assert [metric.name for metric in METRICS.values() if not hasattr(kinds[metric.of](), metric.value)] == []
    assert all(metric.by in ("", *metric.labels) for metric in METRICS.values())


def test_a_narrowed_summary_has_no_other_histogram() -> None:
    whole = worker([("a", 200, 0.1, True)])
    narrowed = whole.only("a", "http_req_waiting")
    assert [row.waiting.count for row in narrowed.requests.values()] == [1]
    assert not any(row.duration.count for row in narrowed.requests.values())
    assert not any(row.duration.count for row in narrowed.flows.values())


def test_the_table_of_metrics_needs_no_numpy() -> None:
    code = "import sys, vezaflow.metrics; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_websockets_have_rates_of_their_own() -> None:
    summary = worker([("a", 200, 0.1, True), ("a", 404, 0.2, False), ("a", 200, 0.3, False), ("a", 0, 0.1, True)])

    def rate(metric: str, **labels: str) -> float | None:
        return summary.select(metric, "a", tuple(labels.items())).aggregate("rate")

    assert rate("ws_connection_failures") == 0.25
    assert rate("ws_connection_failures", error="connection") == 0.25
    assert rate("ws_connection_failures", error="timeout") == 0
    assert rate("ws_delivered") == rate("ws_late") == rate("ws_lost") == pytest.approx(1 / 3)
    assert rate("ws_message_failures") == pytest.approx(6 / 8)
    assert rate("ws_message_failures", error="not_acked") == pytest.approx(2 / 8)
    assert summary.select("ws_unexpected_closes", "a", (("code", "1006"),)).aggregate("count") == 2
    assert summary.select("ws_unexpected_closes", "a", (("code", "1000"),)).aggregate("count") == 0
    assert summary.select("ws_sessions", "b").samples == 0
    (row,) = summary.channel_rows()
    assert (row.flow, row.step, row.figures.lost, row.figures.late) == ("a", "s", 1, 1)
