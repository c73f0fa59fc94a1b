"""The way in: a Ctrl-C is silent from the first import on."""

import sys

from vezaflow.errors import ExitCode


def main() -> None:
    """Run the program."""
    try:
        from vezaflow.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    else:
        run()
    finally:
        # Where a Ctrl-C came in the midst of code that is made of text (dataclasses are), Python ends by the signal
        # whatever the exit code is, unless such code has gone well since.
        exec("")
