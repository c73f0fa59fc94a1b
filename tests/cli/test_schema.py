"""`vezaflow schema` as the shell sees it."""

import json
from pathlib import Path

import pytest
from program import vezaflow

pytestmark = pytest.mark.slow


def test_it_prints_the_schema_of_a_flow_unless_told_otherwise() -> None:
    assert "steps" in json.loads(vezaflow("schema").out)["properties"]
    assert "guard" in json.loads(vezaflow("schema", "suite").out)["properties"]


def test_it_writes_both_and_says_how_a_file_names_them(tmp_path: Path) -> None:
    done = vezaflow("schema", "--write", tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "audit.json", "flow.json", "fragment.json", "suite.json",
    ]  # fmt: skip
    assert "# yaml-language-server: $schema=../new/flow.json" in done.out
