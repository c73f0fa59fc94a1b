"""`vezaflow accept` on files: what it prints, how it exits, and the same answer as from the runs themselves."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema_rs
import orjson
import pytest
from many_nights import OTHER_PLAN, result, written
from program import Done, Write, vezaflow

from vezaflow.cli.night_runs import night_runs
from vezaflow.gates import Outcome
from vezaflow.lint import lint
from vezaflow.model import Identity, identity_of
from vezaflow.nights import acceptance, acceptance_schema, calendar, night_run, to_json
from vezaflow.reports import summary_json
from vezaflow.results import RunResult

pytestmark = pytest.mark.slow
FIRST = datetime(2026, 11, 26, 2, 30, tzinfo=UTC)
NOW = "2026-11-28T09:00"
DAY = timedelta(days=1)
RULE = "accept: {nights: 3, timezone: Europe/Paris, night: 18:00..12:00, target: staging.veza.fr}\n"
SUITE = f"suite: veza-capacity\nbase_url: ${{env.BASE_URL}}\n{RULE}"
FLOW = "steps: [{get: /}]\ngates: {http_req_duration: p(95) < 500 ms}\n"
G, R, Q = Outcome.GREEN, Outcome.RED, Outcome.INCONCLUSIVE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A suite of one flow."""
    place = tmp_path / "suite"
    place.mkdir()
    (place / "suite.yml").write_text(SUITE)
    (place / "browse.yml").write_text(FLOW)
    return place


def plan(folder: Path) -> Identity:
    suite, _ = lint([folder])
    assert suite is not None
    return identity_of(suite)


def nights(folder: Path, *outcomes: Outcome) -> list[RunResult]:
    today = plan(folder)
    return [result(FIRST + n * DAY, outcome, plan=today) for n, outcome in enumerate(outcomes)]


def accept(folder: Path, results: Sequence[RunResult], place: Path, *options: str, now: str = NOW) -> Done:
    written(results, place)
    return vezaflow("accept", folder, "--results", place, "--as-of", now, *options)


@pytest.mark.parametrize(
    ("outcomes", "code", "sentence"),
    [
        ([G, G, G], 0, "accepted: 3 nights in a row are green"),
        ([R, G, G], 98, "not yet: night 2 of 3 is green"),
        ([G, G, R], 99, "not accepted: the night of 27 Nov is red: http_req_failed rate = 0.547 %, expected < 0.5 %"),
        ([G, G, Q], 98, "not yet: the night of 27 Nov is inconclusive: the generator used 97 % of its core"),
        ([], 98, "not yet: no run counts so far, and 3 green nights are needed"),
    ],
)
def test_the_sentence_and_the_exit_code_say_the_same(
    folder: Path, tmp_path: Path, outcomes: list[Outcome], code: int, sentence: str
) -> None:
    place = tmp_path / "results"
    place.mkdir()
    done = accept(folder, nights(folder, *outcomes), place)
    assert (done.code, done.err) == (code, "")
    assert " ".join(done.out.split()).startswith(sentence)


def test_the_calendar_has_a_row_for_each_night_and_says_why_a_run_does_not_count(folder: Path, tmp_path: Path) -> None:
    today = plan(folder)
    runs = [
        result(FIRST - DAY, plan=OTHER_PLAN),
        result(FIRST, plan=today),
        result(FIRST + 2 * DAY, plan=today),
        result(FIRST + 2 * DAY + timedelta(hours=1), R, plan=today, changes=["browse: 10 of 1,000 VUs"]),
        result(FIRST + timedelta(hours=10), plan=today),
    ]
    done = accept(folder, runs, tmp_path / "results")
    assert done.code == 98
    rows = [line.split() for line in done.out.splitlines()]
    assert ["Tue", "24", "Nov", "missing", "370", "ms", "0.547", "%", "20261125T023000Z-0a1b2c"] in rows
    assert ["Wed", "25", "Nov", "green", "370", "ms", "0.547", "%", "20261126T023000Z-0a1b2c"] in rows
    assert ["Thu", "26", "Nov", "missing"] in rows
    text = " ".join(done.out.split())
    assert "not the full load: browse: 10 of 1,000 VUs" in text
    assert "2026-11-26 12:30" in text
    assert "outside the hours of a night" in text
    assert max(map(len, done.out.splitlines())) <= 100


def test_a_comment_does_not_restart_the_count_and_a_gate_does(folder: Path, tmp_path: Path) -> None:
    written(nights(folder, G, G, G), tmp_path / "results")
    flow = folder / "browse.yml"
    flow.write_text(f"# a comment\n{FLOW}")
    words = ("accept", folder, "--results", tmp_path / "results", "--as-of", NOW)
    assert vezaflow(*words).code == 0
    flow.write_text(FLOW.replace("500", "400"))
    done = vezaflow(*words)
    assert done.code == 98
    assert "the plan changed after the night of 27 Nov: browse: gate http_req_duration changed" in " ".join(
        done.out.split()
    )
    (folder / "suite.yml").write_text(SUITE.replace("nights: 3", "nights: 2"))
    flow.write_text(FLOW)
    assert vezaflow(*words).code == 0


def test_json_fits_its_schema_and_is_what_the_runs_themselves_say(folder: Path, tmp_path: Path) -> None:
    """The files of a hundred nights, read by the program, against the same runs without any file."""
    today = plan(folder)
    ends = [G, G, R, Q, G, G, G, G, G, G] * 10
    first = FIRST - 97 * DAY
    runs = [
        result(first + n * DAY, end, plan=OTHER_PLAN if n < 5 else today, changes=["x"] if n % 7 == 3 else [])
        for n, end in enumerate(ends)
    ]
    done = accept(folder, runs, tmp_path / "results", "--json", now="2026-11-28T09:00+01:00")
    document = json.loads(done.out)
    jsonschema_rs.Draft7Validator(acceptance_schema()).validate(document)
    suite, _ = lint([folder])
    assert suite is not None
    now = datetime(2026, 11, 28, 8, tzinfo=UTC)
    found = calendar([night_run(each) for each in runs], suite.accept, now, today, suite.name)
    decision = acceptance(found)
    assert document == orjson.loads(orjson.dumps(to_json(suite.name, today, found, decision)))
    assert len(document["nights"]) == 100
    assert (done.code, document["decision"], document["streak"]) == (0, "accepted", 5)


def test_markdown_is_a_table(folder: Path, tmp_path: Path) -> None:
    done = accept(folder, nights(folder, G, G, R), tmp_path / "results", "--markdown")
    assert done.code == 99
    assert done.out.startswith("## ❌ veza-capacity: not accepted: the night of 27 Nov is red: ")
    assert "| Thu 26 Nov | ✅ green | 370 ms | 0.547 % | 20261127T023000Z-0a1b2c |  |" in done.out


def test_files_that_are_no_results_are_skipped_with_a_line(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "results"
    written(nights(folder, G, G, G), place)
    (place / "broken.json").write_text("{")
    (place / "other.json").write_text('{"name": "package"}')
    (place / "old.json").write_text('{"schema": 1, "figures": {}}')
    (night,) = nights(folder, R)
    record = orjson.loads(summary_json(night)) | {"started": "0001-01-01T00:00:00+14:00"}
    (place / "early.json").write_bytes(orjson.dumps(record))
    done = vezaflow("accept", folder, "--results", place, "--as-of", NOW)
    assert done.code == 0
    lines = sorted(line.replace(str(place), "") for line in done.err.splitlines())
    assert [line.split()[1] for line in lines] == ["/broken.json", "/early.json", "/old.json", "/other.json"]
    assert "`started` is out of range" in lines[1]
    assert all("can't be read" in line for line in lines)


def test_the_file_of_a_segment_does_not_count(folder: Path, tmp_path: Path) -> None:
    (night,) = nights(folder, G)
    record = orjson.loads(summary_json(night)) | {"segment": {"index": 1, "count": 2}}
    (tmp_path / "segment.json").write_bytes(orjson.dumps(record))
    assert [run.partial for run in night_runs(tmp_path)] == [True]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--results", "nowhere"], "nowhere is not a folder"),
        (["--as-of", "yesterday"], "'yesterday' is not a time"),
        (["--as-of", "0001-01-01"], "'0001-01-01' is out of range"),
        (["--json", "--markdown"], "take only one of --json and --markdown"),
        (["--last", "0"], "0 is not in the range x>=1"),
    ],
)
def test_wrong_options_are_told(folder: Path, words: list[str], message: str) -> None:
    done = vezaflow("accept", folder, *words)
    assert done.code == 2
    assert message in done.err


def test_a_run_of_the_program_itself_makes_a_night_and_one_with_less_load_does_not(
    suite: Write, tmp_path: Path
) -> None:
    rule = "accept: {nights: 1, target: 127.0.0.1}\n"
    load = "load: {executor: shared-iterations, vus: 2, iterations: 20}\nsteps: [{get: /api/v1/health}]\n"
    folder = suite(f"{load}gates: {{http_req_failed: rate < 1 %}}\n", rule)
    place = tmp_path / "results"
    place.mkdir()
    less = ("run", folder, "--summary", place / "less.json", "--scale", "0.5")
    segment = ("run", folder, "--summary", place / "segment.json", "--segment", "1/2")
    for words in (less, segment):
        assert vezaflow(*words).code in (0, 98)
    done = vezaflow("accept", folder, "--results", place)
    assert done.code == 98
    assert "not the full load: flow: 1 of 2 VUs" in done.out
    assert "one segment of a load" in done.out
    assert vezaflow("run", folder, "--summary", place / "full.json").code == 0
    done = vezaflow("accept", folder, "--results", place)
    assert (done.code, done.out.partition("the night")[0], done.err) == (0, "accepted: ", "")


def test_one_flow_of_a_suite_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "other.yml").write_text(FLOW)
    done = vezaflow("accept", folder / "browse.yml", "--results", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "browse.yml is not a whole suite" in done.err


def test_wrong_files_are_drawn(folder: Path, tmp_path: Path) -> None:
    (folder / "suite.yml").write_text(SUITE.replace("Europe/Paris", "Paris"))
    done = vezaflow("accept", folder, "--results", tmp_path)
    assert done.code == 2
    assert "did you mean 'Europe/Paris'?" in done.err
