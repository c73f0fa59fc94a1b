"""`vezaflow doctor`: what this machine can carry, and what to do where it is poor."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click
import orjson

from vezaflow.cli.inputs import bundled, draw, given
from vezaflow.cli.load_options import LoadOptions, load_options
from vezaflow.cli.printing import colours, say
from vezaflow.cli.values import FlowPathType, environment
from vezaflow.doctor import Examination, Finding, examine, of_load, page, prometheus, reached, to_json
from vezaflow.explain import Explanation, explain
from vezaflow.limits import estimate, machine
from vezaflow.plan import Secrets

_NARROWEST, _WIDEST = 60, 100


@click.command("doctor")
@click.argument("paths", nargs=-1, type=FlowPathType())
@load_options
@given
@click.option("--prometheus", "server", metavar="URL", help="Check that this Prometheus can be reached.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    paths: tuple[Path, ...],
    load: LoadOptions,
    words: tuple[str, ...],
    base_url: str | None,
    seed: int,
    server: str | None,
    form: str,
) -> None:
    """Show what this machine can carry, and what to do where it is poor.

    With PATHS (a suite's folder or flow files of it): whether it can carry their load, and whether their targets can be
    reached; nothing is sent to them but a connection. The exit code is 0 if runs can start and be trusted, 98 if they
    may be inconclusive, 97 if these files' run would not start, 2 for mistakes in the files or options.
    """
    if server is not None and not _is_url(server):
        raise click.BadParameter(f"'{server}' is not an http:// or https:// URL", param_hint="'--prometheus'")
    there = machine()
    findings: list[Finding] = []
    secrets = Secrets()
    if paths:
        inputs = load.inputs(environment(words), base_url, seed)
        plan = bundled(paths, inputs, sandbox=False, warn=draw).plan
        secrets = plan.secrets
        found = explain(plan, there, load.division(plan))
        findings += of_load(found.limits)
        findings += reached(_dialled(found))
    if server is not None:
        findings.append(prometheus(server))
    examination = Examination((*examine(there), *findings), estimate(there))
    say(_drawn(examination, form, secrets).removesuffix("\n"))
    sys.exit(examination.exit_code)


def _dialled(found: Explanation) -> Iterator[tuple[str, str, int]]:
    """Who is at the other end of connections: the targets, and the proxies before them."""
    clients = found.plan.clients
    proxies = {(proxy.host, proxy.port): None for client in clients if (proxy := client.proxy) is not None}
    for host, port in proxies:
        yield f"proxy {host}:{port}", host, port
    if any(client.proxy is None for client in clients):
        for origin in (target.origin for target in found.hosts):
            yield f"{origin.scheme}://{origin.authority}", origin.host, origin.port


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _drawn(found: Examination, form: str, secrets: Secrets) -> str:
    if form == "json":
        return orjson.dumps(secrets.mask_values(to_json(found)), option=orjson.OPT_INDENT_2).decode()
    width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((80, 24)).columns))
    return secrets.mask(page(found, colour=colours(sys.stdout), width=width))
