"""The sandbox's parts without a process: settings, fates, the clock's buckets, what an upload remembers."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.errors import VezaflowError
from vezaflow.sandbox import SandboxSettings
from vezaflow.sandbox.chunks import MultipartChunk
from vezaflow.sandbox.faults import Faults
from vezaflow.sandbox.stats import Stats, bucket_of, middle_of
from vezaflow.sandbox.uploads import RefusedError, Uploads


def test_settings_survive_their_journey() -> None:
    settings = SandboxSettings("::1", 80, 0.02, 0.01, 0.5, 7, 'a "token"\n')
    assert "\n" not in settings.to_json()
    assert SandboxSettings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    "wrong", [{"latency": -1}, {"jitter": -1}, {"error_rate": 1.5}, {"error_rate": -0.1}]
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(VezaflowError):
        SandboxSettings(**wrong)  # type: ignore[arg-type]


def test_the_door_costs_neither_uvicorn_nor_starlette() -> None:
    program = (
        "import vezaflow.sandbox, sys; print({'uvicorn', 'starlette', 'asyncio'} & sys.modules.keys() or '')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_one_seed_deals_one_fate() -> None:
    settings = SandboxSettings(latency=0.02, jitter=0.03, error_rate=0.25, seed=5)
    first, second = Faults(settings), Faults(settings)
    fates = [first.deal() for _ in range(2000)]
    assert fates == [second.deal() for _ in range(2000)]
    assert 0.02 <= min(fates)[0] < 0.021
    assert 0.049 < max(fates)[0] <= 0.05
    assert sum(fails for _, fails in fates) == pytest.approx(500, rel=0.1)


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
