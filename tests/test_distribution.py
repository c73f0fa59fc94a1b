"""What is published: a wheel and an sdist that have what they need, the same bytes from the same commit, and a command
that works where only the wheel was installed.
"""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from vezaflow import __version__

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
ONE = """\
flow: one
load: {executor: shared-iterations, iterations: 3}
steps: [get: /api/v1/health]
gates: {http_req_failed: rate < 1 %}
"""
pytestmark = pytest.mark.slow


STAMP = {"SOURCE_DATE_EPOCH": "1764547200"}


def built(folder: Path) -> tuple[Path, Path]:
    """The wheel and the sdist of this tree."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, env=os.environ | STAMP, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return built(tmp_path_factory.mktemp("dist"))


def tracked(folder: str) -> set[str]:
    done = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True)
    if done.returncode or not done.stdout:
        pytest.skip("this is no checkout of the repository")
    return {name for name in done.stdout.split() if (ROOT / name).exists()}


def test_the_wheel_has_every_file_of_the_package_and_nothing_else(distributions: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(distributions[0]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == tracked("vezaflow")


def test_the_sdist_has_what_packagers_test_with(distributions: tuple[Path, Path]) -> None:
    with tarfile.open(distributions[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert tracked("vezaflow") | tracked("tests") | tracked("flows") | tracked("docs") <= names
    assert {"LICENSE", "CHANGELOG.md", "Makefile", "constraints.txt", "pyproject.toml"} <= names


def test_the_same_tree_gives_the_same_bytes(distributions: tuple[Path, Path], tmp_path: Path) -> None:
    assert [path.read_bytes() for path in built(tmp_path)] == [path.read_bytes() for path in distributions]


def test_the_sdist_builds_the_same_wheel(distributions: tuple[Path, Path], tmp_path: Path) -> None:
    with tarfile.open(distributions[1]) as sdist:
        sdist.extractall(tmp_path / "sdist", filter="data")
    (tree,) = (tmp_path / "sdist").iterdir()
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(tree)]
    done = subprocess.run(command, env=os.environ | STAMP, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.read_bytes() == distributions[0].read_bytes()


def test_twine_finds_nothing(distributions: tuple[Path, Path]) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, distributions)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_of_an_index_has_no_link_that_leads_nowhere(distributions: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(distributions[0]) as wheel:
        metadata = wheel.read(f"vezaflow-{__version__}.dist-info/METADATA").decode()
    links = re.findall(r"\]\(([^)\s]+)\)", metadata)
    assert len(links) > 10
    assert [link for link in links if not link.startswith(("https://", "#"))] == []


@pytest.fixture(scope="module")
def bare(distributions: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment that has the wheel, what it asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    wanted = [f"{distributions[0]}[sandbox]", "--constraint", str(ROOT / "constraints.txt")]
    done = subprocess.run([folder / "bin" / "pip", "install", "-q", *wanted], capture_output=True, text=True)
    if "NewConnectionError" in done.stderr:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def test_it_works_where_only_the_wheel_was_installed(bare: Path, tmp_path: Path) -> None:
    """Lint's grammar, the schemas, the templates of `init` and of the page, a run against the sandbox: all files of the
    package."""

    def vezaflow(*arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        command = [str(bare / "vezaflow"), *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode in codes, done.stdout + done.stderr
        return done.stdout

    assert __version__ in vezaflow("--version")
    vezaflow("init")
    vezaflow("lint", "flows")
    vezaflow("schema", "flow")
    assert "200" in vezaflow("try", "flows/browse.yml", "--sandbox")
    (tmp_path / "one.yml").write_text(ONE)
    assert "GREEN" in vezaflow("run", "one.yml", "--sandbox", "--no-history", "--summary", "summary.json")
    vezaflow("report", "summary.json", "--html", "page.html")
    assert "</html>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "ready to run" in vezaflow("explain", "one.yml", "--base-url", "http://127.0.0.1:9")
    assert "requests/s" in vezaflow("doctor", codes=(0, 98))
    for shell in ("bash", "zsh", "fish"):
        assert "vezaflow" in vezaflow("completion", shell)


@pytest.fixture(scope="module")
def runners(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands pipx and uvx."""
    folder = tmp_path_factory.mktemp("runners") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    done = subprocess.run([folder / "bin" / "pip", "install", "-q", "pipx", "uv"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip("pipx and uv are not to be had here")
    return folder / "bin"


def pip_index(runners: Path) -> dict[str, str]:
    """Where pip is told to look, for uv, which does not read that."""
    done = subprocess.run([runners / "pip", "config", "list"], capture_output=True, text=True, check=True)
    found = dict(re.findall(r"(?m)^(?:global|:env:)\.([\w-]+)='(.*)'$", done.stdout))
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX"}
    return {names[key]: value.replace("\\n", " ").strip() for key, value in found.items() if key in names}


@pytest.mark.parametrize(
    "command", [("pipx", "run", "--spec"), ("uvx", "--python", sys.executable, "--from")], ids=["pipx", "uvx"]
)
def test_it_runs_from_the_wheel_without_being_installed(
    runners: Path, distributions: tuple[Path, Path], tmp_path: Path, command: tuple[str, ...]
) -> None:
    own = {"PIPX_HOME": str(tmp_path / "pipx"), "UV_CACHE_DIR": str(tmp_path / "uv"), **pip_index(runners)}
    arguments = [str(runners / command[0]), *command[1:], str(distributions[0]), "vezaflow", "--version"]
    done = subprocess.run(arguments, env=os.environ | own, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    if done.returncode and re.search(r"NewConnectionError|error sending request|[Nn]o matching|dns error", done.stderr):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == f"vezaflow, version {__version__}"


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"][0] == "version"
    assert project["tool"]["bumpversion"]["current_version"] == __version__


def git(clone: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=clone, env=os.environ | WHO, capture_output=True, text=True, check=True)
    return done.stdout


WHO = {f"GIT_{name}_{what}": "t@example.org" for name in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of the repository, as its files are now."""
    tracked("vezaflow")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    for name in ("pyproject.toml", "CHANGELOG.md", "vezaflow/__init__.py"):
        (clone / name).write_bytes((ROOT / name).read_bytes())
    git(clone, "commit", "-qam", "as it is", "--allow-empty")
    return clone


def release(clone: Path, version: str) -> subprocess.CompletedProcess[str]:
    """`make release` in a clone."""
    command = [sys.executable, str(ROOT / ".ci" / "release.py"), version]
    return subprocess.run(command, cwd=clone, env=os.environ | WHO, capture_output=True, text=True)


def test_a_release_cuts_the_changelog(clone: Path) -> None:
    """One commit, one tag, the version in the package, and room for what comes next."""
    before = git(clone, "rev-parse", "HEAD")
    done = release(clone, "7.8.9")
    assert done.returncode == 0, done.stdout + done.stderr
    changelog = (clone / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"## Unreleased\n\n## 7\.8\.9 \(\d{4}-\d\d-\d\d\)\n", changelog)
    assert '__version__ = "7.8.9"' in (clone / "vezaflow" / "__init__.py").read_text(encoding="utf-8")
    assert git(clone, "tag", "--points-at", "HEAD") == "v7.8.9\n"
    assert git(clone, "rev-parse", "HEAD~1") == before
    assert git(clone, "status", "--porcelain") == ""
    assert before_it(clone) == ["docs/PERFORMANCE_BASELINE.md"]  # measured with that one
    again = release(clone, "7.9.0")
    assert (again.returncode, "nothing under Unreleased" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    "version", ["", "abc", "1.2", "v1.2.3", "1.2.3rc1", "01.2.3", "1.2.3\n", "0.0.9", __version__, "9.9.9"]
)
def test_what_is_no_higher_version_or_has_a_tag_changes_nothing(clone: Path, version: str) -> None:
    git(clone, "tag", "v9.9.9")
    refused(clone, version)


@pytest.mark.parametrize("name", ["README.md", "new.md"])
def test_changes_that_are_not_committed_are_in_no_release(clone: Path, name: str) -> None:
    with (clone / name).open("a", encoding="utf-8") as file:
        file.write("more\n")
    assert name in refused(clone, "9.9.9")


def before_it(clone: Path) -> list[str]:
    """What users read that still has the version before."""
    read = ["README.md", "docs/*.md", "deploy", ".pre-commit-hooks.yaml"]
    return git(clone, "grep", "--word-regexp", "--fixed-strings", "-l", __version__, "--", *read).split()


@pytest.mark.parametrize("key", ["commit", "tag"])
def test_a_release_that_git_ends_half_way_changes_nothing(clone: Path, key: str) -> None:
    git(clone, "config", f"{key}.gpgsign", "true")
    git(clone, "config", "gpg.program", "/bin/false")
    assert "nothing is changed" in refused(clone, "9.9.9")


def test_a_release_is_one_of_the_whole_repository_wherever_it_is_asked_for(clone: Path, tmp_path: Path) -> None:
    assert release(clone / "docs", "7.8.9").returncode == 0
    nowhere = release(tmp_path, "7.8.9")
    assert (nowhere.returncode, "not a git repository" in nowhere.stderr) == (1, True)
    assert "Traceback" not in nowhere.stderr


def refused(clone: Path, version: str) -> str:
    """What it says of a release that there can't be."""
    before = git(clone, "rev-parse", "HEAD"), git(clone, "tag"), git(clone, "status", "--porcelain")
    done = release(clone, version)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search("^error: ", done.stderr, re.MULTILINE), done.stderr
    assert (git(clone, "rev-parse", "HEAD"), git(clone, "tag"), git(clone, "status", "--porcelain")) == before
    return done.stderr


def test_every_page_is_on_the_site_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    command = [str(BIN / "mkdocs"), "build", "--strict", "--site-dir", str(tmp_path / "site")]
    tag = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v7.8.9"}  # as the workflow of a release does it
    env = os.environ | tag | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    outside = re.compile(r"<(?:script|img|iframe)[^>]+src=.?https?://|<link[^>]+stylesheet[^>]+href=.?https?://")
    for page in (tmp_path / "site").rglob("*.html"):
        assert not outside.search(page.read_text(encoding="utf-8")), page
    assert "/blob/v7.8.9/Containerfile" in (tmp_path / "site/containers/index.html").read_text(encoding="utf-8")
