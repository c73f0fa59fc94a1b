"""Which run a word means: an id, the beginning of one, `last`, `last~2`, `last-green`, `last green~1`.

Law: a word means one run or none; where it could mean several, they are listed. Segments, and levels of a capacity
search, are meant by their ids only.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from vezaflow import units
from vezaflow.errors import VezaflowError
from vezaflow.history.kept import KeptRun, State, Word
from vezaflow.results import is_level

_LAST = re.compile(r"last(?:[ -](?P<verdict>[a-z]+))?(?:~(?P<back>\d{1,6}))?")
_SHOWN = 8
_SHORTEST = 6  # characters of a short id


def meant(word: str, runs: Sequence[KeptRun]) -> KeptRun:
    """The run among these, the newest of which comes first. Raises VezaflowError where there is none, or several."""
    word = word.strip()
    if found := _LAST.fullmatch(word):
        return _last(word, found["verdict"], int(found["back"] or 0), runs)
    exact = [run for run in runs if run.id == word] or [run for run in runs if _tail(run.id) == word]
    found_runs = exact or [run for run in runs if run.id.startswith(word) or _tail(run.id).startswith(word)]
    if len(found_runs) == 1:
        return found_runs[0]
    if not found_runs:
        raise VezaflowError(f"unknown run '{word}'", hint="`vezaflow history` lists the runs")
    shown = ", ".join(run.id for run in found_runs[:_SHOWN]) + (" …" if len(found_runs) > _SHOWN else "")
    raise VezaflowError(f"'{word}' could be {units.counted(len(found_runs), 'run')}: {shown}", hint="write more of it")


def short_ids(runs: Sequence[KeptRun]) -> dict[str, str]:
    """For each run the least that names it: of its id's random end, or else the id."""
    tails = Counter(_tail(run.id) for run in runs)
    return {run.id: _short(run.id, tails) for run in runs}


def _short(run: str, tails: Mapping[str, int]) -> str:
    tail = _tail(run)
    return tail if tails[tail] == 1 and len(tail) >= _SHORTEST else run


def _tail(run: str) -> str:
    """What comes behind the time of an id."""
    return run.partition("-")[2]


def _last(word: str, verdict: str | None, back: int, runs: Sequence[KeptRun]) -> KeptRun:
    known = {each.value for each in Word}
    if verdict is not None and verdict not in known:
        raise VezaflowError(f"'{word}': a verdict is {', '.join(sorted(known))}")
    fit = [
        run
        for run in runs
        if not (run.segment or is_level(run.changes))
        and (run.word.value == verdict if verdict else run.state is not State.RUNNING)
    ]
    if back < len(fit):
        return fit[back]
    kind = f"{verdict} run" if verdict else "ended run"
    raise VezaflowError(
        f"'{word}': the history has {units.counted(len(fit), kind)}", hint="`vezaflow history` lists the runs"
    )
