"""Where a history is: a file of SQLite in the user's state folder, another file, or a PostgreSQL.

Law: the words of `--history` and `VEZAFLOW_HISTORY` are read here and nowhere else. A password in a URL is never shown.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vezaflow.errors import VezaflowError
from vezaflow.redact import MASK

VARIABLE = "VEZAFLOW_HISTORY"
_URL = re.compile(r"([a-z][a-z0-9+.]*)://", re.IGNORECASE)
_POSTGRES = {"postgresql", "postgres", "postgresql+psycopg"}
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@/]*@")


@dataclass(frozen=True, slots=True)
class HistoryPlace:
    """A file, or the URL of a server. `usual`: nobody asked for this one."""

    file: Path | None
    url: str = ""
    usual: bool = False

    def __str__(self) -> str:
        """For people."""
        return str(self.file) if self.file is not None else _PASSWORD.sub(rf"\1{MASK}@", self.url)


def place_of(word: str | None, environment: Mapping[str, str] = os.environ) -> HistoryPlace:
    """The place that a word names; without one that of the environment, else the usual one.

    Raises VezaflowError for a URL of something else.
    """
    word = word or environment.get(VARIABLE)
    if not word:
        return HistoryPlace(usual_folder() / "history.db", usual=True)
    found = _URL.match(word)
    if found is None:
        return HistoryPlace(Path(word).expanduser())
    if found[1].lower() not in _POSTGRES:
        raise VezaflowError(
            f"--history: '{found[1]}://' is not supported", hint="use a path, or postgresql://user@host/database"
        )
    return HistoryPlace(None, f"postgresql+psycopg://{word[found.end() :]}")


def usual_folder() -> Path:
    """The user's state folder."""
    from platformdirs import user_state_path

    return user_state_path("vezaflow")
