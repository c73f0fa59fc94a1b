"""What a soak calls a growth: a line through what was seen after the warm-up."""

import math

import pytest

from bench.soak import Sample, judged

MINUTES = 60


def run_of(seconds: int, grows: float) -> list[Sample]:
    """The looks of a load whose memory fills its caches, then grows by so many bytes a second, in the steps in which
    the allocator takes it."""

    def resident(at: float) -> float:
        return 75e6 + 4e6 * (1 - math.exp(-at / 20)) + grows * at // 100_000 * 100_000

    return [Sample(at, resident(at), 300, 4) for at in range(0, seconds - 5, 5)]


@pytest.mark.parametrize(
    ("minutes", "grows", "held"),
    [
        (10, 0.0, True),
        (10, 200.0, True),
        (10, 2200.0, False),
        (20, 1000.0, False),
        (60, 400.0, False),
        (480, 200.0, True),
        (480, 230.0, False),
    ],
)
def test_what_grows_is_told_from_what_fills(minutes: int, grows: float, held: bool) -> None:
    memory, files, threads = judged(run_of(minutes * MINUTES, grows))
    assert memory.held is held
    assert files.held
    assert threads.held


def test_too_few_looks_after_the_warm_up_prove_nothing() -> None:
    with pytest.raises(SystemExit, match="after the warm-up"):
        judged(run_of(5 * MINUTES, 0.0))
