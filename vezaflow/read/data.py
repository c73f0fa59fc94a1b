"""The `data` of a suite or a flow, and the rows of its files: read once each, shared by all that name them.

A file lies below the suite's folder, and its path is constant: lint knows its columns. Paths that lead elsewhere are
check_files' to report.
"""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, TextIO, TypeVar, assert_never

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.keys import FEED, Kind
from vezaflow.model import AtEnd, DataFile, DataFormat, DataSource, Each, RowPick, usual_each, usual_end
from vezaflow.read.files import is_file
from vezaflow.read.mappings import Row, items, open_mapping, pairs
from vezaflow.read.scalars import report_shape
from vezaflow.read.trees import check_name, words
from vezaflow.syntax import Entry, Gathered, Literal, Node, RowFile, Rows, Scalar, Sequence
from vezaflow.syntax import Mapping as MappingNode

_Word = TypeVar("_Word", bound=Enum)
_FORMATS = {each.value: each for each in DataFormat}


def read_data_sources(row: Row) -> tuple[DataSource, ...]:
    """The sources under `data`; those in files are still without their rows."""
    entries = pairs(row.node("data"), "'data'", Kind.FEEDS.value, row.diagnostics)
    found = (_data_source(entry, row.diagnostics) for entry in entries)
    return tuple(data_source for data_source in found if data_source is not None)


def _data_source(entry: Entry, diagnostics: Diagnostics) -> DataSource | None:
    name, node = entry.key.text, entry.value
    if not check_name(entry.key, diagnostics):
        return None
    if isinstance(node, Sequence):
        rows = _listed(node, f"'{name}'", diagnostics)
        return DataSource(name, None, rows, RowPick.SEQUENTIAL, Each.ITERATION, AtEnd.WRAP, (), entry.key.span)
    if isinstance(node, Scalar):
        report_shape(node, f"'{name}'", "a list of rows, or a mapping such as `{csv: data/users.csv}`", diagnostics)
        return None
    row = open_mapping(node, FEED, diagnostics, what=f"'{name}'")
    if row is None or (verb := row.verb()) is None:
        return None
    pick = _word(row, "pick", RowPick) or RowPick.SEQUENTIAL
    listed = row.node("list")
    return DataSource(
        name,
        _file(row, _FORMATS[verb]) if verb in _FORMATS else None,
        _listed(listed, "'list'", diagnostics) if listed is not None else None,
        pick,
        _word(row, "each", Each) or usual_each(pick),
        _word(row, "at_end", AtEnd) or usual_end(pick),
        tuple((word.text, word.span) for word in words(row, "secrets")),
        entry.key.span,
        _span(row, "pick"),
        _span(row, "each"),
        _span(row, "at_end"),
    )


def _file(row: Row, format_: DataFormat) -> DataFile | None:
    key = format_.value
    path = row.expression(key)
    if not isinstance(path, Literal) or not isinstance(path.value, str):
        row.diagnostics.error(
            "VF125",
            row.entries[key].value.span,
            f"'{key}' must be the path of one file",
            label="`${…}` is not allowed here",
            help="write a constant path, so that lint can check the columns",
        )
        return None
    written = row.constant("delimiter")
    delimiter = written if isinstance(written, str) else ","
    return DataFile(format_, path, "\t" if delimiter == "tab" else delimiter)


def _word(row: Row, key: str, words: type[_Word]) -> _Word | None:
    found = row.constant(key)
    return words(found) if found in [word.value for word in words] else None


def _span(row: Row, key: str) -> Span | None:
    node = row.node(key)
    return node.span if node is not None else None


def _listed(node: Node, what: str, diagnostics: Diagnostics) -> Rows | None:
    """The rows that stand in the flow; None if they make no table."""
    gathered, wrong = Gathered(), not isinstance(node, Sequence)
    for item in items(node, what, Kind.ROWS.value, diagnostics):
        if problem := gathered.add(_plain(item, diagnostics)):
            diagnostics.error(
                "VF143", item.span, f"this is {problem}", help="rows must be either all mappings or all plain values"
            )
            wrong = True
    found = gathered.rows()
    return found if len(found) and not wrong else None


def _plain(node: Node, diagnostics: Diagnostics) -> Any:
    """The node as data: no `${…}` means anything here."""
    if isinstance(node, MappingNode):
        return {entry.key.text: _plain(entry.value, diagnostics) for entry in node.entries}
    if not isinstance(node, Scalar):
        return [_plain(item, diagnostics) for item in node.items]
    if "${" in node.text.replace("$${", ""):
        diagnostics.error(
            "VF125",
            node.span,
            "rows must be constant",
            label="`${…}` is not allowed here",
            help="use `vars` for computed lists",
        )
    value = node.typed()
    return value if not isinstance(value, str) else value.replace("$${", "${")


@dataclass(slots=True)
class DataFiles:
    """The data files of one suite; `resolve` gives sources their rows."""

    root: Path
    overlay: Mapping[Path, str]
    diagnostics: Diagnostics
    _read: dict[tuple[str, DataFormat, str, bool], Rows | None] = field(default_factory=dict)

    def resolve(self, data_sources: tuple[DataSource, ...]) -> tuple[DataSource, ...]:
        """The same sources with the rows of their files."""
        return tuple(each if each.file is None else self._with_rows(each, each.file) for each in data_sources)

    def _with_rows(self, data_source: DataSource, file: DataFile) -> DataSource:
        path = os.path.normpath(str(file.path.value))
        key = (path, file.format, file.delimiter, bool(data_source.secrets))
        if key not in self._read:
            self._read[key] = self._open(self.root / path, file, hidden=bool(data_source.secrets))
        return replace(data_source, rows=self._read[key])

    def _open(self, path: Path, file: DataFile, *, hidden: bool) -> Rows | None:
        if path not in self.overlay and not (_is_inside(path, self.root) and is_file(path)):
            return None

        def opens(*, errors: str = "strict") -> TextIO:
            if path in self.overlay:
                return io.StringIO(self.overlay[path], newline="")
            return path.open(encoding="utf-8-sig", errors=errors, newline="")

        reader = RowFile(str(path), opens, self.diagnostics, hidden)
        try:
            rows = _read(reader, file)
        except OSError as error:
            self._unreadable(file, error.strerror or str(error))
            return None
        if rows is None or not len(rows):
            if not reader.faults:
                self._empty(file)
            return None
        return rows

    def _unreadable(self, file: DataFile, reason: str) -> None:
        self.diagnostics.error("VF143", file.path.span, f"'{file.path.value}' can't be read", label=reason)

    def _empty(self, file: DataFile) -> None:
        self.diagnostics.error(
            "VF145",
            file.path.span,
            f"'{file.path.value}' has no rows",
            help="add at least one row after the header" if file.format is DataFormat.CSV else "",
        )


def _read(reader: RowFile, file: DataFile) -> Rows | None:
    match file.format:
        case DataFormat.CSV:
            return reader.csv(file.delimiter)
        case DataFormat.JSON:
            return reader.json()
        case DataFormat.JSON_LINES:
            return reader.json_lines()
    assert_never(file.format)


def _is_inside(path: Path, folder: Path) -> bool:
    whole = str(path)
    return "\0" not in whole and os.path.realpath(whole).startswith(os.path.realpath(folder) + os.sep)
