"""What the docs show is right: every ```yaml block lints, every link leads somewhere.

A block is a flow (it has `steps`), a suite (it has not) or a list of steps. Blocks that are wrong on purpose, or not of
vezaflow, are fenced as ```yml.
"""

import re
from pathlib import Path

import pytest
from documented import PAGES, ROOT, as_files, blocks

from vezaflow.diagnostics import render_text
from vezaflow.lint import lint

LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
DATA = {"users.csv": "email,password\n" + "ann@example.org,pa55word\n" * 50, "tracks.jsonl": '{"id": 1}\n'}


@pytest.mark.parametrize(("place", "block"), blocks(), ids=[place for place, _ in blocks()])
def test_an_example_has_no_errors(place: str, block: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    data = {f"data/{name}": text for name, text in DATA.items()}
    for name, text in (as_files(block) | data).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
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
