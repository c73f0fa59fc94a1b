"""A share that can't be meant is one line, whatever its numbers are."""

import click
import pytest

from vezaflow.cli.values import SEGMENT, WORKERS


@pytest.mark.parametrize(
    "share", ["9/0", "0/1", "3/2", "1/" + "9" * 5_000, "9" * 5_000 + "/1", "1/10001", "²/³", "1/\0", ""]
)
def test_a_share_that_nobody_can_mean_is_refused(share: str) -> None:
    with pytest.raises(click.BadParameter):
        SEGMENT.convert(share, None, None)


def test_a_number_of_workers_of_any_length_is_refused() -> None:
    with pytest.raises(click.BadParameter):
        WORKERS.convert("9" * 5_000, None, None)
