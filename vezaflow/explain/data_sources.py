"""The data sources of a plan, and whether the load can use their rows up. Of a segment: its share of both."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from math import inf

from vezaflow import units
from vezaflow.model import AtEnd, Each, Executor, RowPick
from vezaflow.plan import PlannedDataSource, PlannedLoad, Segment, outline


@dataclass(frozen=True, slots=True)
class RowDemand:
    """How often one flow takes a row, at least and at most (None: nobody knows)."""

    flow: str
    least: int
    most: int | None


class Lasts(Enum):
    """Whether the rows are enough."""

    YES = "enough"
    PERHAPS = "may be exhausted"
    NO = "too few"


@dataclass(frozen=True, slots=True)
class DataSourceExplained:
    """One source. `rows` are all that it has, `share` those that this segment deals. `uneven`: how many workers have an
    even part of them, where one of them may want more than that."""

    data_source: PlannedDataSource
    rows: int
    share: int
    taken: tuple[RowDemand, ...]
    uneven: int = 0

    @property
    def least(self) -> int:
        return _together(self.data_source, (taken.least for taken in self.taken))

    @property
    def most(self) -> int | None:
        known = [taken.most for taken in self.taken]
        return None if None in known else _together(self.data_source, (most for most in known if most is not None))

    @property
    def lasts(self) -> Lasts:
        if not self.data_source.ends or (self.most is not None and self.most <= self.share and not self.uneven):
            return Lasts.YES
        return Lasts.NO if self.least > self.share else Lasts.PERHAPS


def _together(data_source: PlannedDataSource, counts: Iterable[int]) -> int:
    """Of flows that share a source: VU k of each has the same row."""
    return max(counts, default=0) if data_source.pick is RowPick.PER_VU else sum(counts)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far its data lets a flow come: VUs and iterations at least, iterations at most (None: as far as it likes)."""

    vus: float = inf
    iterations: float = inf
    most: int | None = None
    lacks: str = ""


def reach_of(flow: str, data_sources: Iterable[DataSourceExplained]) -> Reach:
    """Of a source that may not be enough. A VU that finds no row stops nobody else with `stop_vu`; else who is stopped
    before its first iteration only the run tells, as it does where flows share the rows. A worker has used up its
    part before it stops the others."""
    reach = Reach()
    for found in data_sources:
        if found.lasts is Lasts.YES or flow not in (taken.flow for taken in found.taken):
            continue
        alone = len(found.taken) == 1
        if found.data_source.each is Each.ITERATION:
            sure = found.share // max(1, found.uneven) if alone else 0
            most = found.share if reach.most is None else min(found.share, reach.most)
            reach = replace(reach, iterations=min(sure, reach.iterations), most=most, lacks=found.data_source.name)
        else:
            sure = found.share if alone and found.data_source.at_end is AtEnd.STOP_VU and not found.uneven else 0
            reach = replace(reach, iterations=min(sure, reach.iterations), vus=min(sure, reach.vus))
    return reach


def taken_by(
    flow: str, data_source: PlannedDataSource, load: PlannedLoad, iterations: tuple[int, int | None], segment: Segment
) -> RowDemand:
    """How many rows one flow takes; `iterations` are those of the segment."""
    if data_source.pick is RowPick.PER_VU:
        return RowDemand(flow, segment.share(load.vus), segment.share(load.max_vus))
    if data_source.each is Each.ITERATION:
        return RowDemand(flow, *iterations)
    return RowDemand(flow, segment.share(load.vus), _arrivals(load, segment))


def _arrivals(load: PlannedLoad, segment: Segment) -> int | None:
    """How many VUs come at most; who comes again is another one."""
    if load.executor is Executor.EXTERNALLY_CONTROLLED:
        return None
    if load.is_open:
        return segment.share(load.max_vus)
    counts = [0, *(change.vus for change in segment.slice(outline(load)))]
    return sum(max(0, after - before) for before, after in pairwise(counts))


def data_source_words(found: DataSourceExplained, segment: Segment) -> Iterator[str]:
    """What it is, and how far its rows reach."""
    data_source = found.data_source
    rows = f"{units.counted(found.rows, 'row')} of {data_source.where}"
    share = f" ({found.share:,} of them for segment {segment})" if found.share != found.rows else ""
    flows = ", ".join(taken.flow for taken in found.taken)
    yield f"{data_source.name}: {rows}{share}, {_PICKS[data_source.pick]} for each {_WHOM[data_source.each]} of {flows}"
    yield _reach(found)


def _reach(found: DataSourceExplained) -> str:
    data_source = found.data_source
    if not data_source.ends:
        return "never exhausted" if data_source.pick is RowPick.RANDOM else "repeats"
    taken = f"at least {found.least:,}" if found.most is None else f"{found.least:,} to {found.most:,}"
    if found.least == found.most:
        taken = f"{found.least:,}"
    if found.uneven and found.most is not None and found.most <= found.share:
        taken += ", and a worker may use more rows than the others"
    return f"{found.lasts.value}: the load takes {taken}; at the end {_ENDS[data_source.at_end]}"


_PICKS = {
    RowPick.SEQUENTIAL: "one after another",
    RowPick.RANDOM: "one at random",
    RowPick.SHUFFLE: "shuffled, one",
    RowPick.PER_VU: "its own",
    RowPick.UNIQUE: "a unique one",
}
_WHOM = {Each.VU: "VU", Each.ITERATION: "iteration", Each.RUN: "run"}
_ENDS = {
    AtEnd.WRAP: "the rows repeat",
    AtEnd.STOP_VU: "the VU stops",
    AtEnd.STOP_FLOW: "the flow stops",
    AtEnd.INCONCLUSIVE: "the flow stops and the run is inconclusive",
}
