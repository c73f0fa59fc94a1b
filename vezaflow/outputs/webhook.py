"""The figures of a run for a program that listens: the JSON object of `--out json`, one request a tick.

Who knows the URL can post there, so it is a secret; no secret is in the objects.
"""

from vezaflow.outputs.json_lines import to_json
from vezaflow.outputs.sink import LIMITS, HttpCarrier, Say, Sink, SinkLimits
from vezaflow.outputs.tick import Tick
from vezaflow.plan import Plan, PlannedOutput


def webhook(planned: PlannedOutput, plan: Plan, say: Say, limits: SinkLimits = LIMITS) -> Sink:
    """The output of a run."""
    assert planned.target is not None
    carrier = HttpCarrier(planned.target, dict(planned.headers), limits.timeout)

    def encode(tick: Tick) -> list[bytes]:
        import orjson

        return [orjson.dumps(plan.secrets.mask_values(to_json(tick)))]

    return Sink(f"webhook ({planned.target.origin.authority})", encode, carrier, planned.every, say, limits)
