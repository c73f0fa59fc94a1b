"""Weighted choice and the admission of VUs: pure, so properties say it all."""

from collections import Counter
from itertools import islice, pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from vezaflow.model import Executor
from vezaflow.plan import PlannedLoad, Segment, VuChange, deck, vu_changes

weights = st.lists(st.integers(1, 100), min_size=1, max_size=6)


@given(weights, st.integers(0, 1000), st.integers(1, 4))
def test_each_pass_through_a_deck_deals_every_branch_as_often_as_its_weight(
    weights: list[int], seed: int, passes: int
) -> None:
    cards = deck(weights, Random(seed))
    for _ in range(passes):
        dealt = Counter(islice(cards, sum(weights)))
        assert [dealt[i] for i in range(len(weights))] == weights


@given(weights, st.integers(0, 1000))
def test_one_seed_deals_the_same_each_night(weights: list[int], seed: int) -> None:
    assert list(islice(deck(weights, Random(seed)), 50)) == list(islice(deck(weights, Random(seed)), 50))


def test_a_deck_of_large_weights_is_reduced_by_their_divisor() -> None:
    cards = deck([600_000, 400_000], Random(1))
    assert Counter(islice(cards, 5)) == {0: 3, 1: 2}


@given(st.integers(1, 2000), st.floats(0.1, 600))
def test_all_vus_of_a_constant_crowd_come_in_order_and_in_time(vus: int, duration: float) -> None:
    changes = list(vu_changes(PlannedLoad(Executor.CONSTANT_VUS, vus, vus, duration)))
    assert [c.vus for c in changes] == list(range(1, vus + 1))
    assert all(a.at <= b.at for a, b in pairwise(changes))
    assert changes[0].at == 0
    assert changes[-1].at <= duration / 10


@given(weights, st.integers(0, 1000), st.integers(1, 5), st.integers(1, 3))
def test_segments_deal_their_own_decks_and_one_deck_together(
    weights: list[int], seed: int, count: int, rounds: int
) -> None:
    weights = [weight * count for weight in weights]  # a deck that can be dealt out evenly
    parts = [deck(weights, Random(seed), Segment(i, count)) for i in range(count)]
    share = sum(weights) // count
    for _ in range(rounds * count):
        dealt = Counter(card for part in parts for card in islice(part, share))
        assert [dealt[i] for i in range(len(weights))] == weights
    alone = Counter(islice(deck(weights, Random(seed), Segment(0, count)), sum(weights)))
    assert [alone[i] for i in range(len(weights))] == weights


profiles = st.lists(st.tuples(st.floats(0, 100), st.integers(0, 50)), max_size=20).map(
    lambda rows: [VuChange(at, vus) for at, vus in sorted(rows)]
)


@given(profiles, st.integers(1, 7))
def test_the_segments_together_hold_what_the_whole_holds_at_every_moment(profile: list[VuChange], count: int) -> None:
    parts = [list(Segment(i, count).slice(profile)) for i in range(count)]
    for moment in {change.at for change in profile}:
        held = [[c.vus for c in part if c.at <= moment] for part in parts]
        whole = [c.vus for c in profile if c.at <= moment][-1]
        assert sum(mine[-1] if mine else 0 for mine in held) == whole


@given(st.integers(0, 500), st.integers(1, 9))
def test_shares_differ_by_one_at_most(total: int, count: int) -> None:
    shares = [Segment(i, count).share(total) for i in range(count)]
    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


@given(st.integers(1, 60), st.integers(1, 9))
def test_every_vu_of_the_whole_is_one_segment_s_by_its_number(vus: int, count: int) -> None:
    segments = [Segment(i, count) for i in range(count)]
    numbers = [segment.number(index) for segment in segments for index in range(segment.share(vus))]
    assert sorted(numbers) == list(range(1, vus + 1))


@given(st.integers(1, 500), st.integers(1, 60), st.integers(1, 9))
def test_shared_iterations_go_to_segments_that_have_vus(total: int, vus: int, count: int) -> None:
    segments = [Segment(i, count) for i in range(count)]
    shares = [segment.iterations(total, vus) for segment in segments]
    assert sum(shares) == total
    assert all(segment.share(vus) for segment, share in zip(segments, shares, strict=True) if share)
