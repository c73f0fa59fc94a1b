"""`vezaflow lint --fix` as the shell sees it."""

from pathlib import Path

import pytest
from program import vezaflow

pytestmark = pytest.mark.slow
WRONG = "\ufeffbase_url: http://127.0.0.1\r\nstpes:\r\n  - gte: /   # kept\r\n    haeders: {a: b}\r\n"


def test_it_mends_all_levels_and_keeps_the_rest_byte_for_byte(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_bytes(WRONG.encode())
    assert "--fix` can fix 1 of them" in vezaflow("lint", file).err
    assert file.read_bytes() == WRONG.encode()
    done = vezaflow("lint", "--fix", tmp_path)
    assert done.code == 0
    assert f"{file}: 3 fixed" in done.err
    right = WRONG.replace("stpes", "steps").replace("gte", "get").replace("haeders", "headers")
    assert file.read_bytes() == right.encode()
    assert "fixed" not in vezaflow("lint", "--fix", tmp_path).err


def test_what_can_not_be_mended_is_shown_and_no_file_is_touched(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("steps: [{get: /${a}}]\n", encoding="utf-8")
    before = file.stat().st_mtime_ns
    assert vezaflow("lint", "--fix", tmp_path).code == 2
    assert file.stat().st_mtime_ns == before
