"""`python -m fuzz`: each target in turn for some seconds, led by what code it reaches.

What was found stays in results/fuzz/NAME/ and is where the next run begins; what crashed a target lies beside it as
crash-…, and `python -m fuzz.one NAME FILE` shows it again.
"""

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

from fuzz.targets import TARGETS

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results" / "fuzz"
_OPTIONS = ("-timeout=10", "-rss_limit_mb=1024", "-max_len=8192", "-print_final_stats=1", "-verbosity=0")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all if none is named")
    parser.add_argument("--seconds", type=int, default=30, help="for each target")
    options = parser.parse_args()
    unknown = set(options.names) - set(TARGETS)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    failed = [name for name in options.names or TARGETS if not _fuzzed(name, options.seconds)]
    if failed:
        sys.stderr.write(f"crashed: {', '.join(failed)}\n")
    return 1 if failed else 0


def _fuzzed(name: str, seconds: int) -> bool:
    """Whether a target withstood it."""
    corpus = RESULTS / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in TARGETS[name].seeds:
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    command = [sys.executable, "-m", "fuzz.one", name, str(corpus), f"-max_total_time={seconds}", *_OPTIONS]
    command.append(f"-artifact_prefix={RESULTS}/{name}-")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("INFO:")]
    tried = next((line.split()[-1] for line in lines if "number_of_executed_units" in line), "?")
    sys.stderr.write(f"{name}: {tried} inputs in {seconds} s, {len(list(corpus.iterdir()))} kept\n")
    if done.returncode:
        sys.stderr.write("\n".join(lines) + "\n")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
