"""`vezaflow explain`: what a run will do, before it does it."""

import os
import shutil
import sys
from pathlib import Path

import click
import orjson

from vezaflow.audit import find_tools
from vezaflow.cli.crews import shares_of
from vezaflow.cli.inputs import bundled, draw, given
from vezaflow.cli.load_options import LoadOptions, load_options
from vezaflow.cli.printing import colours, say
from vezaflow.cli.progress import working
from vezaflow.cli.values import FlowPathType, environment
from vezaflow.explain import Explanation, explain, explain_cluster, page, to_json
from vezaflow.limits import machine
from vezaflow.plan import Division, Outs, Secrets, Surroundings
from vezaflow.sandbox import UNSTARTED

_NARROWEST, _WIDEST = 60, 120


@click.command("explain")
@click.argument("paths", nargs=-1, required=True, type=FlowPathType())
@load_options
@given
@click.option("--sandbox", is_flag=True, help="Explain `run --sandbox`, without starting a sandbox.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    paths: tuple[Path, ...],
    load: LoadOptions,
    words: tuple[str, ...],
    base_url: str | None,
    seed: int,
    sandbox: bool,
    form: str,
) -> None:
    """Show what `run` with the same options will do: the load over time, the resources it needs, its hosts.

    PATHS are a suite's folder or flow files of it. Nothing is sent and no socket is opened. With --cluster, its
    machines report what they can carry: they connect to the target, and send nothing. The exit code is 0 if `run`
    would start, 97 if the guard or a machine doesn't allow it, 2 for mistakes in the files or options.
    """
    values = {**environment(words), **UNSTARTED.environment} if sandbox else environment(words)
    inputs = load.inputs(values, base_url, seed)
    whole = load.segment is None
    around = Surroundings(whole, observes=Division(part=load.segment).happens, outs=Outs(suites=True))
    with working(f"planning {paths[0]}"):
        asked = bundled(paths, inputs, sandbox=sandbox, around=around, audits=whole, warn=draw)
        plan = asked.plan
        tools = find_tools(os.environ) if plan.audits else None
        if load.cluster is None:
            found = explain(plan, machine(), load.division(plan), tools)
        else:
            found = explain_cluster(plan, shares_of(load.cluster, asked, reach=not sandbox), tools)
    say(_drawn(found, form, plan.secrets).removesuffix("\n"))
    if found.refused is not None:
        raise found.refused


def _drawn(found: Explanation, form: str, secrets: Secrets) -> str:
    if form == "json":
        return orjson.dumps(secrets.mask_values(to_json(found)), option=orjson.OPT_INDENT_2).decode()
    width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((100, 24)).columns))
    return secrets.mask(page(found, colour=colours(sys.stdout), width=width))
