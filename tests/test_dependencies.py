"""What is imported is declared, and what is declared is imported: an installation brings all it needs and no more."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OWN = {"vezaflow", "bench", "docs", "fuzz"} | {path.stem for path in (ROOT / "tests" / "support").glob("*.py")}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RIVALS = (ROOT / "bench" / "rivals", ROOT / "bench" / "truth" / "asks")  # run in environments of their own

# Declared for what they do, not for what they let one import.
TOOLS = {
    "check-jsonschema", "coverage", "mypy", "pre-commit", "pytest-trio", "pytest-xdist", "ruff", "types-protobuf",
    "types-pyyaml",
}  # fmt: skip


# Packages that several projects put modules into, by module.
SHARED = {"opentelemetry.proto": ["opentelemetry-proto"], "opentelemetry.trace": ["opentelemetry-api"]}


def normal(name: str) -> str:
    """A project's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: Iterable[str]) -> set[str]:
    names = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in requirements)
    return {normal(name[0]) for name in names if name is not None} - {"vezaflow"}


@cache
def distributions() -> dict[str, list[str]]:
    found = {module: [normal(name) for name in names] for module, names in packages_distributions().items()}
    return found | SHARED


def modules(node: ast.AST) -> list[str]:
    """What a statement, or a call of `import_module`, imports by absolute names."""
    match node:
        case ast.ImportFrom(module=str(module), level=0):
            return [module]
        case ast.Import(names=names):
            return [name.name for name in names]
        case ast.Call(func=ast.Name(id="import_module"), args=[asked, *_]):
            named = (asked.body, asked.orelse) if isinstance(asked, ast.IfExp) else (asked,)
            return [str(name.value) for name in named if isinstance(name, ast.Constant)]
        case _:
            return []


def top_of(module: str) -> str:
    """What tells the project of a module: its first part, in a package that several share its first two."""
    parts = module.split(".")
    return next((shared for shared in (".".join(parts[:2]),) if shared in SHARED), parts[0])


@cache
def imported(path: Path) -> frozenset[str]:
    """The foreign packages that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tops = {top_of(module) for node in ast.walk(tree) for module in modules(node)}
    return frozenset(tops - OWN - sys.stdlib_module_names)


def needed(*folders: str) -> dict[str, str]:
    """The projects that the files of some folders import, each with one file that does."""
    found: dict[str, str] = {}
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        if any(path.is_relative_to(folder) for folder in RIVALS):
            continue
        for top in imported(path):
            for name in set(distributions().get(top, [top])):
                found.setdefault(name, str(path.relative_to(ROOT)))
    return found


RUNTIME = declared(PYPROJECT["project"]["dependencies"])
EXTRAS = PYPROJECT["project"]["optional-dependencies"]


OPTIONAL = {"vezaflow/sandbox/": "sandbox", "vezaflow/history/": "postgres", "vezaflow/cluster/": "cluster"}


def test_what_the_program_imports_is_declared() -> None:
    extra = {folder: declared(EXTRAS[name]) for folder, name in OPTIONAL.items()}
    missing = {
        name: path
        for name, path in needed("vezaflow").items()
        if name not in RUNTIME and not any(path.startswith(folder) and name in extra[folder] for folder in extra)
    }
    assert not missing


def test_what_is_declared_for_the_program_is_imported_by_it() -> None:
    assert set(needed("vezaflow")) >= RUNTIME


@pytest.mark.parametrize("extra", ["sandbox", "cluster"])
def test_what_an_extra_declares_is_imported_by_its_folder_alone(extra: str) -> None:
    wanted = declared(EXTRAS[extra])
    assert wanted <= set(needed(f"vezaflow/{extra}"))
    others = [folder.name for folder in (ROOT / "vezaflow").iterdir() if folder.is_dir() and folder.name != extra]
    assert not wanted & set(needed(*(f"vezaflow/{name}" for name in others)))


def test_what_tests_and_tools_import_is_declared_for_development() -> None:
    known = RUNTIME.union(*map(declared, EXTRAS.values()))
    assert not {name: path for name, path in needed("tests", "bench", "docs", "fuzz").items() if name not in known}


def test_what_is_declared_for_development_is_used() -> None:
    used = set(needed("tests", "bench", "docs", "fuzz")) | TOOLS
    assert declared(EXTRAS["dev"]) | declared(EXTRAS["fuzz"]) <= used


def test_the_constraints_are_names_and_versions_and_hold_all_that_is_declared() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []
    pinned = {normal(line.partition("==")[0]) for line in pins}
    assert RUNTIME.union(*map(declared, EXTRAS.values())) <= pinned
