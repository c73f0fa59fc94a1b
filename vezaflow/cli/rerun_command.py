"""`vezaflow rerun`: the files and inputs of a kept run once more, with the secrets of today."""

import hashlib
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from vezaflow.cli.baselines import baseline_option
from vezaflow.cli.crews import asked_cluster, by_workers, carriers, cluster_options
from vezaflow.cli.inputs import Asked, aimed, audited, draw, drawn_faults, planned, target
from vezaflow.cli.keeping import keeping, kept
from vezaflow.cli.outs import OUT, claims, read_outs
from vezaflow.cli.printing import tell
from vezaflow.cli.profiled import profiles_folder
from vezaflow.cli.results import ReportFiles, Wanted, reporting
from vezaflow.cli.run_words import RUN_WORD
from vezaflow.cli.running import put_on
from vezaflow.cli.runs import Found, find
from vezaflow.cli.shown import View
from vezaflow.cli.undisturbed import undisturbed
from vezaflow.cli.values import WORKERS
from vezaflow.cluster import ClusterAddress
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.model import Suite
from vezaflow.plan import Bundle, BundleError, Outs, Surroundings
from vezaflow.redact import MASK
from vezaflow.results import Commit
from vezaflow.session import provenance_of

_COVERED = "•" * 4  # what stands for a secret that was written in a file


@click.command("rerun")
@click.argument("run", type=RUN_WORD)
@click.option("-e", "--env", "words", multiple=True, metavar="NAME=VALUE", help="Set an input; secrets above all.")
@click.option("--base-url", help="Use this target instead of the run's. The guard still applies.")
@click.option("--workers", type=WORKERS, default="1", show_default=True, metavar="N|auto", help="Number of processes.")
@cluster_options
@click.option("--sandbox", is_flag=True, help="Start a sandbox and use it as the target.")
@reporting
@OUT
@kept
@baseline_option
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def command(
    run: str,
    words: tuple[str, ...],
    base_url: str | None,
    workers: int,
    cluster: ClusterAddress | None,
    insecure_cluster: bool,
    sandbox: bool,
    reports: Wanted,
    view: View,
    out: tuple[str, ...],
    history: str | None,
    no_history: bool,
    baseline: Path | None,
    quiet: bool,
) -> None:
    """Run a kept run again: the same files, inputs, options and seed.

    RUN is an id or the start of one, `last`, `last~2`, `last-green`, or an exported file. Secrets are not kept: they
    are read from today's environment, or from `-e`. The result is a new run, with an exit code as of `vezaflow run`.
    """
    machines = asked_cluster(cluster, insecure=insecure_cluster, workers=workers)
    found = find(run, history)
    if segment := found.stored.header.get("segment"):
        raise VezaflowError(
            f"{found.stored.id} is segment {segment} of a load: a rerun would put on all of it",
            hint=f"run it again with `vezaflow run … --segment {segment}`",
        )
    outs = Outs(read_outs(out))
    with ExitStack() as until_kept, ExitStack() as stack:
        with target(words, sandbox=sandbox, faults={}) as environment:
            bundle = _with_secrets(_bundle(found), environment, words, sandbox=sandbox)
            if base_url is not None:
                bundle = replace(bundle, inputs=replace(bundle.inputs, base_url=base_url))
            elif MASK in (bundle.inputs.base_url or ""):
                raise VezaflowError("the run's target had a secret in it, which is not kept", hint="add --base-url URL")
            asked = _asked(bundle, found, outs, sandbox=sandbox)
            plan = asked.plan
            files = ReportFiles(reports, view, claims(plan))
            provenance = provenance_of(asked.suite, asked.inputs, plan)
            commit = found.stored.header.get("commit")  # its files are of that one
            provenance = replace(provenance, commit=Commit(**commit) if commit else None)
            writer = stack.enter_context(keeping(history, off=no_history, quiet=quiet))
            folder = profiles_folder(plan, None, reports.get("summary"))
            with carriers(machines, by_workers(workers), tell) as carry, carry(asked) as (division, crew):
                result = put_on(
                    asked,
                    division,
                    provenance,
                    writer,
                    quiet=quiet,
                    baseline=baseline,
                    history=history,
                    crew=crew,
                    profiles=folder,
                )
                until_kept.enter_context(undisturbed())
        files.publish(result)
    sys.exit(result.exit_code)


def _bundle(found: Found) -> Bundle:
    kept_bundle = found.stored.bundle
    if kept_bundle is None:
        raise VezaflowError(
            f"the run {found.stored.id} has no files: it was imported from a summary.json",
            hint="run a suite, or a run that `vezaflow run` kept",
        )
    bundle = Bundle.from_json(kept_bundle)
    covered = [path for path, text in bundle.files if _COVERED in text]
    if covered:
        raise VezaflowError(
            f"a secret was written in {covered[0]}, and is not kept", hint="read it from the environment: ${env.NAME}"
        )
    return bundle


def _with_secrets(bundle: Bundle, environment: Mapping[str, str], words: tuple[str, ...], *, sandbox: bool) -> Bundle:
    """The bundle with what it does not hold. Raises VezaflowError with all that is missing."""
    had = bundle.inputs.environment
    secret = [name for name, value in had.items() if name in bundle.secret_names or MASK in value]
    missing = [name for name in secret if name not in environment]
    if missing:
        raise VezaflowError(
            f"the run needs {', '.join(missing)}: secrets are not kept",
            hint="set them in the environment, or with -e NAME=VALUE",
            code=ExitCode.USAGE,
        )
    set_now = {word.partition("=")[0] for word in words}
    if sandbox:
        set_now |= had.keys() & _of_sandbox(environment)
    fresh = {name: environment[name] for name in had if name in secret or name in set_now}
    added = {name: environment[name] for name in set_now}
    return replace(bundle, inputs=replace(bundle.inputs, environment={**had, **fresh, **added}))


def _of_sandbox(environment: Mapping[str, str]) -> set[str]:
    """The inputs that a sandbox gives."""
    import os

    return {name for name, value in environment.items() if os.environ.get(name) != value}


def _asked(bundle: Bundle, found: Found, outs: Outs, *, sandbox: bool) -> Asked:
    with drawn_faults():
        try:
            suite = bundle.suite()
        except BundleError as e:
            draw(e.diagnostics)
            raise VezaflowError(
                f"the files of {found.stored.id} make no plan here", hint=_hint(found), code=ExitCode.USAGE
            ) from None
        _check_rows(bundle, suite, found)
        inputs = aimed(suite, bundle.inputs) if sandbox else bundle.inputs
        around = Surroundings(observes=True, audits=audited(inputs, sandbox=sandbox), outs=outs)
        return Asked(suite, inputs, planned(suite, inputs, around), Bundle.of(suite, inputs))


def _check_rows(bundle: Bundle, suite: Suite, found: Found) -> None:
    """Data files are not kept: what is gone is refused, and what differs is said."""
    for name, digest in bundle.data:
        file = suite.root / name
        try:
            with file.open("rb") as opened:
                now = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as e:
            raise VezaflowError(
                f"the data file {file} can't be read: {e.strerror}", hint=_hint(found), code=ExitCode.USAGE
            ) from None
        if now != digest:
            tell(f"note: the data file {file} has other rows than in {found.stored.id}")


def _hint(found: Found) -> str:
    folder: Any = found.stored.header.get("folder")
    return f"it was run in {folder}" if folder and folder != str(Path.cwd()) else ""
