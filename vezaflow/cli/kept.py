"""Files that a command leaves behind where its user asked for them."""

from pathlib import Path

from vezaflow.errors import VezaflowError


def check_writable(file: Path) -> None:
    """Raises VezaflowError where it could not be written later; makes the folders that it needs, and leaves no file."""
    there = file.exists()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a"):
            pass
        if not there:
            file.unlink()
    except OSError as e:
        raise VezaflowError(f"{file} can't be written: {e.strerror}", hint="choose another file") from None


def write(file: Path, text: str) -> None:
    """Raises VezaflowError where it can't."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as e:
        raise VezaflowError(f"{file} can't be written: {e.strerror}") from None
