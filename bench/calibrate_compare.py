"""`python -m bench.calibrate_compare`: how often `vezaflow compare` is wrong, by runs whose truth is known.

Pairs of simulated five-minute runs (bench/simulated_runs.py) without any change, which should show one in at most 5 %
of pairs, and with the first step 10 % slower, which should be found in at least 90 % where the runs allow it. With
files (`--files A.json B.json …`) real runs instead: two and two, without and with the spread of five others.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.simulated_runs import Truth, simulated
from vezaflow.compare import (
    UNKNOWN,
    Change,
    FigureKind,
    Judgement,
    Resampled,
    Spread,
    changes_between,
    compare,
    counts_of,
    resampled,
    spread_between,
)

EARLIER_RESAMPLES = 100


@dataclass(frozen=True)
class Case:
    name: str
    truth: Truth
    earlier: int = 0  # runs that the spread is known from
    slower: float = 0.0


RESTLESS, CALM = Truth(), Truth(mood=0.05)
CASES = (
    Case("A/A, runs alike, spread not known", RESTLESS),
    Case("A/A, runs differ by 3 %, spread not known", replace(RESTLESS, between=0.03)),
    Case("A/A, runs alike, spread of 5 runs", RESTLESS, 5),
    Case("A/A, runs differ by 3 %, spread of 5 runs", replace(RESTLESS, between=0.03), 5),
    Case("+10 %, calm, runs alike, spread of 5 runs", CALM, 5, 0.1),
    Case("+10 %, calm, runs differ by 0.5 %, spread of 5 runs", replace(CALM, between=0.005), 5, 0.1),
    Case("+10 %, restless, runs differ by 0.5 %, spread of 5 runs", replace(RESTLESS, between=0.005), 5, 0.1),
    Case("+10 %, calm, runs alike, spread not known", CALM, slower=0.1),
    Case("+15 %, calm, runs alike, spread not known", CALM, slower=0.15),
    Case("+20 %, restless, runs alike, spread not known", RESTLESS, slower=0.2),
)
"""Restless: the level of a server's seconds has an sd of 8 %, calm: of 5 %."""


@dataclass(frozen=True)
class Found:
    alarms: int  # pairs in which something that had not changed shows a change
    p95: int  # pairs in which the p95 of the slower step is found
    unclear: int  # pairs in which that is too little to tell
    pairs: int


def found_in(case: Case, pairs: int, seed: int = 1, resamples: int = 500) -> Found:
    """What the comparison says of so many pairs."""
    random = np.random.default_rng(seed)
    alarms = p95 = unclear = 0
    for number in range(pairs):
        changes = _pair(case, number, random, resamples)
        changed = [change for change in changes if change.judgement.real]
        alarms += any(not case.slower or change.step[1] != "step 0" for change in changed)
        judgement = next(c.judgement for c in changes if c.step[1] == "step 0" and c.metric is FigureKind.P95)
        p95 += judgement is Judgement.WORSE
        unclear += judgement is Judgement.UNCLEAR
    return Found(alarms, p95, unclear, pairs)


def _pair(case: Case, number: int, random: np.random.Generator, resamples: int) -> tuple[Change, ...]:
    def run(name: str, truth: Truth, resamples: int = resamples) -> Resampled:
        return resampled(simulated(truth, f"{name} {number}", random), "", resamples)

    spread = _spread([run(f"earlier {n}", case.truth, EARLIER_RESAMPLES) for n in range(case.earlier)])
    before, after = run("before", case.truth), run("after", replace(case.truth, slower=case.slower))
    return changes_between(before, after, spread, number)


def _spread(runs: list[Resampled]) -> Spread:
    return spread_between(runs) if runs else UNKNOWN


def _real(files: Iterable[Path]) -> None:
    from vezaflow.cli.runs import named
    from vezaflow.compare import spread_of

    runs = [named(str(file)) for file in files]
    pairs = [(runs[at], runs[at + 1]) for at in range(0, len(runs) - 1, 2)]
    alone = sum(any(c.judgement.real for c in compare(a, b).changes) for a, b in pairs)
    print(f"{len(pairs)} real pairs, spread not known: {alone} show a change")
    known = 0
    for a, b in pairs:
        others = [run for run in runs if run not in (a, b)][:5]
        known += any(c.judgement.real for c in compare(a, b, spread_of(others)).changes)
    print(f"{len(pairs)} real pairs, spread known from 5 others: {known} show a change")
    within = [resampled(counts_of(run.run_id, run.seconds)) for run in runs]
    print(f"blocks: {sorted(each.block for each in within)}")
    print("spread:", {f"{k[0][1]} {k[1].value}": round(v, 4) for k, v in spread_between(within).deviations.items()})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.calibrate_compare", description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="cases whose name has this")
    parser.add_argument("--files", nargs="*", type=Path, default=[], help="summary files of runs of one suite")
    options = parser.parse_args()
    if options.files:
        _real(options.files)
        return
    for case in CASES:
        if options.only in case.name:
            found = found_in(case, options.pairs, options.seed)
            shares = [f"{n / found.pairs:6.1%}" for n in (found.alarms, found.p95, found.unclear)]
            print(
                f"{case.name:60} false {shares[0]}  p95 found {shares[1]}  too little to tell {shares[2]}", flush=True
            )


if __name__ == "__main__":
    main()
