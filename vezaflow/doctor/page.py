"""An Examination for people: how it is, what it can carry, and each finding with its remedy.

Text only: with `colour` a terminal's colours. No line is wider than `width`, but for a word that is.
"""

import textwrap
from collections.abc import Iterator

from vezaflow import units
from vezaflow.doctor.finding import Aspect, Examination, Finding, Grade
from vezaflow.errors import ExitCode
from vezaflow.limits import Estimate, MostVus
from vezaflow.reports import DIM, Look, wrapped

_TONES = {Grade.GOOD: "32", Grade.POOR: "33", Grade.BAD: "1;31", Grade.ABSENT: DIM, Grade.UNKNOWN: DIM}
_HEADLINES = {ExitCode.GREEN: "1;32", ExitCode.INCONCLUSIVE: "1;33", ExitCode.REFUSED: "1;31"}
_NAME = 19
_MARGIN = 2 + 4 + 2 + _NAME + 2


def page(found: Examination, *, colour: bool = False, width: int = 80) -> str:
    """The whole page, its lines ended."""
    look = Look(colour, width)
    blocks = [[*_head(found, look)]]
    for part in Aspect:
        findings = [finding for finding in found.findings if finding.part is part]
        if findings:
            lines = (line for finding in findings for line in _finding(finding, look))
            blocks.append([look.title(part.value), *lines])
    return "\n".join("\n".join(line.rstrip() for line in block) + "\n" for block in blocks)


def headline(found: Examination) -> str:
    """How it is, in a line."""
    match found.exit_code:
        case ExitCode.REFUSED:
            return "a run would not start here"
        case ExitCode.INCONCLUSIVE:
            return "runs may be inconclusive here"
        case _ if found.poor:
            return f"ready; {units.counted(found.poor, 'thing')} could be better"
        case _:
            return "ready"


def _head(found: Examination, look: Look) -> Iterator[str]:
    tone = _HEADLINES[found.exit_code]
    yield from wrapped(headline(found), look, "", lambda line: look.paint(line, tone))
    yield from wrapped(_carries(found.estimate), look, "  ")


def _carries(most: Estimate) -> str:
    requests = f"{units.number(most.requests)} requests/s of the simplest kind on {units.counted(most.workers, 'core')}"
    return f"at most about {requests}, and to one target {_vus(most.http, 'HTTP')}, {_vus(most.https, 'HTTPS')}"


def _vus(most: MostVus, kind: str) -> str:
    if most.vus is None:
        return f"{kind} VUs without a known limit"
    return f"{units.counted(most.vus, f'{kind} VU')} ({most.limit})"


def _finding(finding: Finding, look: Look) -> Iterator[str]:
    name, *more = textwrap.wrap(finding.name, max(_NAME, look.width - 8), break_on_hyphens=False) or [""]
    sign = look.paint(f"{finding.grade.value:<4}", _TONES[finding.grade])
    fits = not more and len(name) <= _NAME
    texts = textwrap.wrap(finding.text, max(20, look.width - _MARGIN), break_on_hyphens=False)
    indent = " " * _MARGIN
    if fits:
        yield f"  {sign}  {name:<{_NAME}}  {texts[0]}"
        yield from (f"{indent}{line}" for line in texts[1:])
    else:
        yield f"  {sign}  {name}"
        yield from (f"        {line}" for line in more)
        yield from (f"{indent}{line}" for line in texts)
    if finding.remedy:
        yield from wrapped(f"to fix: {finding.remedy}", look, indent)
