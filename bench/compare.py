"""`python -m bench.compare OLD.json NEW.json`: what got better or worse between two files of `python -m bench --json`.

Medians of the rounds, and their ratio: above 1 is better in every column. A difference counts as one if the rounds of
the two do not overlap and the medians are further apart than the noise of a quiet machine; with fewer than three rounds
it must be larger still. The exit code is 1 if anything got worse.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import SCHEMA

NOISE = 0.02  # of the medians, with rounds enough
ALONE = 0.10  # with fewer
ENOUGH = 3  # rounds
# Columns, and whether more is better.
COLUMNS = {"requests_per_second": True, "cpu_per_request": False, "peak": False}

Key = tuple[str, str, int]  # scenario, contender, VUs


class Change(Enum):
    """What became of a figure."""

    BETTER = "better"
    SAME = "within noise"
    WORSE = "WORSE"


@dataclass(frozen=True, slots=True)
class Compared:
    """One column of one contender's work. `ratio`: how many times better the new is."""

    key: Key
    column: str
    old: float
    new: float
    ratio: float
    change: Change


def rounds_of(path: Path) -> dict[Key, dict[str, list[float]]]:
    """The figures of a file: by what was measured and by column, one each round. ValueError if it is none."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if document.get("schema") != SCHEMA:
        raise ValueError(f"{path} is no figures of this bench: its schema is {document.get('schema')}, not {SCHEMA}")
    return {
        (each["scenario"], each["contender"], each["vus"]): {
            column: [float(one[column]) for one in each["rounds"]] for column in COLUMNS
        }
        for each in document["results"]
        if each["rounds"]
    }


def compare(old: dict[Key, dict[str, list[float]]], new: dict[Key, dict[str, list[float]]]) -> Iterator[Compared]:
    """What both have, column by column."""
    for key in (key for key in old if key in new):
        for column, more_is_better in COLUMNS.items():
            before, after = old[key][column], new[key][column]
            ratio = median(after) / median(before) if more_is_better else median(before) / median(after)
            yield Compared(key, column, median(before), median(after), ratio, _change(before, after, ratio))


def _change(before: list[float], after: list[float], ratio: float) -> Change:
    noise = NOISE if min(len(before), len(after)) >= ENOUGH else ALONE
    overlap = max(before) >= min(after) and max(after) >= min(before)
    if overlap or 1 / (1 + noise) <= ratio <= 1 + noise:
        return Change.SAME
    return Change.BETTER if ratio > 1 else Change.WORSE


def lines(found: list[Compared]) -> Iterator[str]:
    for each in found:
        scenario, contender, vus = each.key
        yield (
            f"{scenario:<12} {contender:<10} {vus:>5} VUs  {each.column:<20} {each.old:>12.6g} → {each.new:<12.6g} "
            f"{each.ratio:5.2f}×  {each.change.value}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    options = parser.parse_args()
    try:
        old, new = rounds_of(options.old), rounds_of(options.new)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    found = list(compare(old, new))
    if not found:
        parser.error("the two have nothing in common")
    print("\n".join(lines(found)))
    missing = sorted(key for key in old if key not in new)
    if missing:
        print(f"only in {options.old}: " + "; ".join(f"{name}, {who}, {vus} VUs" for name, who, vus in missing))
    return 1 if any(each.change is Change.WORSE for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
