"""Every run in one store, as it goes: written beside the load, read by whoever asks later."""

from vezaflow.history.kept import KeptRun, State, Stored, Word
from vezaflow.history.place import VARIABLE, HistoryPlace, place_of, usual_folder
from vezaflow.history.policy import Policy, pruning
from vezaflow.history.portable import SUFFIX, read, written
from vezaflow.history.restored import result_of, stored_of
from vezaflow.history.store import DATABASE_ERRORS, Store, make_folder, open_store, opened, reason
from vezaflow.history.words import meant, short_ids
from vezaflow.history.writer import Writer

__all__ = [
    "DATABASE_ERRORS",
    "SUFFIX",
    "VARIABLE",
    "HistoryPlace",
    "KeptRun",
    "Policy",
    "State",
    "Store",
    "Stored",
    "Word",
    "Writer",
    "make_folder",
    "meant",
    "open_store",
    "opened",
    "place_of",
    "pruning",
    "read",
    "reason",
    "result_of",
    "short_ids",
    "stored_of",
    "usual_folder",
    "written",
]
