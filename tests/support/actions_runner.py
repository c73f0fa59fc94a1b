"""A workflow executed as a runner of GitHub or Forgejo does it, without a network: the `run:` steps of its one job, in
their order, with the runner's shell and files.

Laws: strict where a runner forgives. An expression, a key of a step, an action or an input of one that is not known
here fails the test, as does a file that an action is told of and that is not there. `uses:` steps do what they would
with the files (checkout, cache, artifacts), in folders of the test's own. A composite action is executed by its
`action.yml`: its steps see its inputs, and neither secrets nor variables; each names its shell.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
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
_ACTION_KEYS = {"name", "description", "author", "branding", "inputs", "outputs", "runs"}
_FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")


@dataclass(frozen=True)
class StepDone:
    """How a step ended: success, failure or skipped."""

    name: str
    outcome: str
    code: int = 0
    log: str = ""
    page: str = ""  # what it wrote to GITHUB_STEP_SUMMARY
    inner: tuple["StepDone", ...] = ()  # of a composite action
    outputs: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> "StepDone":
        (found,) = (step for step in self.inner if step.name == name)
        return found


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
    actions: Mapping[str, Path] = field(default_factory=dict)  # composite ones: their folders by their names
    github: Mapping[str, str] = field(default_factory=dict)  # what the context `github` has besides

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
    """One run of a workflow: the machine as its steps leave it."""

    def __init__(self, runner: Runner, document: Mapping[str, Any], inputs: Mapping[str, str] | None) -> None:
        self.runner = runner
        (self._job,) = document["jobs"].values()
        self.folder = runner.folder / str(runner.jobs)
        self.workspace = self.folder / "workspace"
        self.workspace.mkdir(parents=True)
        (self.folder / "temp").mkdir()
        declared = document["on"].get("workflow_dispatch", {}).get("inputs", {})
        assert set(inputs or {}) <= set(declared)
        given = dict.fromkeys(declared, "")  # of a scheduled run all are empty
        if inputs is not None:
            given = {name: inputs.get(name, about["default"]) for name, about in declared.items()}
        numbers = {"run_id": f"10{runner.jobs}", "run_attempt": "1", "run_number": str(runner.jobs)}
        self.github = {**runner.github, **numbers}
        self._contexts = {"inputs": given, "vars": runner.vars, "secrets": runner.secrets, "github": self.github}
        self.added: dict[str, str] = {}  # by GITHUB_ENV
        self.paths: list[str] = []  # by GITHUB_PATH
        self._scripts = 0

    def run(self) -> JobDone:
        shell = self._job.get("defaults", {}).get("run", {}).get("shell")
        steps = _Steps(self, self._contexts, shell, {})
        own = {key: steps.filled(value) for key, value in self._job.get("env", {}).items()}
        return JobDone(_Steps(self, self._contexts, shell, own).run(self._job["steps"]))

    def script_folder(self) -> Path:
        """A new folder for the files of a script."""
        self._scripts += 1
        folder = self.folder / f"script-{self._scripts}"
        folder.mkdir()
        return folder

    def environment(self, given: Mapping[str, str], files: Mapping[str, Path]) -> dict[str, str]:
        own = self.runner.environment
        return {
            **own,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.folder / "temp"),
            **self.added,
            **given,
            **{variable: str(file) for variable, file in files.items()},
            "PATH": ":".join([*self.paths, own["PATH"]]),
        }


class _Steps:
    """Steps in their order, of a job or of a composite action. `shell`: of those that name none; `environment`: what
    all of them have."""

    def __init__(
        self, job: _Job, contexts: Context, shell: str | None, environment: Mapping[str, str], action: str = ""
    ) -> None:
        self._job = job
        self._contexts: dict[str, Any] = {**contexts, "steps": {}}
        self._shell = shell
        self._environment = environment
        self._action = action  # whose steps they are
        self._failed = False

    def run(self, steps: Sequence[Mapping[str, Any]]) -> tuple[StepDone, ...]:
        return tuple(map(self._ended, steps))

    def _ended(self, step: Mapping[str, Any]) -> StepDone:
        assert set(step) <= (_STEP_KEYS | {"shell"} if self._action else _STEP_KEYS), step
        name = step.get("name", step.get("uses", ""))
        done = self._step(name, step) if self._due(step.get("if", "")) else StepDone(name, "skipped")
        self._failed |= done.outcome == "failure"
        if "id" in step:
            self._contexts["steps"][step["id"]] = {"outcome": done.outcome, "outputs": _Outputs(done.outputs)}
        return done

    def _due(self, condition: str) -> bool:
        """Whether a step runs."""
        text = found[1] if (found := _EXPRESSION.fullmatch(condition.strip())) else condition
        if not any(f"{name}(" in text for name in _STATUS):
            text = f"success() && ({text})" if text.strip() else "success()"
        return truth(self._value(text))

    def _step(self, name: str, step: Mapping[str, Any]) -> StepDone:
        own = {key: self.filled(value) for key, value in step.get("env", {}).items()}
        if "uses" not in step:
            assert bool(self._action) == ("shell" in step), "steps of a composite action name their shell"
            shell = _SHELLS[step.get("shell", self._shell)]
            return self._script(name, self.filled(step["run"]), shell, {**self._environment, **own})
        given = {key: self.filled(value) for key, value in step.get("with", {}).items()}
        action, _, version = step["uses"].partition("@")
        assert re.fullmatch(r"v\d+|[0-9a-f]{40}", version), step["uses"]
        if action in self._job.runner.actions:
            return self._composite(name, action, given, {**self._environment, **own})
        assert not own
        _ACTIONS[action](self._job.runner, self._job.workspace, given)
        return StepDone(name, "success")

    def _composite(self, name: str, action: str, given: Mapping[str, str], environment: Mapping[str, str]) -> StepDone:
        folder = self._job.runner.actions[action]
        document = read((folder / "action.yml").read_text(encoding="utf-8"))
        declared = document.get("inputs", {})
        assert set(document) <= _ACTION_KEYS
        assert set(given) <= set(declared), f"unknown inputs: {set(given) - set(declared)}"
        assert all(set(about) <= {"description", "required", "default"} for about in declared.values())
        lacking = [key for key, about in declared.items() if about.get("required") == "true" and key not in given]
        assert lacking == []
        assert document["runs"]["using"] == "composite"
        contexts = {"github": {**self._job.github, "action_path": str(folder)}}
        defaults = _Steps(self._job, contexts, None, {})
        inputs = {key: given.get(key, defaults.filled(about.get("default", ""))) for key, about in declared.items()}
        own = {**environment, "GITHUB_ACTION_PATH": str(folder)}
        steps = _Steps(self._job, {**contexts, "inputs": inputs}, None, own, action)
        done = steps.run(document["runs"]["steps"])
        failures = [step for step in done if step.outcome == "failure"]
        return StepDone(
            name,
            "failure" if failures else "success",
            failures[-1].code if failures else 0,
            "".join(step.log for step in done),
            "".join(step.page for step in done),
            done,
            {key: steps.filled(about["value"]) for key, about in document.get("outputs", {}).items()},
        )

    def _script(self, name: str, text: str, shell: Sequence[str], environment: Mapping[str, str]) -> StepDone:
        job, folder = self._job, self._job.script_folder()
        files = {variable: folder / variable.lower() for variable in _FILES}
        for file in files.values():
            file.touch()
        script = folder / "script.sh"
        script.write_text(text)
        done = subprocess.run(
            [*shell, script],
            cwd=job.workspace,
            env=job.environment(environment, files),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        job.added |= dict(assignments(files["GITHUB_ENV"].read_text()))
        job.paths[:0] = reversed(files["GITHUB_PATH"].read_text().split())
        outcome = "failure" if done.returncode else "success"
        page, outputs = (files[variable].read_text() for variable in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"))
        return StepDone(name, outcome, done.returncode, done.stdout, page, (), dict(assignments(outputs)))

    def filled(self, text: str) -> str:
        """A text with its expressions in it replaced."""
        return _EXPRESSION.sub(lambda found: text_of(self._value(found[1])), text)

    def _value(self, expression: str) -> Value:
        def hash_files(pattern: Value) -> str:
            return "5eed" if any(path.is_file() for path in self._job.workspace.glob(f"{pattern}/*")) else ""

        functions: dict[str, Callable[..., Value]] = {
            "always": lambda: True,
            "success": lambda: not self._failed,
            "failure": lambda: self._failed,
            "hashFiles": hash_files,
        }
        return Expression(expression, self._contexts, functions).value()


class _Outputs(dict[str, str]):
    """Of a step: one that it did not set is empty."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, _: str) -> str:
        return ""


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
