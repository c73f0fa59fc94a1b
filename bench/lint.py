"""How long `vezaflow lint` takes, as pre-commit feels it: a new process each time.

    python -m bench.lint              fifteen runs over flows/, and over 200 flows made of them
    python -m bench.lint --rounds 5

What is printed is the median of the wall times and of the CPU times; on a busy machine trust the second. Bytecode is
kept in a folder of the measurement's own, as an installed vezaflow keeps it.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FLOWS = Path(__file__).parent.parent / "flows"
MANY = 200


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.lint", description="How long `vezaflow lint` takes.")
    parser.add_argument("--rounds", type=int, default=15, help="runs of each (15)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        many = Path(folder, "many")
        copies(many)
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        for name, suite in (("flows/", FLOWS), (f"{MANY} flows", many)):
            wall, cpu = measured(suite, environment, rounds)
            print(f"{name:10} {wall * 1000:6.0f} ms, of which CPU {cpu * 1000:6.0f} ms")


def copies(folder: Path) -> None:
    """A suite of many flows: the shipped ones again and again, under names of their own."""
    folder.mkdir()
    shipped = sorted(path for path in FLOWS.glob("*.yml") if path.stem != "suite")
    (folder / "suite.yml").write_text((FLOWS / "suite.yml").read_text(encoding="utf-8"), encoding="utf-8")
    for number in range(MANY):
        path = shipped[number % len(shipped)]
        text = path.read_text(encoding="utf-8").replace(f"flow: {path.stem}", f"flow: {path.stem}-{number}")
        (folder / f"{path.stem}-{number}.yml").write_text(text, encoding="utf-8")


def measured(suite: Path, environment: dict[str, str], rounds: int) -> tuple[float, float]:
    """The medians of the wall and the CPU times, in seconds, after a run that only warms the caches."""
    times = [_once(suite, environment) for _ in range(rounds + 1)][1:]
    return statistics.median(wall for wall, _ in times), statistics.median(cpu for _, cpu in times)


def _once(suite: Path, environment: dict[str, str]) -> tuple[float, float]:
    before, begin = _cpu(), time.perf_counter()
    command = [sys.executable, "-m", "vezaflow", "lint", str(suite)]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin, _cpu() - before


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
