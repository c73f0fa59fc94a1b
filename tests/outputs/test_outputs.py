"""The live display and the plain lines: what they say, and that they fit."""

import io
from dataclasses import replace

import pytest
import trio
from planned import plan_of
from rich.console import Console

from vezaflow import units
from vezaflow.diagnostics import Source, Span
from vezaflow.engine import Vitals
from vezaflow.gates import Outcome, Verdict, judge
from vezaflow.metrics import Recorder
from vezaflow.observe import ServerNow
from vezaflow.outputs import FlowNow, Output, Plain, Terminal, Tick, tick_of
from vezaflow.outputs.lines import display, plain
from vezaflow.plan import PlannedGate
from vezaflow.results import Health
from vezaflow.scale import WorkerState
from vezaflow.syntax import Condition
from vezaflow.units import Dimension, Quantity

FLOW = """
flow: browse
load: {vus: 2, duration: 10s}
steps:
  - get: /search
gates:
  http_req_duration: p(95) < 500 ms
"""
SPAN = Span(Source("suite.yml", "gates:"), 0, 5)


def worker(cpu: float, name: str = "1") -> WorkerState:
    return WorkerState(name, Vitals(cpu, cpu, cpu, 0.0021, 0.014, 84 << 20))


def verdict(outcome: Outcome, value: float) -> Verdict:
    condition = Condition("p", 95.0, "<", Quantity(0.5, Dimension.TIME), "p(95) < 500 ms", SPAN)
    gate = PlannedGate("browse", "http_req_duration", (), condition, SPAN)
    reason = "p(95) = 612 ms, expected < 500 ms" if outcome is Outcome.RED else ""
    return Verdict(gate, outcome, value, 100, reason)


GOOD, BAD = verdict(Outcome.GREEN, 0.3), verdict(Outcome.RED, 0.612)
UNSURE = verdict(Outcome.INCONCLUSIVE, 0.0)
BROWSE = FlowNow("browse", 990, 1000, 12345, 4012.3, 0.612, 0.004, (GOOD, BAD, UNSURE))
STREAMING = FlowNow("streaming", 500, 500, 800, 812.0, 0.1, 0.0, (GOOD,))
POOLED = FlowNow("all", 1490, 1500, 13145, 4824.3, 0.5, 0.003, ())
TICK = Tick(72.0, 228.0, (BROWSE, STREAMING), POOLED, Health((worker(0.42),), 1500))


def drawn(width: int, tick: Tick = TICK) -> list[str]:
    return ["".join(text for text, _ in line) for line in display(tick, "veza-capacity", width)]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_display_fits(width: int) -> None:
    assert max(map(len, drawn(width))) <= width


def test_the_display_reads_as_meant_at_80_columns() -> None:
    assert [line.rstrip() for line in drawn(80)] == [
        " veza-capacity  " + "━" * 30 + "  1m12s of 5m",
        "",
        " flow               VUs  iterations    req/s       p95   failed  gates",
        " browse       990/1,000      12,345    4,012    612 ms    0.4 %  ✓✗–",
        " streaming          500         800      812    100 ms      0 %  ✓",
        " all        1,490/1,500      13,145    4,824    500 ms    0.3 %",
        "",
        " generator: 42 % of a core, event-loop lag p99 2.1 ms, 84 MiB",
    ]


@pytest.mark.parametrize(
    ("shares", "shown"),
    [((0.5, 0.75), "2 workers at 50 % + 75 %"), ((0.5, 0.25, 0.75), "3 workers at 25 % to 75 %")],
)
def test_each_worker_s_cpu_is_shown_or_where_they_are_many_the_least_and_the_most(
    shares: tuple[float, ...], shown: str
) -> None:
    workers = tuple(worker(cpu, str(n)) for n, cpu in enumerate(shares, 1))
    tick = replace(TICK, health=replace(TICK.health, workers=workers))
    assert drawn(80, tick)[-1] == f" generator: {shown}, event-loop lag p99 2.1 ms, {84 * len(shares)} MiB"
    assert plain(tick)[0].endswith(f"; {shown}")


def test_load_that_is_missing_is_told_while_the_run_goes_on() -> None:
    tick = replace(TICK, health=replace(TICK.health, load_missing=0.034))
    lacks = " generator: 42 % of a core, 3.4 % of the load missing, event-loop lag p99 2.1 ms, 84 MiB"
    assert drawn(100, tick)[-1] == lacks
    assert display(tick, "veza-capacity", 100)[-1][0][1] == "yellow"
    assert plain(tick)[0].endswith("; 3.4 % of the load missing")


def test_what_was_done_by_hand_is_told_while_the_run_goes_on() -> None:
    tick = replace(TICK, manual_changes=("browse has been paused manually for 4 s",))
    assert drawn(80, tick)[-1] == " browse has been paused manually for 4 s"
    assert plain(tick)[0].endswith("; browse has been paused manually for 4 s")


def test_a_broken_gate_is_told_in_words_where_there_is_room() -> None:
    assert "✓✗– p(95) = 612 ms, expected < 500 ms" in drawn(120)[3]


def test_more_gates_than_there_is_room_for_become_the_worst_of_them() -> None:
    many = replace(TICK, flows=(replace(BROWSE, gates=(GOOD,) * 40 + (BAD,)),))
    row = drawn(80, many)[3]
    assert row.endswith("✗")
    assert len(row) <= 80


def test_plain_lines_say_the_whole_and_each_flow() -> None:
    assert plain(TICK) == [
        "[1m12s, 3m48s left] 1,490 VUs, 13,145 iterations, 4,824 req/s, p95 500 ms, failed 0.3 %",
        "    browse: 990 VUs, 12,345 iterations, 4,012 req/s, p95 612 ms, failed 0.4 %; "
        "gate broken so far: p(95) = 612 ms, expected < 500 ms",
        "    streaming: 500 VUs, 800 iterations, 812 req/s, p95 100 ms, failed 0 %",
    ]


def test_a_drain_says_who_is_waited_for_and_how_long_at_most() -> None:
    tick = replace(TICK, elapsed=302.0, remaining=0.0, grace=28.0, pooled=replace(POOLED, vus=55))
    said = "draining: 55 VUs finishing, up to 28 s"
    assert drawn(80, tick)[0].endswith(f"  {said}")
    assert plain(tick)[0].startswith(f"[5m2s, {said}] 55 VUs")


async def fed(output: Output, *ticks: Tick) -> None:
    """Run an output to its end, with these ticks waiting for it."""
    send, receive = trio.open_memory_channel[Tick](len(ticks))
    async with send:
        for tick in ticks:
            send.send_nowait(tick)
    await output.run(receive)


@pytest.mark.trio
async def test_plain_lines_come_every_five_seconds() -> None:
    said: list[str] = []
    seconds = [replace(TICK, elapsed=second + 0.01, flows=()) for second in range(1, 13)]
    await fed(Plain(plan_of(FLOW), said.append), *seconds, replace(TICK, elapsed=15.0, last=True))
    assert said == ["test: 1 flow, 2 VUs", *said[1:3], "load finished"]
    assert [line.split(",")[0] for line in said[1:3]] == ["[5 s", "[10 s"]


def test_before_anything_came_there_are_dashes() -> None:
    nothing = FlowNow("f", 0, 10, 0, 0.0, None, None, ())
    assert "p95 –, failed –" in plain(Tick(0.0, 10.0, (), nothing, Health()))[0]


def test_the_servers_p95_stands_next_to_the_clients() -> None:
    tick = replace(TICK, server=(ServerNow("latency", 0.041),))
    said = f"p95 by the server: latency 41 ms (by the client: {units.duration(POOLED.p95 or 0)})"
    assert said in plain(tick)[0]
    assert said in "\n".join("".join(text for text, _ in line) for line in display(tick, "veza", 100))


@pytest.mark.trio
async def test_the_terminal_draws_in_place_and_cleans_up() -> None:
    screen = io.StringIO()
    await fed(Terminal("veza-capacity", Console(file=screen, force_terminal=True, width=80, color_system=None)), TICK)
    assert "veza-capacity" in screen.getvalue()
    assert screen.getvalue().count("\x1b[?25h") == 1  # the cursor is back


def test_a_tick_says_how_a_run_stands_and_what_its_gates_would_say() -> None:
    plan, recorder = plan_of(FLOW), Recorder(0.0)
    step, flow = recorder.step("browse", "GET /search", "GET"), recorder.flow("browse")
    flow.vus = 2
    for second in range(1, 6):
        for _ in range(second):
            step.answered(200, 0.1 * second, 0.0, 0.0, 1, 1)
        flow.iteration(0.5)
        recorder.fold(float(second))
    summary = recorder.snapshot()
    verdicts = judge(plan.gates, summary)
    tick = tick_of(plan, summary, recorder.timeline(), verdicts, elapsed=5.0, health=Health())
    (browse,) = tick.flows
    assert (browse.vus, browse.vus_requested, browse.iterations) == (2, 2, 5)
    assert browse.requests_per_second == 4.0  # of the last three seconds: 3, 4, 5
    assert browse.p95 == pytest.approx(0.5, rel=0.001)
    assert (tick.remaining, browse.failure_rate, browse.gates) == (5.0, 0.0, verdicts)
    assert tick.pooled.gates == ()
    assert (tick.summary, tick.last) == (summary, False)
