"""`vezaflow sandbox`: the embedded target in the foreground."""

import click

from vezaflow.cli.faults import faulty
from vezaflow.model import is_loopback
from vezaflow.sandbox import SandboxSettings, serve


@click.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on.")
@click.option("--port", default=0, show_default=True, help="Port to listen on; 0 picks a free one.")
@faulty()
@click.option("--seed", default=1, show_default=True, help="Seed for jitter and errors.")
def command(host: str, port: int, seed: int, **faults: float) -> None:
    """Serve a Veza-like API on this machine, to try flows on it. Press Ctrl-C to stop."""
    if not is_loopback(host):
        raise click.UsageError(f"--host: {host!r} is not a loopback address: use 127.0.0.1 or ::1")
    serve(SandboxSettings(host=host, port=port, seed=seed, **faults))  # type: ignore[arg-type]
