"""The sandbox's parts without a process: settings, fates, the clock's buckets, what an upload remembers."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.errors import VezaflowError
from vezaflow.sandbox import SandboxSettings
from vezaflow.sandbox.chunks import MultipartChunk
from vezaflow.sandbox.faults import Faults, RateLimit, too_many
from vezaflow.sandbox.stats import Stats, bucket_of, middle_of
from vezaflow.sandbox.uploads import RefusedError, Uploads


def test_settings_survive_their_journey() -> None:
    settings = SandboxSettings("::1", 80, latency=0.02, error_rate=0.5, rate_limit=10.0, seed=7, token='a "token"\n')
    assert "\n" not in settings.to_json()
    assert SandboxSettings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"latency": -1},
        {"jitter": -1},
        {"page_latency": -1},
        {"filter_latency": -1},
        {"wrong_facets": 1.1},
        {"rate_limit": -1},
        {"bandwidth": -1},
        {"slow_rendition": -1},
        {"broken_segment": -1},
        {"error_rate": 1.5},
        {"error_rate": -0.1},
        {"upload_error_rate": 1.1},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(VezaflowError):
        SandboxSettings(**wrong)  # type: ignore[arg-type]


def test_the_door_costs_neither_uvicorn_nor_starlette() -> None:
    program = "import vezaflow.sandbox, sys; print({'uvicorn', 'starlette', 'asyncio'} & sys.modules.keys() or '')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_one_seed_deals_one_fate() -> None:
    settings = SandboxSettings(latency=0.02, jitter=0.03, error_rate=0.25, seed=5)
    first, second = Faults(settings), Faults(settings)
    fates = [first.deal() for _ in range(2000)]
    assert fates == [second.deal() for _ in range(2000)]
    assert 0.02 <= min(fates)[0] < 0.021
    assert 0.049 < max(fates)[0] <= 0.05
    assert sum(refused is not None for _, refused in fates) == pytest.approx(500, rel=0.1)


def test_only_uploads_are_lost() -> None:
    faults = Faults(SandboxSettings(upload_error_rate=0.5))
    assert not any(refused for _, refused in (faults.deal() for _ in range(100)))
    lost = [refused for _, refused in (faults.deal(upload=True) for _ in range(2000)) if refused is not None]
    assert len(lost) == pytest.approx(1000, rel=0.1)
    assert {refused.status for refused in lost} == {500}


def test_the_rate_limit_lets_through_what_a_second_brings_and_says_when_to_come_again() -> None:
    now = [0.0]
    limit = RateLimit(10.0, lambda: now[0])
    assert [limit.take() for _ in range(10)] == [0.0] * 10
    assert limit.take() == pytest.approx(0.1)
    now[0] = 0.05
    assert limit.take() == pytest.approx(0.05), "what is turned away takes nothing"
    now[0] = 0.1
    assert limit.take() == 0.0
    now[0] = 100.0
    assert sum(not limit.take() for _ in range(50)) == 10, "what was not used is kept for one second"


def test_a_limit_below_one_a_second_still_lets_one_through() -> None:
    now = [0.0]
    limit = RateLimit(0.5, lambda: now[0])
    assert limit.take() == 0.0
    assert limit.take() == pytest.approx(2.0)


@pytest.mark.parametrize(("early", "after"), [(0.01, b"1"), (1.0, b"1"), (1.5, b"2")])
def test_retry_after_is_in_whole_seconds_and_never_too_short(early: float, after: bytes) -> None:
    refused = too_many(early)
    assert refused.status == 429
    assert dict(refused.start["headers"])[b"retry-after"] == after


def test_without_faults_nothing_is_dealt() -> None:
    assert not Faults(SandboxSettings()).active


@given(st.integers(0, 3_600_000_000))
def test_a_time_is_kept_within_a_fifth_of_a_percent(microseconds: int) -> None:
    kept = middle_of(bucket_of(microseconds)) * 1e6
    assert abs(kept - microseconds) <= max(1, microseconds * 0.002)


def test_quantiles_are_of_all_routes_together_and_of_each() -> None:
    stats = Stats()
    for _ in range(98):
        stats.record("a", 200, 0.001)
    for _ in range(2):
        stats.record("b", 503, 1.0)
    report = stats.report()
    assert report["requests"] == {"a": 98, "b": 2}
    total = report["total"]["seconds"]  # type: ignore[index]
    assert total["p95"] == pytest.approx(0.001, rel=0.002)
    assert total["p99"] == pytest.approx(1.0, rel=0.002)
    assert report["seconds"]["a"]["max"] == pytest.approx(0.001, rel=0.002)  # type: ignore[index]


def test_uploads_that_nobody_completes_are_forgotten_oldest_first() -> None:
    uploads = Uploads(kept=2)
    first, second, third = (uploads.initiate("a", 10, 1) for _ in range(3))
    assert len(uploads) == 2
    with pytest.raises(RefusedError, match="no such upload"):
        uploads.receive(first, 0, 10)
    uploads.receive(second, 0, 10)
    uploads.receive(third, 0, 10)


FORM = (
    b'--edge\r\nContent-Disposition: form-data; name="index"\r\n\r\n7\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="chunk"; filename="a.flac"\r\n'
    b"Content-Type: audio/flac\r\n\r\nsome\r\n--edg bytes\r\n\r\n--edge--\r\n"
)


@given(st.integers(1, len(FORM)))
def test_a_form_reads_the_same_however_it_is_cut(step: int) -> None:
    chunk = MultipartChunk(b"edge")
    for start in range(0, len(FORM), step):
        chunk.feed(FORM[start : start + step])
    chunk.finish()
    assert (chunk.size, chunk.fields) == (len(b"some\r\n--edg bytes\r\n"), {"index": "7"})
