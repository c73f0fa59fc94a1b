"""`python -m bench`: contenders side by side on this machine, in turn, medians of a few rounds.

nginx has one core, the generator of the moment another. Every run is bounded by measure.LIMIT, and what the
whole will take is said beforehand. `--check` measures nothing: it shows what each contender really sends.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from bench.check import check
from bench.contenders import FINDERS, Contender, Job, cache_folder, find
from bench.limits import allow_many_sockets
from bench.measure import LIMIT, Figures, RunError, duration, measure
from bench.nginx import Target, target
from bench.processes import keep_history_apart
from bench.report import Runs, show, write
from bench.scenarios import SCENARIOS, Scenario


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=3, help="how often each is measured; the median is shown")
    add("--window", type=float, default=4.0, help="seconds that are measured of a run (at most 6)")
    add("--only", default=",".join(FINDERS), help="contenders, by commas")
    add("--scenarios", default=",".join(s.name for s in SCENARIOS), help="scenarios, by commas")
    add("--target-core", type=int, default=0)
    add("--generator-core", default="1", help="or cores, by commas")
    add("--tls", action="store_true", help="over TLS 1.3; no contender verifies the certificate")
    add("--workers", type=int, default=1, help="vezaflow's processes; give generators cores enough")
    add("--json", type=Path, help="also write the figures to this file")
    add("--check", action="store_true", help="show what each contender sends, and measure nothing")
    add("--cache", type=Path, default=cache_folder(), help="where the rivals' venvs are kept")
    return parser.parse_args()


def _chosen(names: str) -> list[Scenario]:
    known = {scenario.name: scenario for scenario in SCENARIOS}
    unknown = [name for name in names.split(",") if name not in known]
    if unknown:
        raise SystemExit(f"no scenario {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names.split(",")]


def _one(
    contender: Contender, scenario: Scenario, vus: int, where: Target, options: argparse.Namespace
) -> Figures | None:
    """One measured run in a folder of its own; None if it failed, with the reason on stderr."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        job = Job(scenario, vus, duration(options.window), where.base, Path(folder), options.workers)
        try:
            return measure(contender, job, where, options.generator_core, options.window)
        except RunError as failure:
            print(f"{contender.name} failed at {scenario.name} with {vus} VUs: {failure}", file=sys.stderr)
            return None


def _rounds(contenders: list[Contender], scenarios: list[Scenario], where: Target, options: argparse.Namespace) -> Runs:
    """All runs. `idle` is also run with one VU, so that what an interpreter weighs is not counted as VUs."""
    runs: Runs = defaultdict(list)
    for number in range(1, options.rounds + 1):
        for scenario in scenarios:
            for contender in contenders:
                for vus in (1, scenario.vus) if scenario.name == "idle" else (scenario.vus,):
                    print(f"round {number}: {scenario.name}, {contender.name}, {vus} VUs", file=sys.stderr)
                    figures = _one(contender, scenario, vus, where, options)
                    if figures is not None:
                        runs[scenario.name, contender.name, vus].append(figures)
    return runs


def main() -> None:
    options = _arguments()
    options.window = min(max(options.window, 0.5), 6.0)
    scenarios = _chosen(options.scenarios)
    unknown = [name for name in options.only.split(",") if name not in FINDERS]
    if unknown:
        raise SystemExit(f"no contender {', '.join(unknown)}; there are {', '.join(FINDERS)}")
    contenders = find(options.only.split(","), options.cache)
    allow_many_sockets()
    keep_history_apart()
    with tempfile.TemporaryDirectory(prefix="bench-target-") as folder:
        if options.check:
            check(contenders, scenarios, Path(folder), options)
            return
        count = sum(2 if s.name == "idle" else 1 for s in scenarios) * len(contenders) * options.rounds
        usual = duration(options.window) + 0.5
        print(f"{count} runs of about {usual:.0f} s: {count * usual / 60:.0f} minutes", file=sys.stderr)
        print(f"(at most {count * (LIMIT + 6) / 60:.0f}, were each to hang)", file=sys.stderr)
        with target(Path(folder), options.target_core, tls=options.tls) as where:
            runs = _rounds(contenders, scenarios, where, options)
            many = f", vezaflow with {options.workers} workers" if options.workers > 1 else ""
            setting = f"{where.version} on core {options.target_core}; generators on {options.generator_core}{many}"
            show(runs, contenders, scenarios, setting)
            if options.json:
                write(options.json, runs, contenders, scenarios, setting)


if __name__ == "__main__":
    main()
