"""Which row comes next: what segments deal together is what the whole deals, for any number of rows and segments."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.model import RowPick
from vezaflow.plan import Segment, dealt, row_of_vu
from vezaflow.plan.dealing import shuffled

totals = st.integers(1, 3000)
counts = st.integers(1, 9)
in_turns = st.sampled_from([RowPick.SEQUENTIAL, RowPick.SHUFFLE, RowPick.UNIQUE])


def parts(pick: RowPick, total: int, count: int, *, wraps: bool) -> list[Iterator[int]]:
    return [dealt(pick, total, wraps=wraps, seed="7", segment=Segment(index, count)) for index in range(count)]


@given(in_turns, totals, counts)
def test_rows_that_end_are_dealt_exactly_once_by_all_segments_together(pick: RowPick, total: int, count: int) -> None:
    rows = [row for part in parts(pick, total, count, wraps=False) for row in part]
    assert sorted(rows) == list(range(total))


@given(in_turns, totals, counts, st.integers(1, 50))
def test_segments_in_turns_deal_what_the_whole_deals_in_its_order(
    pick: RowPick, total: int, count: int, rounds: int
) -> None:
    whole = dealt(pick, total, wraps=True, seed="7")
    shares = parts(pick, total, count, wraps=True)
    together = [next(share) for _ in range(rounds) for share in shares]
    assert together == list(islice(whole, rounds * count))


@given(in_turns, st.integers(1, 200), st.integers(1, 4))
def test_every_pass_deals_every_row_once(pick: RowPick, total: int, passes: int) -> None:
    rows = dealt(pick, total, wraps=True, seed="7")
    for _ in range(passes):
        assert sorted(islice(rows, total)) == list(range(total))


@given(st.integers(1, 60), st.integers(1, 200), counts)
def test_a_vu_has_the_row_of_its_number_in_whatever_segment_it_lives(total: int, vus: int, count: int) -> None:
    whole = {number: row_of_vu(number, total, wraps=True) for number in range(1, vus + 1)}
    assert [whole[number] for number in range(1, vus + 1)] == [(number - 1) % total for number in range(1, vus + 1)]
    numbers = [Segment(i, count).number(index) for i in range(count) for index in range(Segment(i, count).share(vus))]
    ended = Counter(row for number in numbers if (row := row_of_vu(number, total, wraps=False)) is not None)
    assert ended == Counter(range(min(total, vus)))


@given(st.one_of(totals, st.integers(1 << 16, 1 << 40)), st.text())
def test_a_shuffle_is_a_permutation_however_many_rows_there_are(total: int, seed: str) -> None:
    order = shuffled(total, seed)
    some = range(min(total, 300))
    rows = [order(number) for number in some]
    assert len(set(rows)) == len(some)
    assert all(0 <= row < total for row in rows)


@pytest.mark.parametrize("total", [1_000, 1_001, 5_000])
def test_a_whole_shuffle_holds_every_row(total: int) -> None:
    order = shuffled(total, "x")
    assert sorted(map(order, range(total))) == list(range(total))


def test_a_shuffle_of_many_rows_mixes_them() -> None:
    """Neighbours are as far from each other as by chance, and no more rows keep their place."""
    total = 100_000
    order = shuffled(total, "x")
    rows = [order(number) for number in range(2_000)]
    distances = [abs(a - b) for a, b in pairwise(rows)]
    assert total * 0.31 < sum(distances) / len(distances) < total * 0.36  # a third, if by chance
    assert sum(row == number for number, row in enumerate(rows)) < 5


def test_a_seed_shuffles_the_same_each_night_and_another_seed_otherwise() -> None:
    def rows(seed: str) -> list[int]:
        return list(islice(dealt(RowPick.SHUFFLE, 100, wraps=True, seed=seed), 300))

    assert rows("1") == rows("1")
    assert rows("1") != rows("2")
    assert rows("1")[:100] != rows("1")[100:200]
