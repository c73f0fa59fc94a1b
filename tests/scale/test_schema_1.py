"""Files of segments that an earlier version wrote (schema 1) merge with those of this one.

older/schema-1.json is segment 1/2 of a run of the sandbox, as written by the version before schema 2.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from vezaflow.engine import Delivered
from vezaflow.errors import VezaflowError
from vezaflow.metrics import Recorder
from vezaflow.plan import Bundle, Segment
from vezaflow.reports import summary_json, to_json
from vezaflow.scale import Report, SegmentResult, WorkerState
from vezaflow.session import merge
from vezaflow.session.outcome import Circumstances
from vezaflow.session.schema_1 import upgraded
from vezaflow.session.segments import segment_result

OLDER = Path(__file__).parent / "older" / "schema-1.json"
FIRST: dict[str, Any] = json.loads(OLDER.read_text())


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """Segment 2/2 of the same run, written by this version."""
    first = SegmentResult.from_json(upgraded(FIRST)["segment"], FIRST["figures"])
    recorder = Recorder(0.0, keep=True)
    search = recorder.step("browse", "search", "GET")
    recorder.begin(0.0)
    for _ in range(10):
        search.answered(200, 0.002, 0.0, 0.0, 10, 10)
    recorder.fold(1.0)
    delivered = {
        "browse": Delivered(requested=2, started=2, exhausted={"skus": 2}, lived=3.0),
        "arrive": Delivered(requested=1, started=1, due=20),
    }
    vitals = first.report.workers[0].vitals
    report = Report(2.0, recorder.snapshot(), recorder.timeline(), delivered, (WorkerState("1", vitals),))
    moments = [moment.to_json() for moment in recorder.moments()[1]]
    run = Circumstances("run-2", datetime.fromisoformat(FIRST["started"]))
    part = SegmentResult(Segment(1, 2), Bundle.from_json(FIRST["share"]["bundle"]), report, moments)
    file = tmp_path / "second.json"
    file.write_bytes(summary_json(segment_result(part.bundle.plan(), part, run)))
    return file


def test_a_segment_of_schema_1_merges_with_one_of_this_version(second: Path) -> None:
    old, new = FIRST["pooled"]["requests"], 10
    whole = to_json(merge([OLDER, second]))
    assert (whole["schema"], whole["segment"]) == (2, None)
    assert whole["pooled"]["http_reqs"] == old + new
    assert [flow["arrivals"] and flow["arrivals"]["due"] for flow in whole["flows"]] == [20, None]
    assert [worker["name"] for worker in whole["health"]["workers"]] == ["1 of segment 1/2", "1 of segment 2/2"]


def test_what_schema_1_says_of_the_generator_and_of_the_load_is_read_under_its_new_names() -> None:
    found = SegmentResult.from_json(upgraded(FIRST)["segment"], FIRST["figures"]).report
    was, vitals = FIRST["health"], found.workers[0].vitals
    assert vitals.lag_p99 == pytest.approx(was["lag_p99_ms"] / 1000)
    assert vitals.read_delay_max == pytest.approx(was["latest_read_ms"] / 1000)
    assert (vitals.cpu_max, vitals.lag_share) == (was["cpu_max"], was["away"])
    browse, had = found.delivered["browse"], FIRST["share"]["report"]["delivered"]["browse"]
    assert (browse.requested, browse.time_lost, browse.exhausted) == (had["asked"], had["held_up"], had["used_up"])


@pytest.mark.parametrize("share", [None, [], "", {}, {"report": None}, {"report": {"delivered": 1, "workers": [2]}}])
def test_a_spoilt_file_of_schema_1_is_refused_like_any_other(tmp_path: Path, share: Any) -> None:
    file = tmp_path / "spoilt.json"
    file.write_text(json.dumps({**FIRST, "share": share}))
    with pytest.raises(VezaflowError, match=r"can't be read as the result of a segment|of a whole run"):
        merge([file])


@pytest.mark.parametrize("schema", [3, 0, None, "2", [], {}])
def test_a_schema_of_which_nothing_is_known_is_refused_with_the_ones_that_are_read(tmp_path: Path, schema: Any) -> None:
    file = tmp_path / "newer.json"
    file.write_text(json.dumps({**FIRST, "schema": schema}))
    with pytest.raises(VezaflowError, match="and this version reads 1 and 2"):
        merge([file])
