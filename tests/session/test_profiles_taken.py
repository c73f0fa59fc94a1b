"""Profiles on a mock clock: when they are taken, what is kept of them, and why there is none."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trio
import trio.testing
from planned import SUITE, inputs, plan_or_faults
from stage import Reply, Target

from vezaflow.engine import RunEngine
from vezaflow.gates import windows_of
from vezaflow.metrics import Recorder, Summary
from vezaflow.plan import Plan
from vezaflow.profiles import ProfileRecord
from vezaflow.protocols import ErrorKind
from vezaflow.results import Happened
from vezaflow.sandbox.profiling import encoded
from vezaflow.session.events import EventRunner
from vezaflow.session.profiling import Profiler

pytestmark = pytest.mark.trio
FLOW = "load: {vus: 1, duration: 60s}\nsteps: [{get: /}]\n"
KINDS = (("samples", "count"), ("cpu", "nanoseconds"))
CPU = encoded({(("search", "s.go", 7), ("main", "m.go", 3)): (30, 300), (("main", "m.go", 4),): (10, 100)}, KINDS)
ANSWERED = Reply(200, CPU, after=5.0)


def plan_of(profile: str, also: str = "", **environment: str) -> Plan:
    suite = f"{SUITE}\nprofile: {profile}\n{also}\n"
    plan, diagnostics = plan_or_faults(FLOW, suite=suite, inputs=inputs(environment))
    assert plan is not None, [each.message for each in diagnostics]
    return plan


def kept(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


class Stage:
    """A load of which nothing but its profiles is there."""

    def __init__(self, plan: Plan, answer: Reply, folder: Path | None = None) -> None:
        self.plan = plan
        self.said: list[str] = []
        self.target = Target(lambda _method, _path: answer)
        self.profiler = Profiler("20261130T000000Z-abcdef", folder, self.said.append)
        self.notes: tuple[str, ...] = ()
        self.happened: tuple[Happened, ...] = ()

    async def play(
        self,
        seconds: float = 60.0,
        is_red: Callable[[], bool] = lambda: False,
        over: Callable[[], None] = lambda: None,
    ) -> list[ProfileRecord]:
        """`over` is called between the end of the load and what is read then."""
        begun = trio.current_time()
        client, clock = self.target.client, trio.current_time
        engine = RunEngine(self.plan, recorder=Recorder(begun), client=client, clock=clock)
        runner = EventRunner(
            self.plan.events,
            engine,
            windows_of(self.plan),
            lambda: (trio.current_time() - begun, Summary()),
            until=self.plan.seconds,
            clock=trio.current_time,
            say=self.said.append,
            mask=self.plan.secrets.mask,
            profiler=self.profiler,
            is_red=is_red,
        )
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                runner.begin(begun, nursery)
                await trio.sleep_forever()
        await runner.end()
        over()
        self.notes = runner.notes()
        self.happened = runner.happened()
        return list(self.profiler.records(self.plan.gates))

    @property
    def asked(self) -> list[tuple[float, str]]:
        return [(round(at - self.target.log[0][0], 1), path) for at, _, path, _ in self.target.log]


async def test_a_profile_is_taken_at_its_time_and_is_an_event(autojump_clock: trio.testing.MockClock) -> None:
    stage = Stage(plan_of("{url: /debug/pprof/profile, seconds: 5, at: 20s}"), ANSWERED)
    (record,) = await stage.play()
    assert (record.name, record.begin, record.end, record.problem) == ("cpu", 20.0, 25.0, "")
    assert [(each.function, each.flat, each.cum) for each in record.by_flat()] == [
        ("search", 0.75, 0.75),
        ("main", 0.25, 1.0),
    ]
    assert [path for _, path in stage.asked] == ["/debug/pprof/profile?seconds=5"]
    (event,) = stage.happened
    assert (event.name, event.kind.value, event.begin, event.end) == ("cpu", "profile", 20.0, 25.0)
    assert (event.error, event.text) == ("", "/debug/pprof/profile, 0 KiB")
    assert stage.said == []


async def test_a_cpu_profile_takes_30_seconds_and_a_snapshot_asks_for_none(
    autojump_clock: trio.testing.MockClock,
) -> None:
    stage = Stage(plan_of("[{url: /debug/pprof/profile, at: 1s}, {url: /debug/pprof/heap, at: 2s}]"), ANSWERED)
    records = await stage.play()
    assert [path for _, path in stage.asked] == ["/debug/pprof/profile?seconds=30", "/debug/pprof/heap"]
    assert [each.name for each in records] == ["cpu", "heap"]


async def test_a_profile_that_repeats_has_a_record_and_a_file_each_time(
    autojump_clock: trio.testing.MockClock, tmp_path: Path
) -> None:
    autojump_clock.autojump_threshold = 0.05  # files are written in a thread
    stage = Stage(plan_of("{url: /debug/pprof/heap, every: 20s, name: a heap}"), ANSWERED, tmp_path / "kept")
    records = await stage.play()
    assert [each.begin for each in records] == [20.0, 40.0]
    files = ["20261130T000000Z-abcdef-a_heap.pb", "20261130T000000Z-abcdef-a_heap-2.pb"]
    assert [Path(each.file).name for each in records] == files
    assert [each.read_bytes() for each in kept(tmp_path / "kept")] == [CPU, CPU]


async def test_a_profile_of_an_event_is_taken_with_it(autojump_clock: trio.testing.MockClock) -> None:
    event = "events: [{name: halfway, at: 30s, profile: {url: /debug/pprof/profile, seconds: 5}}]"
    stage = Stage(plan_of("{url: /debug/pprof/heap, at: 2s}", event), ANSWERED)
    assert [(each.name, each.begin) for each in await stage.play()] == [("heap", 2.0), ("halfway", 30.0)]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            Reply(500, b"Could not enable CPU profiling: cpu profiling already in use\n"),
            "status 500: Could not enable CPU profiling: cpu profiling already in use",
        ),
        (Reply(404, b"404 page not found\n"), "status 404: 404 page not found"),
        (Reply(302, headers=(("location", "/login"),)), "status 302"),
        (Reply(error=ErrorKind.REFUSED), "refused"),
        (Reply(error=ErrorKind.TIMEOUT_WAIT, after=20.0), "no profile within 20 s (timeout_wait: no response in time)"),
        (
            Reply(200, b"<!doctype html>", (("content-type", "text/html"),)),
            "the response is not a profile in pprof's format, but text/html: is the URL right?",
        ),
    ],
)
async def test_why_there_is_no_profile_is_told_and_kept(
    answer: Reply, why: str, autojump_clock: trio.testing.MockClock, tmp_path: Path
) -> None:
    stage = Stage(plan_of("{url: /debug/pprof/profile, seconds: 5, at: 2s}"), answer, tmp_path)
    (record,) = await stage.play()
    assert (record.problem, record.top, record.file) == (why, (), "")
    assert stage.said == [f"event 'cpu' failed: {why}"]
    assert [each.error for each in stage.happened] == [why]
    assert kept(tmp_path) == []


async def test_the_end_of_the_load_cuts_a_profile_off(autojump_clock: trio.testing.MockClock) -> None:
    stage = Stage(plan_of("{url: /debug/pprof/profile, seconds: 5, at: 2s}"), ANSWERED)
    (record,) = await stage.play(4.0)
    assert record.problem == "cut off by the end of the load"


async def test_what_begins_as_a_profile_and_is_none_is_known_after_the_load(
    autojump_clock: trio.testing.MockClock,
) -> None:
    stage = Stage(plan_of("{url: /debug/pprof/heap, at: 2s}"), Reply(200, b"\x1f\x8bnonsense"))
    assert stage.profiler.problems() == ()
    (record,) = await stage.play()
    assert record.problem.startswith("its gzip is broken")
    assert stage.profiler.problems() == (f"the profile 'heap' can't be read: {record.problem}",)


async def test_a_profile_is_read_from_its_file_when_the_load_is_over(
    autojump_clock: trio.testing.MockClock, tmp_path: Path
) -> None:
    autojump_clock.autojump_threshold = 0.05  # files are written in a thread
    stage = Stage(plan_of("{url: /debug/pprof/heap, at: 2s}"), ANSWERED, tmp_path)
    (record,) = await stage.play(over=lambda: kept(tmp_path)[0].unlink())
    assert record.problem.endswith("heap.pb can't be read: No such file or directory")
    assert stage.profiler.problems() == (f"the profile 'heap' can't be read: {record.problem}",)
    assert stage.happened[0].text == "/debug/pprof/heap, 0 KiB"


async def test_a_folder_that_can_not_be_written_costs_the_file_only(
    autojump_clock: trio.testing.MockClock, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    stage = Stage(plan_of("{url: /debug/pprof/heap, at: 2s}"), ANSWERED, tmp_path / "file")
    (record,) = await stage.play()
    assert (record.problem, record.file, len(record.top)) == ("", "", 2)
    assert "can't be written" in stage.said[0]


@pytest.mark.parametrize("is_red", [True, False])
async def test_one_for_red_ends_with_the_load_if_a_gate_is_broken(
    is_red: bool, autojump_clock: trio.testing.MockClock
) -> None:
    stage = Stage(plan_of("{url: /debug/pprof/profile, seconds: 5, on: red}"), ANSWERED)
    records = await stage.play(is_red=lambda: is_red)
    assert [(each.begin, each.end) for each in records] == ([(53.0, 58.0)] if is_red else [])
    assert stage.notes == ()


async def test_a_snapshot_for_red_is_taken_when_the_load_is_over(autojump_clock: trio.testing.MockClock) -> None:
    stage = Stage(plan_of("{url: /debug/pprof/heap, on: red}"), Reply(200, CPU, after=0.5))
    (record,) = await stage.play(12.0, lambda: True)
    assert (record.begin, record.end, record.problem) == (12.0, 12.5, "")


async def test_a_load_that_ends_early_has_no_profile_for_red_and_says_so(
    autojump_clock: trio.testing.MockClock,
) -> None:
    stage = Stage(plan_of("{url: /debug/pprof/profile, seconds: 5, on: red}"), ANSWERED)
    assert await stage.play(12.0, lambda: True) == []
    assert stage.notes == ("the profile 'cpu' was not taken: the load ended before its time",)


async def test_its_request_has_the_headers_of_the_suite_and_its_own(autojump_clock: trio.testing.MockClock) -> None:
    profile = '{url: /debug/pprof/heap, at: 2s, headers: {x-admin: load}, auth: {bearer: "${env.TOKEN}"}}'
    stage = Stage(plan_of(profile, "headers: {x-suite: test}", TOKEN="abcdefghijkl"), ANSWERED)
    await stage.play()
    head = stage.target.log[0][3]
    assert "x-admin: load" in head
    assert "x-suite: test" in head
    assert "Bearer abcdefghijkl" in head
