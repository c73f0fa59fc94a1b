"""Where the runs that acceptance looks at come from: the history, or a folder of results such as CI keeps."""

from collections.abc import Iterator
from pathlib import Path

from vezaflow.cli.printing import tell
from vezaflow.cli.runs import read_record, result_of
from vezaflow.errors import VezaflowError
from vezaflow.nights import NightRun, night_run


def night_runs(results: Path | None) -> list[NightRun]:
    """The runs of a folder; None: of the history. Raises VezaflowError where there is no such place."""
    return _of_history() if results is None else list(_of_folder(results))


def _of_history() -> list[NightRun]:
    # The history comes with a branch of its own: this function alone is what the merge replaces.
    raise VezaflowError("no history", hint="`--results FOLDER` takes the runs from a folder of summary.json files")


def _of_folder(folder: Path) -> Iterator[NightRun]:
    """The results in a folder and those below it. A file that is none gets a line on standard error."""
    if not folder.is_dir():
        raise VezaflowError(f"{folder} is not a folder", hint="`--results` takes a folder of summary.json files")
    for file in sorted(folder.rglob("*.json")):
        if not file.is_file():
            continue
        try:
            record = read_record(file)
            yield night_run(result_of(file, record), partial=record.get("segment") is not None)
        except VezaflowError as e:
            tell(f"skipped: {e.message}")
