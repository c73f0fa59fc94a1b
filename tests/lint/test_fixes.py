"""Edits that findings carry: only the wrong token changes, and only where one right one is in reach."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.diagnostics import Diagnostics, Edit, Source, Span, mended, slip
from vezaflow.keys import TABLES
from vezaflow.lint import lint
from vezaflow.syntax import Mapping, Node, Scalar, read_yaml

FLOWS = Path(__file__).parent.parent.parent / "flows"
ROOT = Path("mended")
KEYS = {field.key for table in TABLES.values() for field in table.all_fields()}


def fixed(texts: dict[str, str]) -> dict[str, str]:
    """The files after one round of edits."""
    found = lint([ROOT], overlay={ROOT / name: text for name, text in texts.items()})[1]
    edits = [d.fix for d in found if d.fix is not None]
    sources = {edit.span.source for edit in edits}
    return texts | {Path(source.path).name: mended(source, edits) for source in sources}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("stesp: [{get: /}]  # kept", "steps: [{get: /}]  # kept"),
        ("steps:\n  - gte: /   # why\n", "steps:\n  - get: /   # why\n"),
        ("steps: [{get: /, 'exract': {a: $.b}}]", "steps: [{get: /, 'extract': {a: $.b}}]"),
        ("steps: [{get: /, onFailure: continue}]", "steps: [{get: /, on_failure: continue}]"),
        ("steps: [{get: /, on_failure: contine}]", "steps: [{get: /, on_failure: continue}]"),
        ("steps: [{get: /, follow: no}]", "steps: [{get: /, follow: false}]"),
        ("tls: {insecure: Yes}\nsteps: [{get: /}]", "tls: {insecure: true}\nsteps: [{get: /}]"),
        ("steps: [{post: /, json: {1: a}}]", "steps: [{post: /, json: {'1': a}}]"),
        (
            "steps: [{get: /}]\ngates:\n  http_reqs{step: GET /}: count > 1\n",
            "steps: [{get: /}]\ngates:\n  http_reqs{step:GET /}: count > 1\n",
        ),
    ],
)
def test_what_is_plain_is_mended(wrong: str, right: str) -> None:
    assert fixed({"a.yml": wrong})["a.yml"] == right


@pytest.mark.parametrize(
    "text",
    [
        "steps: [{get: /, exrct: {a: $.b}}]",  # two slips
        "steps: [{get: /, name: x, nmae: y}]",  # the right one is there
        "steps: [{sleep: 1s}]",  # another tool's word: what it takes may differ
        "tls: {insecure: 1}\nsteps: [{get: /}]",
        "steps: [{get: /, follow: '${a}'}]",
        "steps: [{get: /, timeout: 500}]",  # of what?
        'steps: [{get: /, "n\\u0061em": x}]',  # an escape: not the text that stands there
    ],
)
def test_what_is_doubtful_is_left(text: str) -> None:
    assert fixed({"a.yml": text})["a.yml"] == text


def keys_of(node: Node) -> list[Scalar]:
    if isinstance(node, Mapping):
        below = [key for entry in node.entries for key in keys_of(entry.value)]
        return [entry.key for entry in node.entries if entry.key.text in KEYS] + below
    return [] if isinstance(node, Scalar) else [key for item in node.items for key in keys_of(item)]


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(FLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_a_slip_in_a_shipped_file_is_mended_to_what_was_there_or_left(path: Path) -> None:
    texts = {each.name: each.read_text(encoding="utf-8") for each in FLOWS.glob("*.yml")}
    text, restored = texts[path.name], 0
    node = read_yaml(Source(path.name, text), Diagnostics())
    assert node is not None
    for key in keys_of(node):
        at = key.span.start + len(key.text) // 2
        swapped = text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
        if swapped != text:
            after = fixed(texts | {path.name: swapped})[path.name]
            assert after in (text, swapped)
            restored += after == text
    assert restored > 10


def test_one_slip_is_a_letter_or_two_in_each_others_place() -> None:
    words = {"steps", "expect", "extract", "get", "set", "on_failure"}
    assert [slip(word, words) for word in ("stpes", "step", "stepss", "staps", "onFailure", "on-failure")] == [
        "steps", "steps", "steps", "steps", "on_failure", "on_failure"
    ]  # fmt: skip
    assert [slip(word, words) for word in ("spets", "expct_", "met", "et", "")] == [None] * 5


@given(
    st.text("abc\n", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.text("xy", max_size=3)))
)
def test_edits_touch_nothing_but_their_spans(text: str, places: list[tuple[int, int, str]]) -> None:
    source = Source("a", text)
    edits = [Edit(Span(source, min(at, len(text)), min(at + n, len(text))), new) for at, n, new in places]
    kept = [c for n, c in enumerate(text) if not any(e.span.start <= n < e.span.end for e in edits)]
    left = iter(mended(source, edits))
    assert all(c in left for c in kept)
    assert mended(source, []) == text
