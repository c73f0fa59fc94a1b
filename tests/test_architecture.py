"""The layers: who may import whom, and by which door."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "vezaflow"

# Bottom to top. A layer imports from those above its own line in this list only; siblings share a line.
LAYERS: list[set[str]] = [
    {"errors", "recurring", "redact", "units", "untrusted"},
    {"diagnostics"},
    {"metrics"},
    {"protocols"},
    {"syntax"},
    {"model"},
    {"keys"},
    {"read"},
    {"lint"},
    {"plan"},
    {"engine"},
    {"scale"},
    {"gates"},
    {"results"},
    {"outputs", "reports"},
    {"history", "compare", "nights"},
    {"trust", "limits"},
    {"control", "explain", "tape"},
    {"sandbox", "session"},
    {"cli"},
    {"__main__"},
]
QUERIES = {"re2", "selectolax", "lxml", "jsonschema_rs"}
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        layer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if layer != "__init__":
            yield layer, path


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module of vezaflow that a file imports, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("vezaflow."):
            yield node.module, node.lineno
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.startswith("vezaflow."):
                    yield name.name, node.lineno


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer for layer, _ in modules()} <= set(RANK)


def test_imports_go_one_way() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {module}"
        for layer, path in modules()
        for module, line in imports(path)
        if (other := module.split(".")[1]) != layer and RANK[other] >= RANK[layer]
    ]
    assert not wrong, "\n".join(wrong)


def test_other_layers_are_entered_by_their_door() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {module}"
        for layer, path in modules()
        for module, line in imports(path)
        if module.split(".")[1] != layer and module.count(".") > 1
    ]
    assert not wrong, "\n".join(wrong)


def test_doors_hold_no_logic() -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("__init__.py")
        for node in ast.parse(path.read_text()).body
        if not isinstance(node, allowed)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("statement", "kept_out"),
    [
        ("from vezaflow.cli import main; main()", {"trio", "numpy", "rich", "httpx", "yaml", "lark", "sqlalchemy"}),
        ("import vezaflow.lint", {"trio", "numpy", "rich", "httpx", "m3u8", "jsonpath_ng", "sqlalchemy", *QUERIES}),
    ],
    ids=["--help", "lint"],
)
def test_commands_import_only_what_they_need(statement: str, kept_out: set[str]) -> None:
    script = f"""
import sys
sys.argv = ["vezaflow", "--help"]
try:
    {statement}
except SystemExit:
    pass
print(sorted({kept_out!r} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
