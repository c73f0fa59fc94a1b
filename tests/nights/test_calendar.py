"""Which runs count, and to which night they belong."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from many_nights import FIRST, OTHER_PLAN, PLAN, STAGING, nightly, one

from vezaflow.gates import Outcome
from vezaflow.model import Accept
from vezaflow.nights import Bar, Calendar, NightRun, NightVerdict, calendar
from vezaflow.nights.hours import Hours
from vezaflow.results import LEVEL

PARIS = ZoneInfo("Europe/Paris")
GREEN, RED, INCONCLUSIVE = Outcome.GREEN, Outcome.RED, Outcome.INCONCLUSIVE
ON_STAGING = Accept(target=("staging.veza.fr",))
DAY = timedelta(days=1)


def seen(runs: list[NightRun], rule: Accept = ON_STAGING, now: datetime | None = None, suite: str = "") -> Calendar:
    return calendar(runs, rule, now or FIRST + timedelta(hours=6), PLAN, suite)


def verdicts(found: Calendar) -> list[str]:
    return [night.verdict.value for night in found.nights]


def bar(run: NightRun, rule: Accept = ON_STAGING) -> Bar | None:
    found = seen([run], rule)
    (entry,) = (entry for night in found.nights for entry in night.entries)
    return entry.bar


def test_a_full_run_of_the_plan_on_the_target_makes_its_night() -> None:
    assert bar(one(FIRST)) is None
    for outcome, verdict in ((GREEN, "green"), (RED, "red"), (INCONCLUSIVE, "inconclusive")):
        assert verdicts(seen([one(FIRST, outcome)])) == [verdict]


@pytest.mark.parametrize("outcome", [GREEN, RED, INCONCLUSIVE])
@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"changes": ["browse: 100 of 1,000 VUs"]}, Bar.TURNED_DOWN),
        ({"changes": ["only some files of the suite"]}, Bar.TURNED_DOWN),
        ({"interrupted": True}, Bar.INTERRUPTED),
        ({"plan": OTHER_PLAN}, Bar.PLAN),
        ({"plan": None}, Bar.UNKNOWN),
        ({"manual": ["paused for 10 s"]}, Bar.MANUAL),
        ({"target": "https://other.veza.fr"}, Bar.TARGET),
        ({"target": "http://127.0.0.1:8080"}, Bar.TARGET),
        ({"target": "https://staging.veza.fr, https://other.veza.fr"}, Bar.TARGET),
        ({"target": ""}, Bar.TARGET),
        ({"target": "•••"}, Bar.TARGET),
    ],
)
def test_a_run_that_is_less_or_another_counts_neither_as_green_nor_as_red(
    what: dict[str, object], why: Bar, outcome: Outcome
) -> None:
    run = one(FIRST, outcome, **what)
    assert bar(run) is why
    assert verdicts(seen([run])) == ["pending"]
    assert verdicts(seen([run, one(FIRST + timedelta(hours=1))])) == ["green"]


def test_a_segment_does_not_count() -> None:
    assert bar(replace(one(FIRST), partial=True)) is Bar.PARTIAL


@pytest.mark.parametrize("outcome", [GREEN, RED])
def test_levels_of_a_capacity_search_are_no_runs_of_a_night(outcome: Outcome) -> None:
    level = one(FIRST, outcome, changes=[f"{LEVEL}, 1.5 times the load"])
    (night,) = seen([level]).nights
    assert (night.verdict, night.entries) == (NightVerdict.PENDING, ())
    assert verdicts(seen([level, one(FIRST + timedelta(hours=1))])) == ["green"]


def test_any_target_counts_where_the_rule_names_none() -> None:
    assert bar(one(FIRST, target="http://127.0.0.1:8080"), Accept()) is None
    assert bar(one(FIRST, target=""), Accept()) is None


@pytest.mark.parametrize("pattern", ["*.veza.fr", "STAGING.veza.fr", "staging.veza.fr:443", "*"])
def test_a_target_is_a_pattern_as_in_the_guard(pattern: str) -> None:
    assert bar(one(FIRST), Accept(target=("example.org", pattern))) is None


def test_another_plan_says_what_is_different_today() -> None:
    (night,) = seen([one(FIRST, plan=OTHER_PLAN)]).nights
    assert night.entries[0].changes == ("browse: gate http_req_duration changed",)
    assert night.entries[0].why == "another plan: browse: gate http_req_duration changed"


def test_one_red_run_makes_a_night_red_and_a_green_one_outweighs_an_inconclusive_one() -> None:
    hour = timedelta(hours=1)
    assert verdicts(seen([one(FIRST), one(FIRST + hour, RED)])) == ["red"]
    assert verdicts(seen([one(FIRST, RED), one(FIRST + hour)])) == ["red"]
    assert verdicts(seen([one(FIRST, INCONCLUSIVE), one(FIRST + hour)])) == ["green"]
    found = seen([one(FIRST), one(FIRST + hour, RED)])
    assert [entry.run.outcome for entry in found.nights[0].entries] == [RED, GREEN]  # the one that decided comes first


def test_nights_without_a_run_are_missing_until_they_are_over() -> None:
    found = seen(nightly(GREEN, None, GREEN), now=FIRST + 3 * DAY)
    assert verdicts(found) == ["green", "missing", "green", "pending"]
    assert [night.date.day for night in found.nights] == [31, 1, 2, 3]


def test_a_run_belongs_to_the_night_in_which_it_starts_whole_across_its_end() -> None:
    rule = Accept(night=(time(22), time(23)))
    late = replace(one(datetime(2026, 11, 1, 22, 59, tzinfo=UTC)), duration=7200.0)
    found = seen([late], rule, now=datetime(2026, 11, 2, 12, tzinfo=UTC))
    assert [(night.date, night.verdict) for night in found.nights] == [(date(2026, 11, 1), NightVerdict.GREEN)]


def test_before_and_after_midnight_are_one_night() -> None:
    rule = Accept(timezone="Europe/Paris", night=(time(18), time(12)))
    evening, morning = (datetime(2026, 11, 1, 23, 50, tzinfo=PARIS), datetime(2026, 11, 2, 2, 30, tzinfo=PARIS))
    found = seen([one(evening), one(morning, RED)], rule, now=morning + timedelta(hours=1))
    assert [(night.date, night.verdict.value) for night in found.nights] == [(date(2026, 11, 1), "red")]


def test_a_run_outside_the_hours_is_shown_and_counts_for_no_night() -> None:
    rule = Accept(timezone="Europe/Paris", night=(time(18), time(12)))
    noon = datetime(2026, 11, 2, 13, tzinfo=PARIS)
    found = seen([one(noon, RED)], rule, now=noon + timedelta(hours=1))
    assert verdicts(found) == ["missing"]
    assert [entry.bar for entry in found.strays] == [Bar.OUTSIDE]


def test_a_run_that_seems_to_start_in_the_future_is_shown_and_not_counted() -> None:
    found = seen([one(FIRST), one(FIRST + DAY, RED)], now=FIRST + timedelta(hours=1))
    assert verdicts(found) == ["green"]
    assert [entry.bar for entry in found.strays] == [Bar.FUTURE]


def test_a_run_of_a_clock_that_was_never_set_costs_no_years_of_nights() -> None:
    found = seen([one(datetime(1970, 1, 1, tzinfo=UTC)), one(FIRST)])
    assert verdicts(found) == ["green"]


def test_runs_of_other_suites_are_left_out_and_a_new_name_is_no_other_suite() -> None:
    runs = [one(FIRST, suite="old-name"), one(FIRST, RED, suite="stress", plan=OTHER_PLAN, run_id="x")]
    found = seen(runs, suite="veza-capacity")
    assert verdicts(found) == ["green"]
    assert found.others == ("stress",)


def test_a_record_that_is_there_twice_is_one_run() -> None:
    assert len(seen([one(FIRST), one(FIRST)]).nights[0].entries) == 1
    segment = replace(one(FIRST), partial=True)
    assert verdicts(seen([segment, one(FIRST)])) == ["green"]


@pytest.mark.parametrize(
    ("evening", "hours"),
    [(date(2026, 3, 27), 24), (date(2026, 3, 28), 23), (date(2026, 10, 24), 25), (date(2026, 10, 25), 24)],
)
def test_a_night_in_which_clocks_change_is_one_night(evening: date, hours: int) -> None:
    nights = Hours.of(Accept(timezone="Europe/Paris"))
    assert nights.ends(evening) - nights.starts(evening) == timedelta(hours=hours)
    half_past_two = [datetime.combine(evening + DAY, time(2, 30, fold=fold), PARIS).astimezone(UTC) for fold in (0, 1)]
    assert {nights.night_of(moment) for moment in half_past_two} == {evening}


ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


@given(ZONES, CLOCKS, CLOCKS, MOMENTS)
def test_a_moment_is_in_one_night_at_most_and_between_its_ends(zone: str, start: time, end: time, at: datetime) -> None:
    hours = Hours.of(Accept(timezone=zone, night=(start, end)))
    near = [at.date() + n * DAY for n in range(-3, 3)]
    found = [night for night in near if hours.starts(night) <= at < hours.ends(night)]
    if start == end:
        assert len(found) == 1
    assert found == [night for night in [hours.night_of(at)] if night is not None]


def test_a_secret_target_is_never_taken_for_the_right_one() -> None:
    assert bar(one(FIRST, target=f"{STAGING}, •••")) is Bar.TARGET
