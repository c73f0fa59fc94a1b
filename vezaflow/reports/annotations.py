"""Annotations of a CI job: each gate that broke, or could not be judged, at its line of the flow file.

They are workflow commands, which GitHub Actions reads from what a step prints. A gate that every flow inherits is
annotated once for each flow in which it broke, on the one line where it is written.
"""

from vezaflow.diagnostics import Severity, github_command
from vezaflow.gates import Verdict
from vezaflow.reports import rows
from vezaflow.results import RunResult


def annotations(result: RunResult) -> str:
    """A line for each; first those that broke, as the runner shows the first ten only."""
    broke = [_command(Severity.ERROR, "gate failed", verdict) for verdict in result.broken]
    open_ = [_command(Severity.WARNING, "gate could not be judged", verdict) for verdict in result.unsettled]
    return "".join(f"{line}\n" for line in broke + open_)


def _command(severity: Severity, what: str, verdict: Verdict) -> str:
    gate = verdict.gate
    scope = gate.flow or f"{rows.ALL} flows"
    return github_command(severity, gate.condition.span, f"{what}: {scope}", f"{gate.text}: {verdict.reason}")
