"""What the docs show is right: every ```yaml block lints, every link leads somewhere.

A block is a flow (it has `steps`), a suite (it has not) or a list of steps. Blocks that are wrong on purpose, or not of
vezaflow, are fenced as ```yml.
"""

import re
import textwrap
from pathlib import Path

import pytest

from vezaflow.diagnostics import render_text
from vezaflow.lint import lint

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "bench" / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
SUITE = "base_url: http://127.0.0.1:8080\n"
DATA = {"users.csv": "email,password\n" + "ann@example.org,pa55word\n" * 50, "tracks.jsonl": '{"id": 1}\n'}
FLOW = "steps: [{get: /}]\ngates: {http_req_failed: rate < 1 %}\n"


def blocks() -> list[tuple[str, str]]:
    return [
        (f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}", found[1])
        for page in PAGES
        for text in [page.read_text(encoding="utf-8")]
        for found in FENCE.finditer(text)
    ]


def as_files(block: str) -> dict[str, str]:
    """The suite that the block is a part of."""
    keys = {line.split(":")[0] for line in block.splitlines() if line[:1].isalpha()}
    if "steps" in keys:
        return {"suite.yml": SUITE, "flow.yml": block}
    if keys:
        return {"suite.yml": block, "flow.yml": FLOW}
    return {"suite.yml": SUITE, "flow.yml": "steps:\n" + textwrap.indent(block, "  ")}


@pytest.mark.parametrize(("place", "block"), blocks(), ids=[place for place, _ in blocks()])
def test_an_example_has_no_errors(place: str, block: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    data = {f"data/{name}": text for name, text in DATA.items()}
    for name, text in (as_files(block) | data).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    _, diagnostics = lint([tmp_path])
    assert not diagnostics.failed, f"{place}\n{render_text(diagnostics.items, colour=False)}"


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


def test_the_examples_are_found() -> None:
    assert len(blocks()) >= 10
