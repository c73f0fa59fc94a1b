"""A run's seconds, unpacked once for all drawings: each step's requests, failures and times in at most 300 columns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from vezaflow.metrics import Histogram, Seconds, StepName, merged

MOST = 300  # columns


@dataclass(frozen=True, slots=True)
class StepPart:
    """What was seen of one step, or of several, in one column."""

    requests: int
    failed: int
    times: Histogram


@dataclass(frozen=True, slots=True)
class PageColumn:
    """The `length` seconds that ended `end` seconds after the run's start."""

    end: float
    length: float
    steps: Mapping[StepName, StepPart]


NOTHING = StepPart(0, 0, Histogram())


@dataclass(frozen=True, slots=True)
class PageColumns:
    """The columns in the order of time. Of what gates judge."""

    columns: tuple[PageColumn, ...]
    steps: tuple[StepName, ...]
    _added: dict[frozenset[StepName], tuple[StepPart, ...]] = field(default_factory=dict)  # what was asked before

    def of(self, wanted: Callable[[StepName], bool] = lambda _: True) -> tuple[StepPart, ...]:
        """Column by column, the steps that are wanted together."""
        names = frozenset(filter(wanted, self.steps))
        if names not in self._added:
            self._added[names] = tuple(
                together(each for name, each in column.steps.items() if name in names) for column in self.columns
            )
        return self._added[names]

    @property
    def ends(self) -> tuple[float, ...]:
        return tuple(column.end for column in self.columns)


def columns_of(seconds: Seconds) -> PageColumns:
    """The seconds, neighbours together where there are more than fit."""
    columns = tuple(
        PageColumn(
            interval.second,
            interval.length,
            {name: StepPart(step.requests, step.failed, step.duration) for name, step in interval.steps.items()},
        )
        for interval in seconds.intervals
    )
    return coarser(PageColumns(columns, seconds.steps), MOST)


def coarser(seen: PageColumns, most: int) -> PageColumns:
    """The same in at most so many columns."""
    stride = ceil(len(seen.columns) / most)
    if stride <= 1:
        return seen
    columns = (seen.columns[at : at + stride] for at in range(0, len(seen.columns), stride))
    return PageColumns(tuple(map(_joined, columns)), seen.steps)


def _joined(columns: Sequence[PageColumn]) -> PageColumn:
    found: dict[StepName, list[StepPart]] = {}
    for column in columns:
        for name, each in column.steps.items():
            found.setdefault(name, []).append(each)
    steps = {name: together(held) for name, held in found.items()}
    return PageColumn(columns[-1].end, sum(column.length for column in columns), steps)


def together(parts: Iterable[StepPart]) -> StepPart:
    """Several observations as one."""
    held = tuple(parts)
    if len(held) == 1:
        return held[0]
    if not held:
        return NOTHING
    requests, failed = (sum(counts) for counts in zip(*((each.requests, each.failed) for each in held), strict=True))
    return StepPart(requests, failed, merged(each.times for each in held))
