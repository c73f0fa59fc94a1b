"""One run of Lighthouse on a page, in a browser of its own.

Only these categories, so that the same run is asked of every version (13.3 added one); no error reports to anybody.
Whatever goes wrong is the run's problem in words.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import trio

from vezaflow import units
from vezaflow.audit.browser import BrowserError, browser, connected
from vezaflow.audit.children import child, last_words
from vezaflow.audit.devtools import DevToolsError
from vezaflow.audit.report import PageRun, read_report
from vezaflow.audit.tools import Tools
from vezaflow.metrics import LIGHTHOUSE
from vezaflow.model import FormFactor
from vezaflow.protocols import Cookie

CATEGORIES = ",".join(metric.source for metric in LIGHTHOUSE.values() if metric.is_score)
_LOADING = 0.6  # of the time of a run, for the page to load


@dataclass(frozen=True, slots=True)
class PageLoad:
    """What is loaded, and as whom. `timeout` in seconds, for the whole run."""

    url: str
    form_factor: FormFactor
    timeout: float
    cookies: tuple[Cookie, ...]
    local_storage: Mapping[str, str]


async def run_lighthouse(
    tools: Tools, load: PageLoad, folder: Path, *, environment: Mapping[str, str], cpus: frozenset[int] | None
) -> PageRun:
    """One run; its files are left in `folder`. The folder that this is in goes where this process is killed."""
    try:
        with trio.fail_after(load.timeout):
            return await _run(tools, load, folder, environment, cpus)
    except trio.TooSlowError:
        return PageRun(f"not done within {units.duration(load.timeout)}")
    except (BrowserError, DevToolsError) as e:
        return PageRun(str(e))
    except OSError as e:
        return PageRun(f"the browser can't be reached: {e.strerror or e}")


async def _run(
    tools: Tools, load: PageLoad, folder: Path, environment: Mapping[str, str], cpus: frozenset[int] | None
) -> PageRun:
    said, report, within = folder / "lighthouse.log", folder / "page", folder.parent
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as scratch:
        starting = browser(tools.chromium.path, Path(scratch), environment=environment, within=within, cpus=cpus)
        async with starting as endpoint:
            if load.cookies or load.local_storage:
                devtools = await connected(endpoint)
                try:
                    await devtools.set_cookies(load.cookies)
                    await devtools.set_local_storage(_origin(load.url), load.local_storage)
                finally:
                    with trio.CancelScope(shield=True):
                        await devtools.close()
            command = (*tools.command, *_words(load, endpoint.port, report))
            try:
                async with child(command, environment=environment, said=said, folder=within, cpus=cpus) as process:
                    await process.wait()
            except OSError as e:
                return PageRun(f"Lighthouse can't be started: {e.strerror or e}")
    run = read_report(report.with_name("page.report.json"))
    if run.problem and not run.lighthouse:
        words = last_words(said)
        return PageRun(f"Lighthouse failed: {words}" if words else f"Lighthouse failed: {run.problem}")
    html = report.with_name("page.report.html")
    return replace(run, html=html if html.exists() else None)


def _words(load: PageLoad, port: int, report: Path) -> tuple[str, ...]:
    desktop = ("--preset=desktop",) if load.form_factor is FormFactor.DESKTOP else ()
    return (
        load.url,
        f"--port={port}",
        "--output=json",
        "--output=html",
        f"--output-path={report}",
        f"--only-categories={CATEGORIES}",
        f"--max-wait-for-load={int(load.timeout * _LOADING * 1000)}",
        "--no-enable-error-reporting",
        "--quiet",
        *desktop,
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
