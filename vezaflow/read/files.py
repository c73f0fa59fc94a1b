"""The files that a suite names: they lie below its folder, and no more of one is read than can be meant."""

import os
from pathlib import Path

MOST = 8 << 20  # bytes of a file that is read whole


def inside(root: Path, name: str) -> Path | None:
    """The file's real path; None if it lies outside of the folder, or can't be a path."""
    if os.path.isabs(name) or "\0" in name:
        return None
    folder, whole = os.path.realpath(root), os.path.realpath(os.path.join(root, name))
    return Path(whole) if whole.startswith(folder + os.sep) else None


def is_file(path: Path) -> bool:
    """Whether a plain file is there; a name that no system would take has none."""
    return os.path.isfile(path)  # Path.is_file raises where a name is too long


def content(path: Path) -> bytes:
    """What is in a file, up to a byte more than the bound: who is given that much was not meant to read it."""
    with path.open("rb") as file:
        return file.read(MOST + 1)
