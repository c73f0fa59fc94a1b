"""`vezaflow init`: what it writes works, and what was there stays."""

from pathlib import Path

import pytest
import yaml
from program import vezaflow

from vezaflow import __version__
from vezaflow.sandbox import SandboxSettings, start

ROOT = Path(__file__).parents[2]
FLOWS = ["flows/account.yml", "flows/browse.yml", "flows/suite.yml"]
WORKFLOWS = {"github": ".github/workflows/loadtest.yml", "forgejo": ".forgejo/workflows/loadtest.yml"}


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
@pytest.mark.parametrize("forge", WORKFLOWS)
def test_a_project_is_written_and_shown(tmp_path: Path, forge: str) -> None:
    done = vezaflow("init", "new/project", "--forge", forge, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    written = sorted([*FLOWS, ".pre-commit-config.yaml", WORKFLOWS[forge]])
    assert files_of(tmp_path / "new/project") == written
    assert all(f"wrote new/project/{name}\n" in done.out for name in written)
    assert "cd new/project\n  vezaflow run flows --sandbox" in done.out


@pytest.mark.slow
def test_the_docs_show_what_it_says(tmp_path: Path) -> None:
    done = vezaflow("init", "load-tests", cwd=tmp_path)
    page = (ROOT / "docs/nightly.md").read_text()
    assert f"```console\n$ vezaflow init load-tests\n{done.out}```\n" in page


@pytest.mark.slow
def test_its_flows_are_green_against_the_sandbox_at_once(tmp_path: Path) -> None:
    assert "cd " not in vezaflow("init", cwd=tmp_path).out
    linted = vezaflow("lint", "flows", "--strict", cwd=tmp_path)
    assert (linted.code, linted.out) == (0, "no errors\n")
    words = ("--sandbox", "--duration", "6s")
    done = vezaflow("run", "flows", *words, cwd=tmp_path)
    assert done.code == 0, done.text
    assert "all 8 gates held" in done.out


@pytest.mark.slow
def test_staging_is_refused_until_its_host_is_listed(tmp_path: Path) -> None:
    vezaflow("init", cwd=tmp_path)
    given = {"BASE_URL": "https://staging.example.org", "USER_TOKEN": "a-token-of-nobody"}
    done = vezaflow("run", "flows", cwd=tmp_path, env=given)
    assert done.code == 97, done.text
    assert "guard: {allow" in done.err


@pytest.mark.slow
def test_a_token_that_is_missing_or_expired_is_no_red_night(tmp_path: Path) -> None:
    vezaflow("init", cwd=tmp_path)
    suite = tmp_path / "flows/suite.yml"
    suite.write_text(suite.read_text().replace("retry: {for: 10s, every: 2s}", "retry: {for: 100ms, every: 50ms}"))
    with start(SandboxSettings()) as box:
        done = vezaflow("run", "flows", cwd=tmp_path, env={**box.environment, "USER_TOKEN": ""})
    assert done.code == 97, done.text
    assert "token" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("there", [".pre-commit-config.yaml", "flows/browse.yml"])
def test_where_a_file_exists_it_is_named_and_none_is_written(tmp_path: Path, there: str) -> None:
    mine = tmp_path / there
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine\n")
    done = vezaflow("init", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"error: nothing written: {mine} exists\n  hint: use --force to overwrite, or choose another folder\n"
    )
    assert files_of(tmp_path) == [there]
    assert mine.read_text() == "mine\n"


@pytest.mark.slow
def test_force_overwrites(tmp_path: Path) -> None:
    vezaflow("init", tmp_path)
    for name in files_of(tmp_path):
        (tmp_path / name).write_text("mine\n")
    done = vezaflow("init", tmp_path, "--force")
    assert done.code == 0, done.text
    assert [name for name in files_of(tmp_path) if (tmp_path / name).read_text() == "mine\n"] == []


@pytest.mark.slow
@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "--force"])
def test_a_file_in_the_place_of_a_folder_is_2_and_nothing_is_written(tmp_path: Path, force: tuple[str, ...]) -> None:
    (tmp_path / "flows").write_text("mine\n")
    done = vezaflow("init", tmp_path, *force)
    assert done.code == 2
    assert "can't be written" in done.err
    assert "Traceback" not in done.err
    assert files_of(tmp_path) == ["flows"]


@pytest.mark.slow
def test_what_it_installs_is_this_version(tmp_path: Path) -> None:
    vezaflow("init", tmp_path)
    (hook,) = yaml.safe_load((tmp_path / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert hook["additional_dependencies"] == [f"vezaflow=={__version__}"]
    assert f"=={__version__}'" in (tmp_path / WORKFLOWS["github"]).read_text()
    shipped = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}[hook["id"]]
    assert {key: hook[key] for key in ("entry", "language", "types", "require_serial")} == {
        key: shipped[key] for key in ("entry", "language", "types", "require_serial")
    }
