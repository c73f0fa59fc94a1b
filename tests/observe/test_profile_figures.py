"""What gates get from profiles: shares of functions, and why there are none."""

import pytest
from sample_run import PROFILES

from vezaflow.diagnostics import Source, Span
from vezaflow.gates import Outcome, Verdict, judge
from vezaflow.metrics import Summary
from vezaflow.model import profile_metric
from vezaflow.observe import ProfileFigures, named_functions
from vezaflow.plan import PlannedGate
from vezaflow.profiles import FunctionShare, ProfileRecord
from vezaflow.syntax import Condition, Reference
from vezaflow.units import Dimension, Quantity

NOWHERE = Span(Source("suite.yml", ""), 0, 0)


def gate(function: str, percent: float, aggregate: str = "share", name: str = "cpu", samples: int = 1) -> PlannedGate:
    bound = Quantity(percent / 100, Dimension.RATIO)
    condition = Condition(aggregate, None, "<", bound, "as written", NOWHERE)
    own = profile_metric(name)
    return PlannedGate(None, own.name, (("function", function),), condition, NOWHERE, samples=samples, own=own)


def verdict(judged: PlannedGate, *records: ProfileRecord) -> Verdict:
    (only,) = judge((judged,), Summary(), elsewhere=ProfileFigures(records or PROFILES))
    return only


@pytest.mark.parametrize(
    ("aggregate", "percent", "outcome"),
    [("share", 40, Outcome.GREEN), ("share", 30, Outcome.RED), ("flat", 30, Outcome.GREEN), ("flat", 20, Outcome.RED)],
)
def test_a_share_is_with_what_is_called_and_flat_without(aggregate: str, percent: float, outcome: Outcome) -> None:
    assert verdict(gate("main.(*Index).rank", percent, aggregate)).outcome is outcome


def test_a_function_that_no_sample_has_is_inconclusive_and_the_nearest_is_named() -> None:
    found = verdict(gate("main.(*Index).rnak", 10))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason == (
        "no sample of the profile 'cpu' has the function 'main.(*Index).rnak'; is it main.(*Index).rank?"
    )


def test_a_profile_that_was_not_taken_is_inconclusive_with_its_reason() -> None:
    found = verdict(gate("f", 10, name="mutex"))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason == "the profile 'mutex' was not taken: status 404: <there> is nothing"
    assert verdict(gate("f", 10, name="other")).reason == "the profile 'other' was not taken: its event did not happen"


def test_a_gate_may_want_more_samples() -> None:
    assert verdict(gate("main.(*Index).rank", 40, samples=2140)).outcome is Outcome.GREEN
    assert verdict(gate("main.(*Index).rank", 40, samples=2141)).outcome is Outcome.INCONCLUSIVE


def test_several_profiles_of_a_name_are_judged_together() -> None:
    records = (
        ProfileRecord("cpu", 0, 1, total=100, samples=10, top=(FunctionShare("f", 0.1, 0.2),)),
        ProfileRecord("cpu", 2, 3, total=300, samples=30, top=(FunctionShare("g", 0.1, 0.2),)),
        ProfileRecord("cpu", 4, 5, problem="status 500"),
    )
    found = verdict(gate("f", 6), *records)
    assert found.value == pytest.approx(0.05)
    assert (found.samples, found.outcome) == (40, Outcome.GREEN)


def test_the_functions_that_gates_name_are_known_on_both_sides() -> None:
    beside = Reference("share", None, (("function", "g"),), 1.0, None, "share{function:g}", NOWHERE)
    compared = Condition("share", None, "<", beside, "as written", NOWHERE)
    own = profile_metric("cpu")
    gates = (
        gate("f", 10),
        gate("h", 10, name="heap"),
        PlannedGate(None, own.name, (("function", "i"),), compared, NOWHERE, own=own),
    )
    assert named_functions(gates, "cpu") == {"f", "g", "i"}
