"""Where a run reports to, as written: a Grafana dashboard, and webhooks that hear of verdicts.

`TEMPLATE_FIELDS` is what the `json` of a notification can insert; the reference, lint and the reports share it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from vezaflow.diagnostics import Span
from vezaflow.model.requests import Pairs, Place, Tree, Use, leaves, plain
from vezaflow.syntax import Expression, Literal, Template

TEMPLATE_FIELDS: dict[str, dict[str, str]] = {
    "verdict": {
        "headline": "the verdict in one line",
        "outcome": "`green`, `red`, `inconclusive` or `accepted`",
        "broken": "the gates that broke, one per line",
    },
    "run": {
        "id": "the run's id",
        "suite": "the suite's name",
        "url": "the page of the CI job; without one the link to the Grafana dashboard; otherwise empty",
        "target": "the base URL",
        "p95": "p95 of `http_req_duration` over all flows, such as `412 ms`",
        "failed": "the ratio of failed requests, such as `0.12 %`",
        "started": "when the load started, such as `2026-11-30 02:30:00 UTC`",
        "duration": "the duration of the load, such as `5m`",
    },
    "night": {"text": "the state of the acceptance, such as `night 2 of 3`; empty where none is counted"},
}


class Event(Enum):
    """What a notification can be about."""

    GREEN = "green"
    RED = "red"
    INCONCLUSIVE = "inconclusive"
    ACCEPTED = "accepted"  # of the nights together, never of one run


USUAL_EVENTS = (Event.RED, Event.INCONCLUSIVE)


class Chat(Enum):
    """Chat systems with a message body of their own."""

    SLACK = "slack"
    MATTERMOST = "mattermost"
    MATRIX = "matrix"


@dataclass(frozen=True, slots=True)
class Grafana:
    """The dashboard that a run is linked to. With a token the run is also an annotation there."""

    url: Expression
    dashboard: Expression  # `uid` or `uid/slug`
    variables: Pairs
    token: Expression | None
    span: Span

    def uses(self) -> Iterator[Use]:
        return plain(self.url, self.dashboard, *(value for _, value in self.variables), self.token)

    def credentials(self) -> Iterator[Expression]:
        """What may be known to nobody else."""
        if self.token is not None:
            yield self.token


@dataclass(frozen=True, slots=True)
class Notification:
    """A webhook, the events that it hears of, and the body: `json`, or a chat's own."""

    webhook: Expression
    on: tuple[Event, ...]
    json: Tree | None
    template: Chat | None
    headers: Pairs
    span: Span

    def uses(self) -> Iterator[Use]:
        yield from plain(self.webhook, *(value for _, value in self.headers))
        yield from (Use(leaf, Place.NOTIFICATION) for leaf in self.inserted())

    def inserted(self) -> Iterator[Expression]:
        """The expressions of the body."""
        return iter(()) if self.json is None else leaves(self.json)

    def credentials(self) -> Iterator[Expression]:
        """What may be known to nobody else: who knows a webhook's path can post there."""
        yield from behind_host(self.webhook)
        yield from (value for _, value in self.headers)


def behind_host(url: Expression) -> Iterator[Expression]:
    """The parts of a URL that may be secret: all of it, unless its host is written out."""
    if not isinstance(url, Template):
        yield url
        return
    before = ""
    for part in url.parts:
        if "/" in before.partition("://")[2]:
            yield part
        before += part.value if isinstance(part, Literal) and isinstance(part.value, str) else "…"
