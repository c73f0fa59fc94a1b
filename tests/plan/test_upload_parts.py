"""What an upload comes to when the inputs are known: its parts, and what can't be cut."""

from pathlib import Path

import pytest
from planned import inputs, plan_of, plan_or_faults

from vezaflow.plan import PlannedUpload, requests_of

FLOW = "steps: [{upload: /, name: up, of: '${env.OF ?? 10 KiB}', part: '${env.PART ?? 4 KiB}', at_once: 8%s}]\n"


def upload(more: str = "", environment: dict[str, str] | None = None) -> PlannedUpload:
    (step,) = plan_of(FLOW % more, inputs=inputs(environment)).flows[0].steps
    assert isinstance(step, PlannedUpload)
    return step


def test_inputs_say_how_much_and_in_which_parts() -> None:
    assert [part["size"] for part in upload().parts] == [4096, 4096, 2048]
    found = upload(environment={"OF": "3 MiB", "PART": "1 MiB"})
    assert [part["range"] for part in found.parts][1] == "bytes 1048576-2097151/3145728"
    assert upload(environment={"PART": "1 GiB"}).parts[0]["last"] is True


def test_no_more_parts_are_on_their_way_than_there_are() -> None:
    assert upload().at_once == 3


def test_checksums_are_computed_only_where_they_are_asked_for() -> None:
    assert "md5" not in upload().parts[0]
    found = upload(", headers: {a: '${part.md5}'}").parts[0]
    assert "md5" in found
    assert "sha256" not in found
    assert {"md5", "sha256"} <= set(upload(", expect: {that: len(part) > 0}").parts[0])


def test_the_request_of_the_parts_is_one_of_the_flows() -> None:
    step = upload()
    assert [request.name for request in requests_of((step,))] == ["up"]
    assert step.name == "up"


def test_what_is_sent_at_least_is_all_parts_and_their_heads() -> None:
    assert upload().sends - 10 * 1024 == pytest.approx(3 * 120, abs=100)
    form = upload(", as: {field: chunk, with: {index: '${part.index}'}}").sends
    assert upload().sends + 3 * 150 < form < upload().sends + 3 * 400


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PART": "0 B"}, "a part has at least one byte"),
        ({"OF": "0 B"}, "there is nothing to upload"),
        ({"OF": "20 MiB", "PART": "1 KiB"}, "20,480 parts exceed the maximum of 10,000"),
        ({"OF": "a lot"}, '"a lot" is not a size such as 1 MiB'),
    ],
)
def test_what_can_not_be_cut_is_said_before_anything_is_sent(environment: dict[str, str], message: str) -> None:
    plan, diagnostics = plan_or_faults(FLOW % "", inputs=inputs(environment))
    assert plan is None
    (found,) = diagnostics
    assert message in found.message


@pytest.mark.slow
def test_more_bytes_are_generated_than_can_be_drawn_at_once() -> None:
    found = upload(environment={"OF": "257 MiB", "PART": "64 MiB"})
    assert [part["size"] for part in found.parts] == [64 << 20] * 4 + [1 << 20]


def test_an_empty_file_is_nothing_to_upload(tmp_path: Path) -> None:
    (tmp_path / "empty.bin").write_bytes(b"")
    flow = "steps: [{upload: /, of: {file: empty.bin}, part: 1 KiB}]\n"
    plan, diagnostics = plan_or_faults(flow, root=tmp_path)
    assert plan is None
    assert [found.message for found in diagnostics] == ["there is nothing to upload"]
