"""The figures as people read them: a table for each scenario, medians, ratios against k9-load; and as JSON.

A ratio above 1 is better than k9-load in every column.
"""

import datetime
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.contenders import Contender
from bench.measure import Figures
from bench.scenarios import Scenario

Runs = dict[tuple[str, str, int], list[Figures]]  # by scenario, contender and VUs; one each round
SCHEMA = 1  # of the file that `write` makes: results/schema.json
RULER = "k9-load"
MIB = 1024 * 1024


def middle(figures: list[Figures]) -> Figures | None:
    """The medians, each column on its own."""
    if not figures:
        return None
    return Figures(
        requests_per_second=median(f.requests_per_second for f in figures),
        cpu_per_request=median(f.cpu_per_request for f in figures),
        cpu_share=median(f.cpu_share for f in figures),
        others=median(f.others for f in figures),
        peak=int(median(f.peak for f in figures)),
    )


def per_vu(runs: Runs, scenario: Scenario, contender: str) -> float | None:
    """Bytes that one more idle VU costs: the peak with all, less the peak with one."""
    all_of_them = middle(runs.get((scenario.name, contender, scenario.vus), []))
    one = middle(runs.get((scenario.name, contender, 1), []))
    if all_of_them is None or one is None:
        return None
    return (all_of_them.peak - one.peak) / (scenario.vus - 1)


def _ratio(ours: float, ruler: float | None) -> str:
    return f" ({ours / ruler:.2f}×)" if ruler else ""


def _table(runs: Runs, contenders: list[Contender], scenario: Scenario) -> Table:
    table = Table(title=f"{scenario.name}: {scenario.work}; {scenario.vus} VUs", title_justify="left")
    table.add_column("contender")
    for heading in ("requests/s", "spread", "CPU µs/request", "per full core", "core", "others", "peak MB", "KB/VU"):
        table.add_column(heading, justify="right")
    ruler = middle(runs.get((scenario.name, RULER, scenario.vus), []))
    ruler_vu = per_vu(runs, scenario, RULER)
    for contender in contenders:
        rounds = runs.get((scenario.name, contender.name, scenario.vus), [])
        found = middle(rounds)
        if found is None:
            table.add_row(contender.name, "failed")
            continue
        rates = [f.requests_per_second for f in rounds]
        vu = per_vu(runs, scenario, contender.name)
        table.add_row(
            contender.name,
            f"{found.requests_per_second:,.0f}"
            + _ratio(found.requests_per_second, ruler.requests_per_second if ruler else None),
            f"±{(max(rates) - min(rates)) / 2 / found.requests_per_second:.0%}",
            f"{found.cpu_per_request * 1e6:,.1f}",
            f"{1 / found.cpu_per_request:,.0f}"
            + _ratio(1 / found.cpu_per_request, 1 / ruler.cpu_per_request if ruler else None),
            f"{found.cpu_share:.0%}",
            f"{found.others:.0%}",
            f"{found.peak / MIB:,.0f}" + _ratio(ruler.peak if ruler else 0, found.peak if ruler else None),
            "" if vu is None else f"{vu / 1024:,.1f}" + _ratio(ruler_vu or 0, vu if ruler_vu else None),
        )
    return table


def show(runs: Runs, contenders: list[Contender], scenarios: list[Scenario], target: str) -> None:
    console = Console(width=max(Console().width, 118))
    console.print(f"target: {target}; {'; '.join(c.version for c in contenders)}")
    console.print(f"In brackets: how many times better than {RULER}. `others`: what else ran on that core.")
    for scenario in scenarios:
        console.print()
        console.print(_table(runs, contenders, scenario))


def write(path: Path, runs: Runs, contenders: list[Contender], scenarios: list[Scenario], target: str) -> None:
    """Everything measured, in base units: seconds and bytes."""
    work = {scenario.name: asdict(scenario) for scenario in scenarios}
    results = [
        {"scenario": scenario, "contender": contender, "vus": vus, "rounds": [asdict(f) for f in figures]}
        for (scenario, contender, vus), figures in runs.items()
    ]
    document = {
        "schema": SCHEMA,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "system": platform.platform()},
        "python": platform.python_version(),
        "target": target,
        "contenders": {contender.name: contender.version for contender in contenders},
        "scenarios": work,
        "results": results,
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
