"""Where a run reports to, planned: the dashboard with its link, the webhooks with their bodies.

Laws: the guard decides on these hosts as on those of the load, before anything is sent. What is empty (a webhook that
is not set here) is left out. Tokens and webhooks are secrets, and no `repr` shows them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from vezaflow.diagnostics import Diagnostics
from vezaflow.model import TEMPLATE_FIELDS, Chat, Event, Grafana, Notification, Suite, UrlError, names_of
from vezaflow.plan.chance import Chance
from vezaflow.plan.compiled import UNKNOWN, Evaluate
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.heads import is_credential
from vezaflow.plan.inputs import Inputs
from vezaflow.plan.names import Names
from vezaflow.plan.refused import one_line, refusal
from vezaflow.plan.rendering import render
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.settings import Settings
from vezaflow.plan.targets import GuardError, Target, Targets
from vezaflow.protocols import Origin
from vezaflow.syntax import Expression

Facts = Mapping[str, Mapping[str, str]]  # what TEMPLATE_FIELDS names
_MILLISECONDS = 1000
_CI = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")  # Forgejo sets the same


@dataclass(frozen=True, slots=True)
class PlannedGrafana:
    """The dashboard, and how runs are annotated on it (not at all without a token)."""

    targets: Targets
    uid: str
    slug: str
    variables: tuple[tuple[str, str], ...]
    token: str = field(default="", repr=False)

    def link(self, began: datetime, seconds: float) -> str:
        """The URL of the dashboard over a time window."""
        end = milliseconds(began + timedelta(seconds=seconds))
        query: list[tuple[str, str | int]] = [("orgId", "1"), ("from", milliseconds(began)), ("to", end)]
        query += ((f"var-{name}", value) for name, value in self.variables)
        path = "/".join(quote(part, safe="") for part in (self.uid, self.slug) if part)
        return f"{self.targets.resolve(f'/d/{path}').url}?{urlencode(query, quote_via=quote)}"


@dataclass(frozen=True, slots=True)
class PlannedNotification:
    """A webhook. `number`: its place in the file, from 1."""

    number: int
    target: Target = field(repr=False)
    on: frozenset[Event]
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    template: Chat | None
    json: Evaluate | None

    def document(self, facts: Facts) -> Any:
        """The body of `json`. Raises EvaluationError."""
        assert self.json is not None
        return self.json(Scope([dict(facts[name]) for name in TEMPLATE_FIELDS], Chance(0), 1))


class Listener(NamedTuple):
    """Who hears of a run. `of`: `link` or `annotation`, or the events of a notification; `form`: the dashboard's uid,
    or the notification's template."""

    kind: str
    origin: Origin
    of: tuple[str, ...]
    form: str


@dataclass(frozen=True, slots=True)
class Announcements:
    """Who hears of a run. `page`: the URL of the CI job that it runs in, or empty."""

    grafana: PlannedGrafana | None = None
    notifications: tuple[PlannedNotification, ...] = ()
    page: str = ""

    def listeners(self) -> Iterator[Listener]:
        """Each of them, as people may read it."""
        if (grafana := self.grafana) is not None and (base := grafana.targets.base) is not None:
            yield Listener("grafana", base.origin, ("annotation",) if grafana.token else ("link",), grafana.uid)
        for each in self.notifications:
            words = tuple(event.value for event in Event if event in each.on)
            yield Listener("notification", each.target.origin, words, each.template.value if each.template else "json")

    @property
    def sends(self) -> bool:
        """Whether anything is sent, rather than only linked."""
        return bool(self.notifications) or (self.grafana is not None and bool(self.grafana.token))

    def hidden(self) -> tuple[str, ...]:
        """What of it no output may show: webhooks, the token, credentials in headers."""
        found = [each.target.url for each in self.notifications if each.target.target != "/"]
        headers = (header for each in self.notifications for header in each.headers)
        found += [value.rpartition(" ")[2] for name, value in headers if is_credential(name)]
        if self.grafana is not None:
            found.append(self.grafana.token)
        return tuple(text for text in found if text)


def milliseconds(moment: datetime) -> int:
    """A moment as Grafana counts them: milliseconds since 1970."""
    return round(moment.timestamp() * _MILLISECONDS)


class AnnouncementPlanner:
    """Plans what a suite says of `grafana` and `notify`. `constants`: the suite's variables that are known."""

    def __init__(
        self, suite: Suite, inputs: Inputs, constants: Mapping[str, Any], settings: Settings, diagnostics: Diagnostics
    ) -> None:
        self._suite = suite
        self._inputs = inputs
        self._statics = settings
        self._diagnostics = diagnostics
        slots = {name: slot for slot, name in enumerate(TEMPLATE_FIELDS)}
        self._known = {name: value for name, value in constants.items() if name not in slots}
        self._compiler = Compiler(Names(inputs.environment, dict(self._known), slots), diagnostics)

    def plan(self) -> Announcements:
        """All of it. Raises VezaflowError where the guard says no."""
        written = self._suite.grafana
        notifications = (self._notification(*each) for each in enumerate(self._suite.notify, start=1))
        return Announcements(
            grafana=self._grafana(written) if written is not None else None,
            notifications=tuple(each for each in notifications if each is not None),
            page=_page(self._inputs.environment),
        )

    def _grafana(self, written: Grafana) -> PlannedGrafana | None:
        url, dashboard = self._text(written.url), self._text(written.dashboard)
        token = self._header(written.token) if written.token is not None else ""
        variables = tuple((name, self._text(value)) for name, value in written.variables if not _is_null(value))
        uid, _, slug = dashboard.strip("/").partition("/")
        if dashboard and (not uid or "/" in slug):
            self._diagnostics.error(
                "VF702",
                written.dashboard.span,
                "expected the dashboard's uid, or `uid/slug`",
                help="both are in the URL of the dashboard, behind `/d/`",
            )
        targets = self._targets(url, written.url, "grafana")
        return None if targets is None or not uid else PlannedGrafana(targets, uid, slug, variables, token)

    def _notification(self, number: int, written: Notification) -> PlannedNotification | None:
        url = self._text(written.webhook)
        targets = self._targets(url, written.webhook, "webhook")
        headers = tuple((name, self._header(value)) for name, value in written.headers if not _is_null(value))
        body = None
        if written.json is not None and self._all_known(written):
            body = self._compiler.tree(written.json)
        if targets is None or targets.base is None:
            return None
        return PlannedNotification(number, targets.base, frozenset(written.on), headers, written.template, body)

    def _all_known(self, written: Notification) -> bool:
        """Whether all variables are known before the run; those that aren't are reported."""
        unknown = [
            name
            for leaf in written.inserted()
            for name, _ in names_of(leaf)
            if name.name not in self._known and name.name not in TEMPLATE_FIELDS and name.name != "env"
        ]
        for name in unknown:
            self._diagnostics.error(
                "VF704",
                name.span,
                "this must be known before the run",
                help="use constants, `env` and `vars` without random values",
            )
        return not unknown

    def _targets(self, url: str, written: Expression, what: str) -> Targets | None:
        """The URL, if there is one and the guard lets it be asked."""
        if not url:
            return None
        try:
            return Targets(url, self._suite.guard.allow)
        except UrlError as e:
            self._diagnostics.error("VF705", written.span, f"the URL of `{what}` is not valid: {e}", help=e.help)
        except GuardError as e:
            hint = "list the host under `guard: {allow: […]}` in suite.yml, or run with --no-notify"
            raise refusal(f"`{what}`: {e}", hint) from None
        return None

    def _text(self, expression: Expression) -> str:
        value = self._statics.value(expression)
        return "" if value is UNKNOWN or value is None else render(value).strip()

    def _header(self, expression: Expression) -> str:
        try:
            return one_line(self._text(expression), expression.span)
        except EvaluationError as e:
            self._diagnostics.error("VF705", e.span, e.message)
            return ""


def _is_null(expression: Expression) -> bool:
    return getattr(expression, "value", "") is None


def _page(environment: Mapping[str, str]) -> str:
    """The page of the CI job, where its environment says one."""
    server, repository, run = (environment.get(name, "") for name in _CI)
    return f"{server.rstrip('/')}/{repository}/actions/runs/{run}" if server and repository and run else ""
