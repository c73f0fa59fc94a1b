"""When an event says that it was sent."""

import pytest

from vezaflow.plan import seconds_since_1970


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (1_796_044_827, 1_796_044_827), (1_796_044_827_501.5, 1_796_044_827.5015), ("1796044827.5", 1_796_044_827.5),
        ("2026-11-30T13:20:27Z", 1_796_044_827), ("2026-11-30T14:20:27.500+01:00", 1_796_044_827.5),
        ("2026-11-30T13:20:27", None), ("nan", None), (True, None), ([], None), ("", None),
    ],
)  # fmt: skip
def test_times_are_seconds_milliseconds_or_rfc_3339(said: object, seconds: float | None) -> None:
    assert seconds_since_1970(said) == (None if seconds is None else pytest.approx(seconds))
