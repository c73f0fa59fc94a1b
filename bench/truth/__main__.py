"""`python -m bench.truth`: what each generator reports, less what is true.

The target (server.c) knows how long each of its answers took, from the kernel's stamp of the request to the answer's
last byte in the client's socket; it has one core, the generator of the moment another. How much each tool
can send is found first; then each is pressed lightly, with 1650 VUs, at 90 % of its own limit and beyond it; and last
with a server that freezes. Every run is bounded, and what the whole will take is said beforehand. Ends with 1 where a
figure of vezaflow's is not near the truth, or a part of the load is missing, and the run was not called inconclusive.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from bench.contenders import Contender, cache_folder, find
from bench.limits import allow_many_sockets
from bench.processes import keep_history_apart
from bench.truth.loads import FREEZING, TARGETS, Load, Target, arrivals, few_users, flat_out, loads, too_much
from bench.truth.report import Cell, holds, show, write
from bench.truth.server import compiled
from bench.truth.tools import TOOLS, question
from bench.truth.trial import Place, Trial, TrialError, trial

OVERHEAD = 2.0  # seconds a run takes beyond its load


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.truth", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="one round of short runs, one latency distribution: under three minutes")
    add("--rounds", type=int, default=3, help="how often each is measured; the median is shown")
    add("--seconds", type=float, default=8.0, help="of one run's load")
    add("--only", default=",".join(TOOLS), help="tools, by commas")
    add("--targets", default=",".join(t.name for t in (*TARGETS, FREEZING)), help="targets, by commas")
    add("--target-core", type=int, default=0)
    add("--generator-core", type=int, default=1)
    add("--json", type=Path, help="also write the figures to this file")
    add("--cache", type=Path, default=cache_folder(), help="where the server and the rivals' venvs are kept")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.targets = 1, 5.0, f"lognormal,{FREEZING.name}"
    return options


class Bench:
    """The trials made so far."""

    def __init__(self, place: Place, contenders: list[Contender]) -> None:
        self.trials: dict[Cell, list[Trial]] = defaultdict(list)
        self.limits: dict[str, float] = {}
        self._place = place
        self._contenders = contenders

    def calibrate(self) -> None:
        """Find what each tool sends at most: of users who don't think, and from there of as many who do, which takes
        more of its core."""
        for contender in self._contenders:
            found = self._try(contender, TARGETS[0], flat_out(4.0))
            most = found and self._try(contender, TARGETS[0], too_much(found.rate, TARGETS[0], 4.0))
            if most is not None:
                self.limits[contender.name] = most.rate
                print(f"{contender.name} sends {most.rate:,.0f} requests/s at most", file=sys.stderr)

    def press(self, target: Target, seconds: float) -> None:
        ladders = {name: loads(limit, target, seconds) for name, limit in self.limits.items()}
        for rung in range(4):
            for contender in self._contenders:
                if contender.name in ladders:
                    self._keep(contender, target, ladders[contender.name][rung])

    def freeze(self, seconds: float) -> None:
        for load in (few_users(seconds), arrivals(seconds)):
            for contender in self._contenders:
                if question(contender, load).exists():
                    self._keep(contender, FREEZING, load)

    def _keep(self, contender: Contender, target: Target, load: Load) -> None:
        found = self._try(contender, target, load)
        if found is not None:
            self.trials[target.name, load.name, contender.name].append(found)

    def _try(self, contender: Contender, target: Target, load: Load) -> Trial | None:
        print(f"{target.name}, {load.name}: {contender.name}", file=sys.stderr)
        try:
            return trial(contender, target, load, self._place)
        except TrialError as failure:
            print(f"{contender.name} failed: {failure}", file=sys.stderr)
            return None


def main() -> None:
    options = _arguments()
    chosen = [t for t in (*TARGETS, FREEZING) if t.name in options.targets.split(",")]
    contenders = find([name for name in options.only.split(",") if name in TOOLS], options.cache)
    allow_many_sockets()
    keep_history_apart()
    bench = Bench(Place(compiled(options.cache), options.target_core, options.generator_core), contenders)
    frozen = 10.0 if options.quick else 20.0
    each = sum(2 * (frozen + OVERHEAD) if t is FREEZING else 4 * (options.seconds + OVERHEAD) for t in chosen)
    minutes = len(contenders) * (12 + options.rounds * each) / 60
    print(f"about {minutes:.0f} minutes", file=sys.stderr)
    bench.calibrate()
    for _ in range(options.rounds):
        for target in chosen:
            if target is FREEZING:
                bench.freeze(frozen)
            else:
                bench.press(target, options.seconds)
    for target in chosen:
        show(bench.trials, target.name, target.says)
    if options.json:
        write(options.json, bench.trials, bench.limits, contenders)
    ours = [found for (_, _, tool), found in bench.trials.items() if tool == "vezaflow"]
    sys.exit(0 if all(holds(found) for found in ours) else 1)


if __name__ == "__main__":
    main()
