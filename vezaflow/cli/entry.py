"""The way in: a Ctrl-C is silent from the first import on."""

import sys

from vezaflow.errors import ExitCode


def main() -> None:
    """Run the program."""
    try:
        from vezaflow.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    run()
