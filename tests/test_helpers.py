"""The helpers of tests: one folder, one name each, so that a module is never loaded twice under two names."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
SUPPORT = TESTS / "support"
HELPERS = {path.stem for path in SUPPORT.glob("*.py")}


@cache
def imported() -> tuple[tuple[str, str], ...]:
    """Every module that a file below tests/ imports, with where it does."""
    return tuple(_imported())


def _imported() -> Iterator[tuple[str, str]]:
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{path.relative_to(TESTS)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.ImportFrom):
                yield "." * node.level + (node.module or ""), place
            elif isinstance(node, ast.Import):
                yield from ((name.name, place) for name in node.names)


def test_a_helper_is_imported_by_its_own_name_alone() -> None:
    wrong = [
        f"{place} imports {module}"
        for module, place in imported()
        if "." in module and not module.startswith("vezaflow.") and module.rpartition(".")[2] in HELPERS
    ]
    assert not wrong, "\n".join(wrong)


def test_no_test_imports_another_or_a_conftest() -> None:
    wrong = [
        f"{place} imports {module}"
        for module, place in imported()
        if module.startswith(("test_", "tests.", "conftest", "."))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_two_files_have_one_name() -> None:
    """pytest imports a file by its name; two with one name would be one module."""
    names = [path.stem for path in TESTS.rglob("*.py") if path.stem != "conftest"]
    assert sorted(names) == sorted(set(names))


def test_helpers_have_a_folder_of_their_own() -> None:
    elsewhere = [
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("*.py")
        if path.parent != SUPPORT and not path.name.startswith("test_") and path.name != "conftest.py"
    ]
    assert not elsewhere, "move them to tests/support: " + ", ".join(elsewhere)


CLOCKS = frozenset({"monotonic", "perf_counter", "process_time", "time"})


def test_no_test_fails_because_a_machine_is_slow() -> None:
    """Speed is measured in bench/. A limit here tells what hangs from what doesn't."""
    wrong = [
        f"{path.relative_to(TESTS)}:{node.lineno}: {ast.unparse(node.test)}"
        for path in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert) and _is_short(node.test)
    ]
    assert not wrong, "\n".join(wrong)


def _is_short(test: ast.expr) -> bool:
    """Whether it wants the difference of two times of a clock to be less than some seconds."""
    match test:
        case ast.Compare(ops=[*_, ast.Lt() | ast.LtE()], comparators=[*_, ast.Constant(float() | int() as limit)]):
            parts = list(ast.walk(test))
            calls = {ast.unparse(part.func).rpartition(".")[2] for part in parts if isinstance(part, ast.Call)}
            return limit < 10 and not CLOCKS.isdisjoint(calls) and any(isinstance(part, ast.Sub) for part in parts)
    return False
