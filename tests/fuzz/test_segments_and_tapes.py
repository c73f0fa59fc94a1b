"""Files that vezaflow wrote once, and that something else has changed since: a result, or a line that says why not."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from mutants import mutants

from vezaflow.cli.main import program
from vezaflow.diagnostics import Diagnostics
from vezaflow.engine import Delivered, Incident, Vitals
from vezaflow.errors import VezaflowError
from vezaflow.metrics import Recorder
from vezaflow.plan import Bundle, Inputs, Segment, build
from vezaflow.read import read_suite
from vezaflow.reports import summary_json
from vezaflow.scale import Report, SegmentResult, WorkerState
from vezaflow.session.outcome import Circumstances
from vezaflow.session.segments import segment_result
from vezaflow.tape.file import read_tape, write_tape
from vezaflow.tape.take import Key, Take, Tape

from datetime import UTC, datetime  # isort: skip

FLOW = """
flow: browse
base_url: http://127.0.0.1:1
load: {vus: 4, duration: 3s}
steps: [{get: /, name: page, expect: {status: 200, that: status() == 200}, retry: 2}, {group: g, do: [{get: /b}]}]
gates: {http_req_duration: p(95) < 300 ms, http_reqs: count >= 4, "checks": rate > 1 %}
"""


def record(index: int) -> Any:
    diagnostics = Diagnostics()
    suite = read_suite([Path("s/flow.yml")], diagnostics, overlay={Path("s/flow.yml"): FLOW})
    assert suite is not None, diagnostics.items
    inputs = Inputs({"HOME": "/root"})
    plan = build(suite, inputs, diagnostics)
    assert plan is not None
    recorder = Recorder(0.0, keep=True)
    page = recorder.step("browse", "page", "GET", checks=("status() == 200",))
    flow = recorder.flow("browse")
    recorder.begin(0.0)
    flow.vus = flow.vus_max = 2
    for second in range(1, 4):
        page.answered(200, 0.1, 0.01, 0.01, 10, 10)
        page.answered(500, 0.1, 0.01, 0.01, 10, 10, "status", second, "500")
        page.unanswered("timeout_wait", second, "late", 10, 0, 0.5, 0.5)
        page.connected(0.0, 0.001, 0.0)
        page.check_failed("status() == 200")
        page.attempts().ended(0.2, failed=False)
        flow.iteration(0.3)
        flow.group("g", 0.1)
        recorder.fold(float(second))
    moments = [moment.to_json() for moment in recorder.moments()[1]]
    incident = Incident("VF601", "browse", "page", "no", plan.flows[0].span, 3)
    workers = (WorkerState("1", Vitals(0.1, 0.1, 0.2, 0.001, 0.002, 50 << 20)),)
    delivered = {"browse": Delivered(requested=2, started=2)}
    report = Report(3.0, recorder.snapshot(), recorder.timeline(), delivered, workers, (incident,))
    share = SegmentResult(Segment(index, 2), Bundle.of(suite, inputs), report, moments)
    run = Circumstances(f"run-{index}", datetime(2026, 11, 24, tzinfo=UTC))
    return json.loads(summary_json(segment_result(plan, share, run)))


ONE, OTHER = record(0), record(1)
NEEDED = ("run_id", "started", "interrupted", "aborted", "notes", "segment", "figures")
PART = {name: ONE[name] for name in NEEDED}


def merged(folder: Path, content: str | bytes) -> Any:
    """What `vezaflow merge` makes of a file beside a good share."""
    (folder / "one.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "other.json").write_text(json.dumps(OTHER))
    words = ["merge", str(folder / "one.json"), str(folder / "other.json"), "--summary", str(folder / "whole.json")]
    return CliRunner().invoke(program, [*words, "--no-history"], standalone_mode=False)


def told(outcome: Any) -> None:
    """A verdict, or a fault in words: nothing else."""
    if not isinstance(outcome.exception, SystemExit | VezaflowError | None):
        raise outcome.exception


def test_two_good_shares_are_merged(tmp_path: Path) -> None:
    outcome = merged(tmp_path, json.dumps(ONE))
    assert isinstance(outcome.exception, SystemExit), outcome.output


@given(mutants(PART))
def test_a_changed_share_is_merged_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory, part: Any) -> None:
    told(merged(tmp_path_factory.getbasetemp(), json.dumps(part)))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_share_are_refused_in_words(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    outcome = merged(tmp_path_factory.getbasetemp(), content)
    assert isinstance(outcome.exception, VezaflowError)


TAKE = Take(Key("page", 1, 1), "GET", "/", 200, (("a", "b"),), b"text", 0.0, 0.1, 0.2, None, 1.0)
TAPE = Tape("browse", {"A": "b"}, None, (TAKE, Take(Key("p", 1, 2), "GET", "/", 200, (), b"\xff", 0, 0, 0, 1.0, 1.0)))


@given(st.data())
def test_a_changed_tape_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "tape" / "tape.jsonl"
    write_tape(path, TAPE)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("\n".join(map(json.dumps, data.draw(mutants(lines)))))
    try:
        read_tape(path)
    except ValueError:
        pass


@given(st.binary(max_size=200))
@settings(max_examples=50)
def test_bytes_that_are_no_tape_are_refused_in_words(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="corrupt"):
        read_tape(path)
