"""What one iteration does at least and at most, and what a whole load does."""

from math import inf

import pytest
from asked import evening, explained
from planned import plan_of

from vezaflow.explain import Explanation, explain
from vezaflow.explain.amount import iteration_of
from vezaflow.explain.data_sources import Lasts
from vezaflow.limits import Machine
from vezaflow.plan import Chance, Division, PlannedRequest, Scope, Segment, requests_of

GATES = "gates: {http_req_failed: rate < 1 %}\n"
UNKNOWN = Machine(None, None, None, None)
GET = "{get: /}"
FEW = "steps: [{get: /}, {post: '/b/${vu}', json: {a: '${iteration}'}}]\n" + GATES


def amounts(steps: str, more: str = "") -> tuple[int, float, float]:
    """Requests at least and at most, and the pause."""
    flow = f"load: {{vus: 1, duration: 1m}}\nvars: {{here: '${{vu}}', n: 3}}\nsteps: {steps}\n{more}{GATES}"
    found = iteration_of(plan_of(flow).flows[0])
    return found.requests, found.most, round(found.pause, 3)


@pytest.mark.parametrize(
    ("steps", "amount"),
    [
        (f"[{GET}, {GET}]", (2, 2, 0)),
        (f"[{GET}, {{think: 1s..3s}}]", (1, 1, 2)),
        (f"[{{repeat: 3, do: [{GET}, {{think: 1s}}]}}]", (3, 3, 3)),
        (f"[{{repeat: '${{n}}', do: [{GET}]}}]", (3, 3, 0)),
        (f"[{{repeat: '${{vu}}', do: [{GET}]}}]", (0, inf, 0)),
        (f"[{{for: x, in: '${{[1, 2]}}', do: [{GET}]}}]", (2, 2, 0)),
        (f"[{{while: vu > 1, max: 5, do: [{GET}]}}, {GET}]", (1, 6, 0)),
        (f"[{{if: vu > 1, do: [{GET}, {GET}], else: [{GET}]}}]", (1, 2, 0)),
        (f"[{{if: n > 1, do: [{GET}, {GET}], else: [{GET}]}}]", (2, 2, 0)),
        (f"[{{group: g, do: [{GET}]}}]", (1, 1, 0)),
        (f"[{GET}, {{if: vu > 1, do: [{{skip: enough}}]}}, {GET}, {{think: 1s}}]", (1, 2, 0)),
        (f"[{{parallel: [{GET}, {{group: g, do: [{GET}, {{think: 2s}}]}}, {{think: 1s}}]}}]", (2, 2, 2)),
        (f"[{{parallel: [{GET}, {{if: vu > 1, do: [{{skip: enough}}]}}]}}, {GET}]", (1, 2, 0)),
        (f"[{{parallel: [{GET}, {{skip: enough}}]}}, {GET}]", (1, 1, 0)),
        (f"[{{for: x, in: '${{range(5)}}', at_once: 2, do: [{GET}, {{think: 1s}}]}}]", (5, 5, 3)),
        (f"[{{for: x, in: [1, 2, 3], at_once: 2, do: [{GET}, {{if: x > 1, do: [{{skip: enough}}]}}]}}]", (1, 3, 0)),
        (f"[{{for: x, in: '${{here}}', at_once: 2, do: [{GET}]}}]", (0, inf, 0)),
        (f"[{GET}, {{upload: /, of: 10 KiB, part: 3 KiB, at_once: 2}}]", (5, 5, 0)),
        (f"[{{repeat: 3, do: [{GET}, {{if: vu > 1, do: [{{skip: enough}}]}}]}}]", (1, 3, 0)),
        ("[{poll: {get: /}, until: status() == 200, within: 5s}]", (1, inf, 0)),
        ("[{paginate: {get: /}, next: $.next, pages: 7}]", (1, 7, 0)),
        ("[{paginate: {get: /}, next: $.next, into: query.cursor, pages: '${n}'}]", (1, 3, 0)),
        (f"[{{think: '${{here}}'}}, {GET}]", (1, 1, 0)),
    ],
)
def test_an_iteration_is_bounded_by_what_its_steps_settle(steps: str, amount: tuple[int, float, float]) -> None:
    assert amounts(steps) == amount


def test_a_choose_pauses_as_its_branches_do_on_average() -> None:
    often, seldom = "{weight: 3, do: [{get: /}, {think: 1s}]}", "{weight: 1, do: [{get: /}, {get: /b}, {think: 5s}]}"
    assert amounts(f"[{{choose: [{often}, {seldom}]}}]") == (1, 2, 2)


def test_a_pace_is_the_least_that_an_iteration_lasts() -> None:
    assert amounts(f"[{GET}, {{think: 1s}}]", "pace: 5s\n")[2] == 5
    assert amounts(f"[{GET}, {{think: 8s}}]", "pace: 5s\n")[2] == 8
    assert amounts(f"[{GET}, {{think: 1s}}]", "think: 2s\n")[2] == 3


def test_shares_add_up_to_the_whole() -> None:
    plan = evening()
    whole = explain(plan, UNKNOWN, Division())
    shares = [explain(plan, UNKNOWN, Division(1, Segment(index, 3))) for index in range(3)]
    assert sum(share.vus for share in shares) == whole.vus
    assert sum(share.requests for share in shares) == whole.requests
    assert sum(share.sent for share in shares) == whole.sent


def test_what_a_request_sends_at_least_is_all_of_one_that_never_changes() -> None:
    steps = "steps: [{post: /a, form: {b: c}}, {post: '/${vu}', body: abc}]\n"
    still, moving = requests_of(plan_of("load: {vus: 1, duration: 1m}\n" + steps + GATES).flows[0].steps)
    assert sent(still) == still.forecast.sends
    assert 40 < moving.forecast.sends <= sent(moving)


def test_generated_bytes_count_where_their_part_changes() -> None:
    upload = next(flow for flow in evening().flows if flow.name == "once")
    (request,) = requests_of(upload.steps)
    assert 1 << 20 < request.forecast.sends <= sent(request)
    assert sent(request) - request.forecast.sends < 300


def sent(request: PlannedRequest) -> int:
    outgoing = request.prepare(Scope([None] * 9, Chance(0), 1))
    pieces = outgoing.body if isinstance(outgoing.body, tuple) else (outgoing.body or b"",)
    return len(outgoing.head) + sum(map(len, pieces))


def test_without_a_sure_pause_no_rate_is_told() -> None:
    free = explained("load: {vus: 10, duration: 1m}\n" + FEW).flows[0]
    assert (free.rate, free.iterations_most, free.iterations, free.requests) == (None, None, 10, 20)


def test_a_pause_bounds_what_a_closed_load_can_ask_for() -> None:
    paused = explained("load: {vus: 10, duration: 1m}\nthink: 1s..3s\n" + FEW).flows[0]
    assert (paused.rate, paused.iterations_most) == (5, 310)


def test_of_a_load_in_somebodys_hands_nothing_is_sure() -> None:
    load = "load: {executor: externally-controlled, vus: 2, max_vus: 8, duration: 1m}\n"
    held = explained(load + FEW).flows[0]
    assert (held.iterations, held.requests, held.vus, held.max_vus) == (0, 0, 2, 8)


def data(
    source: str,
    load: str,
    steps: str = "[{get: '/${rows}'}]",
    segment: Segment | None = None,
    *,
    workers: int = 1,
) -> Explanation:
    plan = plan_of(f"load: {load}\ndata: {{rows: {{list: [1, 2, 3, 4], {source}}}}}\nsteps: {steps}\n{GATES}")
    return explain(plan, UNKNOWN, Division(workers, segment or Segment()))


@pytest.mark.parametrize(
    ("source", "load", "told"),
    [
        ("pick: sequential", "{vus: 9, duration: 1m}", (9, None, Lasts.YES)),
        ("pick: random", "{vus: 9, duration: 1m}", (9, None, Lasts.YES)),
        ("pick: unique", "{vus: 2, duration: 1m}", (2, 4, Lasts.PERHAPS)),
        ("pick: unique", "{vus: 9, duration: 1m}", (4, 4, Lasts.NO)),
        ("pick: unique", "{executor: per-vu-iterations, vus: 2, iterations: 2}", (4, 4, Lasts.YES)),
        ("pick: unique", "{executor: per-vu-iterations, vus: 2, iterations: 3}", (4, 4, Lasts.NO)),
        (
            "pick: unique",
            "{executor: constant-arrival-rate, rate: 1/s, duration: 9s, pre_allocated_vus: 2}",
            (4, 4, Lasts.NO),
        ),
        ("pick: per_vu", "{vus: 4, duration: 1m}", (4, None, Lasts.YES)),
        ("pick: per_vu", "{vus: 5, duration: 1m}", (0, None, Lasts.NO)),
        ("pick: per_vu, at_end: stop_vu", "{vus: 5, duration: 1m}", (4, None, Lasts.NO)),
        ("pick: per_vu, at_end: wrap", "{vus: 5, duration: 1m}", (5, None, Lasts.YES)),
        ("pick: unique, each: vu", "{vus: 4, duration: 1m}", (4, None, Lasts.YES)),
        (
            "pick: unique, each: vu",
            "{executor: ramping-vus, stages: [{duration: 1m, target: 3}, {duration: 1m, target: 1},"
            " {duration: 1m, target: 3}]}",
            (0, None, Lasts.PERHAPS),
        ),
    ],
)
def test_rows_bound_what_a_load_can_do(source: str, load: str, told: tuple[int, int | None, Lasts]) -> None:
    found = data(source, load)
    flow = found.flows[0]
    assert (flow.iterations, flow.iterations_most, found.data_sources[0].lasts) == told
    assert flow.requests == flow.iterations


@pytest.mark.parametrize(
    ("workers", "told"), [(1, (4, Lasts.YES)), (2, (4, Lasts.YES)), (3, (1, Lasts.PERHAPS)), (4, (1, Lasts.PERHAPS))]
)
def test_a_worker_may_want_more_than_its_even_part_of_the_rows(workers: int, told: tuple[int, Lasts]) -> None:
    """Of 4 iterations by 2 VUs the first of 3 workers has 2, as many as it has rows; the second has 2, and one row."""
    load = "{executor: shared-iterations, vus: 2, iterations: 4}"
    found = data("pick: unique", load, workers=workers)
    assert (found.flows[0].iterations, found.data_sources[0].lasts) == told


def test_a_share_is_told_its_share_of_the_rows() -> None:
    shares = [data("pick: unique", "{vus: 9, duration: 1m}", segment=Segment(index, 3)) for index in range(3)]
    assert [share.data_sources[0].share for share in shares] == [2, 1, 1]
    assert sum(share.flows[0].iterations for share in shares) == 4


def test_a_source_that_a_flow_does_not_name_bounds_nothing() -> None:
    assert data("pick: unique", "{vus: 9, duration: 1m}", "[{get: /}]").data_sources == ()
