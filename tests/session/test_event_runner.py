"""Events on a mock clock: when they happen, what they leave behind, and that they are undone whatever comes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
import trio
import trio.testing
from planned import SUITE, inputs, plan_or_faults
from stage import Reply, Target

from vezaflow.engine import RunEngine
from vezaflow.errors import VezaflowError
from vezaflow.gates import windows_of
from vezaflow.metrics import Recorder, Summary
from vezaflow.plan import Plan
from vezaflow.results import Happened
from vezaflow.session.events import EventRunner

FLOW = "load: {vus: 1, duration: 10s}\nsteps: [{get: /}]\n"


class Played(NamedTuple):
    happened: tuple[Happened, ...]
    asked: list[tuple[float, str]]  # when, in seconds of the load, and what
    said: list[str]
    notes: tuple[str, ...]


def plan_of(events: str, *, setup: str = "", **environment: str) -> Plan:
    suite = f"{SUITE}\n{setup}\nevents:\n{events}"
    plan, diagnostics = plan_or_faults(FLOW, suite=suite, inputs=inputs(environment))
    assert plan is not None, [each.message for each in diagnostics]
    return plan


class Stage:
    """A load of which nothing but its events is there."""

    def __init__(self, plan: Plan, target: Target) -> None:
        self.plan = plan
        self.target = target
        self.said: list[str] = []
        self.begun = trio.current_time()
        self.engine = RunEngine(plan, recorder=Recorder(self.begun), client=target.client, clock=trio.current_time)
        self.windows = windows_of(plan)
        self.runner = EventRunner(
            plan.events,
            self.engine,
            self.windows,
            lambda: (trio.current_time() - self.begun, Summary()),
            until=plan.seconds,
            clock=trio.current_time,
            say=self.said.append,
            mask=plan.secrets.mask,
        )

    async def play(self, seconds: float = 10.0, marks: tuple[tuple[float, str], ...] = ()) -> Played:
        async with trio.open_nursery() as outer:
            await outer.start(self.engine.wheel.run)
            await self.engine.setup()
            self.begun = trio.current_time()
            async with trio.open_nursery() as nursery:
                self.runner.begin(self.begun, nursery)
                for at, text in marks:
                    await trio.sleep(self.begun + at - trio.current_time())
                    try:
                        self.runner.mark(text)
                    except VezaflowError as e:
                        self.said.append(e.message)
                await trio.sleep(self.begun + seconds - trio.current_time())
                nursery.cancel_scope.cancel()
            await self.runner.end()
            outer.cancel_scope.cancel()
        asked = [(round(at - self.begun, 1), f"{method} {path}") for at, method, path, _ in self.target.log]
        return Played(self.runner.happened(), asked, self.said, self.runner.notes())


def stage(events: str, answer: Reply = Reply(), **options: str) -> Stage:  # noqa: B008 (a constant)
    return Stage(plan_of(events, **options), Target(lambda _method, _path: answer))


pytestmark = pytest.mark.trio


async def test_an_event_happens_once_at_its_time(autojump_clock: trio.testing.MockClock) -> None:
    played = await stage("  - {name: flush, at: 3s, do: [{post: /flush}]}").play()
    assert played.asked == [(3.0, "POST /flush")]
    (event,) = played.happened
    assert (event.name, event.kind.value, event.begin, event.error) == ("flush", "steps", 3.0, "")
    assert event.end == pytest.approx(3.01)


async def test_an_event_repeats_until_the_load_is_over(autojump_clock: trio.testing.MockClock) -> None:
    played = await stage("  - {name: flush, every: 4s, do: [{post: /flush}]}").play(20.0)
    assert [at for at, _ in played.asked] == [4.0, 8.0]


async def test_an_event_is_undone_when_its_time_is_over(autojump_clock: trio.testing.MockClock) -> None:
    events = "  - {name: off, at: 2s, for: 3s, do: [{post: /off}], finally: [{post: /on}]}"
    played = await stage(events).play()
    assert played.asked == [(2.0, "POST /off"), (5.0, "POST /on")]
    (event,) = played.happened
    assert event.undone == event.end == pytest.approx(5.01)


async def test_an_event_without_an_end_is_undone_when_the_load_is_over(autojump_clock: trio.testing.MockClock) -> None:
    events = "  - {name: off, every: 2s, do: [{post: /off}], finally: [{post: /on}]}"
    played = await stage(events).play(5.0)
    assert played.asked == [(2.0, "POST /off"), (4.0, "POST /off"), (5.0, "POST /on")]


async def test_an_event_that_the_end_of_the_load_cuts_off_is_undone(autojump_clock: trio.testing.MockClock) -> None:
    events = "  - {name: off, at: 2s, do: [{post: /off}, {think: 30s}], finally: [{post: /on}]}"
    played = await stage(events).play(4.0)
    assert played.asked == [(2.0, "POST /off"), (4.0, "POST /on")]
    (event,) = played.happened
    assert event.error == "cut off by the end of the load"
    assert event.undone == pytest.approx(4.01)


async def test_an_event_that_did_not_begin_is_not_undone(autojump_clock: trio.testing.MockClock) -> None:
    events = "  - {name: off, at: 8s, do: [{post: /off}], finally: [{post: /on}]}"
    played = await stage(events).play(4.0)
    assert (played.asked, played.happened) == ([], ())


async def test_an_event_that_fails_is_told_and_undone_all_the_same(autojump_clock: trio.testing.MockClock) -> None:
    events = "  - {name: off, at: 2s, do: [{post: /off}], finally: [{get: /on, expect: 503}]}"
    played = await stage(events, Reply(503)).play()
    (event,) = played.happened
    assert event.error == "POST /off: expected status below 400, got 503"
    assert event.undone is not None
    assert played.said == [f"event 'off' failed: {event.error}"]
    assert played.notes == ()


async def test_an_undo_that_fails_is_tried_again_at_the_end_and_noted(autojump_clock: trio.testing.MockClock) -> None:
    events = "  - {name: off, at: 2s, for: 1s, finally: [{post: /on}]}"
    played = await stage(events, Reply(503)).play()
    assert [at for at, _ in played.asked] == [3.0, 10.0]
    (note,) = played.notes
    assert note.startswith("event 'off' was not undone: finally: POST /on: expected status below 400, got 503")


async def test_what_is_over_is_masked_once_however_many_ticks_ask_for_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    masked: list[str] = []

    def mask(text: str) -> str:
        masked.append(text)
        return text

    stage = Stage(plan_of("  - {name: a, at: 1s}"), Target(lambda *_: Reply()))
    stage.runner = EventRunner(
        stage.plan.events,
        stage.engine,
        stage.windows,
        lambda: (trio.current_time() - stage.begun, Summary()),
        until=10.0,
        clock=trio.current_time,
        say=stage.said.append,
        mask=mask,
    )
    played = await stage.play()
    masked.clear()
    assert stage.runner.happened() == played.happened != ()
    assert masked == []


async def test_an_undo_that_hangs_is_given_up(autojump_clock: trio.testing.MockClock) -> None:
    events = "  - {name: off, at: 2s, do: [{log: off}], finally: [{think: 5m}]}"
    before = trio.current_time()
    played = await stage(events).play(4.0)
    assert trio.current_time() - before == pytest.approx(14.0)
    assert "took longer than 10 s" in played.happened[0].error


async def test_what_setup_found_is_known_and_what_an_event_sets_stays_its_own(
    autojump_clock: trio.testing.MockClock,
) -> None:
    events = """
  - {name: one, at: 1s, do: [{set: {here: 1}}, {post: "/${token}/${here}"}], finally: [{post: "/back/${here}"}]}
  - {name: other, at: 2s, do: [{set: {here: 2}}, {post: "/${token}/${here}"}]}
"""
    played = await stage(events, setup="setup: [{set: {token: abc}}]").play(4.0)
    assert [path for _, path in played.asked] == ["POST /abc/1", "POST /abc/2", "POST /back/1"]


async def test_a_mark_is_a_moment_and_an_event_of_its_name_starts(autojump_clock: trio.testing.MockClock) -> None:
    events = "  - {name: deploy, for: 2s, do: [{post: /deploy}]}"
    played = await stage(events).play(marks=((1.0, "looks  slow\n"), (3.0, "deploy")))
    mark, event = played.happened
    assert (mark.name, mark.begin, mark.end, mark.manual) == ("looks slow", 1.0, 1.0, True)
    assert (event.name, event.begin, event.end, event.manual) == ("deploy", 3.0, 5.0, True)


async def test_an_event_that_has_not_ended_does_not_start_again(autojump_clock: trio.testing.MockClock) -> None:
    played = await stage("  - {name: deploy, at: 1s, for: 5s}").play(marks=((2.0, "deploy"),))
    assert played.said == ["the event 'deploy' has not ended"]
    assert len(played.happened) == 1


@contextmanager
def runtime_api(*responses: bytes) -> Iterator[tuple[Path, list[str]]]:
    """A runtime API that has these responses, one a connection; what it was sent."""
    heard: list[str] = []
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        path = Path(folder) / "ha"
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            for response in responses:
                connection, _ = listening.accept()
                with connection:
                    heard.append(connection.recv(4096).decode())
                    connection.sendall(response)

        thread = threading.Thread(target=serve)
        thread.start()
        yield path, heard
        thread.join()


HAPROXY = """
  - name: off
    at: 1 ms
    haproxy: {socket: "${env.SOCKET}", command: [set server be/s1 state maint, "show ${what ?? 'info'}"]}
"""


async def test_commands_are_sent_one_after_another() -> None:
    with runtime_api(b"\n\n", b"\nName: HAProxy\nVersion: 2.6\n\n") as (path, heard):
        played = await stage(HAPROXY, setup="setup: [{set: {what: stat}}]", SOCKET=str(path)).play(0.2)
    sent = ["set server be/s1 state maint", "show stat"]
    assert heard == [f"set severity-output number;{command}\n" for command in sent]
    assert played.happened[0].text == "set server be/s1 state maint; show stat: Name: HAProxy"


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (b"\n[3]: No such server.\n\n", "No such server."),
        (b"\n[6]: Unknown command, but maybe one of the following ones is a better match:\n", "Unknown command"),
        (b"\n[3]: Permission denied\n\n", "Permission denied"),
    ],
)
async def test_a_command_that_haproxy_refuses_is_a_failed_event(response: bytes, why: str) -> None:
    with runtime_api(response) as (path, _):
        played = await stage(HAPROXY, setup="setup: [{set: {what: stat}}]", SOCKET=str(path)).play(0.2)
    assert played.happened[0].error == why


async def test_a_socket_that_is_not_there_is_a_failed_event(tmp_path: Path) -> None:
    played = await stage(HAPROXY, setup="setup: [{set: {what: x}}]", SOCKET=str(tmp_path / "no")).play(0.1)
    assert played.happened[0].error == f"{tmp_path}/no: No such file or directory"
