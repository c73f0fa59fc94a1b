"""Where the sockets of running tests lie: a folder that nobody but their owner can enter.

Laws: the folder is the owner's and closed to others (0700), or it is not used; a socket's path fits into what the
kernel takes (sockaddr_un). Several runs are several files, named after their run's id.
"""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from vezaflow.errors import ExitCode, VezaflowError

PATH_LIMIT = 103  # bytes: 107 on Linux, 103 on macOS and BSD
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_ROOM = 64 + len("/..sock.new")  # what a name in the folder may need


def folders() -> tuple[Path, ...]:
    """Where runs of this user lie: `$XDG_RUNTIME_DIR/vezaflow`, or `/tmp/vezaflow-<uid>` where that is not set (cron,
    containers). Never both: who sets it keeps its runs apart from others'."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):  # a relative one is to be ignored (XDG Base Directory Specification)
        return (Path(runtime, "vezaflow"),)
    return (Path(f"/tmp/vezaflow-{os.getuid()}"),)


def own_folder(candidates: Iterable[Path]) -> Path:
    """The first of the folders that can be used, made where it is missing. Raises VezaflowError when none can."""
    reason = "there is no folder for its socket"
    for folder in candidates:
        if len(os.fsencode(folder)) + _ROOM > PATH_LIMIT:
            reason = f"{folder} is too long for the path of a socket"
            continue
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as e:
            reason = f"{folder} can't be created: {e.strerror}"
            continue
        if is_private(folder):
            return folder
        reason = f"{folder} is accessible to other users"
    raise VezaflowError(
        f"this run can't be controlled from another terminal: {reason}",
        hint="set XDG_RUNTIME_DIR to your own folder with a short path",
        code=ExitCode.REFUSED,
    )


def is_private(folder: Path) -> bool:
    """Whether a folder, itself and not what a link points to, is this user's and closed to everyone else."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def socket_path(folder: Path, run_id: str) -> Path:
    """The socket of a run. ValueError for an id that is no file's name."""
    if _ID.fullmatch(run_id) is None:
        raise ValueError(f"'{run_id}' is not a valid run id")
    return folder / f"{run_id}.sock"


def sockets(candidates: Iterable[Path]) -> tuple[Path, ...]:
    """The sockets that lie in the folders, of living runs and of dead ones."""
    return tuple(path for folder in candidates if is_private(folder) for path in sorted(folder.glob("[!.]*.sock")))
