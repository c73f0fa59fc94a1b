"""Whatever stands in a file, lint answers with diagnostics: it never raises, and every span begins in its source."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vezaflow.diagnostics import render_text
from vezaflow.model import TABLES, lint

FLOWS = Path(__file__).parent.parent.parent / "flows"
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(FLOWS.glob("*.yml"))}
ROOT = Path("mutated")
KEYS = sorted({field.key for table in TABLES.values() for field in table.all_fields()})
VALUES = (
    "", "3", "-1", "true", "null", "text", "[]", "{}", "[1, 2]", "{a: 1}", "${x}", "${", "$.a[*]", "'${1 +}'", "5m",
    "1..2", "1s..2s", "${a}..3s", "10 MiB", "2xx", "p(95) < 500 ms", "{json: $.a, pick: last}", "[{get: /}]",
    "[{weight: 1, do: [{get: /}]}]", "{bytes: 1 KiB}", "{file: x}", "none", "{bearer: x}", "\"\\u0000\"", ".nan",
    "1e999",
)  # fmt: skip


def check(overlay: dict[Path, str]) -> None:
    _, diagnostics = lint([ROOT], overlay=overlay)
    assert isinstance(render_text(diagnostics), str)
    for diagnostic in diagnostics:
        if diagnostic.span is not None:
            assert 0 <= diagnostic.span.start <= len(diagnostic.span.source.text)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 200), st.integers(0, 200), st.sampled_from(VALUES))
def test_shipped_files_with_a_line_spoilt(name: str, line: int, moved: int, value: str) -> None:
    lines = TEXTS[name].split("\n")
    at = line % len(lines)
    key, colon, _ = lines[at].partition(":")
    lines[at] = f"{key}: {value}" if colon else value
    lines.insert(moved % len(lines), lines.pop(at))
    check({ROOT / "a.yml": "steps: [{get: /}]\n", ROOT / name: "\n".join(lines)})


_TREES = st.recursive(
    st.sampled_from(VALUES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4).map(
            lambda entries: "{" + ", ".join(f"{key}: {value}" for key, value in entries.items()) + "}"
        ),
    ),
    max_leaves=12,
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["a.yml", "suite.yml"]), st.dictionaries(st.sampled_from(KEYS), _TREES, min_size=1, max_size=5))
def test_any_keys_with_any_values(name: str, entries: dict[str, str]) -> None:
    text = "".join(f"{key}: {value}\n" for key, value in entries.items())
    check({ROOT / "a.yml": "steps: [{get: http://127.0.0.1/}]\n", ROOT / name: text})


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(KEYS), _TREES, min_size=1, max_size=4), max_size=4))
def test_any_steps(steps: list[dict[str, str]]) -> None:
    lines = [
        f"  {'-' if number == 0 else ' '} {key}: {value}\n"
        for step in steps
        for number, (key, value) in enumerate(step.items())
    ]
    check({ROOT / "a.yml": "steps:\n" + "".join(lines)})
