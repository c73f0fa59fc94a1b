"""`vezaflow sandbox`: the embedded target in the foreground."""

import click

from vezaflow.cli.faults import faulty
from vezaflow.sandbox import SandboxSettings, serve


@click.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address to listen on.")
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@faulty()
@click.option("--seed", default=1, show_default=True, help="Of the jitter and the errors.")
def command(host: str, port: int, seed: int, **faults: float) -> None:
    """Serve a Veza-like API on this machine to try flows against. Ctrl-C ends it."""
    serve(SandboxSettings(host=host, port=port, seed=seed, **faults))  # type: ignore[arg-type]
