"""Files that a command leaves behind where its user asked for them.

Laws: a file is written whole or not at all, and what was there stays until then; `-` is standard output. A pipe or a
device (/dev/stdout) is written as it is. What can't be written is told, and changes no verdict.
"""

import os
import secrets
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vezaflow.cli.printing import say, tell
from vezaflow.errors import VezaflowError

STDOUT = Path("-")


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that an option has a command write."""

    option: str
    file: Path


def check_claims(claims: Sequence[Claim]) -> None:
    """Raises VezaflowError where two write the same, or one could not be written later."""
    printed = [claim for claim in claims if is_stdout(claim.file)]
    if len(printed) > 1:
        raise VezaflowError(
            f"{printed[0].option} and {printed[1].option} both write to standard output",
            hint="write one of them to a file",
        )
    taken: dict[str, Claim] = {}
    for claim in claims:
        other = taken.setdefault(os.path.realpath(claim.file), claim)
        if other is not claim and not printed:
            both = f"{other.option} and {claim.option} both write {other.file}"
            raise VezaflowError(both, hint="choose two different files")
    for claim in claims:
        check_writable(claim.file)


def check_writable(file: Path) -> None:
    """Raises VezaflowError where it could not be written later; makes the folders that it needs, and leaves no file."""
    if is_stdout(file) or _is_device(file):
        return
    there = file.exists()
    if there and file.suffix in (".yml", ".yaml"):
        raise VezaflowError(f"{file} is a YAML file like a flow, and would be overwritten", hint="choose another file")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a"):
            pass
        if not there:
            file.unlink()
    except OSError as e:
        raise VezaflowError(f"{file} can't be written: {e.strerror}", hint="choose another file") from None


def write(file: Path, text: str) -> bool:
    """Whether it could be written; why not is told."""
    if is_stdout(file):
        say(text.removesuffix("\n"))
        return True
    try:
        if _is_device(file):
            with file.open("a", encoding="utf-8") as opened:
                opened.write(text)
        else:
            _replace(Path(os.path.realpath(file)), text.encode())
    except OSError as e:
        tell(f"{file} can't be written: {e.strerror}")
        return False
    return True


def is_stdout(file: Path) -> bool:
    """Whether what is written there stands among what is said."""
    if file == STDOUT:
        return True
    try:
        return os.path.samestat(file.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False


def _is_device(file: Path) -> bool:
    """Whether it is there and is no regular file, or a name of a stream that leads to one."""
    try:
        return not stat.S_ISREG(file.stat().st_mode) or file.parts[:2] in (("/", "dev"), ("/", "proc"))
    except OSError:
        return False


def _replace(file: Path, content: bytes) -> None:
    fresh = file.with_name(f".{file.name[:200]}.{secrets.token_hex(4)}")
    try:
        number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except PermissionError:  # a file that may be written, in a folder that may not
        file.write_bytes(content)
        return
    try:
        with open(number, "wb") as opened:
            opened.write(content)
        if file.exists():
            fresh.chmod(stat.S_IMODE(file.stat().st_mode))
        os.replace(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)
