"""What gates ask of the times of events, a second at a time: from which the figures of any time can be had afterwards,
by somebody who learns only then when events happened.

Laws: a slice has what came since the one before, of the rows and histograms that questions are about, and no texts of
servers. Slices are kept packed. After each MOST of them the next ones are twice as long, so that those of a long load
are few: by the second for half an hour, by two seconds for the hour that follows.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from vezaflow.metrics.figures import Requests
from vezaflow.metrics.rows import SummaryRow
from vezaflow.metrics.summary import SHAPE as SUMMARY
from vezaflow.metrics.summary import Question, Summary, parts_of
from vezaflow.untrusted import Maybe, Shape, TupleOf, misfit

MOST = 1800  # slices of one length
SLICE: Shape = TupleOf((float, float, str))
"""The shape of a slice's JSON."""
_LARGEST = 1 << 26  # bytes of one slice
_NO_TIMES = {"count": 0}  # which most histograms of most rows are: left out


def _rows_of(shape: Shape) -> Shape:
    """The shape of a part of a summary, where each field may be missing."""
    (row,) = shape.shape if isinstance(shape, Maybe) else shape
    return Maybe([{name: each if isinstance(each, Maybe) else Maybe(each) for name, each in row.items()}])


_FIGURES: Shape = {name: _rows_of(shape) for name, shape in SUMMARY.items()}


@dataclass(frozen=True, slots=True)
class LoadSlice:
    """The seconds of the load from `begin` to `end`. `packed`: what came in them."""

    begin: float
    end: float
    packed: str

    def figures(self) -> Summary:
        """ValueError: it has none."""
        import orjson

        unpacking = zlib.decompressobj()
        try:
            record = orjson.loads(unpacking.decompress(b64decode(self.packed, validate=True), _LARGEST))
            if place := misfit(record, _FIGURES):
                raise ValueError(f"`{place}` is invalid")
            return Summary.from_json(record)
        except (zlib.error, ValueError, KeyError, TypeError) as e:
            raise ValueError(f"the slice at {self.begin:g} s is invalid: {e}") from None

    def to_json(self) -> list[Any]:
        return [self.begin, self.end, self.packed]


class Slicer:
    """Cuts a run's summaries into slices, of what these questions need."""

    def __init__(self, questions: Iterable[Question], most: int = MOST) -> None:
        self._questions = tuple(questions)
        self._parts = parts_of(self._questions)
        self._most = most
        self._before: dict[str, dict[Any, Any]] = {}
        self._second = 0.0
        self._slices: list[LoadSlice] = []

    def cut(self, seconds: float, summary: Summary, *, last: bool = False) -> Generator[None]:
        """Keep what came since the last slice, where it is time for one, or where it is the last. A row at a time:
        others may go on in between. Given up, it took nothing. `summary` has the whole run so far, `seconds` of it."""
        length = 1 << len(self._slices) // self._most
        if not self._questions or seconds <= self._second or (seconds - self._second < length - 0.5 and not last):
            return
        now: dict[str, dict[Any, Any]] = {}
        record = Summary().to_json()
        for part in self._parts:
            before = self._before.get(part, {})
            rows = now[part] = {}
            for key, row in summary.asked_rows(part, self._questions):
                rows[key] = row
                came = _bare(row.minus(before[key]) if key in before else row)
                if came.counts:
                    one: dict[str, Any] = {part: {key: came}}
                    record[part] += [
                        {name: value for name, value in written.items() if value != _NO_TIMES}
                        for written in Summary(**one).to_json()[part]
                    ]
                yield
        self._slices.append(LoadSlice(self._second, seconds, _packed(record)))
        self._before, self._second = now, seconds

    def slices(self) -> tuple[LoadSlice, ...]:
        return tuple(self._slices)


def _packed(record: dict[str, Any]) -> str:
    import orjson

    return b64encode(zlib.compress(orjson.dumps(record), 1)).decode()


def _bare(row: SummaryRow) -> SummaryRow:
    """The row without what is shown of single requests."""
    if isinstance(row, Requests):
        return replace(row, first=inf, last=-inf, detail="", traced=(), slowest=())
    return row


def slices_from(record: Iterable[Sequence[Any]]) -> tuple[LoadSlice, ...]:
    """What `LoadSlice.to_json` wrote of each; each of them has the shape SLICE."""
    return tuple([LoadSlice(*each) for each in record])
