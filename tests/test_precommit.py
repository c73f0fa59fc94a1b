"""The pre-commit hook, proven with the real thing: pre-commit installs this tree and runs it on a commit."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
SHIPPED = ("vezaflow", "pyproject.toml", ".pre-commit-hooks.yaml")
WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")

pytestmark = pytest.mark.slow  # installing vezaflow and what it needs takes some 20 s, once


@dataclass(frozen=True)
class Repository:
    """Somebody's repository, with a suite in load/flows and the hook configured."""

    path: Path
    environment: dict[str, str]

    def git(self, *words: str) -> str:
        command = ["git", *WHO, *words]
        return subprocess.run(
            command, cwd=self.path, env=self.environment, capture_output=True, text=True, check=True
        ).stdout

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.git("add", name)

    def hook(self, *words: str) -> tuple[int, str]:
        """What pre-commit says to the files that are staged."""
        command = [sys.executable, "-m", "pre_commit", "run", "--verbose", "--color", "never", *words]
        done = subprocess.run(command, cwd=self.path, env=self.environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def commit(self) -> None:
        self.git("commit", "--quiet", "--message", "done")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with the shipped suite committed, and the hook configured."""
    folder = tmp_path_factory.mktemp("precommit")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT"))}
    environment |= {
        "PRE_COMMIT_HOME": str(folder / "home"),
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    tool = Repository(folder / "vezaflow", environment)
    tool.path.mkdir()
    for name in SHIPPED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tool.path / name)
    (tool.path / "README.md").write_text("vezaflow\n")
    for words in (("init", "--quiet"), ("add", "--all")):
        tool.git(*words)
    tool.commit()

    mine = Repository(folder / "mine", environment)
    mine.path.mkdir()
    mine.git("init", "--quiet")
    hooks = [{"id": "vezaflow-lint"}]
    repositories = [{"repo": str(tool.path), "rev": tool.git("rev-parse", "HEAD").strip(), "hooks": hooks}]
    mine.write(".pre-commit-config.yaml", yaml.safe_dump({"repos": repositories}))
    for flow in (ROOT / "flows").glob("*.yml"):
        mine.write(f"load/flows/{flow.name}", flow.read_text())
    mine.commit()
    return mine


@pytest.fixture
def repository(base: Repository) -> Iterator[Repository]:
    """The same, with everything as it was committed."""
    yield base
    base.git("reset", "--quiet", "--hard")


def test_the_shipped_suite_passes(repository: Repository) -> None:
    code, said = repository.hook("--all-files")
    assert code == 0, said
    assert "no files to check" not in said


def test_one_changed_flow_is_read_with_the_suite_beside_it(repository: Repository) -> None:
    browse = (repository.path / "load/flows/browse.yml").read_text()
    repository.write("load/flows/browse.yml", browse + "\n# `tracks` is set by suite.yml, which has not changed\n")
    code, said = repository.hook()
    assert code == 0, said


def test_a_mistake_stops_the_commit_and_is_shown_where_it_stands(repository: Repository) -> None:
    streaming = (repository.path / "load/flows/streaming.yml").read_text()
    repository.write("load/flows/streaming.yml", streaming.replace("extract:", "exract:", 1))
    code, said = repository.hook()
    assert code == 1
    assert "unknown key 'exract'" in said
    assert "did you mean 'extract'?" in said
    assert "load/flows/streaming.yml:" in said


def test_a_changed_suite_is_held_against_the_flows_that_did_not_change(repository: Repository) -> None:
    suite = (repository.path / "load/flows/suite.yml").read_text()
    repository.write("load/flows/suite.yml", suite.replace("tracks: {json", "songs: {json"))
    code, said = repository.hook()
    assert code == 1
    assert "load/flows/browse.yml:" in said


def test_two_suites_in_one_commit_are_each_read_on_their_own(repository: Repository) -> None:
    repository.write("other/flows/health.yml", "flow: health\nsteps:\n  - get: http://127.0.0.1/health\n")
    browse = (repository.path / "load/flows/browse.yml").read_text()
    repository.write("load/flows/browse.yml", browse + "\n# changed\n")
    code, said = repository.hook()
    assert code == 0, said


def test_other_yaml_is_left_alone(repository: Repository) -> None:
    repository.write("deploy.yml", "exract: this is not a flow\n")
    code, said = repository.hook()
    assert code == 0, said
    assert "no files to check" in said


def test_a_new_project_has_the_hook_and_what_it_installs_can_make_the_next(base: Repository, tmp_path: Path) -> None:
    """The wheel of this tree stands for the released version, which the configuration pins."""
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path / "dist")]
    subprocess.run([*wheel, str(base.path.parent / "vezaflow")], env=base.environment, check=True)
    home = tmp_path / "home"
    own = {"PRE_COMMIT_HOME": str(home), "PIP_FIND_LINKS": str(tmp_path / "dist")}
    project = Repository(tmp_path / "project", base.environment | own)
    subprocess.run([sys.executable, "-m", "vezaflow", "init", project.path], check=True, capture_output=True)
    for words in (("init", "--quiet"), ("add", "--all")):
        project.git(*words)
    code, said = project.hook("--all-files")
    assert code == 0, said
    assert "no errors" in said
    project.write("flows/browse.yml", (project.path / "flows/browse.yml").read_text().replace("expect:", "exect:", 1))
    code, said = project.hook()
    assert code == 1
    assert "did you mean 'expect'?" in said

    (installed,) = home.glob("repo*/py_env-*/bin/vezaflow")
    subprocess.run([installed, "init", tmp_path / "next"], check=True, capture_output=True)
    assert (tmp_path / "next/.github/workflows/loadtest.yml").exists()
    assert (tmp_path / "next/flows/suite.yml").read_text() == (project.path / "flows/suite.yml").read_text()
