"""The responses that `vezaflow try` got: kept for its user alone, without credentials, and played with no network."""

from vezaflow.tape.credentials import blotted, credentials_of, is_telling
from vezaflow.tape.file import newest, place_for, read_tape, write_tape
from vezaflow.tape.position import Position
from vezaflow.tape.recording import SEARCHED, Recording
from vezaflow.tape.replay import Replay
from vezaflow.tape.take import Take, Tape

__all__ = [
    "SEARCHED", "Position", "Recording", "Replay", "Take", "Tape", "blotted", "credentials_of", "is_telling", "newest",
    "place_for", "read_tape", "write_tape",
]  # fmt: skip
