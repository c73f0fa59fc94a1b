"""Values that grow from one to the next without end are told before the run, or fail their step."""

import json

import pytest
from planned import plan_of, plan_or_faults

from vezaflow.plan import Chance, EvaluationError, Scope
from vezaflow.plan.steps import PlannedSet

GROWTH = {
    "a number": ("${10}", "${{{0} * {0}}}"),
    "a text": ("aaaaaaaaaa", "'${{{0}}}${{{0}}}'"),
    "a text of a function": ("aaaaaaaaaa", "${{concat({0}, {0})}}"),
    "a list": ("[1, 2]", "['${{{0}}}', '${{{0}}}']"),
    "a list of an expression": ("[1, 2]", "${{[{0}, {0}]}}"),
    "a mapping": ("{x: 1}", "{{a: '${{{0}}}', b: '${{{0}}}'}}"),
    "JSON in JSON": ("[1, 2]", "${{json_encode([json_encode({0}), json_encode({0})])}}"),
    "an encoding": ("aaaaaaaaaa", "${{urlencode(concat('%', base64({0}), hex({0})))}}"),
    "a depth": ("[1]", "['${{{0}}}']"),
}


@pytest.mark.parametrize("what", GROWTH)
def test_a_constant_that_doubles_is_told_once(what: str) -> None:
    first, next_ = GROWTH[what]
    lines = [f"a0: {first}", *(f"a{n}: {next_.format(f'a{n - 1}')}" for n in range(1, 260))]
    plan, faults = plan_or_faults(
        "vars:\n" + "".join(f"  {line}\n" for line in lines) + "steps: [{get: /, query: {q: '${json_encode(a259)}'}}]"
    )
    assert plan is None
    assert [found.code for found in faults] == ["VF302"]


@pytest.mark.parametrize("what", GROWTH)
def test_a_value_that_doubles_as_it_runs_is_a_fault_of_its_step(what: str) -> None:
    first, next_ = GROWTH[what]
    flow = f"vars:\n  a: {first}\nsteps:\n  - set:\n      a: {next_.format('a')}\n  - get: /"
    plan = plan_of(flow).flows[0]
    step = plan.steps[0]
    assert isinstance(step, PlannedSet)
    scope = Scope(list(plan.variables.initial), Chance(1), 1)
    ((slot, value),) = step.values

    def grow() -> None:
        for _ in range(260):
            scope.slots[slot] = value(scope)

    with pytest.raises(EvaluationError, match="more than"):
        grow()


@pytest.mark.parametrize(
    "number", [".inf", "-.inf", ".nan", "'${1e308 * 10}'", "[1, {a: .inf}]", "[12345678901234567890123, .inf]"]
)
def test_a_body_with_a_number_that_json_has_not_is_told(number: str) -> None:
    plan, faults = plan_or_faults(f"steps: [{{post: /, json: {{n: {number}}}}}]")
    assert plan is None
    (fault,) = faults
    assert (fault.code, "JSON has no infinity" in fault.message) == ("VF302", True)


def test_null_is_still_sent_as_null() -> None:
    request = plan_of("steps: [{post: /, json: {n: null, text: 'null'}}]").flows[0].steps[0]
    body = request.prepare(None).body  # type: ignore[union-attr, arg-type]
    assert isinstance(body, bytes)
    assert json.loads(body) == {"n": None, "text": "null"}
