"""`python -m bench.soak`: the shipped suite for an hour against a sandbox, and whether the generator stays as it is.

Read from /proc every few seconds, of the generator alone (the sandbox is a child of its): bytes resident, open files,
threads. The first five minutes are warm-up: connections, caches and histograms come into being. A line is fitted to
the rest, and what it grows by is held against a bound. Ends with 1 if one is out of bounds, or if the run itself did
not end as one does (green or red: a soak judges the generator).

The bound for memory is 200 B/s, 17 MB a day, and 512 KiB besides, whatever the time: the allocator takes memory in
steps of 150 KB, and a rare time's octave is a few KB of histograms. So ten minutes find what grows by 2 KB/s, twenty
0.8 KB/s, an hour 0.36 KB/s, eight hours 0.22 KB/s. Files and threads may come and go with the load, by a twentieth;
they may not grow.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, mean

from bench.processes import end, keep_history_apart
from vezaflow.units import Dimension, parse_as

SUITE = Path(__file__).parent.parent / "flows"
WARM_UP = 300.0  # seconds
LAST = 5.0  # seconds before the end of the load that are left out
SPARE = 90.0  # seconds beyond the load: starting, graceful stops, reports
ENDED = (0, 98, 99)
PER_SECOND, STEP = 200.0, 512 * 1024  # bytes
BAND, FEW = 0.05, 3.0  # of files and threads: a share of their number, and how many at least


@dataclass(frozen=True, slots=True)
class Sample:
    """The generator at a time (seconds since its start)."""

    at: float
    resident: float  # bytes
    files: float
    threads: float


@dataclass(frozen=True, slots=True)
class Series:
    """One figure over the time that counts."""

    name: str
    first: float
    last: float
    least: float
    most: float
    slope: float  # a second
    seconds: float
    bound: float  # of the slope

    @property
    def held(self) -> bool:
        return self.slope <= self.bound


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    add = parser.add_argument
    add("--duration", default="1h", help="of the load: 10m, 1h")
    add("--scale", type=float, default=0.2, help="of the suite's 1650 VUs")
    add("--every", type=float, default=5.0, help="seconds between two looks")
    add("--samples", type=Path, help="also write what was seen to this file, a line of numbers each time")
    return parser.parse_args()


def _look(pid: int, at: float) -> Sample:
    status = dict(line.partition(":")[::2] for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return Sample(at, int(status["VmRSS"].split()[0]) * 1024, files, int(status["Threads"]))


def _samples(process: subprocess.Popen[bytes], seconds: float, every: float) -> Iterator[Sample]:
    """One look after another while the load lasts."""
    begun = time.monotonic()
    while (at := time.monotonic() - begun) < seconds - LAST:
        try:
            yield _look(process.pid, at)
        except (OSError, KeyError):
            return  # it has ended
        try:
            process.wait(every)
            return
        except subprocess.TimeoutExpired:
            continue


def _series(name: str, times: Sequence[float], values: Sequence[float], bound: float) -> Series:
    slope = linear_regression(times, values).slope
    return Series(name, values[0], values[-1], min(values), max(values), slope, times[-1] - times[0], bound)


def judged(samples: Sequence[Sample]) -> list[Series]:
    """The figures after the warm-up, each with its bound."""
    steady = [sample for sample in samples if sample.at >= WARM_UP]
    if len(steady) < 10:
        raise SystemExit(f"only {len(steady)} looks after the warm-up: a longer `--duration`, or look more often")
    times = [sample.at for sample in steady]
    lasted = times[-1] - times[0]
    files, threads = [sample.files for sample in steady], [sample.threads for sample in steady]
    return [
        _series("resident bytes", times, [sample.resident for sample in steady], PER_SECOND + STEP / lasted),
        _series("open files", times, files, max(FEW, BAND * mean(files)) / lasted),
        _series("threads", times, threads, max(FEW, BAND * mean(threads)) / lasted),
    ]


def _show(series: Series) -> None:
    print(
        f"{series.name:<16}{series.first:>14,.0f}{series.last:>14,.0f}{series.least:>14,.0f}{series.most:>14,.0f}"
        f"{series.slope:>+12,.3f}{series.bound:>12,.3f}  {'held' if series.held else 'BROKE'}"
    )


def main() -> int:
    options = _arguments()
    keep_history_apart()
    seconds = parse_as(options.duration, Dimension.TIME).amount
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        command = [sys.executable, "-m", "vezaflow", "run", str(SUITE), "--sandbox", "--quiet"]
        command += ["--scale", str(options.scale), "--duration", options.duration]
        looks = f"a look every {options.every:g} s"
        print(f"{options.duration} at {options.scale:g} of the suite's load, {looks}", flush=True)
        with Path(folder, "output").open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
            try:
                samples = list(_samples(process, seconds, options.every))
                code = process.wait(SPARE)
            finally:
                end(process)
        if options.samples:
            lines = (f"{s.at:.1f} {s.resident:.0f} {s.files:.0f} {s.threads:.0f}\n" for s in samples)
            options.samples.write_text("".join(lines))
        if code not in ENDED:
            print(Path(folder, "output").read_text(errors="replace"))
            print(f"the run ended with {code}")
            return 1
        print(Path(folder, "output").read_text(errors="replace").splitlines()[0])
    found = judged(samples)
    print(f"{'':<16}{'first':>14}{'last':>14}{'least':>14}{'most':>14}{'a second':>12}{'bound':>12}")
    for series in found:
        _show(series)
    return 0 if all(series.held for series in found) else 1


if __name__ == "__main__":
    sys.exit(main())
