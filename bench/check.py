"""What each contender really sends: one VU for a moment, and the target's access log counted.

Shares of one iteration are comparable over contenders; bytes are of the whole request as nginx read it.
"""

import argparse
import re
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.contenders import Contender, Job
from bench.measure import RunError, measure
from bench.nginx import target
from bench.scenarios import Scenario

WINDOW = 0.5
IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
QUERY = re.compile(r"\?\S*")


def check(
    contenders: list[Contender],
    scenarios: list[Scenario],
    folder: Path,
    options: argparse.Namespace,
) -> None:
    """Prints a table for each scenario: share, status and mean size of each kind of request."""
    console = Console()
    with target(folder, options.target_core, log=folder / "access.log", tls=options.tls) as where:
        for scenario in scenarios:
            table = Table("contender", "request", "share", "bytes out", "bytes in", title=scenario.name)
            for contender in contenders:
                start = (folder / "access.log").stat().st_size
                with tempfile.TemporaryDirectory(prefix="bench-") as run:
                    job = Job(scenario, 4, 3, where.base, Path(run))
                    try:
                        measure(contender, job, where, options.generator_core, WINDOW)
                    except RunError as failure:
                        table.add_row(contender.name, f"failed: {failure}")
                        continue
                time.sleep(0.2)
                with (folder / "access.log").open() as log:
                    log.seek(start)
                    _add(table, contender.name, log.read().splitlines())
                table.add_section()
            console.print(table)


def _add(table: Table, name: str, lines: list[str]) -> None:
    """One row for each method, path and status in the log's lines."""
    sizes: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for line in lines:
        what, status, sent, received = line.rsplit(" ", 3)
        kind = QUERY.sub("", IDENTIFIER.sub("…", what))
        sizes[f"{kind} {status}"].append((int(sent), int(received)))
    total = sum(len(rows) for rows in sizes.values())
    for what, rows in sorted(sizes.items()):
        out = sum(row[0] for row in rows) / len(rows)
        back = sum(row[1] for row in rows) / len(rows)
        table.add_row(name, what, f"{len(rows) / total:.1%}", f"{out:,.0f}", f"{back:,.0f}")
