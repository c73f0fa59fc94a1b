"""File pairs: a flow (or a suite's folder) with a fault, and the whole text that lint shows for it.

Folder = notion, file = fault. After a change of wording run `UPDATE_CASES=1 pytest tests/model/test_cases.py` and
read the difference.
"""

import os
from pathlib import Path

import pytest

from vezaflow.diagnostics import CODES, Severity, render_text, summary_line
from vezaflow.lint import lint

CASES = Path(__file__).parent.parent / "cases"
RUN_TIME = ("VF302", "VF6", "VF7")  # found when a run is planned, or while it goes on


def _cases() -> list[Path]:
    found = [path for path in CASES.glob("*/*") if path.is_dir() or path.suffix == ".yml"]
    return sorted(found)


def _name(case: Path) -> str:
    return f"{case.parent.name}/{case.stem}"


@pytest.mark.parametrize("case", _cases(), ids=_name)
def test_a_fault_is_shown_as_expected(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case.parent)
    _, diagnostics = lint([Path(case.name)])
    shown = render_text(diagnostics) + summary_line(diagnostics) + "\n"
    expected = case.with_suffix(".txt")
    if os.environ.get("UPDATE_CASES"):
        expected.write_text(shown, encoding="utf-8")
    assert len(diagnostics) > 0
    assert shown == expected.read_text(encoding="utf-8")
    for diagnostic in diagnostics:
        assert diagnostic.severity is CODES[diagnostic.code].severity


def test_every_code_that_lint_can_find_has_a_case() -> None:
    shown = "\n".join(path.read_text(encoding="utf-8") for path in CASES.glob("*/*.txt"))
    wanted = {code for code in CODES if not code.startswith(RUN_TIME)}
    assert {code for code in wanted if f"[{code}]" not in shown} == set()


def test_every_expected_text_has_its_case() -> None:
    cases = {case.with_suffix(".txt") for case in _cases()}
    assert set(CASES.glob("*/*.txt")) == cases


def test_severities_of_all_codes_are_errors_or_warnings() -> None:
    assert {rule.severity for rule in CODES.values()} == set(Severity)
