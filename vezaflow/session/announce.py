"""Telling others of a run: annotations on its Grafana dashboard, notifications after its verdict.

Laws: the load never waits for it, and neither verdict nor exit code depend on it. Each request has a time limit; what
fails is told once, is a note in the result, and shows no secret. A notification is tried a second time after a
connection error, a 5xx or a 429; an annotation is not, since Grafana may have made it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import trio

from vezaflow.diagnostics import printable
from vezaflow.model import Event
from vezaflow.outputs import MOST_BYTES, POST_OPTIONS, PostError, post
from vezaflow.plan import (
    Announcements,
    EvaluationError,
    Facts,
    PlannedGrafana,
    PlannedNotification,
    Target,
    milliseconds,
)
from vezaflow.protocols import Transport
from vezaflow.reports import as_accepted, chat_message, facts_of
from vezaflow.results import Happened, RunResult
from vezaflow.syntax import json_bytes


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for a request, before the second try, and at most where the server says how long."""

    timeout: float = 10.0
    pause: float = 1.0
    longest_pause: float = 10.0


class Announcer:
    """One run's. `run` is its task; `begin` and `tell` are called while that goes on."""

    def __init__(
        self, announcements: Announcements, say: Callable[[str], None], *, patience: Patience = Patience()
    ) -> None:
        self._announcements = announcements
        self._say = say
        self._patience = patience
        self._nursery: trio.Nursery | None = None
        self._annotated = trio.Event()
        self._annotation: int | None = None
        self._run: tuple[datetime, str] | None = None  # when its load began, and its suite
        self._telling: list[trio.Event] = []  # of events
        self.notes: list[str] = []

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; where nothing is sent it ends at once."""
        if not self._announcements.sends:
            task_status.started()
            return
        self._transport = Transport(max_body=MOST_BYTES)
        grafana = self._annotating
        if grafana is not None and grafana.targets.base is not None:  # the system's authorities take 20 ms to read:
            self._transport.route(grafana.targets.base.origin, POST_OPTIONS, None, None)  # now, and not in the load
        async with trio.open_nursery() as self._nursery:
            await self._nursery.start(self._transport.run)
            task_status.started()

    def begin(self, began: datetime, suite: str, run_id: str) -> None:
        """The load has begun. Returns at once."""
        self._run = (began, suite)
        grafana = self._annotating
        if grafana is not None and self._nursery is not None:
            self._nursery.start_soon(self._open, grafana, began, suite, run_id)

    def event(self, happened: Happened) -> None:
        """Something happened during the load, and is over. Returns at once."""
        grafana = self._annotating
        if grafana is not None and self._nursery is not None and self._run is not None:
            told = trio.Event()
            self._telling.append(told)
            self._nursery.start_soon(self._annotate_event, grafana, happened, *self._run, told)

    async def tell(self, result: RunResult) -> None:
        """The verdict is there: end the annotation, send the notifications; of the acceptance, too, where it came with
        this run."""
        for told in self._telling:
            await told.wait()
        facts = facts_of(result, self._announcements.page)
        async with trio.open_nursery() as nursery:
            if (grafana := self._annotating) is not None:
                nursery.start_soon(self._close, grafana, result, facts)
            nursery.start_soon(self.notify, facts, Event(result.outcome.value))
            if result.standing.accepted:
                nursery.start_soon(self.notify, as_accepted(facts, result.standing.accepted), Event.ACCEPTED)

    async def notify(self, facts: Facts, event: Event) -> None:
        """Send the notifications of an event, all at once."""
        async with trio.open_nursery() as nursery:
            for notification in self._announcements.notifications:
                if event in notification.on:
                    nursery.start_soon(self._send, notification, facts)

    @property
    def _annotating(self) -> PlannedGrafana | None:
        grafana = self._announcements.grafana
        return grafana if grafana is not None and grafana.token else None

    async def _open(self, grafana: PlannedGrafana, began: datetime, suite: str, run_id: str) -> None:
        annotation = {
            "dashboardUID": grafana.uid,
            "time": milliseconds(began),
            "tags": ["vezaflow", suite],
            "text": f"{suite}: load test started, run {run_id}",
        }
        try:
            answer = await self._annotate(grafana, "POST", "/api/annotations", annotation)
            self._annotation = _id_in(answer)
        except PostError as e:
            self._report(f"Grafana: the annotation could not be created: {e}")
        finally:
            self._annotated.set()

    async def _annotate_event(
        self, grafana: PlannedGrafana, happened: Happened, began: datetime, suite: str, told: trio.Event
    ) -> None:
        moments = (happened.begin, happened.end or happened.begin)
        begin, end = (milliseconds(began + timedelta(seconds=moment)) for moment in moments)
        said = ", ".join(filter(None, (happened.text, f"failed: {happened.error}" if happened.error else "")))
        annotation = {
            "dashboardUID": grafana.uid,
            "time": begin,
            **({"timeEnd": end} if end > begin else {}),
            "tags": ["vezaflow", suite, "event"],
            "text": f"{suite}: {happened.name}{f' ({said})' if said else ''}",
        }
        try:
            await self._annotate(grafana, "POST", "/api/annotations", annotation)
        except PostError as e:
            self._report(f"Grafana: the annotation of '{happened.name}' could not be created: {e}")
        finally:
            told.set()

    async def _close(self, grafana: PlannedGrafana, result: RunResult, facts: Facts) -> None:
        await self._annotated.wait()
        if self._annotation is None:
            return
        ended = {
            "timeEnd": milliseconds(result.started + timedelta(seconds=result.duration)),
            "tags": ["vezaflow", result.suite, result.outcome.value],
            "text": f"{result.suite}: {facts['verdict']['headline']}, run {result.run_id}",
        }
        try:
            await self._annotate(grafana, "PATCH", f"/api/annotations/{self._annotation}", ended)
        except PostError as e:
            self._report(f"Grafana: the annotation could not be completed: {e}")

    async def _annotate(self, grafana: PlannedGrafana, method: str, path: str, document: Any) -> bytes:
        headers = {"Authorization": f"Bearer {grafana.token}"}
        return await self._ask(method, grafana.targets.resolve(path), headers, document)

    async def _send(self, notification: PlannedNotification, facts: Facts) -> None:
        try:
            document = _document(notification, facts)
            try:
                await self._ask("POST", notification.target, dict(notification.headers), document)
            except PostError as e:
                if not e.again:
                    raise
                patience = self._patience
                await trio.sleep(patience.pause if e.after is None else min(e.after, patience.longest_pause))
                await self._ask("POST", notification.target, dict(notification.headers), document)
        except PostError as e:
            self._report(f"notification {notification.number} could not be sent: {e}")

    async def _ask(self, method: str, target: Target, headers: Mapping[str, str], document: Any) -> bytes:
        """The body of a 2xx response. Raises PostError."""
        try:
            body = json_bytes(document)
        except TypeError as e:
            raise PostError(f"the body is not JSON: {e}") from None
        return await post(self._transport, method, target, headers, body, self._patience.timeout)

    def _report(self, text: str) -> None:
        self.notes.append(printable(text))
        self._say(text)


def _document(notification: PlannedNotification, facts: Facts) -> Any:
    if notification.template is not None:
        return chat_message(notification.template, facts)
    try:
        return notification.document(facts)
    except EvaluationError as e:
        raise PostError(e.message) from None


def _id_in(answer: bytes) -> int:
    """The new annotation's id. Raises PostError."""
    import orjson

    try:
        found = orjson.loads(answer)["id"]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, int):
        raise PostError("the response has no id of an annotation")
    return found
