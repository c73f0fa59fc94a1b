"""What listeners felt, from samples to figures."""

import pytest

from vezaflow.metrics import Phase, Recorder, Summary, Window
from vezaflow.metrics.measurement import Measurement


def recorded(recorder: Recorder, *, sessions: int = 1, stalled: float = 0.0) -> Summary:
    felt = recorder.step("flow", "listen", "").listeners()
    for _ in range(sessions):
        felt.started(0.25)
        felt.fetched(0.5)
        felt.plays(256_000)
        felt.plays(64_000)
        felt.lasted(9.0, stalled)
        if stalled:
            felt.stall()
        felt.over(stalled)
    recorder.fold(1.0)
    return recorder.snapshot()


def of(summary: Summary, metric: str) -> Measurement:
    return summary.select(metric, "flow", [("step", "listen")])


def test_a_session_has_its_figures() -> None:
    recorder = Recorder(0.0)
    summary = recorded(recorder, stalled=1.0)
    assert of(summary, "hls_sessions").aggregate("count") == 1
    assert of(summary, "hls_startup").aggregate("max") == pytest.approx(0.25)
    assert of(summary, "hls_startup_failed").aggregate("rate") == 0
    assert of(summary, "hls_rebuffer_ratio").aggregate("rate") == pytest.approx(0.1)
    assert of(summary, "hls_rebuffer_ratio").aggregate("count") == 1000
    assert of(summary, "hls_rebuffer_time").aggregate("max") == pytest.approx(1.0)
    assert of(summary, "hls_stalls").aggregate("count") == 1
    assert of(summary, "hls_bitrate").aggregate("avg") == pytest.approx(160)
    assert of(summary, "hls_bitrate").aggregate("count") == 2


def test_bitrates_of_films_are_as_exact_as_those_of_music() -> None:
    recorder = Recorder(0.0)
    recorder.step("flow", "listen", "").listeners().plays(45_000_000)
    recorder.fold(1.0)
    assert of(recorder.snapshot(), "hls_bitrate").aggregate("p", 95) == pytest.approx(45_000, rel=0.002)


def test_who_never_played_failed_to_start_and_nothing_else() -> None:
    recorder = Recorder(0.0)
    recorder.step("flow", "listen", "").listeners().not_started()
    summary = recorded(recorder, sessions=3)
    assert of(summary, "hls_startup_failed").aggregate("rate") == 0.25
    assert of(summary, "hls_sessions").aggregate("count") == 4


def test_without_sessions_a_count_of_stalls_says_nothing() -> None:
    recorder = Recorder(0.0)
    recorder.step("flow", "listen", "").listeners()
    recorder.fold(1.0)
    for metric in ("hls_stalls", "hls_rebuffer_ratio", "hls_startup_failed"):
        assert of(recorder.snapshot(), metric).aggregate("count") is None


def test_parts_of_a_millisecond_are_not_lost() -> None:
    recorder = Recorder(0.0)
    felt = recorder.step("flow", "listen", "").listeners()
    for second in range(10):
        felt.lasted(0.0004, 0.0)
        recorder.fold(1.0 + second)
    assert of(recorder.snapshot(), "hls_rebuffer_ratio").samples == 4


def test_shares_add_up_and_survive_their_journey() -> None:
    one, other = (recorded(Recorder(0.0), sessions=count, stalled=count) for count in (1, 2))
    whole = Summary.from_json(one.to_json()).merge(Summary.from_json(other.to_json()))
    assert of(whole, "hls_sessions").aggregate("count") == 3
    assert of(whole, "hls_rebuffer_ratio").aggregate("rate") == pytest.approx(5 / 32)
    (row,) = whole.listener_rows()
    assert (row.flow, row.phase, row.step, row.felt.sessions) == ("flow", Phase.ITERATION, "listen", 3)


def test_a_summary_of_before_there_were_listeners_is_read() -> None:
    record = recorded(Recorder(0.0)).to_json()
    del record["listening"]
    assert of(Summary.from_json(record), "hls_sessions").samples == 0


def test_a_window_has_the_rebuffering_of_its_own_seconds() -> None:
    recorder, window = Recorder(0.0), Window(1.0, "hls_rebuffer_ratio", "flow")
    felt = recorder.step("flow", "listen", "").listeners()
    for second, stalled in enumerate((0.0, 0.0, 0.5), 1):
        felt.lasted(1.0 - stalled, stalled)
        recorder.fold(float(second))
        window.push(float(second), recorder.snapshot())
    assert of(window.view(), "hls_rebuffer_ratio").aggregate("rate") == pytest.approx(0.5)


def test_what_no_gate_judges_is_in_no_judged_figure_and_no_second() -> None:
    recorder = Recorder(0.0)
    recorder.step("flow", "waits", "GET", judged=False).answered(200, 4.0, 0.0, 0.0, 1, 1)
    recorder.flow("flow").vus = 1
    recorder.fold(1.0)
    summary = recorder.snapshot()
    assert summary.select("http_req_duration").samples == 0
    assert summary.select("http_req_duration", judged=None).samples == 1
    (point,) = recorder.timeline().points
    assert point.requests == 0
