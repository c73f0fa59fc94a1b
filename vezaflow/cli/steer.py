"""One order to a running test, and what it answers."""

from typing import Any

from vezaflow.cli.printing import say
from vezaflow.control import call


def order(run: str | None, **request: Any) -> None:
    """Send a request to a run and print what it says."""
    with call(run) as caller:
        say(f"{caller.run_id}: {caller.ask(request)['said']}")
