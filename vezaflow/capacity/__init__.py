"""How much more load a target bears: the search for the highest load whose gates hold. Pure functions over runs."""

from vezaflow.capacity.capacity import Capacity, found
from vezaflow.capacity.document import to_json
from vezaflow.capacity.level import LevelRun, level_run, refused_level
from vezaflow.capacity.markdown import markdown
from vezaflow.capacity.page import page
from vezaflow.capacity.search import Bracket, LevelOutcome, TriedLevel, bracket, distinct, grid, rungs_of
from vezaflow.capacity.watch import LevelWatch
from vezaflow.capacity.words import progress_line

__all__ = [
    "Bracket",
    "Capacity",
    "LevelOutcome",
    "LevelRun",
    "LevelWatch",
    "TriedLevel",
    "bracket",
    "distinct",
    "found",
    "grid",
    "level_run",
    "markdown",
    "page",
    "progress_line",
    "refused_level",
    "rungs_of",
    "to_json",
]
