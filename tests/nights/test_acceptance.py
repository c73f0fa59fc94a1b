"""When a suite is accepted, and what is said of it."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from many_nights import FIRST, OTHER_PLAN, PLAN, nightly, one

from vezaflow.errors import ExitCode
from vezaflow.gates import Outcome
from vezaflow.model import Accept
from vezaflow.nights import Acceptance, Decision, NightRun, acceptance, calendar, streak_line

G, R, Q, MISSED = Outcome.GREEN, Outcome.RED, Outcome.INCONCLUSIVE, None
DAY = timedelta(days=1)


def decided(
    runs: list[NightRun], *, nights: int = 3, gaps: int = 0, now: datetime | None = None, target: tuple[str, ...] = ()
) -> Acceptance:
    """As of an hour after the last run."""
    last = now or max((run.started for run in runs), default=FIRST) + timedelta(hours=1)
    return acceptance(calendar(runs, Accept(nights=nights, gaps=gaps, target=target), last, PLAN))


@pytest.mark.parametrize(
    ("outcomes", "gaps", "decision", "streak"),
    [
        ([G, G, G], 0, Decision.ACCEPTED, 3),
        ([R, G, G, G, G], 0, Decision.ACCEPTED, 4),
        ([G, G], 0, Decision.NOT_YET, 2),
        ([], 0, Decision.NOT_YET, 0),
        ([G, G, R], 0, Decision.RED, 0),
        ([G, G, G, R], 0, Decision.RED, 0),
        ([G, R, G, G], 0, Decision.NOT_YET, 2),
        ([G, G, Q], 0, Decision.NOT_YET, 0),
        ([G, Q, G, G], 0, Decision.NOT_YET, 2),
        ([G, MISSED, G, G], 0, Decision.NOT_YET, 2),
        ([G, R, Q], 0, Decision.RED, 0),
        ([G, MISSED, G, G], 1, Decision.ACCEPTED, 3),
        ([G, Q, G, G], 1, Decision.ACCEPTED, 3),
        ([G, G, G, Q], 1, Decision.ACCEPTED, 3),
        ([G, MISSED, G, Q, G], 1, Decision.NOT_YET, 2),
        ([G, MISSED, G, Q, G], 2, Decision.ACCEPTED, 3),
        ([G, R, G, G], 5, Decision.NOT_YET, 2),
    ],
)
def test_a_number_of_nights_in_a_row_must_be_green(
    outcomes: list[Outcome | None], gaps: int, decision: Decision, streak: int
) -> None:
    found = decided(nightly(*outcomes), gaps=gaps)
    assert (found.decision, found.streak) == (decision, streak)


def test_exit_codes_are_those_of_a_run() -> None:
    codes = [decided(nightly(*outcomes)).exit_code for outcomes in ([G, G, G], [R], [G])]
    assert codes == [ExitCode.GREEN, ExitCode.RED, ExitCode.INCONCLUSIVE]


def test_the_night_that_is_not_over_ends_no_streak_until_it_is() -> None:
    runs = nightly(G, G, G)
    noon = FIRST.replace(hour=12) + 2 * DAY
    assert decided(runs, now=noon + timedelta(hours=1)).decision is Decision.ACCEPTED
    assert decided(runs, now=noon + timedelta(hours=23)).decision is Decision.ACCEPTED
    assert decided(runs, now=noon + timedelta(hours=25)).decision is Decision.NOT_YET


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ([G, G, G], "accepted: 3 nights in a row are green"),
        ([G, MISSED, G, G], "not yet: night 2 of 3 is green"),
        ([G, Q], "not yet: the night of 1 Nov is inconclusive: the generator used 97 % of its core"),
        ([], "not yet: no run counts so far, and 3 green nights are needed"),
        (
            [G, R],
            "not accepted: the night of 1 Nov is red: http_req_failed rate = 0.547 %, expected < 0.5 %; "
            "browse: http_req_duration p(95) = 385 ms, expected < 300 ms",
        ),
    ],
)
def test_one_sentence_says_where_it_stands(outcomes: list[Outcome | None], sentence: str) -> None:
    assert decided(nightly(*outcomes)).sentence == sentence


def test_a_missing_night_is_named() -> None:
    found = decided(nightly(G, G, G), now=FIRST + 4 * DAY)
    assert found.sentence == "not yet: the night of 3 Nov is missing"


def test_forgiven_gaps_are_said() -> None:
    assert decided(nightly(G, Q, G, G), gaps=1).sentence == "accepted: 3 nights in a row are green, with 1 gap"
    assert decided(nightly(G, G, G), gaps=1).sentence == "accepted: 3 nights in a row are green"


def test_one_night_may_be_enough() -> None:
    assert decided(nightly(G), nights=1).sentence == "accepted: the night of 31 Oct is green"


def test_a_change_of_the_plan_restarts_the_count_and_is_said() -> None:
    runs = [one(FIRST, plan=OTHER_PLAN), one(FIRST + DAY, plan=OTHER_PLAN), *nightly(G, first=FIRST + 2 * DAY)]
    found = decided(runs)
    assert (found.decision, found.streak) == (Decision.NOT_YET, 1)
    assert found.changes == ("browse: gate http_req_duration changed",)
    assert found.sentence == (
        "not yet: night 1 of 3 is green; the plan changed after the night of 1 Nov: "
        "browse: gate http_req_duration changed"
    )


def test_a_change_within_a_night_is_said() -> None:
    found = decided([one(FIRST, plan=OTHER_PLAN), one(FIRST + timedelta(hours=2))])
    assert found.sentence.startswith("not yet: night 1 of 3 is green; the plan changed after the night of 31 Oct: ")


def test_a_red_night_of_another_plan_is_not_held_against_todays() -> None:
    assert decided([one(FIRST, R, plan=OTHER_PLAN)]).decision is Decision.NOT_YET


def test_a_change_before_another_run_of_todays_plan_is_no_reason() -> None:
    runs = [one(FIRST, plan=OTHER_PLAN), *nightly(Q, G, first=FIRST + DAY)]
    assert decided(runs).sentence == "not yet: night 1 of 3 is green"


def test_the_line_for_the_page_of_a_run() -> None:
    lines = [streak_line(decided(nightly(*outcomes))) for outcomes in ([G], [G, G], [G, G, G, G], [R])]
    assert lines == ["night 1 of 3", "night 2 of 3", "night 3 of 3: accepted", "night 0 of 3"]


HOURS = st.integers(0, 24 * 9)
OUTCOMES = st.sampled_from(list(Outcome))
RUNS = st.lists(st.builds(lambda hours, end: one(FIRST + timedelta(hours=hours), end), HOURS, OUTCOMES), max_size=12)
LESS = st.fixed_dictionaries(
    {},
    optional={
        "changes": st.just(["browse: 1 of 1,000 VUs"]),
        "interrupted": st.just(True),
        "manual": st.just(["scaled to 10 VUs"]),
        "target": st.just("http://127.0.0.1:80"),
        "plan": st.just(OTHER_PLAN),
    },
).filter(bool)
END = FIRST + timedelta(days=10)
STAGING_ONLY = ("staging.veza.fr",)


@given(RUNS, st.integers(0, 2), st.randoms(use_true_random=False))
def test_the_order_of_the_runs_does_not_matter(runs: list[NightRun], gaps: int, random: st.DrawFn) -> None:
    shuffled = [*runs, *runs]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decided(shuffled, gaps=gaps, now=END) == decided(runs, gaps=gaps, now=END)


@given(RUNS, HOURS, OUTCOMES, LESS, st.integers(0, 2))
def test_a_run_that_does_not_count_never_changes_the_decision(
    runs: list[NightRun], hours: int, outcome: Outcome, less: dict[str, object], gaps: int
) -> None:
    more = [*runs, one(FIRST + timedelta(hours=hours), outcome, run_id="less", **less)]
    before = decided(runs, gaps=gaps, now=END, target=STAGING_ONLY)
    after = decided(more, gaps=gaps, now=END, target=STAGING_ONLY)
    assert (after.decision, after.streak) == (before.decision, before.streak)


@given(RUNS, HOURS, st.integers(0, 2))
def test_a_red_run_never_helps(runs: list[NightRun], hours: int, gaps: int) -> None:
    more = [*runs, one(FIRST + timedelta(hours=hours), R, run_id="red")]
    assert decided(more, gaps=gaps, now=END).streak <= decided(runs, gaps=gaps, now=END).streak


@given(RUNS, st.integers(0, 3))
def test_more_gaps_never_hurt(runs: list[NightRun], gaps: int) -> None:
    assert decided(runs, gaps=gaps, now=END).streak <= decided(runs, gaps=gaps + 1, now=END).streak


def test_a_hundred_nights() -> None:
    pattern: list[Outcome | None] = [G, G, R, MISSED, Q, G, G, G, G, G]
    runs = nightly(*pattern * 10)
    found = decided(runs)
    assert (found.decision, found.streak) == (Decision.ACCEPTED, 5)
    by_night = calendar(runs, Accept(), FIRST + 99 * DAY + timedelta(hours=1), PLAN)
    assert [night.verdict.value[:1] for night in by_night.nights] == list("ggrmiggggg") * 10
