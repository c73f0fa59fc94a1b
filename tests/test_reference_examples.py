"""The reference's examples are right: each kind of mapping and each key has one, all lint, and they run.

They run against the sandbox's own code without a socket, on the mock clock: a minute of load takes no time.
"""

import json
from pathlib import Path

import jsonschema_rs
import pytest
import trio.testing
from reference import EXAMPLES, FILES, TOKEN, SandboxTarget, places, plain, root_table, tree
from stage import play

from vezaflow.diagnostics import Diagnostics, Severity, Source, render_text
from vezaflow.keys import TABLES, Field, Table, json_schema
from vezaflow.lint import lint
from vezaflow.plan import Inputs, build
from vezaflow.syntax import FUNCTIONS, Needs, read_yaml

FLOWS = [path for path in FILES if path.parent == EXAMPLES and path.stem != "suite"]
ENVIRONMENT = {"BASE_URL": "http://127.0.0.1:1", "USER_TOKEN": TOKEN}
ELSEWHERE = {"certificate", "http", "request-http", "tls"}  # not run: a server over TLS, or a proxy
BETWEEN_FILES = {"VF138", "VF139", "VF140"}
KEYS = [(table, field) for table in TABLES.values() for field in table.all_fields()]
PLACES = {  # where each key stands
    (table.name, entry.key.text): (path, way)
    for path in FILES
    for table, node, way in places(tree(path), root_table(path))
    for entry in node.entries
}


def _ids(key: tuple[Table, Field]) -> str:
    return f"{key[0].name}.{key[1].key}"


@pytest.mark.slow
def test_all_examples_together_lint_without_a_word() -> None:
    found = lint([EXAMPLES])[1]
    assert not len(found), render_text(found)


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_an_example_lints_without_a_word(path: Path) -> None:
    found = lint([path])[1]
    assert not len(found), render_text(found)


@pytest.mark.parametrize("key", KEYS, ids=_ids)
def test_every_key_stands_in_an_example(key: tuple[Table, Field]) -> None:
    table, field = key
    assert (table.name, field.key) in PLACES, f"no file of docs/examples/ uses '{field.key}' of {table.title}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_fits_its_schema(path: Path) -> None:
    validator = jsonschema_rs.Draft7Validator(json_schema(root_table(path).name))
    assert [error.message for error in validator.iter_errors(plain(tree(path)))] == []


@pytest.mark.slow
@pytest.mark.trio
@pytest.mark.parametrize("path", [path for path in FLOWS if path.stem not in ELSEWHERE], ids=lambda path: path.stem)
async def test_an_example_runs_and_all_goes_well(path: Path, autojump_clock: trio.testing.MockClock) -> None:
    suite, found = lint([path])
    assert suite is not None, render_text(found)
    plan = build(suite, Inputs(ENVIRONMENT), Diagnostics())
    assert plan is not None
    target = SandboxTarget()
    played = await play(plan, target)
    assert played.count("iterations") >= 1
    assert played.summary.error_rows() == ()


@pytest.mark.slow
@pytest.mark.parametrize("key", [key for key in KEYS if key[1].example], ids=_ids)
def test_the_line_that_explains_a_key_is_right(key: tuple[Table, Field]) -> None:
    """The line is put in the place of what an example has there; names and files need not exist."""
    table, field = key
    path, way = PLACES[table.name, field.key]
    document = mapping = plain(tree(path))
    for step in way:
        mapping = mapping[step]
    line = read_yaml(Source("example", f"{field.key}: {field.example}"), Diagnostics())
    assert line is not None, f"{field.key}: {field.example}"
    mapping |= plain(line)
    read = path if path in FLOWS else EXAMPLES / "include.yml"
    found = lint([read], overlay={path: json.dumps(document, ensure_ascii=False)})[1]
    faults = [one for one in found if one.severity is Severity.ERROR and one.code.startswith(("VF1", "VF2"))]
    assert not [one for one in faults if one.code not in BETWEEN_FILES], render_text(faults)


@pytest.mark.slow
@pytest.mark.trio
async def test_the_examples_of_all_functions_run(autojump_clock: trio.testing.MockClock) -> None:
    """Those that read an answer in an expectation, all others in a line of their own."""
    rows = FUNCTIONS.values()
    asked = [f"({row.example}) != 'nothing like this'" for row in rows if row.needs is Needs.RESPONSE]
    said = [f"${{{row.example}}}" for row in rows if row.needs is not Needs.RESPONSE]
    steps: list[dict[str, object]] = [{"get": "/api/v1/health", "expect": {"that": asked}}]
    flow = {"steps": [*steps, *({"log": line} for line in said)]}
    path = EXAMPLES / "functions.yml"
    suite, found = lint([path], overlay={path: json.dumps(flow)})
    assert suite is not None, render_text(found)
    plan = build(suite, Inputs(ENVIRONMENT), Diagnostics())
    assert plan is not None
    played = await play(plan, SandboxTarget())
    assert len(played.said) == len(said)
    assert played.count("iterations_failed") == 0
    assert played.summary.error_rows() == ()
