"""Nights whose truth is known: what did not change is silent, what did is told with its day and its commits."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from two_runs import timed_run

from vezaflow.compare import FigureKind, TrendNight, night_of, shift_sentence, sparkline, trends, trends_page
from vezaflow.metrics import StepName

STEPS: list[StepName] = [("browse", name, "GET") for name in ("list", "search", "detail", "orders")]


def nights(
    count: int, seed: int, *, phi: float = 0.3, sd: float = 0.02, shift: float = 0.0, at: int = 0
) -> Iterator[TrendNight]:
    """Nights with AR(1) noise of each figure; from night `at` on the first step is slower."""
    random = np.random.default_rng(seed)
    level = np.zeros((len(STEPS), 3))
    for number in range(count):
        level = (
            phi * level + np.sqrt(1 - phi**2) * random.standard_normal(level.shape)
            if number
            else (random.standard_normal(level.shape))
        )
        figures: dict[tuple[StepName, FigureKind], float] = {}
        for step, name in enumerate(STEPS):
            for place, (metric, usual) in enumerate(
                ((FigureKind.P50, 0.05), (FigureKind.P95, 0.082), (FigureKind.P99, 0.12))
            ):
                slower = shift if step == 0 and number >= at else 0.0
                figures[name, metric] = float(usual * np.exp(sd * level[step, place]) * (1 + slower))
            figures[name, FigureKind.FAILED] = float(random.binomial(20_000, 0.001)) / 20_000
        started = datetime(2026, 10, 1, 2, 30, tzinfo=UTC) + timedelta(days=number)
        yield TrendNight(f"run{number}", started, f"{number:07x}{'0' * 33}", figures)


@pytest.mark.slow
def test_histories_without_a_change_are_silent() -> None:
    alarms = [seed for seed in range(60) if trends(list(nights(60, seed))).shifts]
    assert len(alarms) <= 3


@pytest.mark.slow
def test_a_tenth_is_found_within_five_nights() -> None:
    found = 0
    for seed in range(20):
        shifts = trends(list(nights(35, seed, shift=0.1, at=30))).shifts
        found += any(shift.step == STEPS[0] and shift.metric is FigureKind.P95 for shift in shifts)
        assert {shift.step for shift in shifts} <= {STEPS[0]}
    assert found >= 18


def test_a_change_is_told_with_its_day_and_its_commits() -> None:
    found = trends(list(nights(40, 1, sd=0.01, shift=0.18, at=33)))
    (sentence,) = (shift_sentence(shift) for shift in found.shifts if shift.metric is FigureKind.P95)
    assert sentence.startswith("browse › list: p95 went from 8")
    assert sentence.endswith(" on 3 Nov 2026, between commits 0000020 and 0000021")


def test_the_order_in_which_files_are_given_does_not_matter() -> None:
    held = list(nights(40, 1, shift=0.18, at=33))
    assert trends(held) == trends(held[::-1])


def test_few_nights_are_too_little_to_tell() -> None:
    assert "too little to tell" in trends_page(trends(list(nights(4, 1))))


def test_a_sparkline_has_a_bar_for_each_night() -> None:
    assert sparkline([1, 2, None, 3]) == "▁▅ █" or sparkline([1, 2, None, 3]) == "▁▄ █"
    assert sparkline([2.0, 2.0]) == "▁▁"
    assert sparkline([None]) == ""


@pytest.mark.slow
def test_a_run_s_night_has_the_figures_of_its_steps() -> None:
    night = night_of(timed_run("a", seconds=40))
    assert len(night.figures) == 8
    assert night.commit == "a" * 40
    page = trends_page(trends([night]), width=80)
    assert max(map(len, page.splitlines())) <= 80
