"""The ways in which the machine or the options can say no, and what the shell is told at the end.

A wrong flow file is a Diagnostic (vezaflow.diagnostics), a misbehaving target is a sample; only what the
machine or the options don't allow is a VezaflowError. Any other exception is a bug of ours and keeps its traceback.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command tells the shell; one table for code, docs and CI."""

    GREEN = 0  # every gate held
    BUG = 1  # an error of vezaflow's own
    USAGE = 2  # the files or the options are wrong
    REFUSED = 97  # refused or stopped before load: guard, preflight, setup
    INCONCLUSIVE = 98  # no verdict can be trusted: no data, too little load, a generator out of breath
    RED = 99  # a gate broke (k6's code)
    INTERRUPTED = 130  # Ctrl-C


class VezaflowError(Exception):
    """Something that the user can mend: a message, a hint that says how, and the exit code."""

    def __init__(self, message: str, *, hint: str = "", code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
