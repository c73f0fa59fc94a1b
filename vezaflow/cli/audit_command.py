"""`vezaflow audit`: pages in a browser, judged by Lighthouse's scores."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from vezaflow.audit import PINNED, AuditRecord, find_tools, require_tools
from vezaflow.cli.audits import audit_reports_option
from vezaflow.cli.formats import JSON, formatted
from vezaflow.cli.inputs import audited, draw, drawn_faults, shared, target
from vezaflow.cli.kept import Claim, check_claims, is_stdout, write
from vezaflow.cli.printing import colours, hide, say, tell
from vezaflow.cli.values import PathType
from vezaflow.diagnostics import unknown
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.gates import Outcome, Verdict
from vezaflow.plan import Inputs, PlannedAudit
from vezaflow.reports import Look, audit_console, audit_json, audit_summary
from vezaflow.results import exit_code_of
from vezaflow.session import audit_alone, prepare_audits, read

_RUNS = click.IntRange(1, 100)


@click.command("audit")
@click.argument("path", required=False, type=PathType())
@click.option("--check", is_flag=True, help="Show what an audit needs, what is missing, and how to get it.")
@click.option("--page", "pages", multiple=True, metavar="PAGE", help="Audit only this page; can be repeated.")
@click.option("--runs", type=_RUNS, help="Override how often each page is audited.")
@click.option(
    "--summary", type=PathType(dir_okay=False, allow_dash=True), help="Write the result as JSON to this file."
)
@audit_reports_option
@formatted(JSON)
@click.option("-q", "--quiet", is_flag=True, help="Show no warnings and no progress.")
@shared
def command(
    path: Path | None,
    check: bool,
    pages: tuple[str, ...],
    runs: int | None,
    summary: Path | None,
    audit_reports: Path | None,
    form: str,
    quiet: bool,
    words: tuple[str, ...],
    base_url: str | None,
    seed: int,
    sandbox: bool,
    **faults: float,
) -> None:
    """Audit the pages of a web application with Lighthouse.

    PATH is a file below `audit/` in a suite's folder, or the suite's folder for all of them. Exit codes: 0 every page
    holds its gates, 99 a gate broke, 98 a page could not be audited, 97 refused (guard, or something that an audit
    needs is missing), 2 mistakes in files or options, 130 interrupted.
    """
    if check:
        sys.exit(_check())
    if path is None:
        raise click.UsageError("give the file or the suite to audit, such as flows/audit/pages.yml")
    if summary is not None:
        check_claims([Claim("--summary", summary)])
    with drawn_faults():
        suite = read([path], base_url=sandbox or base_url is not None, warn=None if quiet else draw, everything=True)
    with target(words, sandbox=sandbox, faults=faults) as environment:
        inputs = audited(Inputs(environment, base_url, seed=seed), sandbox=sandbox)
        with drawn_faults():
            audits = prepare_audits(suite, [path], inputs)
        for audit in audits:
            hide(audit.plan.secrets)
        audits = tuple(_narrowed(audit, pages, runs) for audit in audits)
        tools = require_tools(os.environ)
        records, verdicts, outcome = audit_alone(audits, tools, _silent if quiet else tell, audit_reports)
    code = exit_code_of(outcome)
    document = audit_json(suite.name, records, verdicts, outcome, int(code))
    if summary is not None:
        write(summary, document)
    if job := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(job, audit_summary(suite.name, records, verdicts, outcome))
    if form == JSON:
        say(document.removesuffix("\n"))
    else:
        _show(records, verdicts, outcome, aside=summary is not None and is_stdout(summary))
    sys.exit(code)


def _silent(_: str) -> None:
    """Where nobody wants to hear of progress."""


def _narrowed(audit: PlannedAudit, wanted: tuple[str, ...], runs: int | None) -> PlannedAudit:
    """The audit of some pages, or with other runs. Raises VezaflowError for a page that there is not."""
    names = [page.name for page in audit.pages]
    for name in wanted:
        if name not in names:
            message, hint = unknown("page", name, names)
            raise VezaflowError(f"--page: {message}", hint=hint)
    return audit.narrowed(wanted, runs)


def _append(file: str, text: str) -> None:
    try:
        with open(file, "a", encoding="utf-8") as page:
            page.write(text)
    except OSError as e:
        tell(f"the step summary can't be written: {e.strerror}")


def _show(records: Sequence[AuditRecord], verdicts: Sequence[Verdict], outcome: Outcome, *, aside: bool) -> None:
    """The result for people; on standard error where a program reads standard output."""
    stream, put = (sys.stderr, tell) if aside else (sys.stdout, say)
    width = min(120, shutil.get_terminal_size((100, 24)).columns)
    put("\n".join(audit_console(records, verdicts, outcome, Look(colours(stream), width))))


def _check() -> ExitCode:
    """Say what an audit needs."""
    tools = find_tools(os.environ)
    for tool in tools.all:
        if tool.problem:
            say(f"missing  {tool.name}: {tool.problem}")
            say(f"         to fix: {tool.remedy}")
        else:
            fetched = tool is tools.lighthouse and tools.fetches
            how = f"by {tool.path}, which fetches it on first use" if fetched else tool.path
            say(f"ok       {tool.name} {tool.version}: {how}")
    if not tools.lighthouse.problem and tools.lighthouse.version != PINNED:
        say(f"note: vezaflow is tested with Lighthouse {PINNED}; scores of different major versions can't be compared")
    return ExitCode.REFUSED if any(tool.problem for tool in tools.all) else ExitCode.GREEN
