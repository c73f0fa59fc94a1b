"""How many cores there are: those that a process may run on, and of a container no more than its limit."""

import pytest

from vezaflow.scale import sensible_workers, usable_cores
from vezaflow.scale.cores import quota_of


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000\n", None),
        ("400000 100000\n", 4.0),
        ("150000 100000\n", 1.5),
        ("50000 100000\n", 0.5),
        ("", None),
        ("100000 0\n", None),
        ("garbage", None),
    ],
)
def test_the_limit_of_a_container_is_read(text: str, cores: float | None) -> None:
    assert quota_of(text) == cores


def test_there_is_always_a_core_and_a_worker() -> None:
    assert usable_cores() >= 1
    assert sensible_workers(0) == sensible_workers(30) == 1
    assert sensible_workers(10_000) == usable_cores()
