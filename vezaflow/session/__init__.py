"""The application: files → plan → load → gates → result. Only session and cli see the whole house."""

from vezaflow.session.chosen import chosen
from vezaflow.session.files import WrongFilesError, prepare, read
from vezaflow.session.rehearsal import rehearse
from vezaflow.session.run import Staff, run
from vezaflow.session.shares import merge

__all__ = ["Staff", "WrongFilesError", "chosen", "merge", "prepare", "read", "rehearse", "run"]
