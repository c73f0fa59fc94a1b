"""The files of the suite as they ran, line by line, so that gates and failures can point to their place."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from vezaflow.diagnostics import Diagnostic, render_one
from vezaflow.results import RunResult


@dataclass(frozen=True, slots=True)
class FileText:
    """`key`: the beginning of its lines' anchors."""

    key: str
    path: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlacedFault:
    """A failure at its place: as the terminal shows it, and the line, where the page has it."""

    text: str
    anchor: str
    place: str


def file_texts(result: RunResult) -> tuple[FileText, ...]:
    """All files, in the order of the run."""
    return tuple(
        FileText(f"f{number}", path, PurePosixPath(path).name, tuple(text.splitlines()))
        for number, (path, text) in enumerate(result.texts)
    )


def anchor(files: tuple[FileText, ...], path: str, line: int) -> str:
    """The id of a line; empty where the page does not have it."""
    file = next((each for each in files if each.path == path), None)
    return f"{file.key}-{line}" if file is not None and 1 <= line <= len(file.lines) else ""


def faults(result: RunResult, files: tuple[FileText, ...]) -> tuple[PlacedFault, ...]:
    """What failed in the steps, the most frequent first."""
    return tuple(_fault(incident, files) for incident in result.incidents)


def _fault(incident: Diagnostic, files: tuple[FileText, ...]) -> PlacedFault:
    text = render_one(incident).rstrip("\n")
    if incident.span is None:
        return PlacedFault(text, "", "")
    path, line = incident.span.source.path, incident.span.source.position(incident.span.start)[0]
    return PlacedFault(text, anchor(files, path, line), f"{path}:{line}")
