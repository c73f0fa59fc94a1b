"""Whatever lies in a flow, a suite or a data file, lint and explain say what is wrong with it and end."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from mutants import mutants
from program import ends_well

FLOWS = Path(__file__).parents[2] / "flows"
SHIPPED = {
    path.relative_to(FLOWS).as_posix(): path.read_text(encoding="utf-8") for path in sorted(FLOWS.rglob("*.yml"))
}
TREES = {name: yaml.load(text, yaml.BaseLoader) for name, text in SHIPPED.items()}  # texts, as authors write them
KINDS = ("csv", "json", "jsonl", "yml")
PIECES = (
    b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0", b"a,b\n", b"1,2\n", b'"', b'"a\n', b"\r", b"\r\n", b"\n",
    b",",
    b"\xff", b"x" * 200_000, b"[", b"]", b"{", b"}", b'{"a": 1}', b"[{}]", b'{"a": 1e999}', b"NaN",
    b"- a: 1\n", b"a: &x [*x]\n",
    b"!!python/object:os.system x\n", b"[" * 5_000, b"{a: " * 500, b"\xe2\x80\xa8", b"\xc2\x85", b"1" * 5_000,
)  # fmt: skip
USES = """
flow: one
base_url: http://127.0.0.1:9
load: {vus: 1, duration: 1s}
data: {rows: {file: rows.%s, pick: random}}
steps: [{get: "/${rows.a}", name: a}]
gates: {http_req_failed: rate < 1 %%}
"""


def linted(folder: Path, text: str | bytes) -> None:
    path = folder / "one.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    ends_well(["lint", str(path)])
    ends_well(["explain", str(path), "--sandbox"])


@given(st.data())
def test_a_shipped_flow_with_places_changed_is_explained_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tree: Any = copy.deepcopy(TREES[data.draw(st.sampled_from(sorted(TREES)))])
    changed = data.draw(mutants(tree))
    linted(tmp_path_factory.getbasetemp(), yaml.safe_dump(changed, allow_unicode=True))


@given(st.data())
def test_a_shipped_flow_with_bytes_changed_is_explained_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = SHIPPED[data.draw(st.sampled_from(sorted(SHIPPED)))].encode()
    at = data.draw(st.integers(0, len(text)))
    piece = data.draw(st.one_of(st.binary(max_size=5), st.sampled_from(PIECES)))
    linted(tmp_path_factory.getbasetemp(), text[:at] + piece + text[at + data.draw(st.integers(0, 5)) :])


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=6), st.sampled_from(KINDS))
def test_any_rows_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], kind: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / f"rows.{kind}").write_bytes(b"".join(pieces))
    linted(folder, USES % kind)


@given(st.text(max_size=20))
def test_any_expression_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    flow = {"base_url": "http://127.0.0.1", "steps": [{"get": "/", "if": text}, {"get": f"/${{{text}}}"}]}
    linted(tmp_path_factory.getbasetemp(), yaml.safe_dump(flow, allow_unicode=True))
