"""Figures go with time, verdicts stay, and the newest runs are left as they are."""

from datetime import timedelta

from history_rows import row
from history_runs import START

from vezaflow.history import Policy, State, pruning

NOW = START + timedelta(days=101)
RUNS = [row(number, float(number)) for number in range(100, -1, -1)]  # a night each
DAYS = 86_400.0


def test_figures_go_after_their_time_and_verdicts_stay() -> None:
    gone = pruning(Policy(90 * DAYS, 10), RUNS, NOW)
    assert (len(gone.figures), gone.runs) == (11, ())
    assert gone.figures[0] == row(10, 10.0).id


def test_the_newest_runs_of_each_suite_keep_all_however_old_they_are() -> None:
    old = [row(number, -500.0 - number, suite="weekly") for number in range(12)]
    gone = pruning(Policy(90 * DAYS, 10), [*RUNS, *old], NOW)
    assert [run for run in gone.figures if run in {each.id for each in old}] == [old[10].id, old[11].id]


def test_what_has_no_figures_or_runs_is_left() -> None:
    runs = [row(1, -500.0, has_figures=False), row(2, -600.0, None, state=State.RUNNING), row(3, -700.0)]
    assert pruning(Policy(90 * DAYS, 0), runs, NOW).figures == (runs[2].id,)


def test_whole_runs_go_only_where_that_is_wanted() -> None:
    gone = pruning(Policy(20 * DAYS, 0, verdicts=90 * DAYS), RUNS, NOW)
    assert (len(gone.runs), len(gone.figures)) == (11, 70)


def test_the_policy_is_said_in_words() -> None:
    said = "figures for 90d, verdicts for ever, the newest 10 runs of each suite always"
    assert str(Policy(90 * DAYS, 10)) == said
