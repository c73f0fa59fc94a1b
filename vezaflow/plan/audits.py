"""Audits with their inputs: each is a plan of its own, of one flow, beside the plan of the load.

The overrides of a load (`--vus`, `--only`, …) mean nothing here.
"""

from dataclasses import replace

from vezaflow.diagnostics import Diagnostics
from vezaflow.metrics import LIGHTHOUSE
from vezaflow.model import Audit, AuditMoment, Gate, Suite, secret_names
from vezaflow.plan.build import build
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.gate import PlannedGate
from vezaflow.plan.inputs import Inputs
from vezaflow.plan.plan import PlannedAudit
from vezaflow.plan.settings import Settings
from vezaflow.plan.values import Values

TIMEOUT = 120.0  # seconds for a run


def plan_audits(suite: Suite, inputs: Inputs, diagnostics: Diagnostics) -> tuple[PlannedAudit, ...]:
    """The audits that a run of the suite makes, in the order of their moments."""
    files = {audit.path: audit for audit in suite.audit_files}
    planned = (
        plan_audit(suite, files[order.path], inputs, diagnostics, order.moment)
        for order in suite.audits
        if order.path in files
    )
    return tuple(audit for audit in planned if audit is not None)


def plan_audit(
    suite: Suite, audit: Audit, inputs: Inputs, diagnostics: Diagnostics, moment: AuditMoment | None = None
) -> PlannedAudit | None:
    """One audit; None with diagnostics. Raises VezaflowError where the guard says no."""
    alone = replace(
        suite,
        flows=(audit.flow,),
        audit_files=(),
        preflight=(),
        setup=(),
        teardown=(),
        gates=(),
        each_flow=(),
        grafana=None,
        notify=(),
        events=(),
        observe=None,
    )
    inputs = replace(inputs, duration=None, vus={}, scale=1.0, only=())
    plan = build(alone, inputs, diagnostics)
    if plan is None:
        return None
    timeout = TIMEOUT
    if audit.timeout is not None:
        known = Values.of_suite(inputs.environment, (*suite.vars, *audit.flow.vars), (), diagnostics)
        timeout = Settings(Compiler(known.names, diagnostics), diagnostics).seconds(audit.timeout)
    return PlannedAudit(
        name=audit.name,
        path=audit.path,
        moment=moment,
        plan=plan,
        pages=audit.pages,
        stores=len(audit.flow.steps) > len(audit.pages),
        runs=audit.runs,
        form_factor=audit.form_factor,
        timeout=max(1.0, timeout),
        gates=tuple(_gate(gate) for gate in audit.gates),
        hidden=secret_names(suite),
    )


def _gate(gate: Gate) -> PlannedGate:
    own = LIGHTHOUSE[gate.metric].metric  # lint lets no other pass
    return PlannedGate(None, gate.metric, gate.labels, gate.condition, gate.span, own=own)
