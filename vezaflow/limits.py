"""What this machine lets a process do: raised where allowed, checked before a run that would need more."""

import resource

from vezaflow.errors import ExitCode, VezaflowError

SPARE_FILES = 64  # beside the VUs' connections: the program's own


def raise_open_files() -> int:
    """Let this process open as many files as the machine allows; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def require_open_files(vus: int) -> None:
    """Raise VezaflowError (REFUSED) when so many VUs can't have a connection each."""
    most = raise_open_files()
    if most != resource.RLIM_INFINITY and vus + SPARE_FILES > most:
        raise VezaflowError(
            f"{vus:,} VUs need a connection each, and this machine lets a process open {most:,} files",
            hint=f"`ulimit -Hn {vus + SPARE_FILES}` (as root), or fewer VUs",
            code=ExitCode.REFUSED,
        )
