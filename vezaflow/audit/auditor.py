"""All pages of an audit, one after the other, each as often as asked; then the record.

Laws: no two runs at the same time, since they would slow each other down. `record` can be taken at any time: a run
that is cut short keeps what it has, and pages that were not reached say why. A page that led elsewhere is
inconclusive: its figures are another page's.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import trio

from vezaflow import units
from vezaflow.audit.median import median_run
from vezaflow.audit.record import AuditRecord, PageAudit
from vezaflow.audit.report import PageRun
from vezaflow.audit.tools import Tools
from vezaflow.plan import PlannedAudit
from vezaflow.protocols import Cookie


@dataclass(frozen=True, slots=True)
class Visit:
    """What the login gave: each page's URL, or why it has none, and the session."""

    urls: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    cookies: tuple[Cookie, ...] = ()
    local_storage: Mapping[str, str] = field(default_factory=dict)


class Auditor:
    """One audit. `keep`: the folder that the HTML reports of the median runs go to; `cpus`: the cores that it keeps to.
    Use it as a context: what lies in its own folder goes with it."""

    def __init__(
        self,
        audit: PlannedAudit,
        tools: Tools,
        *,
        say: Callable[[str], None],
        keep: Path | None = None,
        cpus: frozenset[int] | None = None,
    ) -> None:
        self._audit = audit
        self._tools = tools
        self._say = say
        self._keep = keep
        self._cpus = cpus
        self._started = datetime.now(UTC)
        self._begun = trio.current_time()
        self._visit = Visit()
        self._runs: list[list[PageRun]] = [[] for _ in audit.pages]
        self._environment = {name: value for name, value in os.environ.items() if name not in audit.hidden}
        self._folder = tempfile.TemporaryDirectory(prefix="vezaflow-audit-", ignore_cleanup_errors=True)

    def __enter__(self) -> "Auditor":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    async def run(self, visit: Visit) -> None:
        """Audit all pages."""
        self._visit = visit
        for number, page in enumerate(self._audit.pages):
            if visit.problems[number]:
                continue
            for turn in range(self._audit.runs):
                run = await self._run(number, turn)
                self._runs[number].append(run)
            self._say(f"audited {page.name}: {_said(self._page(number, ''))}")

    async def _run(self, number: int, turn: int) -> PageRun:
        from vezaflow.audit.lighthouse import PageLoad, run_lighthouse  # a WebSocket library of its own

        folder = Path(self._folder.name) / f"{number}-{turn}"
        folder.mkdir()
        load = PageLoad(
            url=self._visit.urls[number],
            form_factor=self._audit.form_factor,
            timeout=self._audit.timeout,
            cookies=self._visit.cookies,
            local_storage=self._visit.local_storage,
        )
        run = await run_lighthouse(self._tools, load, folder, environment=self._environment, cpus=self._cpus)
        if not run.problem and not self._audit.pages[number].redirects and _elsewhere(load.url, run.url):
            mended = "log in with `login`, or say `redirects: true` of the page"
            return replace(run, problem=f"it led to {run.url}, which is another page ({mended})")
        return run

    def record(self, ended: str = "") -> AuditRecord:
        """What there is. `ended`: why it is not all."""
        pages = tuple(self._kept(number, ended) for number in range(len(self._audit.pages)))
        runs = [run for runs in self._runs for run in runs if run.lighthouse]
        return AuditRecord(
            audit=self._audit.name,
            when=self._audit.moment.value if self._audit.moment else "",
            started=self._started,
            duration=trio.current_time() - self._begun,
            form_factor=self._audit.form_factor.value,
            runs=self._audit.runs,
            lighthouse=runs[0].lighthouse if runs else self._tools.lighthouse.version,
            browser=self._tools.chromium.version,
            pages=pages,
        )

    def _page(self, number: int, ended: str) -> PageAudit:
        mask = self._audit.plan.secrets.mask
        page, runs = self._audit.pages[number], self._runs[number]
        url = mask(self._visit.urls[number]) if self._visit.urls else ""
        good = [run for run in runs if not run.problem]
        if not good:
            said = self._visit.problems[number] if self._visit.problems else ""
            problem = said or (runs[-1].problem if runs else ended or "not audited")
            return PageAudit(page.name, url, 0, {}, {}, problem=mask(problem))
        chosen = median_run(good)
        warnings = tuple(map(mask, chosen.warnings))
        if len(good) < self._audit.runs:
            why = next((run.problem for run in runs if run.problem), ended)
            warnings = (f"only {len(good)} of {self._audit.runs} runs: {mask(why)}", *warnings)
        return PageAudit(page.name, url, len(good), chosen.scores, chosen.metrics, warnings=warnings)

    def _kept(self, number: int, ended: str) -> PageAudit:
        """The page, with its report where reports are kept."""
        page = self._page(number, ended)
        runs = [run for run in self._runs[number] if not run.problem] or self._runs[number][-1:]
        html = median_run(runs).html if runs else None
        if self._keep is None or html is None:
            return page
        when = f"-{self._audit.moment.value}" if self._audit.moment else ""
        file = self._keep / f"{_file_name(self._audit.name)}{when}-{_file_name(page.page)}.html"
        try:
            self._keep.mkdir(parents=True, exist_ok=True)
            text = html.read_text(encoding="utf-8", errors="replace")
            masked = self._audit.plan.secrets.mask(text)
            if masked == text:
                shutil.copyfile(html, file)
            else:
                file.write_text(masked, encoding="utf-8")
        except OSError as e:
            self._say(f"{file} can't be written: {e.strerror}")
            return page
        return replace(page, report=str(file))


def _elsewhere(asked: str, shown: str) -> bool:
    """Whether another page was shown than the one that was asked for; a fragment does not make one."""
    return bool(shown) and shown.partition("#")[0] != asked.partition("#")[0]


def _said(page: PageAudit) -> str:
    if page.problem:
        return page.problem
    return ", ".join(f"{name} {units.number(score)}" for name, score in page.scores.items())


def _file_name(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in name).strip(".") or "page"
