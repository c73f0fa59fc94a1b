"""The audits of a run, or one alone: log in, let Lighthouse see the pages, take the record.

Laws: an audit costs no verdict but its own; what goes wrong with it stands in its record. In a load it keeps off as
many cores as there are workers, where there are more. When the load ends, so does what audits it.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import trio

from vezaflow.audit import Auditor, AuditRecord, Tools, Visit, judge_pages
from vezaflow.engine import VU, RunEngine
from vezaflow.errors import VezaflowError
from vezaflow.gates import ConcernKind, Outcome, Verdict, overall
from vezaflow.metrics import Recorder
from vezaflow.model import AuditMoment
from vezaflow.plan import EvaluationError, PlannedAudit, PlannedFlow, PlannedRequest, Secrets, requests_of
from vezaflow.protocols import Transport
from vezaflow.results import RunResult, exit_code_of
from vezaflow.session.signals import stop_signals
from vezaflow.syntax import JsonError, json_value
from vezaflow.tape import credentials_of, is_telling


class Auditing:
    """The audits of one run. Without any, nothing of it does anything."""

    def __init__(
        self,
        audits: Sequence[PlannedAudit],
        tools: Tools | None,
        say: Callable[[str], None],
        *,
        keep: Path | None = None,
        workers: int = 1,
    ) -> None:
        self._audits = audits
        self._tools = tools
        self._say = say
        self._keep = keep
        self._workers = workers
        self._verdicts: list[Verdict] = []
        self.records: list[AuditRecord] = []

    async def audit(self, moment: AuditMoment, ended: str = "aborted manually") -> None:
        """Make the audits of a moment. `ended`: what is said of pages that a cancellation left out."""
        cpus = spare_cores(self._workers) if moment is AuditMoment.DURING else None
        for audit in self._audits:
            if audit.moment is moment and self._tools is not None:
                self._say(f"auditing {audit.name} {moment.value} the load")
                await self._one(audit, self._tools, ended, cpus)

    async def _one(self, audit: PlannedAudit, tools: Tools, ended: str, cpus: frozenset[int] | None) -> None:
        with Auditor(audit, tools, say=self._say, keep=self._keep, cpus=cpus) as auditor:
            try:
                await auditor.run(await visit(audit))
            finally:
                record = auditor.record(ended)
                self.records.append(record)
                self._verdicts += judge_pages(audit.gates, record)

    def left_out(self, moment: AuditMoment, ended: str) -> None:
        """What a cancellation left no time to begin with."""
        done = {(record.audit, record.when) for record in self.records}
        for audit in self._audits:
            if audit.moment is moment and self._tools is not None and (audit.name, moment.value) not in done:
                with Auditor(audit, self._tools, say=self._say) as auditor:
                    record = auditor.record(ended)
                    self.records.append(record)
                    self._verdicts += judge_pages(audit.gates, record)

    def joined(self, result: RunResult) -> RunResult:
        """The result with the audits, judged by their gates as well."""
        return with_audits(result, self.records, tuple(self._verdicts))


def with_audits(result: RunResult, records: Sequence[AuditRecord], verdicts: tuple[Verdict, ...]) -> RunResult:
    """A run's result with its audits: their gates are gates of the run."""
    if not records:
        return result
    concerns = result.concerns
    if verdicts:
        concerns = tuple(concern for concern in concerns if concern.kind is not ConcernKind.NO_GATES)
    verdicts = (*result.verdicts, *verdicts)
    outcome = overall(verdicts, concerns)
    return replace(
        result,
        verdicts=verdicts,
        concerns=concerns,
        outcome=outcome,
        exit_code=exit_code_of(outcome, interrupted=result.interrupted),
        audits=tuple(records),
    )


def spare_cores(workers: int) -> frozenset[int] | None:
    """The cores beside those that so many workers need; None where there are none."""
    cores = sorted(os.sched_getaffinity(0))
    return frozenset(cores[workers:]) or None


async def visit(audit: PlannedAudit) -> Visit:
    """What the login of an audit gives, and where its pages are."""
    (flow,) = audit.plan.flows
    transport = Transport()
    engine = RunEngine(audit.plan, recorder=Recorder(time.perf_counter()), client=transport.client)
    found = Visit()
    async with trio.open_nursery() as nursery:
        await nursery.start(transport.run)
        await nursery.start(engine.wheel.run)
        try:
            user = await engine.log_in(flow)
            why = next((incident.message for incident in reversed(engine.incidents.items)), "a step failed")
        except VezaflowError as e:
            user, why = None, e.message
        if user is None:
            found = Visit(("",) * len(audit.pages), (f"the login failed: {why}",) * len(audit.pages))
        else:
            found = _visit_of(user, audit)
            user.client.close()
        nursery.cancel_scope.cancel()
    return found


def _visit_of(user: VU, audit: PlannedAudit) -> Visit:
    (flow,) = audit.plan.flows
    requests = [step for step in flow.steps if isinstance(step, PlannedRequest)]
    storage = [requests.pop()] if audit.stores else []
    named = {request.name: request for request in requests}
    urls, problems = [], []
    for page in audit.pages:
        url, problem = _url(user, named[page.name])
        if audit.plan.secrets.mask(url) != url:  # it would stand on Lighthouse's command line
            problem = "its URL holds a secret, which every user of this machine could read: use `login`"
        elif name := _credential_in(url, user, flow):
            problem = f"its URL holds '{name}' of `login`, which every user of this machine could read: use a cookie"
        urls.append(url)
        problems.append(problem)
    stored: dict[str, str] = {}
    for request in storage:
        try:
            stored = _stored(request.prepare(user).body)
        except (EvaluationError, JsonError) as e:
            problems = [problem or f"the local storage can't be computed: {e}" for problem in problems]
    return Visit(tuple(urls), tuple(problems), user.client.cookies.cookies, stored)


def _credential_in(url: str, user: VU, flow: PlannedFlow) -> str:
    """The name of a value that `login` extracted and that must not be seen, where the URL holds one: its name says so,
    or the field of the URL that it is in."""
    named = set(credentials_of((), url.encode(), url))
    for extract in (extract for request in requests_of(flow.login) for extract in request.extracts):
        value = user.slots[extract.slot]
        if not isinstance(value, str) or not (value in named or is_telling(extract.name)):
            continue
        if Secrets.of((value,)).mask(url) != url:
            return extract.name
    return ""


def _url(user: VU, page: PlannedRequest) -> tuple[str, str]:
    """The URL of a page, and why there is none."""
    try:
        return page.prepare(user).target.url, ""
    except EvaluationError as e:
        return "", e.message


def _stored(body: object) -> dict[str, str]:
    """The items that the body of the request for the local storage writes; what is no text is stored as JSON."""
    import orjson

    text = body if isinstance(body, bytes) else b"".join(body if isinstance(body, tuple) else ())
    items = json_value(text)
    assert isinstance(items, dict), "the reader lets nothing else pass"
    return {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in items.items()}


def audit_alone(
    audits: Sequence[PlannedAudit], tools: Tools, say: Callable[[str], None], keep: Path | None
) -> tuple[tuple[AuditRecord, ...], tuple[Verdict, ...], Outcome]:
    """Audits without a load. KeyboardInterrupt when Ctrl-C was pressed."""
    return trio.run(_alone, audits, tools, say, keep)


async def _alone(
    audits: Sequence[PlannedAudit], tools: Tools, say: Callable[[str], None], keep: Path | None
) -> tuple[tuple[AuditRecord, ...], tuple[Verdict, ...], Outcome]:
    records: list[AuditRecord] = []
    verdicts: list[Verdict] = []
    interrupted = False
    async with trio.open_nursery() as nursery:

        async def listen(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
            nonlocal interrupted
            with stop_signals() as signals:
                task_status.started()
                async for _ in signals:
                    interrupted = True
                    nursery.cancel_scope.cancel()

        await nursery.start(listen)
        for audit in audits:
            with Auditor(audit, tools, say=say, keep=keep) as auditor:
                await auditor.run(await visit(audit))
                record = auditor.record()
            records.append(record)
            verdicts += judge_pages(audit.gates, record)
        nursery.cancel_scope.cancel()
    if interrupted:
        raise KeyboardInterrupt
    return tuple(records), tuple(verdicts), _outcome(records, verdicts)


def _outcome(records: Sequence[AuditRecord], verdicts: Sequence[Verdict]) -> Outcome:
    """Green only with gates that hold, and pages that could all be audited."""
    outcome = overall(verdicts, ())
    unseen = any(page.problem for record in records for page in record.pages)
    return Outcome.INCONCLUSIVE if unseen and outcome is Outcome.GREEN else outcome
