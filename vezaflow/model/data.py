"""Data sources as written, with their rows: what `data` declares and VUs are dealt."""

from dataclasses import dataclass
from enum import Enum

from vezaflow.diagnostics import Span
from vezaflow.syntax import Literal, Rows


class Each(Enum):
    """For whom there is a new value, or a new row."""

    RUN = "run"
    VU = "vu"
    ITERATION = "iteration"

    @property
    def title(self) -> str:
        return "VU" if self is Each.VU else self.value

    def is_within(self, other: "Each") -> bool:
        """Whether the other has many of these: a run has VUs, a VU iterations."""
        order = list(Each)
        return order.index(self) > order.index(other)


class RowPick(Enum):
    """Which row comes next: the key `pick`."""

    SEQUENTIAL = "sequential"
    RANDOM = "random"
    SHUFFLE = "shuffle"
    PER_VU = "per_vu"
    UNIQUE = "unique"


class AtEnd(Enum):
    """What happens when a row is wanted and all have been dealt."""

    WRAP = "wrap"
    STOP_VU = "stop_vu"
    STOP_FLOW = "stop_flow"
    INCONCLUSIVE = "inconclusive"  # the flow stops, and the run proves nothing


class DataFormat(Enum):
    """What a file of rows is written in, by its key."""

    CSV = "csv"
    JSON = "json"
    JSON_LINES = "jsonl"


@dataclass(frozen=True, slots=True)
class DataFile:
    format: DataFormat
    path: Literal
    delimiter: str


@dataclass(frozen=True, slots=True)
class DataSource:
    """One data source. `each` and `at_end` are what holds; the spans show them where they are written."""

    name: str
    file: DataFile | None  # None: the rows stand in the flow
    rows: Rows | None  # None: not to be read, which was reported
    pick: RowPick
    each: Each
    at_end: AtEnd
    secrets: tuple[tuple[str, Span], ...]  # columns
    span: Span  # of the name
    pick_span: Span | None = None
    each_span: Span | None = None
    at_end_span: Span | None = None

    @property
    def ends(self) -> bool:
        """Whether the rows can be exhausted."""
        return self.pick is not RowPick.RANDOM and self.at_end is not AtEnd.WRAP

    @property
    def where(self) -> str:
        """The file, or where else the rows stand."""
        return str(self.file.path.value) if self.file is not None else "the flow"


def usual_each(pick: RowPick) -> Each:
    """For whom a row is dealt where nothing is said."""
    return Each.VU if pick is RowPick.PER_VU else Each.ITERATION


def usual_end(pick: RowPick) -> AtEnd:
    """What happens at the end where nothing is said: what promises a row of one's own must not break it silently."""
    return AtEnd.INCONCLUSIVE if pick in (RowPick.UNIQUE, RowPick.PER_VU) else AtEnd.WRAP
