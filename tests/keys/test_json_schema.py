"""The schemas for editors against a real validator, over every file that lint is tested with: what lint finds in a
file, they find as well, but for the codes of BLIND; what they refuse, lint refuses.
"""

import re
from pathlib import Path
from typing import NamedTuple

import jsonschema_rs
import pytest
from documented import as_files, blocks

from vezaflow.diagnostics import Diagnostics, Severity, Source
from vezaflow.keys import DIALECT, SCHEMAS, TABLES, Kind, json_schema, schema_text
from vezaflow.lint import lint
from vezaflow.syntax import Mapping, Node, Scalar, read_yaml

ROOT = Path(__file__).parent.parent.parent
CASE_FILES = ROOT / "tests" / "cases"
CASES = sorted(path for path in CASE_FILES.glob("*/*") if path.is_dir() or path.suffix == ".yml")
VALIDATORS = {name: jsonschema_rs.Draft7Validator(json_schema(name)) for name in SCHEMAS}

# Where a schema and lint differ: errors that lint finds and a schema can't, by reason.
BLIND = {
    "the text of the file is gone when a schema sees its values": (
        "VF102", "VF103", "VF105", "VF106", "VF107",
    ),
    "a schema sees one file, and not which others lie beside it": (
        "VF130", "VF138", "VF139", "VF140", "VF141", "VF142",
        "VF406", "VF408", "VF432", "VF503", "VF706",
    ),
    "a schema does not read what is inside of a text: expressions, paths, patterns, conditions, labels": (
        "VF129", "VF201", "VF202", "VF203", "VF204", "VF205", "VF206", "VF207", "VF208", "VF209", "VF211", "VF225",
        "VF226", "VF227", "VF230", "VF303", "VF304", "VF317", "VF318", "VF423", "VF424", "VF444", "VF502", "VF506",
    ),
    "a schema does not know what another place of the file sets or asks": (
        "VF301", "VF305", "VF309", "VF312", "VF314", "VF315", "VF316", "VF403", "VF411", "VF412", "VF413", "VF419",
        "VF420", "VF421", "VF425", "VF426", "VF430", "VF433", "VF436", "VF441", "VF442", "VF443",
        "VF520",
    ),
    "a JSON Schema in a file may hold any text, `${…}` too": ("VF125",),
}  # fmt: skip
BLIND_IN = {  # where it sees other errors of these codes
    "habits/pauses-without-units.yml": {"VF220"},  # inside of a `${…}`
    "observe/gates/flow.yml": {"VF501"},  # suite.yml names the server's metrics
    "observe/gates/suite.yml": {"VF501", "VF504", "VF505", "VF511", "VF512"},  # another place says what they are
    "profiles/gates/suite.yml": {"VF501", "VF504", "VF505", "VF512", "VF522"},  # so here
    "includes/types/flow.yml": {"VF220"},  # a value is read by the type that the fragment gives it
}
NO_YAML = {"VF101", "VF108", "VF109", "VF110"}
BLIND_CODES = {code for codes in BLIND.values() for code in codes}


def plain(node: Node) -> object:
    """A node as the values that an editor's YAML 1.2 reader makes of it."""
    if isinstance(node, Mapping):
        return {entry.key.text: plain(entry.value) for entry in node.entries}
    if isinstance(node, Scalar):
        return node.typed()
    return [plain(item) for item in node.items]


def refused(name: str, text: str) -> list[str]:
    """What the schema for a file of this name says against a text; nothing of what is no YAML."""
    node = read_yaml(Source(name, text), Diagnostics())
    return [] if node is None else [error.message for error in VALIDATORS[kind(name)].iter_errors(plain(node))]


def kind(name: str) -> str:
    """Which schema a file of this name, from the suite's folder, has."""
    starts = {"suite.": "suite", "parts/": "fragment", "audit/": "audit"}
    return next((schema for start, schema in starts.items() if name.startswith(start)), "flow")


def from_suite(path: Path) -> str:
    """A shipped file's name from its suite's folder."""
    return f"audit/{path.name}" if path.parent.name == "audit" else path.name


class Judged(NamedTuple):
    """What a schema says of one file of a case, and the codes of lint's errors in it."""

    file: str  # below tests/cases
    said: list[str]
    codes: set[str]


def judged(case: Path) -> list[Judged]:
    errors: dict[str, set[str]] = {}
    for found in lint([case])[1]:
        if found.severity is Severity.ERROR and found.span is not None:
            errors.setdefault(found.span.source.path, set()).add(found.code)
    names = {file: str(file.relative_to(case)) for file in case.rglob("*.y*ml")} if case.is_dir() else {case: case.name}
    return [
        Judged(str(file.relative_to(CASE_FILES)), refused(name, text), errors.get(str(file), set()))
        for file, name in sorted(names.items())
        for text in [file.read_text(encoding="utf-8")]
    ]


JUDGED = [each for case in CASES for each in judged(case)]


@pytest.mark.parametrize("file", JUDGED, ids=lambda file: file.file)
def test_a_schema_refuses_what_lint_refuses_but_for_the_list(file: Judged) -> None:
    if file.said:
        assert file.codes
    elif not file.codes & NO_YAML:
        assert file.codes - BLIND_CODES - BLIND_IN.get(file.file, set()) == set()


def test_the_list_of_differences_holds_nothing_that_is_none() -> None:
    seen = set().union(*(file.codes for file in JUDGED if not file.said))
    assert BLIND_CODES - seen == set()


SHIPPED = sorted([*ROOT.glob("flows/**/*.yml"), *ROOT.glob("bench/flows/*.yml")])


@pytest.mark.parametrize("path", SHIPPED, ids=[str(path.relative_to(ROOT)) for path in SHIPPED])
def test_the_shipped_files_fit_their_schema(path: Path) -> None:
    assert refused(from_suite(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("flows/**/*.yml")), ids=lambda path: path.stem)
def test_the_shipped_files_lead_an_editor_to_their_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    sign, _, target = first.partition("$schema=")
    assert sign == "# yaml-language-server: "
    assert (path.parent / target).resolve() == ROOT / "schema" / f"{kind(from_suite(path))}.json"


@pytest.mark.parametrize(("place", "block"), blocks(), ids=[place for place, _ in blocks()])
def test_what_the_docs_show_fits_the_schemas(place: str, block: str) -> None:
    for name, text in as_files(block).items():
        assert refused(name, text) == [], place


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_that_can_be_written_is_described(name: str) -> None:
    schema = json_schema(name)
    assert schema["$schema"] == DIALECT
    definitions = schema["definitions"]
    assert isinstance(definitions, dict)
    for mapping in (schema, *definitions.values()):
        for shape in mapping.get("properties", {}).values():
            assert shape["description"]
    for reference in re.findall(r'"#/definitions/([^"]+)"', schema_text(name)):
        assert reference in definitions


def test_every_kind_of_value_has_a_shape() -> None:
    kinds = {field.kind for table in TABLES.values() for field in table.all_fields()}
    assert kinds <= set(Kind)
    assert json_schema("suite")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("steps: [{get: /, expect: 2xx}]", True),
        ("steps: [{get: /, expect: [200, 2xx]}]", True),
        ("steps: [{get: /, expect: 1000}]", False),
        ("steps: [{get: x.html}]", False),
        ("steps: [{get: '${a.uri}'}]", True),
        ("steps: [{think: 1s..2s}]", True),
        ("steps: [{think: 1}]", False),
        ("steps: [{think: 1 KiB}]", False),
        ("steps: [{post: /, json: {}, form: {a: b}}]", False),
        ("steps: [{get: /, post: /}]", False),
        ("steps: [{get: /, exract: {a: $.b}}]", False),
        ("load: {vus: 3}\nsteps: [{get: /}]", False),
        ("load: {executor: shared-iterations, vus: 3}\nsteps: [{get: /}]", True),
        ("load: {executor: shared-iterations, duration: 3s}\nsteps: [{get: /}]", False),
        ("gates: {'http_req_duration{step:a}': [p(95) < 1 s]}\nsteps: [{get: /}]", True),
        ("gates: {http_req_durations: p(95) < 1 s}\nsteps: [{get: /}]", False),
        ("gates: {http_req_duration: p(95) < 500}\nsteps: [{get: /}]", False),
        ("gates: {http_req_duration: p(95)<1m30s}\nsteps: [{get: /}]", True),
        ("gates: {http_req_duration: rate < 1 %}\nsteps: [{get: /}]", False),
        ("gates: {http_req_failed: rate < 0.01}\nsteps: [{get: /}]", False),
        ("gates: {http_req_failed: count < 10}\nsteps: [{get: /}]", True),
        ("gates: {data_sent: rate < 10 MiB}\nsteps: [{get: /}]", True),
        ("gates: {'http_req_duration{search}': p(95) < 1 s}\nsteps: [{get: /}]", False),
        ("vars: {track-id: 1}\nsteps: [{get: /}]", False),
        ("steps: [{get: /, query: {track-id: 1}}]", True),
        ("steps: [{post: /, body: {file: ../a.bin}}]", False),
    ],
)
def test_a_schema_is_strict(text: str, right: bool) -> None:
    assert (refused("a.yml", text) == []) is right
