"""CHANGELOG.md: each change is told once, and a release has each of its sections once."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parent.parent / "CHANGELOG.md").read_text(encoding="utf-8")
RELEASES = re.split(r"(?m)^## ", TEXT)[1:]


def test_no_change_is_told_twice() -> None:
    told = [entry.strip() for entry in re.split(r"(?m)^(?=- |#)", TEXT) if entry.startswith("- ")]
    assert [entry for entry in told if told.count(entry) > 1] == []


def test_no_line_of_a_change_is_there_twice() -> None:
    lines = [line for line in TEXT.splitlines() if len(line) > 60]
    assert [line for line in lines if lines.count(line) > 1] == []


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.partition("\n")[0])
def test_a_release_has_the_sections_of_keep_a_changelog_in_their_order(release: str) -> None:
    order = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
    found = re.findall(r"(?m)^### (.*)$", release)
    assert found == [section for section in order if section in found]
