"""The median run is the one that Lighthouse itself chooses."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from lighthouse import CACHE, path_with_lighthouse

from vezaflow.audit.median import median_run
from vezaflow.audit.report import PageRun

SCRIPT = """
import {computeMedianRun} from '%s';
import {readFileSync} from 'fs';
const cases = JSON.parse(readFileSync(0));
const lhr = ([fcp, tti], n) => ({n, audits: {'first-contentful-paint': {numericValue: fcp},
  interactive: {numericValue: tti}}});
console.log(JSON.stringify(cases.map(runs => computeMedianRun(runs.map(lhr)).n)));
"""


def runs(times: list[tuple[float, float]]) -> list[PageRun]:
    return [PageRun(paint=fcp, interactive=tti) for fcp, tti in times]


def test_it_is_the_run_nearest_to_both_medians() -> None:
    found = runs([(1000, 5000), (1200, 3000), (1100, 3100), (3000, 3200), (900, 2900)])
    assert median_run(found) is found[2]


def test_one_run_is_the_median() -> None:
    (only,) = runs([(1000, 2000)])
    assert median_run([only]) is only


def test_without_time_to_interactive_the_paint_decides() -> None:
    found = [PageRun(paint=fcp) for fcp in (1.0, 3.0, 2.0)]
    assert median_run(found) is found[2]


@pytest.mark.slow
def test_lighthouse_chooses_the_same(tmp_path: Path) -> None:
    path = path_with_lighthouse()
    draw = random.Random(7)
    cases = [
        [(float(draw.randrange(1, 40) * 64), float(draw.randrange(1, 40) * 64)) for _ in range(draw.randrange(1, 8))]
        for _ in range(300)
    ]
    script = tmp_path / "median.mjs"
    script.write_text(SCRIPT % (CACHE / "node_modules" / "lighthouse" / "core" / "lib" / "median-run.js"))
    done = subprocess.run(
        ["node", str(script)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": path},
    )
    ours = [[run is median_run(found) for run in found].index(True) for found in map(runs, cases)]
    theirs = json.loads(done.stdout)
    assert [case[n] for case, n in zip(cases, ours, strict=True)] == [
        case[n] for case, n in zip(cases, theirs, strict=True)
    ]
