"""The published JSON Schema and the files: each file is valid, and the schema knows each of its fields."""

import jsonschema_rs
import orjson
import pytest
from closed_schema import closed
from sample_run import GREEN, RED, arriving, run

from vezaflow.gates import Concern, ConcernKind
from vezaflow.reports import summary_json, summary_schema
from vezaflow.results import RunResult

RESULTS = {
    "green": run(GREEN),
    "red": run(RED),
    "no gates": run(()),
    "concerns": run(GREEN, [Concern(kind, "why", "what to do", "browse") for kind in ConcernKind]),
    "open": arriving(),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_summary_is_valid_and_has_no_field_that_the_schema_does_not_explain(name: str) -> None:
    document = orjson.loads(summary_json(RESULTS[name]))
    jsonschema_rs.Draft7Validator(closed(summary_schema()), validate_formats=True).validate(document)


def test_the_schema_is_one() -> None:
    jsonschema_rs.meta.validate(summary_schema())


@pytest.mark.parametrize("field", ["schema", "health", "gates", "segment"])
def test_a_file_that_lacks_a_field_is_not_valid(field: str) -> None:
    result: RunResult = RESULTS["green"]
    document = orjson.loads(summary_json(result))
    del document[field]
    assert not jsonschema_rs.Draft7Validator(summary_schema()).is_valid(document)
