"""How long the HTML page of a kept run takes, and how large it is.

    python -m bench.page               the last run of the history
    python -m bench.page RUN           an id, `last-green`, or an exported file: as `vezaflow report` has it
    python -m bench.page --rounds 5

CPU is the median after a page that only loads the templates.
"""

import argparse
import statistics
import time

from vezaflow.cli.runs import named
from vezaflow.reports import html_page
from vezaflow.results import RunResult


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.page", description="How long the page of a run takes.")
    parser.add_argument("run", nargs="?", default="last")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    result = named(options.run)
    size = len(html_page(result))
    cpu = statistics.median(_once(result) for _ in range(options.rounds))
    print(f"{result.run_id}: {cpu * 1000:.0f} ms of CPU, {size / 1000:.0f} KB, {result.duration:.0f} seconds")


def _once(result: RunResult) -> float:
    begin = time.process_time()
    html_page(result)
    return time.process_time() - begin


if __name__ == "__main__":
    main()
