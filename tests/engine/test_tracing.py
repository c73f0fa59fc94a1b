"""Which requests of a flow carry a trace context, and which of them are remembered."""

import re

import pytest
import trio.testing
from planned import inputs, plan_of, plan_or_faults
from stage import Reply, Target, always, play

from vezaflow.engine.tracing import Tracer
from vezaflow.metrics import Recorder, TraceRow
from vezaflow.protocols import ErrorKind

SUITE = "suite: test\nbase_url: http://127.0.0.1:1\n"
LOAD = "load: {executor: per-vu-iterations, vus: 1, iterations: 40}\n"
SENT = re.compile(r"\r\ntraceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-01\r\n")


def ids(target: Target) -> list[str]:
    """The trace of each request; empty: it has none."""
    found = (SENT.search(head) for *_, head in target.log)
    return ["" if match is None else match[1] for match in found]


async def played(flow: str, target: Target, suite: str = SUITE + "trace: {every: 10}") -> tuple[TraceRow, ...]:
    return (await play(plan_of(flow, suite=suite), target)).summary.trace_rows()


@pytest.mark.trio
async def test_one_request_in_n_is_traced_and_the_first_is(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply()))
    await played(f"{LOAD}steps: [{{get: /a}}, {{get: /b}}]", target)
    found = ids(target)
    blocks = [found[start : start + 10] for start in range(0, 80, 10)]
    assert [sum(map(bool, block)) for block in blocks] == [1] * 8
    assert found[0]
    traced = list(filter(None, found))
    assert len(set(traced)) == len(traced)


@pytest.mark.trio
async def test_every_1_traces_redirects_and_attempts_too_each_by_an_id_of_its_own(
    autojump_clock: trio.testing.MockClock,
) -> None:
    def answer(_method: str, target: str) -> Reply:
        if target == "/moved":
            return Reply(302, headers=(("location", "/a"),))
        return Reply(503 if target == "/busy" else 200)

    target = Target(answer)
    flow = (
        "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
        "steps:\n- get: /moved\n- get: /busy\n  retry: {max: 2, wait: 1ms}\n"
    )
    await played(flow, target, SUITE + "trace: {every: 1}")
    assert target.asked == ["GET /moved", "GET /a", "GET /busy", "GET /busy", "GET /busy"]
    assert len(set(ids(target))) == 5
    assert all(ids(target))


@pytest.mark.trio
async def test_a_suite_without_trace_sends_none(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply()))
    assert await played(f"{LOAD}steps: [{{get: /a}}]", target, SUITE) == ()
    assert not any(ids(target))


@pytest.mark.trio
async def test_a_flow_turns_its_suites_trace_off_and_keeps_its_link(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply()))
    assert await played(f"{LOAD}steps: [{{get: /a}}]\ntrace: {{every: 0}}", target) == ()
    assert not any(ids(target))
    link = "trace: {link: 'http://${env.HOST}/t/${trace_id}'}"
    flow = f"{LOAD}steps: [{{get: /a}}]\ntrace: {{every: 3}}"
    (planned,) = plan_of(flow, suite=f"{SUITE}{link}", inputs=inputs({"HOST": "jaeger"})).flows
    assert planned.trace is not None
    assert (planned.trace.every, planned.trace.link) == (3, "http://jaeger/t/${trace_id}")


@pytest.mark.trio
async def test_an_authors_own_traceparent_wins(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply()))
    own = f"00-{'a' * 32}-{'b' * 16}-01"
    flow = f"{LOAD}steps: [{{get: /a, headers: {{TraceParent: {own}}}}}]"
    rows = await played(flow, target)
    assert not any(ids(target))
    assert all(head.lower().count("traceparent") == 1 for *_, head in target.log)
    assert {row.trace_id for row in rows} == {"a" * 32}
    assert await played(f"{LOAD}steps: [{{get: /a, headers: {{traceparent: mine}}}}]", target) == ()


@pytest.mark.trio
async def test_the_slowest_and_the_first_failure_are_remembered(autojump_clock: trio.testing.MockClock) -> None:
    times = iter([0.1, 0.5, 0.2, 0.4, 0.3])

    def answer(_method: str, target: str) -> Reply:
        if target == "/late":
            return Reply(error=ErrorKind.TIMEOUT_WAIT, after=2.0)
        return Reply(404 if target == "/bad" else 200, after=next(times) if target == "/a" else 0.01)

    target = Target(answer)
    flow = """
        load: {executor: per-vu-iterations, vus: 1, iterations: 5}
        on_failure: continue
        steps: [{get: /a, name: a}, {get: /bad, name: bad}, {get: /late, name: late}]
    """
    summary = (await play(plan_of(flow, suite=SUITE + "trace: {every: 1}"), target)).summary
    rows = summary.trace_rows()
    assert [round(row.duration, 3) for row in rows if row.step == "a"] == [0.5, 0.4, 0.3]
    assert {(row.step, row.status, row.error) for row in rows} == {
        ("a", 200, ""), ("bad", 404, "status"), ("late", 0, "timeout_wait"),
    }  # fmt: skip
    by_step = dict(zip((each.split("/")[1] for each in target.asked[:3]), ids(target)[:3], strict=True))
    assert {row.step: row.trace_id for row in summary.error_rows()} == {
        "bad": by_step["bad"], "late": by_step["late"],
    }  # fmt: skip


def test_merging_keeps_the_slowest_of_all_and_the_first() -> None:
    recorders = [Recorder(0.0), Recorder(0.0)]
    for number, recorder in enumerate(recorders):
        step = recorder.step("f", "s", "GET")
        for count in range(10):
            now = count + number / 2
            step.answered(500, 1.0, 0.0, 0.0, 1, 1, "status", now)
            step.traced(500, "status", count + number / 2, now, f"{number}{count}")
        recorder.fold(10.0)
    whole = recorders[1].snapshot().merge(recorders[0].snapshot())
    assert [row.trace_id for row in whole.trace_rows()] == ["19", "09", "18"]
    (error,) = whole.error_rows()
    assert error.trace_id == "00"
    assert type(whole).from_json(whole.to_json()).trace_rows() == whole.trace_rows()


def test_no_step_of_an_iteration_is_always_the_one_that_is_traced() -> None:
    tracer = Tracer(10)
    places = [number % 10 for number in range(10_000) if tracer.due()]
    assert len(places) == 1000
    assert set(places) == set(range(10))


def test_a_link_without_the_id_is_refused() -> None:
    _, diagnostics = plan_or_faults("steps: [{get: /a}]", suite=SUITE + "trace: {link: 'http://127.0.0.1/x'}")
    assert [(found.code, found.message) for found in diagnostics.items if found.code == "VF702"] == [
        ("VF702", "the link does not say where the trace's id goes")
    ]
