"""The control socket: real Unix sockets in a folder of the test's own."""

import os
import socket
import stat
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import orjson
import pytest
import trio
from controls import Written
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vezaflow.control import Caller, call, runs, serve
from vezaflow.control.place import folders, own_folder
from vezaflow.control.server import response
from vezaflow.control.wire import REQUEST_LIMIT, is_owner
from vezaflow.errors import VezaflowError

T = TypeVar("T")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short name: a socket's path is at most 107 bytes long."""
    with TemporaryDirectory(dir="/tmp") as made:
        yield Path(made) / "v"


@asynccontextmanager
async def serving(controls: Written, run_id: str, folder: Path) -> AsyncIterator[str]:
    async with trio.open_nursery() as nursery:

        async def begin(task_status: trio.TaskStatus[str]) -> None:
            await serve(controls, run_id, folder=folder, task_status=task_status)

        yield await nursery.start(begin)
        nursery.cancel_scope.cancel()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def opened(folder: Path) -> Path:
    """A folder that others may enter."""
    folder.mkdir(mode=0o755)
    return folder


async def elsewhere(work: Callable[[], T]) -> T:
    """What another terminal does: in a thread, with blocking sockets."""
    return await trio.to_thread.run_sync(work)


def ask(folder: Path, request: dict[str, Any], run: str | None = None) -> dict[str, Any]:
    with call(run, (folder,)) as caller:
        return caller.ask(request)


@pytest.mark.trio
async def test_orders_reach_the_run_and_its_words_come_back(folder: Path) -> None:
    controls = Written()
    async with serving(controls, "one", folder):
        assert await elsewhere(lambda: ask(folder, {"do": "status"})) == controls.status()
        assert await elsewhere(lambda: ask(folder, {"do": "pause"})) == {"said": "paused"}
        assert await elsewhere(lambda: ask(folder, {"do": "scale", "flow": "a", "vus": 3})) == {"said": "scaled"}
        assert await elsewhere(lambda: ask(folder, {"do": "stop"})) == {"said": "stopping"}
    assert controls.told == [("pause", None), ("scale", "a", 3), ("stop",)]


@pytest.mark.trio
async def test_one_conversation_may_hold_many_requests(folder: Path) -> None:
    def watch() -> list[dict[str, Any]]:
        with call(None, (folder,)) as caller:
            return [caller.ask({"do": "status"}) for _ in range(3)]

    async with serving(Written(), "one", folder):
        assert len(await elsewhere(watch)) == 3


@pytest.mark.trio
async def test_what_the_run_refuses_is_an_error_here_with_its_hint(folder: Path) -> None:
    async with serving(Written(), "one", folder):
        with pytest.raises(VezaflowError, match="nothing is paused") as refused:
            await elsewhere(lambda: ask(folder, {"do": "resume"}))
    assert refused.value.hint == "pause it first"


@pytest.mark.trio
async def test_nobody_but_the_owner_can_come_near(folder: Path) -> None:
    async with serving(Written(), "one", folder):
        assert mode(folder) == 0o700
        assert mode(folder / "one.sock") == 0o600


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the kernel does not tell who calls")
def test_the_kernel_says_who_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        assert is_owner(here)
        monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
        assert not is_owner(here)


@pytest.mark.trio
async def test_a_stranger_gets_no_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    controls = Written()
    async with serving(controls, "one", folder):
        monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
        stranger = await trio.open_unix_socket(folder / "one.sock")
        assert await stranger.receive_some() == b""
        await stranger.aclose()
    assert controls.told == []


def test_a_folder_that_others_may_enter_is_not_used(folder: Path) -> None:
    with pytest.raises(VezaflowError, match="is accessible to other users"):
        own_folder((opened(folder),))


def test_a_link_to_a_folder_is_not_used(folder: Path) -> None:
    (folder.parent / "real").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "real")
    with pytest.raises(VezaflowError, match="is accessible to other users"):
        own_folder((folder,))


def test_a_folder_too_deep_for_a_socket_gives_way_to_the_next(folder: Path) -> None:
    deep = folder.parent / ("x" * 90)
    assert own_folder((deep, folder)) == folder
    with pytest.raises(VezaflowError, match="too long for the path"):
        own_folder((deep,))


def test_without_a_session_the_folder_is_in_tmp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert folders() == (Path(f"/tmp/vezaflow-{os.getuid()}"),)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert folders() == (tmp_path / "vezaflow",)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    assert folders() == (tmp_path / "gone" / "vezaflow",)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "relative")
    assert folders() == (Path(f"/tmp/vezaflow-{os.getuid()}"),)


@pytest.mark.trio
async def test_a_run_that_cannot_be_steered_goes_on_and_says_why(folder: Path) -> None:
    async with serving(Written(), "one", opened(folder)) as reason:
        assert "can't be controlled from another terminal" in reason
    async with serving(Written(), "one", folder.parent / "w") as reason:
        assert reason == ""


@pytest.mark.trio
async def test_the_socket_is_gone_when_the_run_is(folder: Path) -> None:
    async with serving(Written(), "one", folder):
        assert names(folder) == ["one.sock"]
    assert names(folder) == []


def dead(path: Path) -> None:
    """What a run that was killed leaves behind."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()


def test_dead_runs_are_swept_away(folder: Path) -> None:
    dead(folder / "dead.sock")
    with pytest.raises(VezaflowError, match="no run is active"):
        call(None, (folder,))
    assert names(folder) == []


@pytest.mark.trio
async def test_a_new_run_sweeps_too_and_spares_the_living(folder: Path) -> None:
    dead(folder / "dead.sock")
    async with serving(Written(), "one", folder), serving(Written(), "two", folder):
        assert names(folder) == ["one.sock", "two.sock"]


@pytest.mark.trio
async def test_two_runs_are_told_apart(folder: Path) -> None:
    day, night = Written("day", 11, "sun"), Written("night", 22, "moon")
    async with serving(day, "20261124T01-aa", folder), serving(night, "20261124T02-bb", folder):
        found = await elsewhere(lambda: runs((folder,)))
        assert [(run.run_id, run.status and run.status["suite"]) for run in found] == [
            ("20261124T01-aa", "day"),
            ("20261124T02-bb", "night"),
        ]
        with pytest.raises(VezaflowError, match="2 runs are active: which one") as which:
            await elsewhere(lambda: ask(folder, {"do": "stop"}))
        assert "20261124T01-aa  day (sun), process 11, 1m15s elapsed" in which.value.hint
        await elsewhere(lambda: ask(folder, {"do": "scale", "flow": "moon", "vus": 3}, "moon"))
        await elsewhere(lambda: ask(folder, {"do": "stop"}, "bb"))
        await elsewhere(lambda: ask(folder, {"do": "pause"}, "11"))
        with pytest.raises(VezaflowError, match="unknown run 'zz'"):
            await elsewhere(lambda: ask(folder, {"do": "stop"}, "zz"))
    assert (day.told, night.told) == ([("pause", None)], [("scale", "moon", 3), ("stop",)])


@pytest.mark.trio
async def test_a_caller_who_never_ends_a_line_is_cut_short(folder: Path) -> None:
    def flood() -> bytes:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(folder / "one.sock"))
            caller.sendall(b"x" * (REQUEST_LIMIT + 1))
            return b"".join(iter(lambda: caller.recv(1000), b""))

    async with serving(Written(), "one", folder):
        assert b"a request must be one short line" in await elsewhere(flood)
        assert await elsewhere(lambda: ask(folder, {"do": "status"}))


@pytest.mark.trio
async def test_too_many_callers_are_turned_away_and_the_run_goes_on(folder: Path) -> None:
    async with serving(Written(), "one", folder):
        async with trio.open_nursery() as nursery:
            streams = [await trio.open_unix_socket(folder / "one.sock") for _ in range(16)]
            for stream in streams:
                await stream.send_all(b'{"do": "status"}\n')
                assert await stream.receive_some()
            late = await trio.open_unix_socket(folder / "one.sock")
            assert await late.receive_some() == b""
            for stream in (*streams, late):
                nursery.start_soon(stream.aclose)
        await trio.testing.wait_all_tasks_blocked()
        assert await elsewhere(lambda: ask(folder, {"do": "status"}))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"status", "a request must be a line of JSON"),
        (b"[1]", "a request must be a JSON object"),
        (b"{}", "a request needs `do`: status, pause, resume, scale, mark, stop"),
        (b'{"do": "dance"}', "a request needs `do`"),
        (b'{"do": "pause", "flow": 1}', "a flow is named by a text"),
        (b'{"do": "mark", "text": 1}', "`mark` needs a text"),
        (b'{"do": "scale", "flow": "a"}', "a whole number of VUs"),
        (b'{"do": "scale", "flow": "a", "vus": true}', "a whole number of VUs"),
        (b'{"do": "scale", "flow": "a", "vus": -1}', "a whole number of VUs"),
    ],
)
def test_nonsense_is_answered_with_what_is_wrong(line: bytes, message: str) -> None:
    controls = Written()
    assert message in response(controls, line)["error"]
    assert controls.told == []


def test_a_run_that_does_not_answer_is_not_waited_for(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folder / "one.sock"))
        silent.listen()
        with (
            Caller(folder / "one.sock", patience=0.02) as caller,
            pytest.raises(VezaflowError, match="run one does not respond"),
        ):
            caller.ask({"do": "status"})


def test_a_run_that_does_not_answer_is_told_from_one_that_has_ended(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with ExitStack() as open_ones, socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folder / "one.sock"))
        silent.listen(0)
        for _ in range(2):  # a full queue: nobody comes to the door
            waiting = open_ones.enter_context(socket.socket(socket.AF_UNIX))
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(str(folder / "one.sock"))
        with pytest.raises(VezaflowError, match="run one does not respond") as told:
            call(None, (folder,), patience=0.02)
        assert "overloaded" in told.value.hint
        with pytest.raises(VezaflowError, match="unknown run 'two'") as other:
            call("two", (folder,), patience=0.02)
        assert "one  does not respond" in other.value.hint


@contextmanager
def responding(folder: Path, line: bytes) -> Iterator[None]:
    """Something that is no run answers every request with one line."""
    folder.mkdir(mode=0o700)

    def serve_line(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                with peer, suppress(OSError):
                    while peer.recv(65536):
                        peer.sendall(line)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "one.sock"))
        listener.listen()
        thread = threading.Thread(target=serve_line, args=(listener,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


KEYS = (
    "error hint said suite flow flows flow_names folder phase pid run elapsed remaining pooled generator by_hand gates"
)
SCALARS = (
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
JSON = st.recursive(
    st.one_of(SCALARS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=8),
    max_leaves=12,
)


@given(JSON.map(lambda value: orjson.dumps(value) + b"\n") | st.binary(max_size=20).map(lambda text: text + b"\n"))
@example(b"\n")
@example(b"[" * 900 + b"]" * 900 + b"\n")
@example(b'{"suite": "\\u001b[2J", "elapsed": 1e308}\n')
@settings(max_examples=60, deadline=None)
def test_whatever_is_said_to_a_caller_is_an_answer_or_a_plain_error(line: bytes) -> None:
    with TemporaryDirectory(dir="/tmp") as made, responding(Path(made) / "v", line):
        place = (Path(made) / "v",)
        (run,) = runs(place)
        assert f"{run} {run.name} {run.folder}".isprintable()
        run.is_of(Path("/"))
        for speak in (Caller.order, Caller.ask):
            with call(None, place) as caller, suppress(VezaflowError):
                speak(caller, {"do": "pause"})


@settings(max_examples=200)
@given(JSON.map(orjson.dumps) | st.binary(max_size=40))
def test_whatever_is_asked_of_a_run_gets_an_answer(line: bytes) -> None:
    assert isinstance(response(Written(), line), dict)


@pytest.mark.trio
@pytest.mark.parametrize(
    ("here", "own"), [("/srv/day", True), ("/srv/day/data", True), ("/srv", False), ("/srv/days", False)]
)
async def test_a_run_is_of_the_suite_that_a_folder_lies_in(folder: Path, here: str, own: bool) -> None:
    async with serving(Written("day"), "one", folder):
        (run,) = await elsewhere(lambda: runs((folder,)))
    assert run.is_of(Path(here)) is own
    assert run.name == "day (browse)"
