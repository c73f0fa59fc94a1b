"""What was reported less what was true, as a table and as JSON: medians over the rounds.

A figure holds when it is within 1 ms or 1 % of the truth, whichever is larger, and a load when it was there; what does
not is marked, unless the tool itself said that it could not be trusted.
"""

import datetime
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.contenders import Contender
from bench.truth.trial import Trial, Triple

Cell = tuple[str, str, str]  # target, load, tool
Trials = Mapping[Cell, list[Trial]]
ABSOLUTE, RELATIVE = 1e-3, 0.01
UNTRUSTED = "inconclusive"
_HEADINGS = ("req/s", "of asked", "core", "true p50", "p95", "p99", "off p50", "p95", "p99", "verdict")


def allowed(true: float) -> float:
    """The error that a figure may have, in seconds."""
    return max(ABSOLUTE, RELATIVE * true)


def middle(trials: list[Trial]) -> tuple[Triple, Triple]:
    """The medians of the truths and of the errors, each figure on its own."""
    return _medians([t.true for t in trials]), _medians([t.error for t in trials])


def _medians(triples: list[Triple]) -> Triple:
    low, high, highest = (median(column) for column in zip(*triples, strict=True))
    return low, high, highest


def verdict_of(trials: list[Trial]) -> str:
    """How the tool's verdicts went: one word when they agree."""
    said = [trial.verdict for trial in trials]
    return said[0] if len(set(said)) == 1 else " ".join(f"{said.count(word)} {word}" for word in sorted(set(said)))


def holds(trials: list[Trial]) -> bool:
    """Every figure near the truth and all of the load there, but where the tool itself called its run inconclusive."""
    true, error = middle(trials)
    near = all(abs(off) <= allowed(value) for off, value in zip(error, true, strict=True))
    if not near and any(trial.verdict != UNTRUSTED for trial in trials):
        return False
    return not any(trial.short and trial.verdict != UNTRUSTED for trial in trials)


def show(trials: Trials, target: str, says: str) -> None:
    """The table of one target."""
    console = Console(width=max(Console().width, 130))
    table = Table(title=f"{target}: {says}; off: reported less true; ms", title_justify="left")
    for heading in ("load", "tool"):
        table.add_column(heading, no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    before = ""
    for (where, load, tool), found in trials.items():
        if where != target:
            continue
        if before not in ("", load):
            table.add_section()
        before = load
        true, error = middle(found)
        marked = [_error(off, allowed(value)) for off, value in zip(error, true, strict=True)]
        rate, core = median(t.rate for t in found), median(t.cpu for t in found)
        came = f"{median(t.rate / t.asked for t in found):.0%}"
        if any(trial.short for trial in found):
            came = f"[bold red]{came}[/]"
        words = verdict_of(found) + ("" if holds(found) else " ✗")
        table.add_row(
            load, tool, f"{rate:,.0f}", came, f"{core:.0%}", *(f"{value * 1e3:,.2f}" for value in true), *marked, words
        )
    console.print(table)


def _error(off: float, bound: float) -> str:
    shown = f"{off * 1e3:+,.2f}"
    return shown if abs(off) <= bound else f"[bold red]{shown}[/]"


def write(path: Path, trials: Trials, limits: Mapping[str, float], contenders: list[Contender]) -> None:
    """All trials, in seconds."""
    document = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "system": platform.platform()},
        "python": platform.python_version(),
        "contenders": {contender.name: contender.version for contender in contenders},
        "limits": dict(limits),
        "results": [
            {"target": target, "load": load, "tool": tool, "holds": holds(found), "rounds": [asdict(t) for t in found]}
            for (target, load, tool), found in trials.items()
        ],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
