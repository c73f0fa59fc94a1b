"""What was found about one thing that a load needs, and what to do where it is poor.

Laws: a remedy stands where the grade is not good, and nowhere else. `code` is what the finding means for a run: REFUSED
if none would start, INCONCLUSIVE if its figures may not be trusted, GREEN if it has no effect on the verdict.
"""

from dataclasses import dataclass
from enum import Enum

from vezaflow.errors import ExitCode
from vezaflow.limits import Estimate


class Grade(Enum):
    """How well it is."""

    GOOD = "ok"
    POOR = "poor"
    BAD = "bad"
    ABSENT = "none"  # something that few need
    UNKNOWN = "?"


class Aspect(Enum):
    """What a finding is about."""

    MACHINE = "This machine"
    TIME = "Time"
    SOFTWARE = "Software"
    TOOLS = "Programs for audits"
    LOAD = "Load of these files"
    NETWORK = "Network"


@dataclass(frozen=True, slots=True)
class Finding:
    """`value`: the number or the name behind the text, where there is one; times in seconds, sizes in bytes."""

    part: Aspect
    name: str
    grade: Grade
    text: str
    remedy: str = ""
    code: ExitCode = ExitCode.GREEN
    value: float | str | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found, and what the machine can carry at most."""

    findings: tuple[Finding, ...]
    estimate: Estimate

    @property
    def exit_code(self) -> ExitCode:
        codes = {finding.code for finding in self.findings}
        return next((code for code in (ExitCode.REFUSED, ExitCode.INCONCLUSIVE) if code in codes), ExitCode.GREEN)

    @property
    def poor(self) -> int:
        """How many things could be better."""
        return sum(finding.grade in (Grade.POOR, Grade.BAD) for finding in self.findings)
