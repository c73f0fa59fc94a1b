"""What came over event streams: counted once, merged without loss, asked for by label."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.metrics import METRICS, Recorder, Summary, merge_all
from vezaflow.metrics.catalog import Of

DONE = st.tuples(
    st.sampled_from(["opened", "refused", "event", "late", "waited", "failed", "ended", "cut"]), st.floats(0.001, 60)
)
METRICS_OF_STREAMS = [name for name, metric in METRICS.items() if metric.of is Of.STREAMS]


def worker(done: list[tuple[str, float]], fold_at: int = 0) -> Summary:
    recorder = Recorder(0.0)
    streams = recorder.step("a", "feed", "").streams()
    for number, (what, seconds) in enumerate(done):
        if number == fold_at:
            recorder.fold(0.5)
        match what:
            case "opened":
                streams.opened(seconds)
            case "refused":
                streams.refused("status" if seconds > 1 else "timeout_connect")
            case "event":
                streams.received()
            case "late":
                streams.received()
                streams.delayed(seconds - 1)
            case "waited":
                streams.waited()
            case "failed":
                streams.waited("timeout_message")
            case "ended":
                streams.ended(seconds, "closed" if seconds > 1 else "")
            case "cut":
                streams.cut(seconds)
    recorder.fold(1.0)
    return recorder.snapshot()


@given(st.lists(DONE), st.lists(DONE), st.integers(0, 9))
def test_workers_shares_add_up_and_survive_json(
    one: list[tuple[str, float]], two: list[tuple[str, float]], at: int
) -> None:
    whole = worker([*one, *two])
    parts = [Summary.from_json(worker(part, at).to_json()) for part in (one, two)]
    together = merge_all(parts)
    for name in METRICS_OF_STREAMS:
        assert together.select(name) == whole.select(name)
        assert together.only("a", name).select(name, "a") == whole.select(name, "a")


def test_they_have_rates_of_their_own() -> None:
    summary = worker(
        [("opened", 0.1), ("refused", 0.1), ("refused", 2), ("late", 0.5), ("late", 3), ("waited", 1), ("failed", 1),
         ("ended", 5), ("ended", 0.5), ("cut", 9)]
    )  # fmt: skip

    def figure(metric: str, aggregate: str, **labels: str) -> float | None:
        return summary.select(metric, "a", tuple(labels.items())).aggregate(aggregate)

    assert figure("sse_connection_failures", "rate") == pytest.approx(2 / 3)
    assert figure("sse_connection_failures", "rate", error="timeout") == pytest.approx(1 / 3)
    assert figure("sse_connection_failures", "rate", error="status") == pytest.approx(1 / 3)
    assert figure("sse_event_failures", "rate", error="timeout_message") == 0.5
    assert figure("sse_unexpected_ends", "count", error="closed") == 1
    assert figure("sse_unexpected_ends", "count", error="reset") == 0
    assert figure("sse_events", "count") == 2
    assert figure("sse_event_latency", "min") == 0, "clocks differ: no event comes before it was sent"
    assert figure("sse_event_latency", "max") == pytest.approx(2, rel=0.01)
    assert figure("sse_stream_duration", "count") == 3
    assert summary.select("sse_streams", "b").samples == 0
    assert summary.select("ws_sessions").samples == 0
    (row,) = summary.stream_rows()
    assert (row.flow, row.step) == ("a", "feed")
