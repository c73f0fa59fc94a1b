"""A new kind of step: what its author has to say, and that nobody else has to hear of it.

Five modules know kinds: keys/steps, model/steps, read/steps, plan/steps and engine/interpreter. A toy kind is added to
a copy of the package, in these alone: mypy accepts it, and lint, plan, explain and a run treat it as any other. What
its author forgets is a type error, not a wrong run.
"""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from served import QuietHandler, served

from vezaflow import model, plan
from vezaflow.model import Step, Whole
from vezaflow.plan import PlannedStep

PACKAGE = Path(model.__file__).parent.parent
HOME = {"model/steps.py", "read/steps.py", "plan/steps.py", "engine/interpreter.py", "keys/steps.py"}
DOORS = {"model/__init__.py": model, "plan/__init__.py": plan}  # of the kinds that others name
REQUEST = {"Request", "PlannedRequest"}  # what is sent is no matter of kinds: shapes hold it

# Who else names a kind, and may: a part of that kind's own reader, planner or runner, or a rule about its own keys.
OWN_PARTS = {
    "read/fragments.py": {"Include"},
    "read/hls.py": {"Hls"},
    "read/include.py": {"Include"},
    "read/paginate.py": {"Paginate"},
    "read/upload.py": {"Upload"},
    "read/event_stream.py": {"OpenEventStream"},
    "read/websocket.py": {"OpenWebSocket", "Send", "Receive", "Ping"},
    "plan/attempts.py": {"Poll"},
    "plan/forecast.py": {"Poll", "Paginate"},
    "plan/hls.py": {"Hls"},
    "plan/includes.py": {"Include"},
    "plan/pages.py": {"Paginate"},
    "plan/requests.py": {"Hls", "Poll", "Paginate", "Upload", "PlannedHls", "PlannedUpload"},
    "plan/uploads.py": {"Upload"},
    "plan/event_streams.py": {"OpenEventStream"},
    "plan/websockets.py": {"OpenEventStream", "OpenWebSocket", "Send", "Receive", "Ping"},
    "plan/values.py": {"PlannedSet"},  # variables of an iteration are set as by a step
    "engine/hls.py": {"PlannedHls"},
    "engine/stream_session.py": {"PlannedHls"},
    "engine/together.py": {"PlannedFor", "PlannedParallel"},
    "engine/uploads.py": {"PlannedUpload"},
    "engine/channels.py": {"PlannedReceive"},
    "engine/event_streams.py": {"PlannedEventStream"},
    "engine/websockets.py": {"PlannedWebSocket", "PlannedSend", "PlannedPing"},
    "model/walks.py": {"Include", "Upload"},  # fragments that are missing, fields of `part`
    "lint/definite.py": {"If", "Include"},  # the same condition twice is one way; a fragment's ways are its own
    "lint/flows.py": {"Choose"},
    "lint/names.py": {"For", "Include", "Upload"},
    "lint/parallel.py": {"For", "Parallel"},
    "lint/reach.py": {"For", "If", "While"},
    "lint/uploads.py": {"Upload"},
    "lint/event_streams.py": {"OpenEventStream", "OpenWebSocket", "Receive"},
    "lint/websockets.py": {"OpenEventStream", "OpenWebSocket", "Send", "Receive", "Ping"},
}

Edits = dict[str, list[tuple[str, str]]]  # by file: a place in it, and what stands there then; • is what stood there

TOY: Edits = {
    "keys/steps.py": [
        (
            "    REQUEST,\n",
            '•    Table("twice", "a twice step", "Twice.", one_of=(Field("twice", Kind.STEPS, "What.", "[]"),)),\n',
        )
    ],
    "model/steps.py": [
        (
            "class StopScope(Enum):",
            """@dataclass(frozen=True, slots=True)
class Twice(Nameless, _SetsNothing, _LendsNothing):
    steps: Steps
    span: Span

    @property
    def shape(self) -> "Loop[Step]":
        return Loop(self.steps, 2, 2)

    def uses(self) -> Iterator[Use]:
        return plain()

    def rebuilt(self, change: Change) -> "Twice":
        return replace(self, steps=change(self.steps))


•""",
        ),
        ("    | Log\n", "•    | Twice\n"),
    ],
    "read/steps.py": [
        ("from vezaflow.model.steps import (\n", "•    Twice,\n"),
        ('    "poll": _poll,\n', '•    "twice": lambda row: Twice(read_steps(row, "twice"), row.key_span("twice")),\n'),
    ],
    "plan/steps.py": [
        ("from vezaflow.model.steps import (\n", "•    Twice,\n"),
        (
            "PlannedStep = (",
            """@dataclass(frozen=True, slots=True)
class PlannedTwice(Nameless):
    steps: Steps
    span: Span

    @property
    def shape(self) -> "Loop[PlannedStep]":
        return Loop(self.steps, 2, 2)

    def rebuilt(self, change: Change) -> "PlannedTwice":
        return replace(self, steps=change(self.steps))


•""",
        ),
        ("    | PlannedLog\n", "•    | PlannedTwice\n"),
        (
            "        match step:\n",
            "•            case Twice(steps, span):\n                return PlannedTwice(self.steps(steps), span)\n",
        ),
    ],
    "engine/interpreter.py": [
        ("from vezaflow.plan.steps import (\n", "•    PlannedTwice,\n"),
        (
            "        match step:\n",
            "•            case PlannedTwice(steps, _):\n"
            "                return self._loop(lambda vu: iter(range(2)), None, steps, here)\n",
        ),
    ],
}
PLANNER, RUNNER = (TOY[name][-1][1].removeprefix("•") for name in ("plan/steps.py", "engine/interpreter.py"))
SHAPE = '-> "Loop[Step]":\n        return Loop(self.steps, 2, 2)\n\n    def uses'
WALKERS = {
    "model/walks.py", "lint/definite.py", "lint/gates.py", "lint/names.py", "lint/parallel.py", "lint/samples.py",
}  # fmt: skip

FORGOTTEN: dict[str, tuple[str, str, str, set[str]]] = {  # where, what, what stands there instead, and who says so
    "its planner": ("plan/steps.py", PLANNER, "", {"plan/steps.py"}),
    "what runs it": ("engine/interpreter.py", RUNNER, "", {"engine/interpreter.py"}),
    "what it sets": (
        "model/steps.py",
        "class Twice(Nameless, _SetsNothing, ",
        "class Twice(Nameless, ",
        {"model/walks.py"},
    ),
    "its steps": (
        "model/steps.py",
        '    def rebuilt(self, change: Change) -> "Twice":',
        '    def other(self, change: Change) -> "Twice":',
        {"read/fragments.py"},
    ),
    "a shape that there is": (
        "model/steps.py",
        SHAPE,
        SHAPE.replace('"Loop[Step]"', "StopScope").replace("Loop(self.steps, 2, 2)", "StopScope.VU"),
        WALKERS,
    ),
}
FLOW = """
flow: toy
base_url: http://127.0.0.1:9
steps:
  - twice:
      - get: /a
        name: first
        extract: {token: $.token}
      - get: /b/${token}
        name: second
  - get: /c/${token}
gates: {http_req_failed: rate < 1 %}
"""


def kinds(union: object) -> dict[str, type]:
    return {kind.__name__: kind for kind in get_args(union)}


def named_in(path: Path, names: set[str]) -> set[str]:
    """The kinds that a file imports from the model or the plan."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    found = [node for node in nodes if (node.module or "").startswith(("vezaflow.model", "vezaflow.plan"))]
    return {alias.name for node in found for alias in node.names} & names


def imported(path: Path, door: str) -> set[str]:
    """What a file has from a door."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in nodes if node.module == door for alias in node.names}


def test_kinds_are_known_to_five_modules() -> None:
    names = {*kinds(Step), *kinds(PlannedStep)} - REQUEST
    found = {path.relative_to(PACKAGE).as_posix(): named_in(path, names) for path in PACKAGE.rglob("*.py")}
    others = {path: known for path, known in found.items() if known and path not in {*HOME, *DOORS}}
    assert others == OWN_PARTS


@pytest.mark.parametrize("door", DOORS)
def test_a_door_has_the_kinds_that_others_name_and_no_more(door: str) -> None:
    """So a new kind, which nobody else knows, need not touch it."""
    names = {*kinds(Step), *kinds(PlannedStep)} - REQUEST
    module = DOORS[door]
    entered = {name for path in OWN_PARTS for name in imported(PACKAGE / path, module.__name__)}
    assert set(module.__all__) & names == entered & names


@pytest.mark.parametrize("kind", [*kinds(Step).values(), *kinds(PlannedStep).values()])
def test_a_kind_that_holds_steps_can_be_made_anew_with_others(kind: type) -> None:
    known = {**vars(model), **vars(plan), "Any": Any}
    shape = str(get_type_hints(kind.shape.fget, known)["return"])  # type: ignore[attr-defined]
    holds = any(word in shape for word in ("Block", "OneOf", "Loop", "Beside"))
    others = kind.__name__ in ("Include", "Hls", "PlannedHls")  # their steps are the fragment's, or what a player sends
    assert holds is not issubclass(kind, Whole) or others


def changed(text: str, there: str, then: str) -> str:
    assert there in text, f"there is no {there!r} any more"
    return text.replace(there, then.replace("•", there), 1)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with a toy kind in it."""
    folder = tmp_path_factory.mktemp("toy")
    shutil.copytree(PACKAGE, folder / "vezaflow", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE.parent / "pyproject.toml", folder)
    for name, edits in TOY.items():
        path = folder / "vezaflow" / name
        for there, then in edits:
            path.write_text(changed(path.read_text(), there, then))
    (folder / "toy.yml").write_text(FLOW)
    return folder


@pytest.fixture
def change(toy: Path) -> Iterator[Callable[[str, str, str], None]]:
    """Changes a file of the copy until the test has ended."""
    before: dict[Path, str] = {}

    def change(name: str, there: str, then: str) -> None:
        path = toy / "vezaflow" / name
        text = path.read_text()
        before.setdefault(path, text)
        path.write_text(changed(text, there, then))

    yield change
    for path, text in before.items():
        path.write_text(text)


def mypy(folder: Path) -> set[str]:
    """The files in which mypy finds errors."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "vezaflow"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    lines = [line for line in done.stdout.splitlines() if ": error:" in line]
    return {line.partition(":")[0].removeprefix("vezaflow/") for line in lines}


def vezaflow(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "vezaflow", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(folder), "XDG_STATE_HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.slow
def test_a_new_kind_is_five_modules(toy: Path) -> None:
    assert mypy(toy) == set()


@pytest.mark.slow
@pytest.mark.parametrize("what", FORGOTTEN)
def test_a_kind_that_one_of_them_forgets_is_a_type_error(what: str, toy: Path, change: Callable[..., None]) -> None:
    name, there, then, found = FORGOTTEN[what]
    change(name, there, then)
    assert mypy(toy) >= found


@pytest.fixture
def target() -> Iterator[tuple[str, list[str]]]:
    """A server that gives everybody a token, and the paths that it was asked for."""
    paths: list[str] = []

    class Tokens(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            paths.append(self.path)
            body = b'{"token": "t"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with served(Tokens) as port:
        yield f"http://127.0.0.1:{port}", paths


@pytest.mark.slow
def test_a_new_kind_is_linted_explained_and_run(toy: Path, target: tuple[str, list[str]]) -> None:
    url, paths = target
    assert "no errors" in vezaflow(toy, "lint", "toy.yml")
    assert "at least   5 requests" in vezaflow(toy, "explain", "toy.yml", "--base-url", url)
    vezaflow(toy, "run", "toy.yml", "--base-url", url)
    assert paths == ["/a", "/b/t", "/a", "/b/t", "/c/t"]
