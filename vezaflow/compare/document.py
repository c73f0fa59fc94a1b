"""The performance baseline as a document: tables between two markers of any Markdown file.

Laws: what is not between markers stays as it is, byte for byte; the same runs give the same document. Markers stand
alone on their lines, and count for nothing inside fenced code.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vezaflow import units
from vezaflow.diagnostics import printable
from vezaflow.metrics import Histogram, Phase, StepName
from vezaflow.results import RunResult

OPENING, CLOSING = "<!-- vezaflow:baseline {} -->", "<!-- /vezaflow:baseline -->"
SUITES = "*"
"""Between markers of this name is a table of a line for each suite."""
_BEFORE, _AFTER = OPENING.split("{}")
_HEAD = ("step", "method", "requests", "P50", "P95", "P99", "failed")
_SUITES_HEAD = ("suite", "requests", "P50", "P95", "P99", "failed", "run")


class DocumentError(ValueError):
    """The document can't be written: in a sentence, why."""


@dataclass(frozen=True, slots=True)
class StepFigures:
    """A step or a whole suite; several runs pooled. Times in seconds."""

    requests: int
    failed: int
    duration: Histogram

    @property
    def cells(self) -> tuple[str, ...]:
        times = (
            units.duration(time) if time is not None else "–" for time in self.duration.quantiles((0.5, 0.95, 0.99))
        )
        failed = units.ratio(self.failed / self.requests) if self.requests else "–"
        return (units.number(self.requests), *times, failed)


def document(text: str, runs: Sequence[RunResult], suite_of: Callable[[str], str] = str) -> str:
    """The document with its tables written from the runs. `suite_of`: the suite that a marker's word means.
    DocumentError: there is no place for a run, or a marker has no end."""
    by_suite: dict[str, list[RunResult]] = {}
    for run in runs:
        by_suite.setdefault(run.suite, []).append(run)
    placed: set[str] = set()
    out: list[str] = []
    for part in _parts(text):
        name = part.name
        if name is None:
            out.append(part.text)
            continue
        if name == SUITES:
            placed.update(by_suite)
            lines = _suites(part.text, by_suite)
        elif (suite := suite_of(name)) in by_suite:
            placed.add(suite)
            lines = _steps(by_suite[suite])
        else:
            out.append(part.text)
            continue
        out.append(part.ending.join(["", *lines, "", ""]))
    if missing := [suite for suite in by_suite if suite not in placed]:
        raise DocumentError(f"there is no marker for the suite {missing[0]}")
    return "".join(out)


def new_document(runs: Sequence[RunResult]) -> str:
    """A document with markers for the runs, still empty."""
    suites = list(dict.fromkeys(run.suite for run in runs))
    lines = ["# Performance baseline", ""]
    for suite in suites:
        lines += [f"## {suite}", "", OPENING.format(suite), CLOSING, ""]
    if len(suites) > 1:
        lines += ["## Suites", "", OPENING.format(SUITES), CLOSING, ""]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the document; `name` of what is between markers, None of all else, the markers among it."""

    text: str
    name: str | None = None
    ending: str = "\n"


def _parts(text: str) -> Iterator[_Part]:
    held: list[str] = []
    name: str | None = None
    opened = 0
    fence = ""
    ending = "\r\n" if "\r\n" in text else "\n"
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        word = line.strip()
        if name is None and word[:3] in ("```", "~~~"):
            fence = "" if fence == word[:3] else fence or word[:3]
        if fence:
            held.append(line)
        elif word.startswith(_BEFORE) and word.endswith(_AFTER):
            if name is not None:
                raise DocumentError(f"line {number}: a marker inside that of line {opened}")
            yield _Part("".join([*held, line]))
            held, name, opened = [], word[len(_BEFORE) : -len(_AFTER)].strip(), number
        elif word == CLOSING and name is not None:
            yield _Part("".join(held), name, ending)
            held, name = [line], None
        else:
            held.append(line)
    if name is not None:
        raise DocumentError(f"line {opened}: the marker has no end: write {CLOSING}")
    yield _Part("".join(held))


def _steps(runs: Sequence[RunResult]) -> list[str]:
    rows: dict[StepName, StepFigures] = {}
    for run in runs:
        for name, row in step_rows(run):
            rows[name] = _added(rows.get(name), row)
    flows = {flow for flow, _, _ in rows}
    cells = [
        (_cell(f"{flow} › {step}" if len(flows) > 1 else step), _cell(method), *row.cells)
        for (flow, step, method), row in rows.items()
    ]
    return [*_table(_HEAD, cells), "", *map(_source, runs)]


def _suites(before: str, by_suite: dict[str, list[RunResult]]) -> list[str]:
    """A line for each suite: of the runs that are given, and those of other suites as they stand."""
    lines = [line for line in before.splitlines() if line.startswith("| ")][2:]  # but the head
    kept = {line.split(" | ")[0].removeprefix("| "): line for line in lines}
    for suite, runs in by_suite.items():
        whole: StepFigures | None = None
        for run in runs:
            for _, row in step_rows(run):
                whole = _added(whole, row)
        if whole is not None:
            source = ", ".join(f"{run.started:%Y-%m-%d} `{run.run_id}`" for run in runs)
            kept[_cell(suite)] = _line((_cell(suite), *whole.cells, source))
    return [*_table(_SUITES_HEAD, []), *kept.values()]


def step_rows(run: RunResult) -> Iterator[tuple[StepName, StepFigures]]:
    """Each step of the iterations: of what gates judge, where the run kept its seconds, else of all."""
    if run.seconds.intervals:
        for name in run.seconds.steps:
            held = [step for _, step in run.seconds.of(name)]
            whole = Histogram()
            for step in held:
                whole.add(step.duration)
            yield name, StepFigures(sum(step.requests for step in held), sum(step.failed for step in held), whole)
        return
    for row in run.summary.step_rows():
        if row.phase is Phase.ITERATION:
            yield (row.flow, row.step, row.method), StepFigures(row.requests, row.failed, row.duration)


def _added(row: StepFigures | None, other: StepFigures) -> StepFigures:
    whole = Histogram()
    for each in (row, other):
        if each is not None:
            whole.add(each.duration)
    return StepFigures((row.requests if row else 0) + other.requests, (row.failed if row else 0) + other.failed, whole)


def _source(run: RunResult) -> str:
    commit = run.provenance.commit if run.provenance else None
    of = f", commit `{commit.sha[:12]}`{' with changes' if commit.dirty else ''}" if commit else ""
    vus = sum(load.vus for load in run.flows)
    load = f"{units.counted(vus, 'VU')} for {units.duration(round(run.duration))}"
    on = f" on {_cell(run.base_url)}" if run.base_url else ""
    return f"Run `{run.run_id}`, {run.started:%Y-%m-%d %H:%M} UTC{on}, {load}{of}, vezaflow {run.versions.vezaflow}."


def _table(head: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _line(head)
    yield f"|{'|'.join(' --- ' if name in ('step', 'method', 'suite', 'run') else ' --: ' for name in head)}|"
    yield from map(_line, cells)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Text that stays in its cell and is nobody's HTML."""
    line = printable(" ".join(text.split()))
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("`", "\\`")):
        line = line.replace(sign, safe)
    return line
