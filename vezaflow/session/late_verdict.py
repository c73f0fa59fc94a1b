"""A verdict that is known only after the outputs' last payload: figures of elsewhere, or audited pages, decide it.

Laws: outputs to metrics systems get one more payload then, dated right behind their last one, with the verdict and the
gates and no figure of the load. It has `LAST` seconds and changes nothing; what is lost is a note of the result.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import trio

from vezaflow.gates import Verdict
from vezaflow.metrics import Summary
from vezaflow.outputs import FlowNow, Tick, output_of
from vezaflow.plan import Plan
from vezaflow.results import RunResult
from vezaflow.session.feeding import LAST, Feeding

_SYSTEMS = ("prometheus", "otlp", "influx", "statsd")  # what takes series, and keeps them
_BEHIND = timedelta(milliseconds=5)  # the last payload and the end of its series are a millisecond apart


def is_late(plan: Plan) -> bool:
    """Whether something after the load decides the verdict."""
    return bool(plan.audits) or any(gate.is_elsewhere for gate in plan.gates)


async def send_verdict(plan: Plan, last: Tick, result: RunResult, say: Callable[[str], None]) -> tuple[str, ...]:
    """Send it. `last`: the outputs' last tick. Returns the notes."""
    systems = [output_of(planned, plan, say) for planned in plan.outputs if planned.name in _SYSTEMS]
    feeding = Feeding(systems, say)
    async with trio.open_nursery() as nursery:
        feeding.begin(nursery)
        with trio.move_on_after(LAST):
            await feeding.end(verdict_tick(last, result))
        nursery.cancel_scope.cancel()
    feeding.close()
    return feeding.notes()


def verdict_tick(last: Tick, result: RunResult) -> Tick:
    """The last tick with the verdict, and without what was sent already."""
    return replace(
        last,
        at=last.at + _BEHIND,
        outcome=result.outcome,
        summary=Summary(),
        health=replace(last.health, workers=()),
        server=(),
        events=(),
        flows=tuple(_judged(flow, result.verdicts, flow.flow) for flow in last.flows),
        pooled=_judged(last.pooled, result.verdicts, None),
    )


def _judged(now: FlowNow, verdicts: Sequence[Verdict], flow: str | None) -> FlowNow:
    return replace(now, gates=tuple(verdict for verdict in verdicts if verdict.gate.flow == flow))
