"""The head of a page: the verdict in a word and a sentence, and why."""

from collections.abc import Iterator
from dataclasses import dataclass

from vezaflow import units
from vezaflow.gates import Outcome
from vezaflow.reports import rows
from vezaflow.results import RunResult, headline


@dataclass(frozen=True, slots=True)
class WhyNot:
    """One thing that stands against the run, or against trusting it."""

    what: str
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class VerdictHead:
    """`word` and `text`: the headline in two; `asked`: what was run."""

    word: str
    text: str
    moment: str
    asked: str
    reasons: tuple[WhyNot, ...]
    notes: tuple[str, ...]


def verdict_head(result: RunResult) -> VerdictHead:
    word, _, text = headline(result.outcome, result.verdicts, result.concerns).partition(": ")
    moment = f"{result.started:%Y-%m-%d %H:%M:%S} UTC"
    where = f" against {result.base_url}" if result.base_url else ""
    lasted = units.duration(round(result.duration, 1))
    asked = f"{lasted}{where}, {rows.load_text(result)}, {moment}"
    return VerdictHead(word, text, moment, asked, tuple(_reasons(result)), tuple(_notes(result)))


def _reasons(result: RunResult) -> Iterator[WhyNot]:
    if result.aborted:
        yield WhyNot(f"The run was stopped early by its gate {result.aborted}.")
    for verdict in result.broken:
        scope = verdict.gate.flow or "all flows"
        yield WhyNot(f"{scope}: {verdict.gate.text}", verdict.reason)
    for concern in result.concerns:
        yield WhyNot(concern.text, remedy=concern.remedy)
    if result.outcome is not Outcome.GREEN:
        said = {concern.text for concern in result.concerns}
        for verdict in result.unsettled:
            if verdict.reason not in said:
                yield WhyNot(f"{verdict.gate.flow or 'all flows'}: {verdict.gate.text}", verdict.reason)


def _notes(result: RunResult) -> Iterator[str]:
    standing = result.standing
    yield from (line for line in (standing.accepted or standing.night, standing.baseline) if line)
    yield from dict.fromkeys((*result.notes, *result.manual_changes))
    if result.provenance is not None:
        changes = result.provenance.profile.changes
        if changes:
            yield f"not the full load: {'; '.join(changes)}"
