"""What the fuzzer's targets promise holds for their seeds, and for bytes near them. (`make fuzz` goes further.)"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS


def near(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """A seed with a piece of it replaced by other bytes, by one of its own pieces, or by nothing."""

    @st.composite
    def spoilt(draw: st.DrawFn) -> bytes:
        seed = draw(st.sampled_from(seeds))
        start, end = sorted((draw(st.integers(0, len(seed))), draw(st.integers(0, len(seed)))))
        end = min(end, start + 40)
        other = draw(st.one_of(st.binary(max_size=8), st.just(seed[end : end + 20]), st.just(b"")))
        return seed[:start] + other + seed[end:]

    return spoilt()


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_read(name: str) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].check(seed)
    TARGETS[name].check(b"")


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_bytes_near_the_seeds_are_read(name: str, data: st.DataObject) -> None:
    TARGETS[name].check(data.draw(near(TARGETS[name].seeds)))
