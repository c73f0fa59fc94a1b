"""The application: files → plan → load → gates → result. Only session and cli see the whole house."""

from vezaflow.session.announce import Announcer, Patience
from vezaflow.session.auditing import audit_alone, with_audits
from vezaflow.session.chosen import chosen
from vezaflow.session.clock import RehearsalClock
from vezaflow.session.files import Warn, WrongFilesError, prepare, prepare_audits, read
from vezaflow.session.keeper import NOWHERE, Keeper
from vezaflow.session.provenance import provenance_of
from vezaflow.session.rehearsal import rehearse
from vezaflow.session.run import run
from vezaflow.session.run_options import RunOptions, stands_alone
from vezaflow.session.segments import merge
from vezaflow.session.taped import as_recorded, keep_tape, mask_of, tape_to_replay

__all__ = [
    "NOWHERE",
    "Announcer",
    "Keeper",
    "Patience",
    "RehearsalClock",
    "RunOptions",
    "Warn",
    "WrongFilesError",
    "as_recorded",
    "audit_alone",
    "chosen",
    "keep_tape",
    "mask_of",
    "merge",
    "prepare",
    "prepare_audits",
    "provenance_of",
    "read",
    "rehearse",
    "run",
    "stands_alone",
    "tape_to_replay",
    "with_audits",
]  # fmt: skip
