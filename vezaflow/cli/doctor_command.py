"""`vezaflow doctor`: what this machine can carry, and what to do where it is poor."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click
import orjson
from click.core import ParameterSource

from vezaflow.cli.inputs import bundled, draw, given
from vezaflow.cli.load_options import LoadOptions, load_options_of_here
from vezaflow.cli.printing import colours, say
from vezaflow.cli.values import FlowPathType, environment
from vezaflow.doctor import (
    Examination,
    Finding,
    examine,
    observed,
    of_addresses,
    of_load,
    page,
    prometheus,
    reached,
    to_json,
)
from vezaflow.explain import Explanation, explain
from vezaflow.limits import estimate, local_addresses, machine, missing_addresses
from vezaflow.plan import Secrets, Surroundings

_NARROWEST, _WIDEST = 60, 100
_WITHOUT_FILES = {"paths", "server", "form"}


@click.command("doctor")
@click.argument("paths", nargs=-1, type=FlowPathType())
@load_options_of_here
@given
@click.option(
    "--prometheus",
    "server",
    metavar="URL",
    help="Check that this Prometheus responds. Default: that of `observe`.",
)
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

    With PATHS (a suite's folder or flow files of it): whether it can carry their load, whether their targets and the
    Prometheus of `observe` can be reached, and whether it has what their audits need; targets get a connection, and
    nothing is sent to them. The exit code is 0 if runs can start and be trusted, 98 if they
    may be inconclusive, 97 if these files' run would not start, 2 for mistakes in the files or options.
    """
    for option in () if paths else _given_for_files():
        raise click.UsageError(f"{option} is for flows: give the suite as well, such as `vezaflow doctor flows/`")
    there = machine()
    findings: list[Finding] = []
    secrets = Secrets()
    audits = False
    if paths:
        inputs = load.inputs(environment(words), base_url, seed)
        whole = load.segment is None
        around = Surroundings(announces=whole, observes=whole)
        plan = bundled(paths, inputs, sandbox=False, around=around, audits=whole, warn=draw).plan
        secrets = plan.secrets
        found = explain(plan, there, load.division(plan))
        findings += of_load(found.limits)
        findings += of_addresses(wanted := local_addresses(plan), missing_addresses(wanted))
        findings += reached(_dialled(found))
        if plan.observe is not None and server is None:
            names = {each.metric.name for each in plan.observe.metrics}
            findings.append(observed(plan.observe, judges=any(gate.metric in names for gate in plan.gates)))
        audits = bool(plan.audits)
    if server is not None:
        findings.append(_prometheus(server))
    examination = Examination((*examine(there, audits=audits), *findings), estimate(there))
    say(_drawn(examination, form, secrets).removesuffix("\n"))
    sys.exit(examination.exit_code)


def _given_for_files() -> Iterator[str]:
    """The options on the command line that mean nothing without files."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in _WITHOUT_FILES and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            yield parameter.opts[-1]


def _dialled(found: Explanation) -> Iterator[tuple[str, str, int]]:
    """Who is at the other end of connections: the targets, and the proxies before them."""
    clients = found.plan.clients
    proxies = {(proxy.host, proxy.port): None for client in clients if (proxy := client.proxy) is not None}
    for host, port in proxies:
        yield f"proxy {host}:{port}", host, port
    if any(client.proxy is None for client in clients):
        for origin in (target.origin for target in found.hosts):
            yield f"{origin.scheme}://{origin.authority}", origin.host, origin.port


def _prometheus(url: str) -> Finding:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return prometheus(url)
    except ValueError:
        pass
    raise click.BadParameter("this is not an http:// or https:// URL", param_hint="'--prometheus'")


def _drawn(found: Examination, form: str, secrets: Secrets) -> str:
    if form == "json":
        return orjson.dumps(secrets.mask_values(to_json(found)), option=orjson.OPT_INDENT_2).decode()
    width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((80, 24)).columns))
    return secrets.mask(page(found, colour=colours(sys.stdout), width=width))
