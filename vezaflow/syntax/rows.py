"""Texts full of rows → Rows: CSV with a header, JSON, JSON Lines. What is wrong is shown in the file, at its line.

Laws: a row is a tuple under one header that all rows share, or a bare value where rows have no columns; what a row
lacks is ABSENT. A good file is read once, in one pass. At most MOST_FAULTS faults of a file are told. Values of CSV
stay texts.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TextIO

from vezaflow.diagnostics import Diagnostics, Source, Span
from vezaflow.syntax.json_text import JsonError, json_value

MOST_FAULTS = 5
_HIDDEN = "•••"


class Absent:
    """The value of a column that a row does not have."""

    __slots__ = ()


ABSENT = Absent()


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """`values`: tuples under `columns`; without columns each row is one value."""

    columns: tuple[str, ...]
    values: Sequence[Any]

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"<Rows {len(self.values)} × {', '.join(self.columns) or 'values'}>"

    def texts(self, column: str) -> Iterator[str]:
        """The values of a column as texts, row by row."""
        index = self.columns.index(column)
        return (str(row[index]) for row in self.values if row[index] is not ABSENT)

    def written(self, row: Any) -> Any:
        """One of the rows as an expression sees it whole: a mapping, or its value."""
        if not self.columns:
            return row
        return {name: value for name, value in zip(self.columns, row, strict=True) if value is not ABSENT}


class Opens(Protocol):
    """A text that can be read more than once: the second time to show what is wrong in it."""

    def __call__(self, *, errors: str = "strict") -> TextIO: ...


@dataclass(slots=True)
class RowFile:
    """One file of rows. `hidden`: its lines are never shown, for they hold secrets."""

    path: str
    opens: Opens
    diagnostics: Diagnostics
    hidden: bool = False
    faults: int = 0

    def csv(self, delimiter: str) -> Rows | None:
        """Rows below a header; None if that can't be read."""
        return self._read(lambda text: self._csv(text, delimiter))

    def json(self) -> Rows | None:
        """The items of a JSON list."""
        return self._read(self._json)

    def json_lines(self) -> Rows | None:
        """A JSON value on each line."""
        return self._read(self._json_lines)

    def _read(self, read: Callable[[TextIO], Rows | None]) -> Rows | None:
        try:
            with self.opens() as text:
                found = read(text)
        except UnicodeDecodeError:
            self._not_utf8()
            return None
        return found if not self.faults else None

    def _csv(self, text: TextIO, delimiter: str) -> Rows | None:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        values: list[tuple[str, ...]] = []
        last = 0  # the line that the last good row ends on
        columns: tuple[str, ...] | None = None
        try:
            header = next((row for row in reader if row), None)
            columns = None if header is None else self._header(header, reader.line_num)
            last, width, keep = reader.line_num, len(columns or ()), values.append
            for row in reader:
                if len(row) == width:
                    keep(tuple(row))
                elif row and self._miscounted(row, last + 1, width):
                    break
                last = reader.line_num
        except csv.Error as error:
            self._fault(last + 1, *_in_words(str(error)))
        return None if columns is None else Rows(columns, values)

    def _header(self, header: list[str], line: int) -> tuple[str, ...]:
        names = tuple(name.strip() for name in header)
        text, at = self._line(line), 0
        for number, name in enumerate(names):
            at = max(0, text.find(name, at))
            if not name:
                self._fault(line, f"column {number + 1} has no name", code="VF144")
            elif name in names[:number]:
                self._fault(line, f"two columns are named '{name}'", code="VF144", piece=(at, at + len(name)))
            at += len(name)
        return names

    def _miscounted(self, row: list[str], line: int, width: int) -> bool:
        """Tell it; whether that was enough."""
        more = "put quotes around a value that contains the delimiter" if len(row) > width else ""
        values = "1 value" if len(row) == 1 else f"{len(row)} values"
        return self._fault(line, f"this row has {values}, and the header has {width}", help_=more)

    def _json(self, text: TextIO) -> Rows | None:
        try:
            found = json_value(text.read())
        except JsonError as error:
            self._fault(error.line, f"not valid JSON: {error.reason}", piece=(error.column - 1, error.column))
            return None
        if not isinstance(found, list):
            self._fault(1, "a JSON data file must be a list of rows", help_="start the file with `[`, or use `jsonl`")
            return None
        gathered = Gathered()
        for number, value in enumerate(found, 1):
            if (wrong := gathered.add(value)) and self._fault(1, f"item {number}: {wrong}"):
                break
        return gathered.rows()

    def _json_lines(self, text: TextIO) -> Rows | None:
        gathered = Gathered()
        add = gathered.add
        for number, line in enumerate(text, 1):
            try:
                wrong = add(json_value(line))
                piece = None
            except JsonError as error:
                if not line.strip():
                    continue
                wrong, piece = f"this line is not valid JSON: {error.reason}", (error.position, error.position + 1)
            if wrong and self._fault(number, wrong, piece=piece):
                break
        return gathered.rows()

    def _not_utf8(self) -> None:
        with self.opens(errors="replace") as text:
            found = ((number, line.find("�")) for number, line in enumerate(text, 1) if "�" in line)
            line, at = next(found, (1, 0))
        self._fault(
            line, "the file is not UTF-8 text", "this can't be read", "save the file as UTF-8", "VF110", (at, at + 1)
        )

    def _fault(
        self,
        line: int,
        message: str,
        label: str = "",
        help_: str = "",
        code: str = "VF143",
        piece: tuple[int, int] | None = None,
    ) -> bool:
        """Tell what is wrong in a line; whether that was enough."""
        self.faults += 1
        text = _HIDDEN if self.hidden else self._line(line)
        start, end = (0, len(text)) if piece is None or self.hidden else piece
        source = Source(self.path, "\n" * (line - 1) + text)  # all that is shown of it
        span = Span(source, min(line - 1 + start, len(source.text)), min(line - 1 + end, len(source.text)))
        self.diagnostics.error(code, span, message, label=label, help=help_)
        return self.faults >= MOST_FAULTS

    def _line(self, number: int) -> str:
        with self.opens(errors="replace") as text:
            return next(islice(text, number - 1, None), "").rstrip("\r\n")


@dataclass(slots=True)
class Gathered:
    """Values, row by row, on their way to Rows: all of them mappings, or none."""

    _columns: dict[str, int] = field(default_factory=dict)
    _names: tuple[str, ...] = ()
    _values: list[Any] = field(default_factory=list)

    def add(self, value: Any) -> str:
        """Take the next row; why it does not fit, or ''."""
        if not isinstance(value, dict):
            if self._columns:
                return "a plain value among rows that are mappings"
            self._values.append(value)
        elif self._values and not self._columns:
            return "a mapping among rows that are plain values"
        elif not value:
            return "a row without columns"
        elif tuple(value) == self._names:
            self._values.append(tuple(value.values()))
        else:
            for name in value:
                self._columns.setdefault(name, len(self._columns))
            self._names = tuple(self._columns)
            self._values.append(tuple([value.get(name, ABSENT) for name in self._names]))
        return ""

    def rows(self) -> Rows:
        width = len(self._names)
        if self._columns and len(self._values[0]) < width:
            self._values = list(_padded(self._values, width))
        return Rows(self._names, self._values)


def _padded(rows: Iterable[tuple[Any, ...]], width: int) -> Iterator[tuple[Any, ...]]:
    """Rows that came before a column was known don't have it."""
    return (row if len(row) == width else (*row, *(ABSENT,) * (width - len(row))) for row in rows)


def _in_words(error: str) -> tuple[str, str, str]:
    """What the csv module says, in an author's words: message, label, help."""
    if error == "unexpected end of data":
        return "unclosed quote in this row", "", 'to write a `"` within a value, double it: `""`'
    if "expected after" in error:
        return "text after a closing quote in this row", "", 'to write a `"` within a value, double it: `""`'
    if "field larger than" in error:
        return f"a value is longer than {csv.field_size_limit():,} characters", "", "is a quote not closed?"
    return f"this row can't be read: {error}", "", ""
