"""`vezaflow capacity` by the program itself, against a target whose limit is known."""

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import click
import pytest
from click.testing import CliRunner
from program import Done, interrupted, vezaflow
from queue_server import QueueServer, queue_server

from vezaflow.cli.main import program

pytestmark = pytest.mark.slow

WORKERS, SERVICE = 4, 0.04  # so 100 requests per second
FLOW = """
flow: browse
load: {executor: constant-arrival-rate, rate: 50/s, duration: 10m, pre_allocated_vus: 60}
steps: [{get: /, name: tracks}]
gates:
  http_req_duration: p(75) < 100 ms      # a moment in which this machine is busy decides nothing
  iterations: count >= 10000
"""
QUICK = ("--settle", "500ms", "--measure", "1500ms")


def suite(folder: Path, server: QueueServer, flow: str = FLOW, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "suite.yml").write_text(f"suite: shop\nbase_url: http://127.0.0.1:{server.port}\n{dedent(more)}")
    (folder / "browse.yml").write_text(dedent(flow))
    return folder


LATEST = 0.03  # seconds: a target that is later than this has another limit
TRIES = 2


@pytest.mark.long
def test_the_limit_of_a_queue_is_found_within_five_percent(tmp_path: Path) -> None:
    for number in range(TRIES):
        folder = tmp_path / str(number)
        folder.mkdir()
        with queue_server(WORKERS, SERVICE) as server:
            done, document = searched(folder, server)
        disturbed = server.late > LATEST or any(level["outcome"] == "unclear" for level in document["levels"])
        if not disturbed:
            break
    else:
        pytest.skip("this machine is too busy to be a target with a known limit")
    assert done.code == 0, done.text
    limit = server.limit / 50
    assert limit * 0.95 <= document["holds"] <= limit * 1.05, done.text
    assert document["holds"] < document["ends"] <= limit * 1.05 * 1.05
    assert document["end"] == "broke"
    assert document["first"] == ["browse p(75) of http_req_duration"]
    assert document["unjudged"] == ["iterations: count >= 10000"]
    assert document["sentence"] in (folder / "page.md").read_text()
    assert "browse p(75) of http_req_duration breaks first" in done.out


def searched(folder: Path, server: QueueServer) -> tuple[Done, dict[str, Any]]:
    """A search on this target, whose load is half its limit, and its document."""
    done = vezaflow(
        "capacity",
        suite(folder / "suite", server),
        *("--from", "1.4", "--to", "2.8", "--steps", "3", "--expect", ">= 1.5", "--no-history", *QUICK),
        *("--json", folder / "c.json"),
        env={"GITHUB_STEP_SUMMARY": str(folder / "page.md")},
    )
    return done, json.loads((folder / "c.json").read_text())


CLOSED = """
flow: browse
load: {vus: 2, duration: 10m}
steps: [{get: /, name: tracks}]
think: 50ms
gates: {http_req_failed: rate < 1 %, http_req_duration: p(95) < 5 s}
"""
SHORT = ("--settle", "0s", "--measure", "1s", "--steps", "1", "--precision", "100%", "--from", "1", "--to", "2")


def test_a_target_that_never_breaks_holds_at_least_the_highest_level(tmp_path: Path) -> None:
    with queue_server(8, 0.01) as server:
        folder, history = suite(tmp_path / "suite", server, CLOSED), tmp_path / "h.db"
        done = vezaflow("capacity", folder, *SHORT, "--expect", ">= 2", "--history", history)
        assert done.code == 0, done.text
        assert "GREEN: holds at least 2 times the load; no gate broke up to there" in done.out
        assert "find the edge with a --to above 2" in done.out
        levels = done.err.count("level ")  # a line for each
        listed = vezaflow("history", "--history", history)
        assert listed.out.count("capacity level") == levels >= 2
        level = listed.out.splitlines()[1].split()[0]
        shown = vezaflow("history", "show", level, "--history", history)
        assert "a level of a capacity search, 2 times the load" in shown.out
        accepted = vezaflow("accept", folder, "--history", history)
        assert accepted.code == 98
        assert "no run counts so far" in accepted.out
        assert vezaflow("history", "show", "last", "--history", history).code == 2  # levels are no runs to be meant


def test_a_target_that_fails_at_once_does_not_hold_the_lowest_level(tmp_path: Path) -> None:
    with queue_server(8, 0.01) as server:
        server.broken = True
        folder = suite(tmp_path / "suite", server, CLOSED)
        done = vezaflow("capacity", folder, *SHORT, "--no-history", "-q", "--json", "-")
    assert done.code == 99, done.text
    document = json.loads(done.out)
    assert (document["holds"], document["ends"], len(document["levels"])) == (None, 1.0, 2)
    assert "does not hold 1 times the load; browse rate of http_req_failed breaks first" in done.err


def test_a_level_that_is_lost_is_aborted(tmp_path: Path) -> None:
    with queue_server(8, 0.01) as server:
        server.broken = True
        flow = FLOW.replace("http_req_duration: p(75) < 100 ms ", "http_req_failed: rate < 1 % ")
        words = ("--settle", "0s", "--measure", "20s", "--steps", "1", "--precision", "100%", "--no-history", "-q")
        done = vezaflow("capacity", suite(tmp_path / "suite", server, flow), *words, "--json", "-")
    assert done.code == 99, done.text
    levels = json.loads(done.out)["levels"]
    assert all(level["aborted"] for level in levels)
    assert all(level["seconds"] < 12 for level in levels)  # after a quarter of the 20 s


def test_load_that_finds_no_free_vu_is_unclear_and_says_what_to_do(tmp_path: Path) -> None:
    """The pool is too small for the rate: whether the target bears it is not known."""
    flow = FLOW.replace("pre_allocated_vus: 60", "pre_allocated_vus: 1, max_vus: 1")
    with queue_server(8, 0.04) as server:
        folder = suite(tmp_path / "suite", server, flow)
        done = vezaflow("capacity", folder, *SHORT, "--no-history", "-q", "--expect", ">= 2")
    assert done.code == 98, done.text
    assert "no verdict at 1 times the load" in done.out
    assert "raise `max_vus`" in done.out


def test_ctrl_c_ends_the_search_and_what_is_known_stays(tmp_path: Path) -> None:
    with queue_server(8, 0.01) as server:
        folder = suite(tmp_path / "suite", server, CLOSED)
        words = ("--settle", "0s", "--measure", "2s", "--steps", "9", "--no-history", "--json", tmp_path / "c.json")
        done = interrupted("capacity", folder, *words, when=": held")
    assert done.code == 130, done.text
    assert "STOPPED: " in done.out
    document = json.loads((tmp_path / "c.json").read_text())
    assert [level["interrupted"] for level in document["levels"]][-2:] == [False, True]
    assert any(level["outcome"] == "held" for level in document["levels"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "2", "--to", "1"), "it must be above --from 2"),
        (("--expect", "1.5"), "'1.5' is not an expectation"),
        (("--expect", ">= 9"), "9 is not between --from 0.5 and --to 4"),
        (("--measure", "10ms"), "at least 1s"),
        (("--precision", "0.1%"), "from 0.5 % to 100 %"),
    ],
)
def test_options_that_make_no_search_are_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    outcome = CliRunner().invoke(program, ["capacity", str(tmp_path), *words], standalone_mode=False)
    assert isinstance(outcome.exception, click.UsageError)
    assert said in outcome.exception.format_message()


def test_a_suite_whose_gates_no_level_can_judge_is_refused(tmp_path: Path) -> None:
    with queue_server(1, 0.01) as server:
        folder = suite(
            tmp_path / "suite", server, FLOW.replace("http_req_duration: p(75) < 100 ms ", "http_reqs: count > 1 ")
        )
        done = vezaflow("capacity", folder)
    assert done.code == 2
    assert "no level can be judged" in done.err


def test_the_guard_is_asked_of_the_highest_level_before_any_load(tmp_path: Path) -> None:
    with queue_server(1, 0.01) as server:
        folder = suite(tmp_path / "suite", server, CLOSED, "guard: {max_vus: 6}")
        done = vezaflow("capacity", folder)
    assert done.code == 97
    assert "at 4 times the load: refused: the run needs 8 VUs" in done.err
    assert "use a lower --to" in done.err
