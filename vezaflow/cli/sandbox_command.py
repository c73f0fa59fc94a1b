"""`vezaflow sandbox`: the embedded target in the foreground."""

import click

from vezaflow.cli.values import DURATION, RATIO
from vezaflow.sandbox import SandboxSettings, serve


@click.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address to listen on.")
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@click.option("--latency", type=DURATION, default=0.0, help="Time added to every answer, such as 50ms.")
@click.option("--jitter", type=DURATION, default=0.0, help="A random time added on top, up to this much.")
@click.option("--error-rate", type=RATIO, default=0.0, help="Share of requests answered with 503, such as 1%.")
@click.option("--seed", default=1, show_default=True, help="Of the jitter and the errors.")
def command(host: str, port: int, latency: float, jitter: float, error_rate: float, seed: int) -> None:
    """Serve a Veza-like API on this machine to try flows against. Ctrl-C ends it."""
    serve(SandboxSettings(host=host, port=port, latency=latency, jitter=jitter, error_rate=error_rate, seed=seed))
