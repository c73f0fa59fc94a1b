"""Two files of figures, compared: what is worse by more than noise is told, and nothing else is."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import jsonschema_rs
import pytest

from bench.compare import Change, compare, rounds_of
from bench.measure import Figures
from bench.report import Runs, write

ROOT = Path(__file__).parents[2]


def figures(*rates: float, cpu: float = 20e-6, peak: int = 50_000_000) -> list[Figures]:
    return [Figures(rate, cpu * (1 + index / 200), 1.0, 0.0, peak + index) for index, rate in enumerate(rates)]


def written(path: Path, **scenarios: list[Figures]) -> Path:
    runs: Runs = defaultdict(list)
    for name, found in scenarios.items():
        runs[name, "vezaflow", 64] = found
    write(path, runs, [], [], "a server")
    return path


def changes(tmp_path: Path, old: list[Figures], new: list[Figures]) -> dict[str, Change]:
    files = [rounds_of(written(tmp_path / f"{n}.json", get=found)) for n, found in enumerate((old, new))]
    return {each.column: each.change for each in compare(*files)}


def test_what_the_bench_writes_is_what_the_schema_says(tmp_path: Path) -> None:
    document = json.loads(written(tmp_path / "a.json", get=figures(100, 101)).read_text())
    schema = json.loads((ROOT / "bench" / "results" / "schema.json").read_text())
    jsonschema_rs.validate(schema, document)


def test_the_figures_that_are_kept_are_of_the_schema() -> None:
    schema = json.loads((ROOT / "bench" / "results" / "schema.json").read_text())
    for path in (ROOT / "bench" / "results").glob("[0-9]*.json"):
        jsonschema_rs.validate(schema, json.loads(path.read_text()))


@pytest.mark.parametrize(
    ("new", "change"),
    [
        ((100, 101, 102), Change.SAME),
        ((98, 99.9, 100.5), Change.SAME),  # they overlap
        ((97.9, 98.4, 98.5), Change.WORSE),
        ((98.6, 98.7, 98.8), Change.WORSE),
        ((99.2, 99.3, 99.4), Change.SAME),  # apart, by less than a quiet machine's noise
        ((110, 111, 112), Change.BETTER),
        ((92, 93), Change.SAME),  # too few rounds
        ((80, 81), Change.WORSE),
    ],
)
def test_a_rate_is_worse_if_its_rounds_are_apart_and_further_than_noise(
    tmp_path: Path, new: tuple[float, ...], change: Change
) -> None:
    found = changes(tmp_path, figures(100, 101, 102), figures(*new))
    assert found["requests_per_second"] is change


def test_more_cpu_and_more_memory_are_worse(tmp_path: Path) -> None:
    found = changes(tmp_path, figures(1, 1, 1), figures(1, 1, 1, cpu=25e-6, peak=60_000_000))
    assert found == {"requests_per_second": Change.SAME, "cpu_per_request": Change.WORSE, "peak": Change.WORSE}


def test_the_exit_code_says_that_something_is_worse(tmp_path: Path) -> None:
    old = written(tmp_path / "old.json", get=figures(100, 101, 102), idle=figures(1, 1, 1))
    new = written(tmp_path / "new.json", get=figures(50, 51, 52))
    command = [sys.executable, "-m", "bench.compare"]
    done = subprocess.run([*command, old, new], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "0.50×  WORSE" in done.stdout
    assert "idle, vezaflow, 64 VUs" in done.stdout
    assert subprocess.run([*command, old, old], cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"schema": 0}')
    with pytest.raises(ValueError, match="schema is 0, not 1"):
        rounds_of(tmp_path / "a.json")
