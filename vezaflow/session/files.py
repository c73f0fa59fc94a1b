"""Files and inputs → a plan, or everything that is wrong with them, with no secret in the words."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from vezaflow.diagnostics import Diagnostic, Diagnostics
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.lint import lint
from vezaflow.model import Suite, environment, secret_names
from vezaflow.plan import (
    NO_SURROUNDINGS,
    Inputs,
    Plan,
    PlannedAudit,
    Secrets,
    Surroundings,
    build,
    plan_audit,
    plan_audits,
)


class WrongFilesError(VezaflowError):
    """The files can't be run; the diagnostics say why."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("the files have errors", code=ExitCode.USAGE)
        self.diagnostics = tuple(diagnostics)


Warn = Callable[[Sequence[Diagnostic]], None]


def read(paths: Sequence[Path], *, base_url: bool = False, warn: Warn | None = None, everything: bool = False) -> Suite:
    """The suite at `paths`. Raises WrongFilesError with everything that lint says of it.

    `base_url`: one is given elsewhere, so the files need none. `warn` gets what lint warns of, if there is anything.
    `everything`: fragments that nothing includes are read as well, and audits that no run makes.
    """
    suite, diagnostics = lint(paths, base_url=base_url, included_only=not everything)
    if suite is None or diagnostics.failed:
        raise WrongFilesError(diagnostics.items)
    if warn is not None and diagnostics.items:
        warn(diagnostics.items)
    return suite


def prepare(
    suite: Suite,
    inputs: Inputs,
    around: Surroundings = NO_SURROUNDINGS,
) -> Plan:
    """The plan of a suite with its inputs. Raises WrongFilesError, or VezaflowError where the guard says no."""
    diagnostics = Diagnostics()
    _require_texts(suite, inputs)
    secrets = Secrets.among(secret_names(suite), inputs.environment)
    try:
        plan = build(suite, inputs, diagnostics, around)
        audits = around.audits
        audited = plan_audits(suite, audits, diagnostics) if audits is not None and plan is not None else ()
    except VezaflowError as e:
        raise VezaflowError(secrets.mask(e.message), hint=secrets.mask(e.hint), code=e.code) from None
    if plan is None or diagnostics.failed:
        raise WrongFilesError([diagnostic.masked(secrets) for diagnostic in diagnostics])
    if not plan.flows:
        raise VezaflowError("there is no flow to run", hint="a flow is a YAML file with `steps` next to suite.yml")
    return replace(plan, audits=audited)


def prepare_audits(suite: Suite, paths: Sequence[Path], inputs: Inputs) -> tuple[PlannedAudit, ...]:
    """The audits that these paths name, or all of the suite. Raises as `prepare` does."""
    diagnostics = Diagnostics()
    _require_texts(suite, inputs)
    secrets = Secrets.among(secret_names(suite), inputs.environment)
    named = {path.resolve() for path in paths}
    chosen = [audit for audit in suite.audit_files if (suite.root / audit.path).resolve() in named]
    try:
        planned = [plan_audit(suite, audit, inputs, diagnostics) for audit in chosen or suite.audit_files]
    except VezaflowError as e:
        raise VezaflowError(secrets.mask(e.message), hint=secrets.mask(e.hint), code=e.code) from None
    if diagnostics.failed:
        raise WrongFilesError([diagnostic.masked(secrets) for diagnostic in diagnostics])
    if not planned:
        raise VezaflowError(
            f"there are no pages to audit in {suite.root}",
            hint="files of audited pages are in the folder `audit` next to suite.yml, such as `audit/pages.yml`",
        )
    return tuple(audit for audit in planned if audit is not None)


def _require_texts(suite: Suite, inputs: Inputs) -> None:
    """Raise VezaflowError for an input of the files that is no text: its bytes are not UTF-8."""
    for name in sorted({use.name for use in environment(suite)} | set(suite.secrets)):
        try:
            inputs.environment.get(name, "").encode()
        except UnicodeEncodeError:
            raise VezaflowError(
                f"the input {name} is not UTF-8 text", hint="to send other bytes use a file: `{file: …}`"
            ) from None
