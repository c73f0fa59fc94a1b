"""Whatever stands in a file, lint answers with diagnostics: it never raises, ends in bounded time, and every span
begins in its source.
"""

import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vezaflow.diagnostics import render_github, render_json, render_sarif, render_text
from vezaflow.keys import TABLES
from vezaflow.lint import lint

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


CASES = Path(__file__).parent.parent / "cases"
CORPUS = [
    path.read_bytes() for path in sorted([*FLOWS.glob("*.yml"), *CASES.glob("*/*.yml"), *CASES.glob("*/*/*.yml")])
]
PIECES = (
    b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\xc2\x85", b"\xe2\x80\xa8", b"\r", b"\t", b"${", b"}",
    b"[", b"{", b"- ", b": ", b"#", b"&a ", b"*a", b"<<: ", b"!!x ", b"|", b">", b"'", b'"', b"\\ud800", b"..",
    b"9" * 500, b"(" * 200, b"1e999", b"\n---\n", b"??", b"$..", b"[*]", b"# vezaflow: ignore[", b".nan",
    b"while: true\n", b"for: x\n", b"a" * 3000,
)  # fmt: skip
EDITS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3000), st.integers(0, 40), st.sampled_from(PIECES)), max_size=6
)


def spoilt(content: bytes, edits: list[tuple[int, int, int, bytes]]) -> bytes:
    """The bytes with pieces put in, taken out, put in their place, or copied from elsewhere."""
    for kind, at, length, piece in edits:
        start = at % (len(content) + 1)
        end = start if kind == 0 else start + length
        new = content[length : length + 80] if kind == 3 else b"" if kind == 1 else piece
        content = content[:start] + new + content[end:]
    return content


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CORPUS), st.sampled_from(["a.yml", "suite.yml"]), EDITS)
def test_any_bytes(content: bytes, name: str, edits: list[tuple[int, int, int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.yml").write_text("steps: [{get: /}]\n", encoding="utf-8")
        Path(folder, name).write_bytes(spoilt(content, edits))
        found = lint([Path(folder)])[1]
    for render in (render_text, render_json, render_github, render_sarif):
        assert isinstance(render(found), str)
    for diagnostic in found:
        for span in (diagnostic.span, *(related for related, _ in diagnostic.related)):
            assert span is None or 0 <= span.start <= len(span.source.text)


BOMBS = {
    "aliases": b"a: &a [x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b"*%c," % (97 + i) * 9) for i in range(9)),
    "brackets": b"[" * 100_000,
    "braces": b"{a: " * 20_000,
    "dashes": b"- " * 100_000,
    "blocks": b"".join(b" " * n + b"a:\n" for n in range(1000)),
    "loops": b"steps:\n" + b"".join(b"    " * n + b"  - repeat: 2\n" + b"    " * n + b"    do:\n" for n in range(31)),
    "a huge text": b"steps: [{log: '" + b"x" * 1_900_000 + b"'}]",
    "too large": b"x" * 2_100_000,
    "comments": b"#\n" * 500_000,
    "many steps": b"steps:\n" + b"  - get: /a\n" * 5_000,
    "many faults": b"steps:\n" + b"  - gett: /a\n" * 5_000,
    "many names": b"steps:\n" + b"".join(b"  - set: {a%d: 1}\n" % n for n in range(5_000)),
    "many unset": b"steps:\n" + b"".join(b"  - set: {b%d: 1}\n  - get: /${a%d}\n" % (n, n) for n in range(1_000)),
    "many keys": b"".join(b"k%d: 1\n" % n for n in range(3_000)),
    "many ignores": b"steps: [{get: /}]\n" + b"# vezaflow: ignore[VF306] x\n" * 10_000,
    "many secrets": b"steps: [{get: /}]\n" + b"# AKIAABCDEFGHIJKLMNOP\n" * 3_000,
    "labels": b"a{" + b"b: c " * 50_000,
    "an expression": b"steps: [{log: '${" + b"1+" * 100_000 + b"1}'}]",
    "parentheses": b"steps: [{log: '${" + b"(" * 100_000 + b"'}]",
    "digits": b"steps: [{repeat: " + b"9" * 100_000 + b", do: [{get: /}]}]",
    "a pattern": b"steps: [{get: /, extract: {a: {regex: 'a{1000}{1000}{1000}'}}}]",
    "a path": b"steps: [{get: /, extract: {a: '$" + b"[*]" * 20_000 + b"'}}]",
    "a selector": b"steps: [{get: /, extract: {a: {css: '" + b"a>" * 20_000 + b"b'}}}]",
    "quotes": b"'" + b"''" * 300_000,
    "utf-16": "steps: [{get: /}]".encode("utf-16"),
    "utf-32": "steps: [{get: /}]".encode("utf-32"),
    "latin-1": "name: café".encode("latin-1"),
    "a nul": b"steps: \0",
    "byte order marks": b"\xef\xbb\xbf" * 3 + b"a: 1",
    "nothing": b"",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_in_bounded_time(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(BOMBS[name])
    begin = time.process_time()
    found = lint([tmp_path])[1]
    assert len(found) > 0
    assert isinstance(render_text(found), str)
    assert time.process_time() - begin < 15  # a few seconds at most, even where the machine is slow


FOLDERS = [
    {str(path.relative_to(case)): path.read_bytes() for path in sorted(case.rglob("*")) if path.is_file()}
    for case in sorted(CASES.glob("*/*"))
    if case.is_dir()
]


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FOLDERS), st.integers(0, 20), EDITS)
def test_any_bytes_in_a_file_of_several(
    files: dict[str, bytes], which: int, edits: list[tuple[int, int, int, bytes]]
) -> None:
    wrong = sorted(files)[which % len(files)]
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, name).write_bytes(spoilt(content, edits) if name == wrong else content)
        found = lint([Path(folder)])[1]
    assert isinstance(render_text(found), str)


SCHEMA_FILES = {
    "latin-1": '{"title": "é"}'.encode("latin-1"),
    "utf-16": "{}".encode("utf-16"),
    "a nul": b"\0{}",
    "nothing": b"",
    "not a number": b'{"minimum": NaN}',
    "digits": b'{"minimum": ' + b"9" * 100_000 + b"}",
    "brackets": b"[" * 100_000,
    "deep": b'{"not": ' * 900 + b"{}" + b"}" * 900,
    "too large": b'{"title": "' + b"x" * 2_000_000 + b'"}',
    "another document": b'{"$ref": "file:///etc/hostname"}',
    "a pattern": b'{"pattern": "a{1000}{1000}{1000}"}',
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMA_FILES)
def test_a_file_that_holds_no_schema_is_reported(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("steps: [{get: http://127.0.0.1/, expect: {schema: s.json}}]", encoding="utf-8")
    (tmp_path / "s.json").write_bytes(SCHEMA_FILES[name])
    assert "VF230" in {found.code for found in lint([tmp_path])[1]}


@pytest.mark.parametrize("path", ["/dev/zero", "../s.json", ".", '"\\0"', "'${env.X}'", "''", "x" * 5000, '"a\\nb"'])
@pytest.mark.parametrize("key", ["expect: {schema: %s}", "body: {file: %s}", "multipart: {a: {file: %s}}"])
def test_a_path_that_leads_to_no_file_of_the_suite_is_not_read(key: str, path: str, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(f"steps: [{{post: http://127.0.0.1/, {key % path}}}]", encoding="utf-8")
    assert len(lint([tmp_path])[1]) > 0


@pytest.mark.parametrize("path", ["/dev/zero", "parts/../a.yml", "parts", '"parts/\\0"', "''", "parts/" + "x" * 5000])
def test_an_include_that_leads_to_no_fragment_is_not_read(path: str, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(f"steps: [{{include: {path}}}]", encoding="utf-8")
    assert lint([tmp_path])[1].failed


def test_a_schema_may_begin_with_the_mark_of_utf_8(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("steps: [{get: http://127.0.0.1/, expect: {schema: s.json}}]", encoding="utf-8")
    (tmp_path / "s.json").write_bytes(b"\xef\xbb\xbf{}")
    assert not lint([tmp_path])[1].failed


@pytest.mark.parametrize("path", ["/dev/zero", "../a.csv", ".", '"\\0.csv"', "''", "x" * 5000, '"a\\nb"'])
@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
def test_a_path_that_leads_to_no_data_is_not_read(form: str, path: str, tmp_path: Path) -> None:
    flow = f"data: {{rows: {{{form}: {path}}}}}\nsteps: [{{get: 'http://127.0.0.1/${{rows.a}}'}}]"
    (tmp_path / "a.yml").write_text(flow, encoding="utf-8")
    assert lint([tmp_path])[1].failed
