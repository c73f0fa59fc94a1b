"""What a plan asks for that only workers on one machine can do, so that `run` refuses it with a cluster and `explain`
says so before."""

from collections.abc import Iterator

from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.plan.deliveries import deliveries_of
from vezaflow.plan.plan import Plan


def only_here(plan: Plan) -> Iterator[tuple[VezaflowError, str]]:
    """Why its workers can't be on other machines (REFUSED), each with what it is in a few words."""
    if any(output.samples for output in plan.outputs):
        yield (
            VezaflowError(
                "`samples: all` writes a file where each worker is, and --cluster has them on other machines",
                hint="remove it, or run with `--workers` on one machine",
                code=ExitCode.REFUSED,
            ),
            "an output needs its workers on one machine",
        )
    if any(deliveries_of(plan)):
        yield (
            VezaflowError(
                "`deliver` counts the messages of a room by one clock, which the machines of a cluster do not have",
                hint="run the flow with `--workers` on one machine, or count with `ack` alone",
                code=ExitCode.REFUSED,
            ),
            "`deliver` needs its workers on one machine",
        )
