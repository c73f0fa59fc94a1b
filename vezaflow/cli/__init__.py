"""The command line: arguments in, exit code out."""

from vezaflow.cli.entry import main

__all__ = ["main"]
