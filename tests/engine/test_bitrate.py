"""Which variant a player asks for: hls.js's rule with its constants, and BOLA."""

import pytest

from vezaflow.engine.bitrate import Bandwidth, Bola, Ewma, Fetch, Throughput
from vezaflow.engine.player import Player
from vezaflow.plan import Level

LEVELS = tuple(Level(f"http://h/{rate}", rate, rate, None) for rate in (100_000, 200_000, 400_000, 800_000))
ALL, NONE = (True,) * 4, (False,) * 4


def after(rate: float, level: int = 0, segments: int = 8) -> Throughput:
    """The rule, when it has seen so many segments of 1 s of download at this rate."""
    rule = Throughput(LEVELS)
    for _ in range(segments):
        rule.came(level, 1.0, 0.0, int(rate / 8))
    return rule


def test_before_any_sample_the_estimate_is_500_kbit() -> None:
    assert Bandwidth().rate == 500_000
    assert Bandwidth().ttfb == 0.1


def test_a_mean_of_equal_samples_is_that_sample_from_the_first_on() -> None:
    mean = Ewma(3.0)
    for _ in range(3):
        mean.sample(1.0, 42.0)
        assert mean.get(0.0) == pytest.approx(42.0)


def test_after_a_half_life_the_past_counts_half() -> None:
    mean = Ewma(3.0)
    mean.sample(300.0, 0.0)
    mean.sample(3.0, 100.0)
    assert mean.get(0.0) == pytest.approx(50.0)


def test_the_estimate_falls_with_the_fast_mean_and_rises_with_the_slow_one() -> None:
    bandwidth = Bandwidth()
    bandwidth.sample(30.0, 30 * 125_000)  # 1 Mbit/s
    bandwidth.sample(3.0, 1)
    assert bandwidth.rate == pytest.approx(500_000, rel=0.01)
    bandwidth.sample(3.0, 3 * 125_000)
    assert bandwidth.rate < 800_000


@pytest.mark.parametrize(("size", "seconds"), [(125_000, 0.00125), (10_000_000, 0.05)])
def test_a_sample_is_of_100_mb_a_second_at_most_or_of_50_ms(size: int, seconds: float) -> None:
    bandwidth = Bandwidth()
    bandwidth.sample(0.0001, size)
    assert bandwidth.rate == pytest.approx(size * 8 / seconds)


@pytest.mark.parametrize(
    ("rate", "at", "chosen"),
    [
        (430_000, 2, 2),  # 0.95 × 430 is enough to stay at 400
        (415_000, 2, 1),  # and 0.95 × 415 is not
        (580_000, 1, 2),  # 0.7 × 580 is enough to go up to 400
        (560_000, 1, 1),  # and 0.7 × 560 is not
        (2_000_000, 0, 3),
        (20_000, 3, 0),
    ],
)
def test_staying_takes_95_percent_of_the_estimate_and_going_up_70(rate: float, at: int, chosen: int) -> None:
    assert after(rate, at).next(30.0, 4.0, ALL, live=False) == chosen


def test_a_segment_has_to_come_before_the_buffer_is_empty() -> None:
    rule = after(850_000, 3)
    assert rule.next(6.0, 4.0, ALL, live=False) == 3
    assert rule.next(1.0, 4.0, ALL, live=False) == 1  # a fifth of the buffer, at this rate, is a second


def test_the_first_segment_is_of_the_highest_level_that_500_kbit_carry() -> None:
    assert Throughput(LEVELS).next(0.0, 1.0, NONE, live=False) == 2


def test_where_500_kbit_carry_none_it_is_the_one_that_is_listed_first() -> None:
    levels = [Level(each.uri, each.bandwidth * 10, each.average * 10, None) for each in LEVELS]
    assert Throughput(levels, 2).next(0.0, 1.0, NONE, live=False) == 2


def test_a_segment_that_would_empty_the_buffer_is_given_up_after_half_its_length() -> None:
    slow = Fetch(level=3, plays=4.0, asked=2.5, streaming=2.5, received=125_000)  # 400 kbit/s
    assert after(2_000_000, 3).instead(slow._replace(asked=1.9), 4.5, ALL, live=False) is None
    assert after(2_000_000, 3).instead(slow, 30.0, ALL, live=False) is None
    assert after(2_000_000, 3).instead(slow._replace(level=0), 4.5, ALL, live=False) is None
    rule = after(2_000_000, 3)
    assert rule.instead(slow, 4.5, ALL, live=False) == 0
    assert rule.next(4.5, 4.0, ALL, live=False) == 0
    rule.came(0, 1.0, 0.0, 1_000_000)  # then it is forgotten
    assert rule.next(8.0, 4.0, ALL, live=False) == 3


def test_where_only_the_lowest_level_comes_sooner_it_is_the_lowest() -> None:
    rule = after(2_000_000, 3)
    assert rule.instead(Fetch(3, 4.0, 2.5, 2.5, 62_500), 3.0, ALL, live=False) == 0


def test_from_the_level_above_the_lowest_nothing_leads_down() -> None:
    assert after(2_000_000, 3).instead(Fetch(1, 4.0, 3.0, 3.0, 1_000), 1.0, ALL, live=False) is None


def test_a_segment_that_nearly_is_there_is_waited_for() -> None:
    rule = after(2_000_000, 3)
    assert rule.instead(Fetch(3, 4.0, 3.0, 3.0, 380_000), 1.0, ALL, live=False) is None


def test_bola_goes_from_the_lowest_to_the_highest_as_the_buffer_fills() -> None:
    rule = Bola(LEVELS, 30.0)
    chosen = [rule.next(float(buffered), 4.0, ALL, live=False) for buffered in range(31)]
    assert chosen == sorted(chosen)
    assert (chosen[0], chosen[3], chosen[-1]) == (0, 0, 3)


def test_a_player_plays_stands_still_and_goes_on() -> None:
    player = Player(100.0)
    player.at(5.0)
    player.take(6.0, 10.0)
    player.at(14.0)
    assert (player.played, player.buffered) == (4.0, 2.0)
    player.take(6.0, 18.0)
    assert (player.played, player.stalls, player.stalled, player.buffered) == (6.0, 1, 2.0, 6.0)
    player.at(100.0)
    assert player.standing(100.0) == 76.0


def test_a_hole_of_less_than_a_tenth_of_a_second_is_no_stall() -> None:
    player = Player(100.0)
    player.take(6.0, 0.0)
    player.take(6.0, 6.05)
    assert (player.stalls, player.stalled) == (0, 0.0)


def test_who_has_heard_enough_does_not_stand_still() -> None:
    player = Player(5.0)
    player.take(6.0, 0.0)
    player.at(60.0)
    assert (player.played, player.left, player.standing(60.0)) == (5.0, 0.0, 0.0)
