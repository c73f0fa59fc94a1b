"""The reference pages and the schemas say what the tables say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from vezaflow.diagnostics import CODES
from vezaflow.keys import TABLES
from vezaflow.metrics import METRICS

ROOT = Path(__file__).parent.parent
PAGES = (
    ".github/workflows/loadtest.yml",
    "docs/reference/codes.md",
    "docs/reference/functions.md",
    "docs/reference/metrics.md",
    "docs/reference/steps.md",
    "schema/acceptance.json",
    "schema/audit.json",
    "schema/flow.json",
    "schema/fragment.json",
    "schema/suite.json",
    "schema/summary.json",
    "vezaflow/syntax/grammar.json",
)


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_what_its_table_says(generate: ModuleType, name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    assert page == generate.PAGES[name](), f"{name} is stale: run `python docs/generate.py`"


def test_every_page_that_is_made_is_tested(generate: ModuleType) -> None:
    assert sorted(generate.PAGES) == sorted(PAGES)


def test_links_between_the_tables_lead_to_a_heading(generate: ModuleType) -> None:
    page = generate.steps()
    headings = {line[4:].lower().replace(" ", "-") for line in page.splitlines() if line.startswith("### ")}
    targets = {piece.split(")")[0] for piece in page.split("](#")[1:]}
    assert targets
    assert targets <= headings


def test_every_table_metric_and_code_has_an_example(generate: ModuleType) -> None:
    assert [name for name in TABLES if not generate.example_of(name).exists()] == []
    assert METRICS.keys() - generate.gates_shown().keys() == set()
    page = generate.codes()
    found_later = ("VF302", "VF6", "VF7")  # when a run is planned, or while it goes on
    shown = {code for code in CODES if f"[{code}]: " in page}
    assert {code for code in CODES if not code.startswith(found_later)} - shown == set()


def test_no_example_is_left_out_of_the_reference(generate: ModuleType) -> None:
    page = generate.steps() + generate.metrics()
    files = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs" / "examples").rglob("*.yml")]
    assert [str(path) for path in files if f"(../{path})" not in page] == []
