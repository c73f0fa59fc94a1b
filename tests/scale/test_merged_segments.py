"""Segments that were run separately, merged: one result and verdict, or clear words why not."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from processes import Running, Target, result, target, write_suite

from vezaflow.cli.values import SEGMENT, WORKERS
from vezaflow.diagnostics import Diagnostics
from vezaflow.engine import Delivered, Incident, Vitals
from vezaflow.errors import VezaflowError
from vezaflow.gates import ConcernKind, Outcome
from vezaflow.metrics import Recorder
from vezaflow.plan import Bundle, Inputs, Plan, Segment, build
from vezaflow.read import read_suite
from vezaflow.reports import summary_json
from vezaflow.scale import Report, SegmentResult, WorkerState, sensible_workers
from vezaflow.scale.segment import differences
from vezaflow.session import merge
from vezaflow.session.outcome import Circumstances
from vezaflow.session.segments import segment_result

from datetime import UTC, datetime, timedelta  # isort: skip

FLOW = """
flow: browse
load: {vus: 4, duration: 10s}
steps: [{get: "/${env.USER_TOKEN}", name: page}]
gates: {http_req_duration: p(95) < 300 ms, http_reqs: count >= 40}
"""
SUITE = "suite: test\nbase_url: http://127.0.0.1:1\nsecrets: [USER_TOKEN]\n"
STARTED = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
CALM = Vitals(0.1, 0.1, 0.2, 0.001, 0.002, 50 << 20)


def made(flow: str = FLOW, **options: Any) -> tuple[Plan, Bundle]:
    overlay = {Path("suite/suite.yml"): SUITE, Path("suite/flow.yml"): flow}
    diagnostics = Diagnostics()
    suite = read_suite([Path("suite")], diagnostics, overlay=overlay)
    assert suite is not None
    inputs = Inputs({"USER_TOKEN": "very-secret"}, **options)
    plan = build(suite, inputs, diagnostics)
    assert plan is not None
    return plan, Bundle.of(suite, inputs)


def share(plan: Plan, bundle: Bundle, index: int, count: int, durations: list[float]) -> SegmentResult:
    """A share whose every second had these answers."""
    recorder = Recorder(0.0, keep=True)
    page = recorder.step("browse", "page", "GET")
    recorder.begin(0.0)
    for second in range(1, 11):
        for duration in durations:
            page.answered(200, duration, 0.0, 0.0, 10, 10)
        recorder.fold(float(second))
    moments = [moment.to_json() for moment in recorder.moments()[1]]
    delivered = {"browse": Delivered(requested=2, started=2)}
    span = plan.flows[0].span
    incident = Incident("VF601", "browse", "page", "no", span, 3)
    workers = (WorkerState("1", CALM),)
    report = Report(10.0, recorder.snapshot(), recorder.timeline(), delivered, workers, (incident,))
    return SegmentResult(Segment(index, count), bundle, report, moments)


def write(folder: Path, name: str, plan: Plan, share: SegmentResult, *, after: float = 0.0) -> Path:
    run = Circumstances(f"run-{name}", STARTED + timedelta(seconds=after))
    file = folder / f"{name}.json"
    file.write_bytes(summary_json(segment_result(plan, share, run)))
    return file


@pytest.fixture
def halves(tmp_path: Path) -> tuple[Path, Path]:
    plan, bundle = made()
    one = share(plan, bundle, 0, 2, [0.1, 0.1])
    other = share(plan, bundle, 1, 2, [0.2, 0.25])
    return write(tmp_path, "one", plan, one), write(tmp_path, "other", plan, other, after=0.3)


def test_shares_become_one_result_and_verdict(halves: tuple[Path, Path]) -> None:
    merged = merge(halves[::-1])
    assert merged.outcome is Outcome.GREEN, merged.concerns
    assert merged.summary.select("http_reqs").aggregate("count") == 40
    assert [verdict.value for verdict in merged.verdicts] == [pytest.approx(0.25, rel=0.001), 40]
    assert {point.requests for point in merged.timeline.points} == {4}
    assert merged.timeline.points[0].p50 == pytest.approx(0.1, rel=0.001)
    assert [worker.name for worker in merged.health.workers] == ["1 of segment 1/2", "1 of segment 2/2"]
    assert merged.incidents[0].label == "failed 6 times"
    assert merged.started == STARTED
    assert merged.notes == ("merged from 2 segments, started 300 ms apart",)


def test_a_share_settles_nothing_alone(halves: tuple[Path, Path]) -> None:
    told = json.loads(halves[0].read_text())
    assert told["outcome"] == "inconclusive"
    assert told["concerns"][0]["kind"] == "segment"
    assert {gate["outcome"] for gate in told["gates"]} == {"inconclusive"}, "20 of 40 requests break no gate"


def test_a_share_s_file_holds_no_secret(halves: tuple[Path, Path]) -> None:
    assert "very-secret" not in halves[0].read_text()


def test_a_missing_share_makes_the_verdict_inconclusive(halves: tuple[Path, Path]) -> None:
    merged = merge(halves[:1])
    assert merged.concerns[0].kind is ConcernKind.LOAD_NOT_REACHED
    assert merged.concerns[0].text == "segment 2/2 is missing: 1 of 2 segments of the load are not in these figures"
    assert merged.notes == ("merged from 1 segment",)
    assert merged.outcome is not Outcome.GREEN


def test_shares_that_did_not_run_at_one_time_were_no_one_load(tmp_path: Path) -> None:
    plan, bundle = made()
    files = [write(tmp_path, f"{i}", plan, share(plan, bundle, i, 2, [0.1, 0.1]), after=i * 2.0) for i in range(2)]
    merged = merge(files)
    assert merged.outcome is Outcome.INCONCLUSIVE
    assert merged.concerns[0].text == "the segments started up to 2 s apart, so they were not one load"


@pytest.mark.parametrize(
    ("flow", "options", "words"),
    [
        (FLOW.replace("300 ms", "400 ms"), {}, "different content of flow.yml"),
        (FLOW, {"seed": 2}, "different --seed"),
        (FLOW, {"vus": {"browse": 9}, "scale": 2.0}, "different --vus, --scale"),
    ],
    ids=["text", "seed", "options"],
)
def test_shares_of_different_runs_are_refused(
    halves: tuple[Path, Path], tmp_path: Path, flow: str, options: Mapping[str, Any], words: str
) -> None:
    plan, bundle = made(flow, **options)
    strange = write(tmp_path, "strange", plan, share(plan, bundle, 1, 2, [0.1]))
    with pytest.raises(VezaflowError, match=words):
        merge([halves[0], strange])


def test_a_share_given_twice_or_of_another_division_is_refused(halves: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(VezaflowError, match="are both segment 1/2"):
        merge([halves[0], halves[0]])
    plan, bundle = made()
    third = write(tmp_path, "third", plan, share(plan, bundle, 2, 3, [0.1]))
    with pytest.raises(VezaflowError, match="with different totals"):
        merge([halves[0], third])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is not a result"),
        ("[]", "is not a result"),
        ('{"schema": 2, "figures": {}, "segment": null}', "of a whole run"),
    ],
)
def test_what_is_no_share_is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(VezaflowError, match=words):
        merge([tmp_path / "x.json"])
    with pytest.raises(VezaflowError, match="can't be read"):
        merge([tmp_path / "none.json"])


def test_a_lost_worker_of_a_share_is_told_of_the_whole(tmp_path: Path) -> None:
    plan, bundle = made()
    one = share(plan, bundle, 0, 2, [0.1, 0.1])
    lost = replace(one.report, workers=(WorkerState("1", CALM, "worker 1 (process 7) was killed by SIGKILL"),))
    files = [
        write(tmp_path, "one", plan, replace(one, report=lost)),
        write(tmp_path, "other", plan, share(plan, bundle, 1, 2, [0.1, 0.1])),
    ]
    assert merge(files).concerns[0].kind is ConcernKind.WORKER_LOST


def test_segments_and_workers_are_read_as_people_write_them() -> None:
    assert SEGMENT.convert("2/8", None, None) == Segment(1, 8)
    assert [WORKERS.convert(text, None, None) for text in ("auto", "1", "8")] == [0, 1, 8]


@pytest.mark.parametrize("text", ["0/8", "9/8", "2", "2/", "a/b", "-1/2"])
def test_what_is_no_segment_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="write `2/8`"):
        SEGMENT.convert(text, None, None)


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
def test_what_is_no_number_of_workers_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="neither `auto` nor a number"):
        WORKERS.convert(text, None, None)


def test_few_vus_need_one_worker() -> None:
    assert sensible_workers(1) == sensible_workers(30) == 1
    assert sensible_workers(100_000) >= 1


@pytest.fixture(scope="module")
def veza() -> Iterator[Target]:
    with target() as found:
        yield found


@pytest.mark.slow
def test_two_halves_by_hand_are_one_run(veza: Target, tmp_path: Path) -> None:
    flow = """
    load: {executor: shared-iterations, vus: 3, iterations: 30}
    steps: [{get: /x}, {think: 30ms}]
    gates: {iterations: count == 30}
    """
    folder = write_suite(tmp_path / "suite", flow)
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    env = {"BASE_URL": veza.base_url}
    words = [("run", folder, "--segment", f"{n}/2", "--summary", file) for n, file in enumerate(files, 1)]
    with Running(*words[0], "--workers", "2", env=env) as one, Running(*words[1], env=env) as other:
        assert (one.end(), other.end()) == (98, 98), one.text + other.text
    assert "segment 1/2" in one.text
    whole = tmp_path / "whole.json"
    with Running("merge", *files, "--summary", whole, env=env) as merged:
        assert merged.end() in (0, 98), merged.text  # they may have begun too far apart for so short a load
    told = result(whole)
    assert told["pooled"]["iterations"] == 30
    assert [gate["outcome"] for gate in told["gates"]] == ["green"]
    assert sum(point["iterations"] for point in told["timeline"]) == 30


def test_shares_that_dealt_other_rows_are_not_of_one_run(tmp_path: Path) -> None:
    def bundle(folder: str, rows: str) -> Bundle:
        root = tmp_path / folder
        (root / "data").mkdir(parents=True)
        (root / "data" / "users.csv").write_text(rows)
        (root / "flow.yml").write_text(
            "data: {users: {csv: data/users.csv}}\nsteps: [{get: 'http://[::1]/${users.a}'}]"
        )
        suite = read_suite([root], Diagnostics())
        assert suite is not None
        return Bundle.of(suite, Inputs({}))

    one, same, other = bundle("one", "a\n1\n"), bundle("same", "a\n1\n"), bundle("other", "a\n2\n")
    assert differences(one, Bundle.from_json(same.to_json())) == ""
    assert differences(one, other) == "different rows in data/users.csv"
