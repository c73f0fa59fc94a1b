"""Values that nobody can mean are refused before they take time or memory."""

from pathlib import Path
from random import Random

import pytest
from planned import inputs, plan_of, plan_or_faults

HUGE = "9" * 30
LOADS = (
    "{vus: '${env.N}', duration: 1s}",
    "{executor: ramping-vus, start_vus: '${env.N}', stages: [{duration: 1s, target: 1}]}",
    "{executor: ramping-vus, stages: [{duration: 1s, target: '${env.N}'}]}",
    "{executor: per-vu-iterations, vus: '${env.N}'}",
    "{executor: constant-arrival-rate, rate: 1/s, duration: 1s, pre_allocated_vus: '${env.N}'}",
    "{executor: constant-arrival-rate, rate: 1/s, duration: 1s, pre_allocated_vus: 1, max_vus: '${env.N}'}",
    "{executor: externally-controlled, max_vus: '${env.N}', duration: 1s}",
)


@pytest.mark.parametrize(
    "flow",
    [
        *(f"load: {load}\nsteps: [{{get: /}}]" for load in LOADS),
        "steps: [{choose: [{weight: '${env.N}', do: [{get: /a}]}, {weight: 1, do: [{get: /b}]}]}]",
        "steps: [{post: /, body: {bytes: '${env.N} GiB'}}]",
        "steps: [{post: /, multipart: {a: {bytes: 3 GiB}}}]",
    ],
)
def test_a_value_that_is_too_large_is_told(flow: str) -> None:
    plan, faults = plan_or_faults(flow, inputs=inputs({"N": HUGE}))
    assert plan is None
    assert {found.code for found in faults} == {"VF702"}


def test_generated_bytes_are_those_of_the_seed_however_they_are_made() -> None:
    request = plan_of("steps: [{post: /, body: {bytes: 3 MiB}}]").flows[0].steps[0]
    sent = request.prepare(None).body  # type: ignore[union-attr, arg-type]
    assert isinstance(sent, tuple)
    assert b"".join(sent) == Random(0).randbytes(3 << 20)


def test_a_whole_number_of_any_length_is_sent_as_it_was_written() -> None:
    request = plan_of(f"steps: [{{post: /, json: {{id: {HUGE}}}}}]").flows[0].steps[0]
    body = request.prepare(None).body  # type: ignore[union-attr, arg-type]
    assert isinstance(body, bytes)
    assert f'{{"id":{HUGE}}}'.encode() in body


def test_a_json_schema_may_hold_one(tmp_path: Path) -> None:
    flow = f"steps: [{{get: /, expect: {{schema: {{properties: {{id: {{const: {HUGE}}}}}}}}}}}]"
    assert plan_of(flow, root=tmp_path).flows
