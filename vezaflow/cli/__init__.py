"""The command line: arguments in, exit code out."""

from vezaflow.cli.main import main

__all__ = ["main"]
