"""A word of the command line that names a run → its result."""

from pathlib import Path

from vezaflow.errors import VezaflowError
from vezaflow.reports import from_json
from vezaflow.results import RunResult


def named(word: str) -> RunResult:
    """The result of the run that is meant: of a `summary.json`. Raises VezaflowError where there is none."""
    return read_result(Path(word))


def read_result(file: Path) -> RunResult:
    """The result in a `summary.json`. Raises VezaflowError where it is none."""
    import orjson

    try:
        record = orjson.loads(file.read_bytes())
    except OSError as e:
        raise VezaflowError(f"{file} can't be read: {e.strerror}") from None
    except orjson.JSONDecodeError:
        record = None
    if not isinstance(record, dict) or "figures" not in record:
        raise VezaflowError(
            f"{file} is not a result of `vezaflow run`", hint="`vezaflow run --summary FILE` writes one"
        )
    try:
        return from_json(record)
    except ValueError as e:
        raise VezaflowError(f"{file} can't be read: {e}", hint="which version of vezaflow wrote it?") from None


def recent_green(suite: str, most: int) -> list[RunResult]:
    """The last green runs of a suite, the newest first. Raises VezaflowError where no history is kept."""
    raise VezaflowError(
        f"there is no history to take the last {most} green runs of {suite} from",
        hint="give the runs' summary.json files instead",
    )


def nights(suite: str) -> list[RunResult]:
    """All finished runs of a suite ('' is any). Raises VezaflowError where no history is kept."""
    raise VezaflowError(
        f"there is no history to take the runs{f' of {suite}' if suite else ''} from",
        hint="give the runs' summary.json files",
    )
