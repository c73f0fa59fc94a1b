"""A workflow executed as a runner of GitHub or Forgejo does it, without a network: the `run:` steps of its one job, in
their order, with the runner's shell and files.

Laws: strict where a runner forgives. An expression, a key of a step, an action or an input of one that is not known
here fails the test, as does a file that an action is told of and that is not there. `uses:` steps do what they would
with the files (checkout, cache, artifacts), in folders of the test's own.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Value = str | bool
Context = Mapping[str, Any]  # names to texts, or to more of them

_SHELLS = {"bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail")}
_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w.-]*)|(?P<sign>\|\||&&|==|!=|[!(),]))")
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_STATUS = ("always", "success", "failure", "cancelled")  # without one of them a condition means `success() && …`
_STEP_KEYS = {"name", "id", "if", "run", "uses", "with", "env"}
_FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")


@dataclass(frozen=True)
class StepDone:
    """How a step ended: success, failure or skipped."""

    name: str
    outcome: str
    code: int = 0
    log: str = ""
    page: str = ""  # what it wrote to GITHUB_STEP_SUMMARY


@dataclass(frozen=True)
class JobDone:
    steps: tuple[StepDone, ...]

    def __getitem__(self, name: str) -> StepDone:
        (found,) = (step for step in self.steps if step.name == name)
        return found

    @property
    def succeeded(self) -> bool:
        return all(step.outcome != "failure" for step in self.steps)

    @property
    def page(self) -> str:
        return "".join(step.page for step in self.steps)

    @property
    def log(self) -> str:
        return "".join(step.log for step in self.steps)

    @property
    def outcomes(self) -> dict[str, str]:
        return {step.name: step.outcome for step in self.steps}


@dataclass
class Runner:
    """One machine, and what the forge keeps between jobs. `repository` is what a checkout brings."""

    folder: Path
    repository: Path
    environment: Mapping[str, str]
    vars: Mapping[str, str]
    secrets: Mapping[str, str]
    jobs: int = 0
    caches: dict[str, Path] = field(default_factory=dict)  # the latest last

    def run(self, workflow: str, inputs: Mapping[str, str] | None = None) -> JobDone:
        """A run of the workflow's job in a clean folder: by schedule, or dispatched with inputs."""
        self.jobs += 1
        return _Job(self, read(workflow), inputs).run()

    @property
    def artifacts(self) -> Path:
        """What the latest job uploaded."""
        return self.folder / str(self.jobs) / "artifacts"


def read(workflow: str) -> dict[str, Any]:
    """The workflow's document; every scalar a text, so that `on` is no boolean."""
    document: dict[str, Any] = yaml.load(workflow, yaml.BaseLoader)
    return document


class _Job:
    def __init__(self, runner: Runner, document: Mapping[str, Any], inputs: Mapping[str, str] | None) -> None:
        self._runner = runner
        (self._job,) = document["jobs"].values()
        self._folder = runner.folder / str(runner.jobs)
        self._workspace = self._folder / "workspace"
        self._workspace.mkdir(parents=True)
        (self._folder / "temp").mkdir()
        declared = document["on"]["workflow_dispatch"]["inputs"]
        assert set(inputs or {}) <= set(declared)
        given = dict.fromkeys(declared, "")  # of a scheduled run all are empty
        if inputs is not None:
            given = {name: inputs.get(name, about["default"]) for name, about in declared.items()}
        self._contexts: dict[str, Any] = {
            "inputs": given,
            "vars": runner.vars,
            "secrets": runner.secrets,
            "github": {"run_id": f"10{runner.jobs}", "run_attempt": "1", "run_number": str(runner.jobs)},
            "steps": {},
        }
        self._added: dict[str, str] = {}  # by GITHUB_ENV
        self._paths: list[str] = []  # by GITHUB_PATH
        self._failed = False

    def run(self) -> JobDone:
        done = []
        for number, step in enumerate(self._job["steps"]):
            assert set(step) <= _STEP_KEYS, step
            name = step.get("name", step.get("uses", ""))
            ended = self._step(name, step, number) if self._due(step.get("if", "")) else StepDone(name, "skipped")
            self._failed |= ended.outcome == "failure"
            if "id" in step:
                self._contexts["steps"].setdefault(step["id"], {})["outcome"] = ended.outcome
            done.append(ended)
        return JobDone(tuple(done))

    def _due(self, condition: str) -> bool:
        """Whether a step runs."""
        text = found[1] if (found := _EXPRESSION.fullmatch(condition.strip())) else condition
        if not any(f"{name}(" in text for name in _STATUS):
            text = f"success() && ({text})" if text.strip() else "success()"
        return truth(self._value(text))

    def _step(self, name: str, step: Mapping[str, Any], number: int) -> StepDone:
        if "uses" in step:
            given = {key: self._filled(value) for key, value in step.get("with", {}).items()}
            action, _, version = step["uses"].partition("@")
            assert re.fullmatch(r"v\d+", version), step["uses"]
            _ACTIONS[action](self._runner, self._workspace, given)
            return StepDone(name, "success")
        return self._script(name, step, self._folder / f"step-{number}")

    def _script(self, name: str, step: Mapping[str, Any], folder: Path) -> StepDone:
        folder.mkdir()
        files = {variable: folder / variable.lower() for variable in _FILES}
        for file in files.values():
            file.touch()
        script = folder / "script.sh"
        script.write_text(self._filled(step["run"]))
        done = subprocess.run(
            [*_SHELLS[self._job["defaults"]["run"]["shell"]], script],
            cwd=self._workspace,
            env=self._environment(step, files),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        self._added |= dict(assignments(files["GITHUB_ENV"].read_text()))
        self._paths[:0] = reversed(files["GITHUB_PATH"].read_text().split())
        if "id" in step:
            outputs = dict(assignments(files["GITHUB_OUTPUT"].read_text()))
            self._contexts["steps"][step["id"]] = {"outputs": outputs}
        page = files["GITHUB_STEP_SUMMARY"].read_text()
        return StepDone(name, "failure" if done.returncode else "success", done.returncode, done.stdout, page)

    def _environment(self, step: Mapping[str, Any], files: Mapping[str, Path]) -> dict[str, str]:
        own = self._runner.environment
        return {
            **own,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self._workspace),
            "RUNNER_TEMP": str(self._folder / "temp"),
            **{key: self._filled(value) for key, value in self._job.get("env", {}).items()},
            **self._added,
            **{key: self._filled(value) for key, value in step.get("env", {}).items()},
            **{variable: str(file) for variable, file in files.items()},
            "PATH": ":".join([*self._paths, own["PATH"]]),
        }

    def _filled(self, text: str) -> str:
        """A text with its expressions in it replaced."""
        return _EXPRESSION.sub(lambda found: text_of(self._value(found[1])), text)

    def _value(self, expression: str) -> Value:
        def hash_files(pattern: Value) -> str:
            return "5eed" if any(path.is_file() for path in self._workspace.glob(f"{pattern}/*")) else ""

        functions: dict[str, Callable[..., Value]] = {
            "always": lambda: True,
            "success": lambda: not self._failed,
            "failure": lambda: self._failed,
            "hashFiles": hash_files,
        }
        return Expression(expression, self._contexts, functions).value()


class Expression:
    """An expression of a workflow, as far as ours use them."""

    def __init__(self, text: str, contexts: Context, functions: Mapping[str, Callable[..., Value]]) -> None:
        self._tokens = list(_tokens(text))
        self._contexts = contexts
        self._functions = functions

    def value(self) -> Value:
        value = self._either()
        assert not self._tokens, f"not understood: {self._tokens}"
        return value

    def _either(self) -> Value:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value if truth(value) else other
        return value

    def _both(self) -> Value:
        value = self._compared()
        while self._take("&&"):
            other = self._compared()
            value = other if truth(value) else value
        return value

    def _compared(self) -> Value:
        value = self._single()
        if self._take("=="):
            return value == self._single()
        if self._take("!="):
            return value != self._single()
        return value

    def _single(self) -> Value:
        if self._take("!"):
            return not truth(self._single())
        if self._take("("):
            value = self._either()
            assert self._take(")")
            return value
        token = self._tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self._take("("):
            arguments = []
            while not self._take(")"):
                arguments.append(self._either())
                self._take(",")
            return self._functions[token](*arguments)
        found: Any = self._contexts
        for name in token.split("."):
            assert name in found, f"unknown in an expression: {token}"
            found = found[name]
        assert isinstance(found, str), token
        return found

    def _take(self, sign: str) -> bool:
        if self._tokens and self._tokens[0] == sign:
            del self._tokens[0]
            return True
        return False


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        assert found is not None, f"not understood: {text[at:]}"
        yield found[0].strip()
        at = found.end()


def truth(value: Value) -> bool:
    return value if isinstance(value, bool) else value != ""


def text_of(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def assignments(text: str) -> Iterator[tuple[str, str]]:
    """What a runner's file of `NAME=VALUE` lines, or `NAME<<END` blocks, sets."""
    lines = iter(text.splitlines())
    for line in lines:
        name, sign, rest = re.split(r"(=|<<)", line, maxsplit=1)
        yield name, rest if sign == "=" else "\n".join(iter(lines.__next__, rest))


def _paths(workspace: Path, inputs: Mapping[str, str]) -> list[Path]:
    """The paths that an action is told of. All must be there."""
    paths = [workspace / line for line in inputs["path"].split()]
    assert [path for path in paths if not path.exists()] == []
    return paths


def _checkout(runner: Runner, workspace: Path, inputs: Mapping[str, str]) -> None:
    assert not inputs
    shutil.rmtree(workspace)
    shutil.copytree(runner.repository, workspace)


def _restore(runner: Runner, workspace: Path, inputs: Mapping[str, str]) -> None:
    assert set(inputs) == {"path", "key", "restore-keys"}
    assert inputs["key"] not in runner.caches
    for key in reversed(runner.caches):
        if key.startswith(inputs["restore-keys"]):
            shutil.copytree(runner.caches[key], workspace / inputs["path"])
            return


def _save(runner: Runner, workspace: Path, inputs: Mapping[str, str]) -> None:
    assert set(inputs) == {"path", "key"}
    (path,) = _paths(workspace, inputs)
    assert inputs["key"] not in runner.caches
    runner.caches[inputs["key"]] = shutil.copytree(path, runner.folder / "caches" / inputs["key"])


def _upload(runner: Runner, workspace: Path, inputs: Mapping[str, str]) -> None:
    assert set(inputs) == {"name", "path", "retention-days"}
    assert inputs["retention-days"] == "30"
    for path in _paths(workspace, inputs):
        shutil.copytree(path, runner.artifacts / inputs["name"] / path.relative_to(workspace))


_ACTIONS: dict[str, Callable[[Runner, Path, Mapping[str, str]], None]] = {
    "actions/checkout": _checkout,
    "actions/cache/restore": _restore,
    "actions/cache/save": _save,
    "actions/upload-artifact": _upload,
    "forgejo/upload-artifact": _upload,
}
