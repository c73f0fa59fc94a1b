"""CONTRIBUTING.md is true: its map has every folder, its recipes name files that are there, as many as they say."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NAMED = sorted({name for name in re.findall(r"`([\w./]+)`", TEXT) if "/" in name})
RECIPES = re.findall(r"^### ([\w ]+): (\d+) files$(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL)


def steps(recipe: str) -> list[str]:
    """The file that each numbered line of a recipe begins with."""
    return re.findall(r"^\d+\. `(vezaflow/[\w./]+)`", recipe, re.MULTILINE)


def test_the_map_names_every_folder_and_file_of_the_program() -> None:
    table = TEXT.partition("## The map")[2].partition("\n## ")[0]
    package = ROOT / "vezaflow"
    folders = [path.name + "/" for path in package.iterdir() if (path / "__init__.py").exists()]
    files = [path.name for path in package.glob("*.py") if not path.name.startswith("__")]
    assert [name for name in folders + files if f"`vezaflow/{name}`" not in table] == []


def test_the_map_names_every_other_folder() -> None:
    made = re.compile(r"\..*|build|dist|results|vezaflow|.*\.egg-info|__pycache__")  # or named file by file
    folders = [path.name for path in ROOT.iterdir() if path.is_dir() and not made.fullmatch(path.name)]
    assert [name for name in folders if f"| `{name}/` |" not in TEXT] == []


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_is_there(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize(("title", "count", "recipe"), RECIPES, ids=[title for title, *_ in RECIPES])
def test_a_recipe_has_as_many_files_as_it_says(title: str, count: str, recipe: str) -> None:
    assert len(set(steps(recipe))) == int(count)


def test_there_are_six_recipes() -> None:
    titles = [title for title, *_ in RECIPES]
    assert titles == ["A step", "An extractor", "An output", "A report", "A metric", "A lint rule"]


def test_the_recipe_of_a_step_is_what_the_code_has() -> None:
    """Where this fails a step has become cheaper, or dearer: bring the list in CONTRIBUTING.md up to date."""
    (recipe,) = (recipe for title, _, recipe in RECIPES if title == "A step")
    names = re.compile(r"\b(Log|PlannedLog)\b")
    used = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "vezaflow").rglob("*.py")
        if names.search(path.read_text(encoding="utf-8"))
    }
    assert used | {"vezaflow/keys/steps.py"} == set(steps(recipe))
