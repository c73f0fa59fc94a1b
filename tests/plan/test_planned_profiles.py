"""Profiles, planned: when they are taken, where, and what is refused before the run."""

import pytest
from planned import SUITE, inputs, plan_or_faults

from vezaflow.errors import VezaflowError
from vezaflow.plan import Plan, PlannedProfile

FLOW = "load: {vus: 1, duration: 60s}\nsteps: [{get: /}]\n"


def planned(profile: str, also: str = "", **environment: str) -> tuple[Plan | None, list[str]]:
    suite = f"{SUITE}\nprofile: {profile}\n{also}\n"
    plan, diagnostics = plan_or_faults(FLOW, suite=suite, inputs=inputs(environment))
    return plan, [f"{each.code} {each.message}" for each in diagnostics]


def test_a_profile_may_come_from_the_environment() -> None:
    plan, faults = planned('{url: "${env.ADMIN}/x", seconds: "${env.FOR}", at: 1s, name: it}', ADMIN="/a", FOR="7")
    assert faults == []
    assert plan is not None
    (event,) = plan.events
    assert isinstance(event.action, PlannedProfile)
    assert (event.name, event.at, event.action.seconds, event.on_red, event.manual) == ("it", 1.0, 7, False, False)


def test_one_for_red_is_not_by_hand_and_one_without_a_time_is() -> None:
    plan, _ = planned("[{url: /debug/pprof/heap, on: red}, {url: /debug/pprof/block}]")
    assert plan is not None
    assert [(event.name, event.on_red, event.manual) for event in plan.events] == [
        ("heap", True, False),
        ("block", False, True),
    ]


@pytest.mark.parametrize("seconds", ["0", "5000", "soon"])
def test_seconds_that_make_no_sense_are_refused(seconds: str) -> None:
    plan, faults = planned('{url: /debug/pprof/profile, seconds: "${env.FOR}", at: 1s}', FOR=seconds)
    assert plan is None
    assert faults


def test_a_profile_is_over_before_it_is_taken_again() -> None:
    profile = '{url: /debug/pprof/profile, seconds: "${env.FOR}", every: "${env.EVERY}"}'
    plan, faults = planned(profile, FOR="20", EVERY="20s")
    assert plan is None
    assert faults == ["VF450 the event must be over before it happens again"]


def test_the_guard_decides_on_its_host() -> None:
    with pytest.raises(VezaflowError, match=r"admin\.example\.org is not loopback"):
        planned("{url: 'http://admin.example.org/debug/pprof/profile', at: 1s}")
    plan, _ = planned("{url: 'http://127.0.0.1:6060/debug/pprof/profile', at: 1s}")
    assert plan is not None
