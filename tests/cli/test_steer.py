"""Orders from another terminal, by the program itself, to something that answers as a run does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio
from program import vezaflow

from vezaflow.control import serve

pytestmark = pytest.mark.slow


class ToldControls:
    """Controls of a run of the suite in `folder`, that say yes to everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []

    def status(self) -> dict[str, object]:
        return {"suite": "nightly", "folder": str(self.folder), "flow_names": ["import", "export"]}

    def pause(self, flow: str | None = None) -> str:
        return self._do("pause")

    def resume(self, flow: str | None = None) -> str:
        return self._do("resume")

    def scale(self, flow: str, vus: int) -> str:
        return self._do("scale")

    def mark(self, text: str) -> str:
        return self._do("mark")

    def stop(self) -> str:
        return self._do("stop")

    def _do(self, what: str) -> str:
        self.told.append(what)
        return "done"


@contextmanager
def running(controls: ToldControls, runtime: Path) -> Iterator[None]:
    ready, over = threading.Event(), trio.Event()
    tokens: list[trio.lowlevel.TrioToken] = []

    async def main() -> None:
        tokens.append(trio.lowlevel.current_trio_token())
        async with trio.open_nursery() as nursery:

            async def begin(task_status: trio.TaskStatus[str]) -> None:
                await serve(controls, "20261126T013203Z-5c1e", folder=runtime / "vezaflow", task_status=task_status)

            assert await nursery.start(begin) == ""
            ready.set()
            await over.wait()
            nursery.cancel_scope.cancel()

    thread = threading.Thread(target=trio.run, args=(main,))
    thread.start()
    assert ready.wait(5)
    try:
        yield
    finally:
        tokens[0].run_sync_soon(over.set)
        thread.join()


ORDERS = (("pause",), ("resume",), ("stop",), ("scale", "import=3"), ("mark", "deployed 4f2a"))


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order[0])
def test_a_run_of_another_folder_is_not_taken_unasked(order: tuple[str, ...], tmp_path: Path) -> None:
    with TemporaryDirectory(dir="/tmp") as runtime:
        env = {"XDG_RUNTIME_DIR": runtime}
        theirs, mine = tmp_path / "theirs", tmp_path / "mine"
        theirs.mkdir()
        mine.mkdir()
        controls = ToldControls(theirs)
        with running(controls, Path(runtime)):
            refused = vezaflow(*order, env=env, cwd=mine)
            assert refused.code != 0
            assert f"does not belong to this folder's suite: nightly (import, export) in {theirs}" in refused.err
            assert "20261126T013203Z-5c1e" in refused.err
            assert controls.told == []
            verb, *rest = order
            named = {"scale": (*order, "--run", "nightly"), "mark": (verb, "nightly", *rest)}
            for words, place in (
                ((*order, "--yes"), mine),
                (named.get(verb, (*order, "nightly")), mine),
                (order, theirs),
            ):
                done = vezaflow(*words, env=env, cwd=place)
                assert done.code == 0, done.text
                assert done.out == "nightly (import, export), run 20261126T013203Z-5c1e: done\n"
            assert controls.told == [order[0]] * 3


def test_with_a_runtime_folder_of_its_own_nobody_elses_run_is_found(tmp_path: Path) -> None:
    with TemporaryDirectory(dir="/tmp") as runtime, TemporaryDirectory(dir="/tmp") as other:
        controls = ToldControls(tmp_path)
        with running(controls, Path(runtime)):
            done = vezaflow("stop", "--yes", env={"XDG_RUNTIME_DIR": other}, cwd=tmp_path)
        assert done.code != 0
        assert "no run is active" in done.err
        assert controls.told == []
