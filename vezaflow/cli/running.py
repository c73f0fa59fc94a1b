"""One load, from the command that asked for it to its result: what `run` and `rerun` share."""

import sys
from pathlib import Path

from vezaflow.cli.baselines import baseline_for
from vezaflow.cli.inputs import Asked
from vezaflow.cli.outs import made
from vezaflow.cli.printing import live, tell
from vezaflow.cli.profiled import with_growth
from vezaflow.cli.standing import standing_of
from vezaflow.history import Writer
from vezaflow.outputs import Output, Plain, Terminal
from vezaflow.plan import Division, Plan
from vezaflow.results import Provenance, RunResult
from vezaflow.scale import Crew
from vezaflow.session import NOWHERE, RunOptions, run, stands_alone


def put_on(
    asked: Asked,
    division: Division,
    provenance: Provenance,
    writer: Writer | None,
    *,
    quiet: bool,
    baseline: Path | None = None,
    history: str | None = None,
    audit_reports: Path | None = None,
    crew: Crew | None = None,
    profiles: Path | None = None,
) -> RunResult:
    """Put the load on, shown and kept: by `crew`, or by this machine. Raises VezaflowError as `run` does."""
    plan = asked.plan
    shown = () if quiet else (_progress(plan),)
    outputs = (*shown, *made(plan))
    among = standing_of(asked.suite, history, baseline, kept=writer is not None)
    options = RunOptions(
        provenance=provenance,
        keeper=writer or NOWHERE,
        baseline=baseline_for(plan, baseline),
        crew=crew,
        standing=stands_alone if division.part is not None else among,  # one segment of a load stands nowhere
        audit_reports=audit_reports,
        profiles=profiles,
    )
    result = run(plan, asked.bundle, division, outputs, tell, options)
    if writer is not None:
        result = with_growth(result, history)
        writer.end(result)
    return result


def _progress(plan: Plan) -> Output:
    return Terminal(plan.suite) if live(sys.stderr) else Plain(plan, tell)
