"""`vezaflow run`: load, verdict, exit code."""

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from vezaflow.cli.audits import audit_reports_option
from vezaflow.cli.baselines import baseline_option
from vezaflow.cli.crews import carriers
from vezaflow.cli.inputs import bundled, draw, shared, target
from vezaflow.cli.keeping import keeping, kept
from vezaflow.cli.load_options import LoadOptions, load_options
from vezaflow.cli.outs import OUT, claims, read_outs
from vezaflow.cli.printing import tell
from vezaflow.cli.profiled import profiles_folder, profiles_option
from vezaflow.cli.progress import working
from vezaflow.cli.results import ReportFiles, Wanted, reporting
from vezaflow.cli.running import put_on
from vezaflow.cli.shown import View
from vezaflow.cli.undisturbed import undisturbed
from vezaflow.cli.values import FlowPathType
from vezaflow.plan import Division, Outs, Surroundings
from vezaflow.session import provenance_of


@click.command("run")
@click.argument("paths", nargs=-1, required=True, type=FlowPathType())
@load_options
@reporting
@OUT
@kept
@baseline_option
@click.option("--no-notify", is_flag=True, help="Ignore the suite's `grafana` and `notify`.")
@click.option("--no-audit", is_flag=True, help="Ignore the suite's `audit`.")
@audit_reports_option
@profiles_option
@click.option("--no-outputs", is_flag=True, help="Ignore the suite's `outputs`.")
@click.option("-q", "--quiet", is_flag=True, help="Show no warnings and no progress.")
@shared
def command(
    paths: tuple[Path, ...],
    load: LoadOptions,
    reports: Wanted,
    view: View,
    out: tuple[str, ...],
    history: str | None,
    no_history: bool,
    baseline: Path | None,
    no_notify: bool,
    no_audit: bool,
    audit_reports: Path | None,
    profiles: Path | None,
    no_outputs: bool,
    quiet: bool,
    words: tuple[str, ...],
    base_url: str | None,
    seed: int,
    sandbox: bool,
    **faults: float,
) -> None:
    """Run a load test; the exit code is the verdict.

    PATHS are a suite's folder or flow files of it. Exit codes: 0 green, 99 red (a gate broke), 98 inconclusive,
    97 refused or failed before the load, 2 mistakes in files or options, 130 interrupted.
    """
    segment = load.segment
    if segment is not None:
        reports = {"summary": Path(f"segment-{segment.index + 1}-of-{segment.count}.json"), **reports}
    outs = Outs(read_outs(out), suites=not no_outputs)
    with ExitStack() as until_kept, ExitStack() as stack:
        with target(words, sandbox=sandbox, faults=faults) as environment:
            inputs = load.inputs(environment, base_url, seed)
            warn = None if quiet else draw
            whole = segment is None  # one segment is not the load, and has no verdict
            observes = Division(part=segment).happens
            around = Surroundings(announces=whole and not no_notify, observes=observes, outs=outs)
            with working(f"planning {paths[0]}", quiet=quiet):
                audits = whole and not no_audit
                asked = bundled(paths, inputs, sandbox=sandbox, around=around, audits=audits, warn=warn)
            files = ReportFiles(reports, view, claims(asked.plan))
            folder = profiles_folder(asked.plan, profiles, reports.get("summary"))
            writer = stack.enter_context(keeping(history, off=no_history, quiet=quiet))
            provenance = provenance_of(asked.suite, asked.inputs, asked.plan)
            with carriers(load.cluster, load.division, tell) as carry, carry(asked) as (division, crew):
                result = put_on(
                    asked,
                    division,
                    provenance,
                    writer,
                    quiet=quiet,
                    baseline=baseline,
                    history=history,
                    audit_reports=audit_reports,
                    crew=crew,
                    profiles=folder,
                )
                until_kept.enter_context(undisturbed())
        files.publish(result)
    sys.exit(result.exit_code)
