"""The reference pages and the schemas say what the tables say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PAGES = (
    "docs/reference/codes.md",
    "docs/reference/functions.md",
    "docs/reference/metrics.md",
    "docs/reference/steps.md",
    "schema/flow.json",
    "schema/fragment.json",
    "schema/suite.json",
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
