"""The action (action.yml), executed as a runner does it, by the workflow that docs/action.md shows.

Its API is played by a server of ours, its target is a sandbox. The stand-ins are for what needs a network: making a
virtual environment and `pip`.
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from actions_runner import JobDone, Runner
from forge_api import NUMBER, TOKEN, ForgeApi, forge_api
from program import environment
from shipped import hurried
from workflow_commands import commands

from vezaflow.project import Forge, project_files
from vezaflow.sandbox import Sandbox, SandboxSettings, start

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("xargs") is None, reason="there is no xargs, which the action uses"),
]

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".github/action/comment.py"
PAGE = (ROOT / "docs/action.md").read_text(encoding="utf-8")
SHOWN = PAGE.partition("```yml\n")[2].partition("```")[0]
ARGS = "--scale 0.1 --duration 30s"
FEW = "--duration 2s --vus browse=4 --vus account=3"  # green on a machine that is busy with other tests, too
STAND_INS = {
    "python3": 'if [ "$1 $2" = "-m venv" ]; then mkdir -p "$3/bin" && cp "$STAND_INS"/* "$3/bin"; '
    f'else exec {sys.executable} "$@"; fi',
    "python": f'exec {sys.executable} "$@"',
    "pip": 'echo "pip: $*"',
    "vezaflow": f'exec {sys.executable} -m vezaflow "$@"',
}
MARK = "<!-- vezaflow flows -->\n"


def workflow(args: str = FEW, **inputs: str) -> str:
    """That of the page, with a shorter load and further inputs."""
    assert ARGS in SHOWN
    lines = "".join(f"          {name.replace('_', '-')}: {value}\n" for name, value in inputs.items())
    return SHOWN.replace(ARGS, args).replace("        with:\n", f"        with:\n{lines}")


def runner(folder: Path, box: Sandbox, api: ForgeApi, more: Mapping[str, str] | None = None) -> Runner:
    """A runner with a new project in its repository."""
    tools = folder / "tools"
    tools.mkdir()
    for name, script in STAND_INS.items():
        (tools / name).write_text(f"#!/bin/bash\n{script}\n")
        (tools / name).chmod(0o755)
    for name, text in project_files(api.forge).items():
        path = folder / "template" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    hurried(folder / "template" / "flows", folder / "repository" / "flows", think="100ms..200ms")
    kept = environment()
    own = {"STAND_INS": str(tools), "PATH": f"{tools}:{kept['PATH']}", **api.environment(folder), **(more or {})}
    return Runner(
        folder,
        folder / "repository",
        {**kept, **own},
        vars={"STAGING_BASE_URL": box.environment["BASE_URL"]},
        secrets={"USER_TOKEN": box.environment["USER_TOKEN"]},
        actions={"vezaflow/vezaflow": ROOT},
        github={"token": TOKEN},
    )


def outputs(done: JobDone) -> tuple[str, str]:
    found = done["Load"].outputs
    return found["verdict"], found["exit-code"]


def check_secrets(done: JobDone, found: Runner, api: ForgeApi) -> None:
    """Neither token is in the log, on the page, or in a comment."""
    shown = done.log + done.page + "".join(api.comments.values())
    assert TOKEN not in shown
    assert found.secrets["USER_TOKEN"] not in shown


@pytest.mark.parametrize("forge", Forge)
def test_a_green_pull_request_has_one_comment_that_its_later_runs_update(tmp_path: Path, forge: Forge) -> None:
    with start(SandboxSettings()) as box, forge_api(forge) as api:
        api.comments |= {number: f"said {number}" for number in range(1, 151)}  # two pages
        found = runner(tmp_path, box, api)
        first = found.run(workflow())
        assert first.succeeded, first.log
        assert outputs(first) == ("green", "0")
        (mine,) = set(api.comments) - set(range(1, 151))
        assert api.comments[mine].startswith(f"{MARK}## ✅ nightly: PASSED: all 8 gates")
        assert "Compared with" not in api.comments[mine]
        assert "no earlier green run to compare with" in first["Load"]["Compare"].log

        second = found.run(workflow())
    assert second.succeeded, second.log
    assert len(api.comments) == 151
    assert f"### Compared with `{first['Load'].outputs['run-id']}`" in api.comments[mine]
    assert "p95" in api.comments[mine]
    assert "updated the comment" in second["Load"]["Comment"].log
    assert second.page.replace("\n", "") in api.comments[mine].replace("\n", "")
    assert len(found.caches) == 2
    check_secrets(second, found, api)


def test_it_installs_the_version_that_it_is_of_with_its_pins(tmp_path: Path) -> None:
    with start(SandboxSettings()) as box, forge_api(Forge.GITHUB) as api:
        done = runner(tmp_path, box, api).run(workflow())
    flags = "pip: install --quiet --disable-pip-version-check"
    assert f"{flags} {ROOT}[postgres] --constraint {ROOT}/constraints.txt" in done.log


def test_a_red_run_comments_keeps_its_history_and_fails_the_job(tmp_path: Path) -> None:
    with start(SandboxSettings(error_rate=0.5)) as box, forge_api(Forge.GITHUB) as api:
        found = runner(tmp_path, box, api)
        done = found.run(workflow(acceptance="true", version="9.8.7", extras="sandbox"))
    assert outputs(done) == ("red", "99"), done.log
    assert done["Load"].outcome == "failure"
    assert [step.name for step in done["Load"].inner if step.outcome == "failure"] == ["Verdict"]
    assert done["Load"].code == 99
    (comment,) = api.comments.values()
    assert comment.startswith(f"{MARK}## ❌ nightly: FAILED: ")
    assert "### Failed gates" in comment
    assert done["Load"]["Acceptance"].page.strip()
    assert done["Load"]["Acceptance"].page.strip() in comment
    assert len(found.caches) == 1
    assert "pip: install --quiet --disable-pip-version-check vezaflow[sandbox]==9.8.7\n" in done.log
    assert any(command.name == "error" for command in commands(done.log))
    check_secrets(done, found, api)


def test_a_token_that_may_not_comment_is_a_warning_and_the_verdict_stands(tmp_path: Path) -> None:
    with start(SandboxSettings()) as box, forge_api(Forge.GITHUB, refuses=403) as api:
        done = runner(tmp_path, box, api).run(workflow())
    assert done.succeeded, done.log
    (warning,) = commands(done["Load"]["Comment"].log)
    assert (warning.name, warning.properties["title"]) == ("warning", "No comment")
    assert "pull-requests: write" in warning.text
    assert api.comments == {}


def test_without_comment_history_and_comparison_only_the_load_is_run(tmp_path: Path) -> None:
    with start(SandboxSettings()) as box, forge_api(Forge.GITHUB) as api:
        found = runner(tmp_path, box, api)
        done = found.run(workflow(comment="'false'", cache_history="'false'", compare="''"))
    assert done.succeeded, done.log
    assert api.asked == []
    assert found.caches == {}
    skipped = {step.name for step in done["Load"].inner if step.outcome == "skipped"}
    assert skipped == {"Restore the history", "Acceptance", "Compare", "Comment", "Save the history"}


def test_a_run_that_sends_no_load_says_so_in_the_comment_too(tmp_path: Path) -> None:
    with start(SandboxSettings()) as box, forge_api(Forge.GITHUB) as api:
        done = runner(tmp_path, box, api).run(workflow("--only nothing"))
    assert outputs(done) == ("none", "2"), done.log
    assert done["Load"].code == 2
    (comment,) = api.comments.values()
    assert comment == f"{MARK}## ❌ No load was sent (exit code 2): the log of this step has the reason\n"


@pytest.mark.parametrize(("args", "env_file", "code"), [("--help", "", "97"), (FEW, "nowhere.env", "2")])
def test_inputs_without_a_load_are_no_green_job(tmp_path: Path, args: str, env_file: str, code: str) -> None:
    with start(SandboxSettings()) as box, forge_api(Forge.GITHUB) as api:
        done = runner(tmp_path, box, api).run(workflow(args, env_file=f'"{env_file}"'))
    assert (outputs(done), done.succeeded) == (("none", code), False), done.log
    assert ("env-file is not the path of a file" in done.log) == bool(env_file)


def test_variables_come_from_a_file_and_from_the_input_which_takes_precedence(tmp_path: Path) -> None:
    with start(SandboxSettings()) as box, forge_api(Forge.GITHUB) as api:
        found = runner(tmp_path, box, api)
        (found.repository / "load.env").write_bytes(
            b"# of the load\r\n\r\nBASE_URL=http://127.0.0.1:9\r\nX=a b = 'c'\n"
        )
        done = found.run(workflow(env_file="load.env"))
    assert done.succeeded, done.log


def test_a_line_that_is_no_variable_is_not_shown(tmp_path: Path) -> None:
    with start(SandboxSettings()) as box, forge_api(Forge.GITHUB) as api:
        found = runner(tmp_path, box, api)
        (found.repository / "load.env").write_text("A=1\nUSER-TOKEN=s3cret\n")
        done = found.run(workflow(env_file="load.env"))
    assert outputs(done) == ("none", "2"), done.log
    assert "line 2 of load.env is not NAME=VALUE" in done.log
    assert "s3cret" not in done.log


def test_quotes_keep_words_of_an_argument_together(tmp_path: Path) -> None:
    with start(SandboxSettings()) as box, forge_api(Forge.GITHUB) as api:
        done = runner(tmp_path, box, api).run(workflow("\"--only 'two words' --duration 1s\""))
    assert outputs(done) == ("none", "2"), done.log
    assert "two words" in done["Load"]["Run"].log


@pytest.mark.parametrize("name", ["suite", "args"])
def test_a_quote_without_an_end_is_a_mistake_in_the_inputs(tmp_path: Path, name: str) -> None:
    with start(SandboxSettings()) as box, forge_api(Forge.GITHUB) as api:
        found = runner(tmp_path, box, api)
        text = workflow('"--only \'two"') if name == "args" else workflow().replace("suite: flows", "suite: bob's")
        done = found.run(text)
    assert outputs(done) == ("none", "2"), done.log
    assert "a quote in suite or args has no end" in done["Load"]["Run"].log


ONE = """\
flow: one
load: {executor: shared-iterations, iterations: 3}
steps: [get: /api/v1/health]
"""


@pytest.mark.long
def test_several_suites_in_a_job_share_nothing_and_carry_any_verdict(tmp_path: Path) -> None:
    """Paths with blanks and a comma; a run without gates is inconclusive, one whose target is down is refused."""
    step = SHOWN[SHOWN.index("      - name: Load") :].replace(ARGS, FEW)
    others = {"Open": ("a suite, of two", "${{ vars.STAGING_BASE_URL }}"), "Down": ("flows", "http://127.0.0.1:9")}
    text = workflow()
    for name, (suite, url) in others.items():
        one = step.replace("name: Load", f"name: {name}\n        if: ${{{{ always() }}}}").replace("id: load", "id: x")
        one = one.replace("suite: flows", f"suite: {suite}").replace(
            "BASE_URL=${{ vars.STAGING_BASE_URL }}", f"BASE_URL={url}"
        )
        one = one.replace(FEW, "--duration 1s") if name == "Down" else one.replace(f"          args: {FEW}\n", "")
        text += one.replace("id: x", f"id: {name.lower()}").replace("with:", f"with:\n          comment-id: {name}")
    with start(SandboxSettings()) as box, forge_api(Forge.GITHUB) as api:
        found = runner(tmp_path, box, api)
        (found.repository / "a suite, of two").mkdir()
        (found.repository / "a suite, of two" / "one.yml").write_text(f"base_url: ${{env.BASE_URL}}\n{ONE}")
        done = found.run(text)
    codes = {name: (done[name].outputs["verdict"], done[name].outputs["exit-code"]) for name in ("Load", *others)}
    assert codes == {"Load": ("green", "0"), "Open": ("inconclusive", "98"), "Down": ("none", "97")}, done.log
    assert [done[name].code for name in codes] == [0, 98, 97]
    assert {comment.partition("\n")[0] for comment in api.comments.values()} == {
        MARK.rstrip(),
        "<!-- vezaflow Open -->",
        "<!-- vezaflow Down -->",
    }
    assert len({done[name].outputs["page"] for name in codes}) == 3
    assert len(found.caches) >= 2


def commented(folder: Path, api: ForgeApi, page: str, event: str | None = None, *more: str, name: str = "flows") -> str:
    """What the script of the comment prints; it always ends with 0."""
    (folder / "page.md").write_text(page)
    done = subprocess.run(
        [sys.executable, SCRIPT, name, str(folder / "page.md"), *more],
        env={**os.environ, **api.environment(folder, event), "INPUT_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_a_long_page_is_cut_at_a_line_and_names_in_it_notify_nobody(tmp_path: Path) -> None:
    with forge_api(Forge.GITHUB) as api:
        commented(tmp_path, api, "ask @someone\n" + "a line of the page\n" * 10_000)
    (comment,) = api.comments.values()
    assert len(comment) < 65_536
    assert "@someone" not in comment
    assert comment.endswith("a line of the page\n\n… the rest is on the page of the workflow run.\n")


def test_comments_of_others_that_only_quote_the_mark_stay(tmp_path: Path) -> None:
    with forge_api(Forge.GITHUB) as api:
        api.comments[5] = f"> {MARK}"
        commented(tmp_path, api, "page\n")
    assert api.comments == {5: f"> {MARK}", 6: f"{MARK}page\n"}


@pytest.mark.parametrize("event", ['{"schedule": "30 2 * * *"}', "[]", "no JSON"])
def test_what_no_pull_request_started_has_no_comment(tmp_path: Path, event: str) -> None:
    with forge_api(Forge.GITHUB) as api:
        assert commented(tmp_path, api, "page\n", event) == "no comment: no pull request started this workflow\n"
    assert api.asked == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "may not write"),
        (404, "may not write"),
        (500, "status 500"),
        (200, "can't be used"),
    ],
)
def test_an_api_that_refuses_is_a_warning(tmp_path: Path, status: int, said: str) -> None:
    with forge_api(Forge.GITHUB, refuses=status) as api:
        (warning,) = commands(commented(tmp_path, api, "page\n"))
    assert warning.name == "warning"
    assert said in warning.text


@pytest.mark.parametrize(
    ("status", "header", "said"),
    [
        (429, b"", "limit of requests"),
        (403, b"X-RateLimit-Remaining: 0\r\n", "limit of requests"),
        (403, b"Retry-After: 60\r\n", "limit of requests"),
        (403, b"X-RateLimit-Remaining: 7\r\n", "may not write"),
        (301, b"Location: http://127.0.0.1:1/\r\n", "status 301"),
        (307, b"Location: http://127.0.0.1:1/\r\n", "status 307"),
    ],
)
def test_a_limit_of_requests_is_told_apart_and_no_redirect_gets_the_token(
    tmp_path: Path, status: int, header: bytes, said: str
) -> None:
    with told(b"HTTP/1.1 %d No\r\n%bContent-Length: 0\r\n\r\n" % (status, header)) as api:
        (warning,) = commands(commented(tmp_path, api, "page\n"))
    assert said in warning.text


@pytest.mark.parametrize(
    "response",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n[1, 2]\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
    ids=["another protocol", "nothing", "cut", "wrong chunk", "numbers", "deep", "many headers"],
)
def test_whatever_an_api_sends_is_at_most_a_warning(tmp_path: Path, response: bytes) -> None:
    with told(response) as api:
        (warning,) = commands(commented(tmp_path, api, "page\n"))
    assert (warning.name, warning.properties["title"]) == ("warning", "No comment")


def test_an_api_that_never_ends_is_waited_for_so_long_and_no_longer(tmp_path: Path) -> None:
    with told(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", stays=True) as api:
        (warning,) = commands(commented(tmp_path, api, "page\n", None, "0.5"))
    assert "takes longer than 0.5 s" in warning.text


@contextmanager
def told(response: bytes, *, stays: bool = False) -> Iterator[ForgeApi]:
    """An API that sends these bytes whatever it is asked, and closes the connection, or `stays` there."""
    server = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        taken, _ = server.accept()
        with taken:
            taken.recv(65_536)
            taken.sendall(response)
            if stays:
                ended.wait(20)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield ForgeApi(Forge.GITHUB, f"http://127.0.0.1:{server.getsockname()[1]}")
    finally:
        ended.set()
        thread.join()
        server.close()


@pytest.mark.parametrize("name", ["a --> b", "x--->", "flows\n", "a -- b", "-" * 9])
def test_any_name_marks_one_comment(tmp_path: Path, name: str) -> None:
    with forge_api(Forge.GITHUB) as api:
        for page in ("first\n", "second\n"):
            commented(tmp_path, api, page, name=name)
    (comment,) = api.comments.values()
    mark, page = comment.splitlines()
    assert page == "second"
    assert mark.index("-->") == len(mark) - 3


def test_an_api_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    (warning,) = commands(commented(tmp_path, ForgeApi(Forge.GITHUB, "http://127.0.0.1:9"), "page\n"))
    assert "can't be used" in warning.text
    assert str(NUMBER) not in warning.text


def test_no_script_of_the_action_has_an_expression_in_it() -> None:
    """Inputs are values of the environment, and never a part of a script."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    steps = action["runs"]["steps"]
    assert [step["name"] for step in steps if "${{" in step.get("run", "")] == []


def test_the_page_lists_every_input_and_output() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    names = [*action["inputs"], *action["outputs"]]
    assert [name for name in names if f"| `{name}`" not in PAGE and f", `{name}` |" not in PAGE] == []
