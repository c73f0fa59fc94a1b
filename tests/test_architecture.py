"""The layers: who may import whom, and by which door; and no circle among files."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "vezaflow"

# Bottom to top. A layer imports from those above its own line in this list only; siblings share a line.
LAYERS: list[set[str]] = [
    {"aside", "errors", "protobuf", "recurring", "redact", "units", "untrusted", "warden"},
    {"diagnostics"},
    {"metrics", "profiles"},
    {"protocols"},
    {"syntax"},
    {"model"},
    {"keys"},
    {"read"},
    {"lint"},
    {"plan"},
    {"engine"},
    {"samples"},
    {"scale"},
    {"gates"},
    {"observe"},
    {"audit"},
    {"results"},
    {"outputs", "reports"},
    {"history", "compare", "nights"},
    {"trust", "limits"},
    {"capacity", "cluster", "control", "doctor", "explain", "tape"},
    {"project", "sandbox", "session"},
    {"cli"},
    {"__main__"},
]
KINDS = {  # doors keep kinds of steps from those who need not know them; these do, and enter where kinds live
    "read/steps.py": "vezaflow.model.steps",
    "plan/steps.py": "vezaflow.model.steps",
    "engine/interpreter.py": "vezaflow.plan.steps",
}
STANDARD = {"_asdict", "_replace", "_value_"}  # the library's own names, public for all their underscores
FOREIGN = {
    "protocols/http2_wire.py": {"_data", "_events"},  # what hyperframe and h2 hold and have no door for
    "cluster/station.py": {"_exit"},  # a process that must end whatever its threads do
    "warden.py": {"_exit"},  # a fork that could not become the program
}
DATABASES = {"sqlalchemy", "psycopg"}
UNUSED = {"asyncio", "importlib.metadata", "email", "concurrent.futures", "multiprocessing"}  # but by who is imported
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
        if KINDS.get(path.relative_to(PACKAGE).as_posix()) != module
    ]
    assert not wrong, "\n".join(wrong)


def module_of(path: Path) -> str:
    return ".".join(("vezaflow", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def files_imported(path: Path, files: frozenset[str]) -> Iterator[str]:
    """Of `files`, by their modules' names: what a file imports, for its types alone too, and within functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            named = [f"{node.module}.{name.name}" for name in node.names]
            yield from {name if name in files else node.module for name in named} & files
        elif isinstance(node, ast.Import):
            yield from {name.name for name in node.names} & files


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Names of which each has an arrow to the next, and the last is the first; none where there is no such circle."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]  # each is led to by the next
        return found[::-1]
    return []


def test_no_files_import_one_another_in_a_circle() -> None:
    paths = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
    arrows = {module: set(files_imported(path, frozenset(paths))) for module, path in paths.items()}
    found = circle(arrows)
    assert not found, "\n  imports ".join(found)


def test_an_import_for_types_or_within_a_function_closes_a_circle(tmp_path: Path) -> None:
    bodies = {
        "a": "from vezaflow import b",
        "b": "if TYPE_CHECKING:\n    from vezaflow.c import C",
        "c": "def f():\n    import vezaflow.a",
        "d": "import vezaflow.a",
    }
    for name, body in bodies.items():
        (tmp_path / name).write_text(body)
    files = frozenset(f"vezaflow.{name}" for name in bodies)
    arrows = {f"vezaflow.{name}": set(files_imported(tmp_path / name, files)) for name in bodies}
    found = circle(arrows)
    assert set(found) == {"vezaflow.a", "vezaflow.b", "vezaflow.c"}
    assert all(after in arrows[before] for before, after in pairwise(found))
    assert circle(arrows | {"vezaflow.c": set()}) == []


def test_doors_hold_no_logic() -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("__init__.py")
        for node in ast.parse(path.read_text()).body
        if not isinstance(node, allowed)
    ]
    assert not wrong, "\n".join(wrong)


def test_a_class_has_its_name_for_itself() -> None:
    """One notion, one name. Private classes are of their file alone, and may share theirs."""
    homes: dict[str, list[str]] = {}
    for _, path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    shared = {name: places for name, places in homes.items() if len(places) > 1}
    assert not shared, "\n".join(f"{name}: {', '.join(places)}" for name, places in shared.items())


def own_names(kind: ast.ClassDef) -> set[str]:
    """What a class calls its own: methods, fields, what it sets on itself."""
    found = {node.name for node in kind.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    found |= {n.target.id for n in kind.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
    nodes = [node for node in ast.walk(kind) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
    return found | {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "self"}


def reaches(node: ast.AST, classes: dict[str, set[str]], own: frozenset[str] = frozenset()) -> Iterator[ast.Attribute]:
    """Private attributes of others. Those of another one of the same class are no other's, nor is a class's method
    that a table of its file names."""
    if isinstance(node, ast.ClassDef):
        own |= own_names(node)
    if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
        match node.value:
            case ast.Name(id="self" | "cls") | ast.Call(func=ast.Name(id="super")):
                pass
            case ast.Name(id=name) if node.attr in classes.get(name, ()):
                pass
            case _ if node.attr not in own:
                yield node
    for child in ast.iter_child_nodes(node):
        yield from reaches(child, classes, own)


def test_nobody_reaches_into_another_class() -> None:
    wrong = []
    for _, path in modules():
        tree, name = ast.parse(path.read_text()), path.relative_to(PACKAGE).as_posix()
        classes = {node.name: own_names(node) for node in tree.body if isinstance(node, ast.ClassDef)}
        let_pass = STANDARD | FOREIGN.get(name, set())
        found = [node for node in reaches(tree, classes) if node.attr not in let_pass]
        wrong += [f"{name}:{node.lineno} {ast.unparse(node)}" for node in found]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("statement", "kept_out"),
    [
        (
            "from vezaflow.cli import main; main()",
            {"trio", "numpy", "rich", "httpx", "yaml", "lark", "sqlalchemy", "dask", "distributed"},
        ),
        *[
            (f"import vezaflow.cli.{name}_command", {"vezaflow.plan", "trio", "numpy", "rich", "httpx", "sqlalchemy"})
            for name in ("lint", "schema", "init", "completion")
        ],
        *[
            (f"import vezaflow.cli.{name}_command", {"numpy", "rich", "httpx", "m3u8", *DATABASES, *UNUSED})
            for name in ("try", "explain")
        ],
        *[
            (f"import vezaflow.cli.{name}_command", {"numpy", "rich", "httpx", "m3u8", "psycopg"})
            for name in ("run", "rerun", "history", "report", "compare", "accept", "merge")
        ],
        ("import vezaflow.scale.worker", {"numpy", "rich", "httpx", "m3u8", "click", "vezaflow.reports", *UNUSED}),
        ("import vezaflow.lint", {"trio", "numpy", "rich", "httpx", "m3u8", "jsonpath_ng", "sqlalchemy", *QUERIES}),
    ],
    ids=lambda value: value.split()[-1] if isinstance(value, str) else "",
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
