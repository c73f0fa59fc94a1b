"""One run in one file: out and in again, cut off, of earlier versions, and what is no run."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from history_runs import beginning, intervals, kept, place, point, stored
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.errors import VezaflowError
from vezaflow.history import State, Stored, Word, opened, read, result_of, written
from vezaflow.history.kept import Second, header_of
from vezaflow.history.portable import Spill
from vezaflow.reports import summary_json, to_json

OLDER = Path(__file__).parent.parent / "scale" / "older" / "schema-1.json"


def whole(number: int = 1) -> Stored:
    """A run as it is kept: with its bundle, its seconds and its record."""
    start = beginning(number)
    record = to_json(kept(number))
    del record["by_second"]
    seconds = [Second.of(n, each, [point(n + 1)]) for n, each in enumerate(intervals(4))]
    return Stored(header_of(start), start.bundle.to_json(), seconds, record)


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_a_run_is_the_same_after_its_way_through_a_file_and_another_history(tmp_path: Path) -> None:
    file = tmp_path / "a.run"
    file.write_bytes(written(whole()))
    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        assert store.add(read(file))
        found = store.get(whole().id)
    assert found is not None
    assert written(found) == written(whole())
    lines = [json.loads(line) for line in gzip.decompress(written(found)).splitlines()]
    assert lines[0]["header"]["run_id"] == kept(1).run_id
    assert lines[0]["bundle"]["inputs"]["environment"]["USER_TOKEN"] == "•••"
    assert [line["number"] for line in lines[1:-1]] == [0, 1, 2, 3]
    assert lines[-1]["record"]["outcome"] == "green"


def test_a_file_that_was_cut_off_gives_what_came_before(tmp_path: Path) -> None:
    spill = Spill([tmp_path], "r1")
    run = whole()
    spill.begin(run.header, run.bundle)
    start = spill.file.stat().st_size
    for second in run.seconds:
        spill.put([second])
    spill.end(run.record)
    assert read(spill.file).state is State.COMPLETE
    data = spill.file.read_bytes()
    counts = set()
    for size in range(len(data) - 20, start, -37):
        spill.file.write_bytes(data[:size])
        found = read(spill.file)
        assert found.record is None
        counts.add(len(found.seconds))
    assert counts == {0, 1, 2, 3, 4}


def test_a_run_without_its_end_gets_it_from_a_file(tmp_path: Path) -> None:
    run = whole()
    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        assert store.add(Stored(run.header, run.bundle, run.seconds[:2], None, State.INTERRUPTED))
        assert [row.word for row in store.rows()] == [Word.INTERRUPTED]
        rest = Stored(run.header, run.bundle, run.seconds[2:], run.record)
        assert [store.add(rest), store.add(rest)] == [True, False]
        assert [row.word for row in store.rows()] == [Word.GREEN]
        found = store.get(run.id)
    assert found is not None
    assert written(found) == written(run)


def test_the_file_goes_where_it_can(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file, and no folder")
    spill = Spill([tmp_path / "blocked", tmp_path / "new"], "r1")
    spill.begin(whole().header, None)
    spill.put(whole().seconds)
    assert (spill.file, spill.trouble, len(read(spill.file).seconds)) == (tmp_path / "new" / "vezaflow-r1.run", "", 4)
    nowhere = Spill([tmp_path / "blocked"], "r1")
    nowhere.begin(whole().header, None)
    assert "File exists" in nowhere.trouble


def test_a_summary_json_is_taken_in(tmp_path: Path) -> None:
    file = tmp_path / "summary.json"
    file.write_bytes(summary_json(kept(1)))
    assert read(file) == stored(1)
    assert to_json(result_of(read(file))) == to_json(kept(1))


def test_a_summary_of_schema_1_is_taken_in_with_what_it_has(tmp_path: Path) -> None:
    """A segment's file of the version before schema 2, and the same as a whole run's."""
    record = json.loads(OLDER.read_text())
    segment = read(OLDER)
    assert (segment.id, segment.bundle is not None) == (f"{record['run_id']}-1of2", True)
    file = tmp_path / "summary.json"
    file.write_text(json.dumps({**record, "share": None}))
    run = read(file)
    assert (run.id, run.bundle) == (record["run_id"], None)
    result = result_of(run)
    assert result.duration == record["seconds"]
    assert result.health.vitals.lag_p99 == pytest.approx(record["health"]["lag_p99_ms"] / 1000)
    assert result.health.vitals.read_delay_max == pytest.approx(record["health"]["latest_read_ms"] / 1000)
    assert result.health.load_missing == record["health"]["held_up"]
    assert result.flows[0].executor == record["flows"][0]["executor"]
    assert result.provenance is None
    again = to_json(result)
    assert again["pooled"]["http_reqs"] == record["pooled"]["requests"]
    assert run.record is not None
    assert run.record["pooled"]["http_req_failed"] == record["pooled"]["failed_rate"]
    assert run.record["steps"][0]["http_req_failed"] == 0.0
    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        assert (store.add(run), store.add(segment)) == (True, True)
        assert {row.segment for row in store.rows()} == {"", "1/2"}


def test_a_summary_of_schema_1_without_figures_keeps_its_verdict(tmp_path: Path) -> None:
    record = json.loads(OLDER.read_text())
    file = tmp_path / "summary.json"
    file.write_text(json.dumps({**record, "share": None, "figures": {"rows": []}}))
    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        store.add(read(file))
        (row,) = store.rows()
        found = store.get(row.id)
    assert (row.word.value, row.has_figures) == (record["outcome"], False)
    assert row.p95 == record["pooled"]["http_req_duration"]["p95"]
    assert found is not None
    assert [verdict.samples for verdict in result_of(found).verdicts] == [gate["samples"] for gate in record["gates"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is not JSON"),
        (b"[]", "it is not a result of vezaflow"),
        (b'{"schema": 7}', "pooled"),
        (b'{"schema": 1}', "seconds"),
        (b"\x1f\x8bnot gzip", "it is corrupt"),
        (gzip.compress(b'{"vezaflow": "walk"}\n'), "it is not a run of vezaflow"),
        (gzip.compress(b'{"vezaflow": "run", "format": 9}\n'), "format 9, and this version reads 1"),
        (gzip.compress(b'{"vezaflow": "run", "format": 1, "header": {}, "bundle": null}\n'), "`header.run_id`"),
    ],
    ids=["empty", "a list", "schema 7", "schema 1", "not gzip", "another file", "format 9", "no id"],
)
def test_what_is_no_run_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(VezaflowError) as caught:
        read(file)
    assert said in caught.value.message


def test_parts_of_two_runs_are_refused(tmp_path: Path) -> None:
    run, other = whole(1), whole(2)
    (tmp_path / "a.run").write_bytes(written(Stored(run.header, None, run.seconds, other.record)))
    with pytest.raises(VezaflowError, match="its parts are of two runs"):
        read(tmp_path / "a.run")


LINES = [json.loads(line) for line in gzip.decompress(written(whole())).splitlines()]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_a_file_with_anything_in_any_place_is_a_run_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    lines = through_json(LINES)
    target: Any = lines
    while True:
        keys = list(range(len(target))) if isinstance(target, list) else sorted(target)
        key = data.draw(st.sampled_from(keys))
        inner = target[key]
        if not isinstance(inner, list | dict) or not inner or data.draw(st.booleans()):
            target[key] = data.draw(JUNK)
            break
        target = inner
    file = tmp_path_factory.getbasetemp() / "junk.run"
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode() + b"\n"))
    try:
        found = read(file)
    except VezaflowError:
        return
    where = place(tmp_path_factory.mktemp("junk"))
    with opened(where, writing=True) as store:
        assert store is not None
        store.add(found)
        store.rows()
        kept_one = store.get(found.id)
    assert kept_one is not None
    result_of(kept_one)
