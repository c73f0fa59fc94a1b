"""`observe` → whom to ask, as whom, for which metrics; and which steps of the load go to which path.

Laws: the guard decides on the host as on those of the load. Without a URL nothing is planned.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace

from vezaflow.diagnostics import Diagnostics
from vezaflow.model import Observation, Prometheus, Suite, UrlError
from vezaflow.plan.compiled import UNKNOWN
from vezaflow.plan.connections import ConnectionPlanner
from vezaflow.plan.observed import ObservedMetric, PlannedPrometheus, SentPath
from vezaflow.plan.plan import PlannedFlow
from vezaflow.plan.refused import one_line, refusal
from vezaflow.plan.rendering import render
from vezaflow.plan.scope import EvaluationError
from vezaflow.plan.settings import Settings
from vezaflow.plan.targets import GuardError, Target, Targets
from vezaflow.plan.walk import requests_of
from vezaflow.syntax import Expression

TIMEOUT = 10.0  # seconds, for a request
WAIT = 90.0  # seconds, after the load: the longest usual scrape interval is a minute


class PrometheusPlanner:
    """Plans what a suite says of `observe`."""

    def __init__(self, suite: Suite, settings: Settings, diagnostics: Diagnostics) -> None:
        self._suite = suite
        self._settings = settings
        self._diagnostics = diagnostics

    def plan(self, flows: Iterable[PlannedFlow]) -> PlannedPrometheus | None:
        """All of it; None where there is no URL. Raises VezaflowError where the guard says no."""
        written = self._suite.observe
        if written is None:
            return None
        targets = self._targets(self._text(written.url), written)
        metrics = tuple(self._metric(each) for each in written.metrics)
        headers = tuple(self._headers(written))
        options, settings = written.options, self._settings
        timeout = TIMEOUT if options.timeout is None else settings.seconds(options.timeout)
        wait = WAIT if written.wait is None else settings.seconds(written.wait)
        if targets is None:
            return None
        connections = ConnectionPlanner(self._suite.root, targets, self._diagnostics)
        client = replace(connections.client((options,), settings, targets.base), cookies=False)
        return PlannedPrometheus(targets, client, headers, timeout, wait, metrics, sent_paths(flows))

    def _metric(self, written: Observation) -> ObservedMetric:
        match = tuple((name, self._text(value)) for name, value in written.match)
        return ObservedMetric(
            written.name, written.kind, written.of, match, written.by, written.metric, written.unit.scale
        )

    def _headers(self, written: Prometheus) -> Iterator[tuple[str, str]]:
        for name, value in written.options.headers:
            yield name, self._line(value)
        auth = written.options.auth
        if auth is not None and auth.bearer is not None:
            if token := self._line(auth.bearer):  # an empty one is one that is not set here
                yield "Authorization", f"Bearer {token}"
        elif auth is not None and auth.user is not None and auth.password is not None:
            pair = f"{self._text(auth.user)}:{self._text(auth.password)}"
            yield "Authorization", f"Basic {b64encode(pair.encode()).decode()}"

    def _targets(self, url: str, written: Prometheus) -> Targets | None:
        if not url:
            return None
        try:
            return Targets(url, self._suite.guard.allow)
        except UrlError as e:
            self._diagnostics.error("VF705", written.url.span, f"the URL of `observe` is not valid: {e}", help=e.help)
        except GuardError as e:
            raise refusal(f"`observe`: {e}", "list the host under `guard: {allow: […]}` in suite.yml") from None
        return None

    def _text(self, expression: Expression) -> str:
        value = self._settings.value(expression)
        return "" if value is UNKNOWN or value is None else render(value).strip()

    def _line(self, expression: Expression) -> str:
        try:
            return one_line(self._text(expression), expression.span)
        except EvaluationError as e:
            self._diagnostics.error("VF705", e.span, e.message)
            return ""


def sent_paths(flows: Iterable[PlannedFlow]) -> tuple[SentPath, ...]:
    """The requests of iterations, each once. What a step renders to is not known here: its path is as written."""
    found: dict[SentPath, None] = {}
    for flow in flows:
        for request in requests_of(flow.steps):
            path = path_of(request.forecast.url, flow.targets.base)
            if path and not request.upgrades and not request.streams:
                found[SentPath(flow.name, request.name, request.method, path)] = None
    return tuple(found)


def path_of(written: str, base: Target | None) -> str:
    """The path of a URL as written, from the server's root; empty where only the run tells."""
    path = _before_query(written)
    if path.startswith("/"):
        prefix = "" if base is None else base.target.partition("?")[0].rstrip("/")
        return prefix + path
    scheme, sign, rest = path.partition("://")
    if not sign or "${" in scheme:
        return ""
    _, slash, below = rest.partition("/")
    return slash + below if slash else "/"


def _before_query(written: str) -> str:
    """What stands before a `?` or a `#` that is not within `${…}`."""
    depth = 0
    for at, character in enumerate(written):
        if character == "{" and (depth or written[at - 1 : at] == "$"):
            depth += 1
        elif character == "}" and depth:
            depth -= 1
        elif character in "?#" and not depth:
            return written[:at]
    return written
