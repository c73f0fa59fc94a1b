"""Where baselines are kept: a small JSON file for each suite in the user's state folder, or one of the repository."""

import re
from collections.abc import Callable
from pathlib import Path

import click

from vezaflow.cli.values import PathType
from vezaflow.compare import Baseline
from vezaflow.errors import VezaflowError
from vezaflow.plan import Plan
from vezaflow.syntax import OfBaseline

WORD = "baseline"
_SETS = "`vezaflow baseline set RUN...` sets one"

file_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--file",
    type=PathType(dir_okay=False),
    help="The baseline's file, such as one of the repository.  [default: one for each suite in the state folder]",
)


def baseline_file(suite: str) -> Path:
    """The file of a suite's baseline in the user's state folder."""
    from platformdirs import user_state_path

    return user_state_path("vezaflow") / "baselines" / f"{re.sub(r'[^A-Za-z0-9._-]', '_', suite)[:100]}.json"


def read_baseline(file: Path) -> Baseline:
    """The baseline in a file. Raises VezaflowError where there is none."""
    import orjson

    try:
        return Baseline.from_json(orjson.loads(file.read_bytes()))
    except FileNotFoundError:
        raise VezaflowError(f"there is no baseline in {file}", hint=_SETS) from None
    except OSError as e:
        raise VezaflowError(f"{file} can't be read: {e.strerror}") from None
    except orjson.JSONDecodeError:
        raise VezaflowError(f"{file} is not a baseline", hint=_SETS) from None
    except ValueError as e:
        raise VezaflowError(f"{file} can't be read: {e}", hint=_SETS) from None


def baseline_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that judges gates the option that says which baseline they mean."""
    return click.option(
        "--baseline",
        type=PathType(dir_okay=False),
        help="The baseline's file, for gates on it.  [default: the suite's in the state folder]",
    )(command)


def baseline_for(plan: Plan, file: Path | None) -> Baseline | None:
    """What gates on the baseline are judged by; None where no gate asks for it, or none is set. Raises VezaflowError
    where `file` is none."""
    if not any(isinstance(gate.condition.bound, OfBaseline) for gate in plan.gates):
        return None
    where = file or baseline_file(plan.suite)
    return read_baseline(where) if file is not None or where.exists() else None


def baseline_text(baseline: Baseline) -> str:
    import orjson

    return orjson.dumps(baseline.to_json(), option=orjson.OPT_INDENT_2).decode() + "\n"
