"""The client's figures next to the server's, path by path: in the terminal, the step summary and the JSON file."""

from dataclasses import replace

import watched_run
from sample_run import GREEN, run

from vezaflow.reports import console, from_json, step_summary, to_json
from vezaflow.results import RunResult


def observed() -> RunResult:
    return replace(run(GREEN), observed=watched_run.observed())


def test_the_terminal_shows_both_sides_and_what_one_of_them_misses() -> None:
    lines = console(observed(), width=120).splitlines()
    start = lines.index("Client and server (apart: network, queues, proxies)")
    text = "\n".join(lines[start : start + 12])
    assert "GET /search" in text
    assert "GET /search: 10 not counted by the server" in text  # 1,010 were sent
    assert "GET /segment: not counted by the server" in text
    assert "/health: not sent by a step that is known to go there" in text
    assert "the server's figures are by the scrapes of 02:29:59 and 02:30:11 UTC, 12 s for 10.4 s of load" in text


def test_the_difference_is_a_range_since_the_servers_percentile_is_one() -> None:
    (search, *_) = to_json(observed())["observed"]["paths"]
    p95 = search["p95"]
    assert (p95["server"]["low"], p95["server"]["high"]) == (0.1, 0.5)
    assert p95["difference"]["low"] == p95["client"] - 0.5
    assert p95["difference"]["high"] == p95["client"] - 0.1


def test_the_step_summary_has_the_table() -> None:
    page = step_summary(observed())
    assert "### Client / server" in page
    assert "| `GET /search` | 1,010 / 1,000 |" in page


def test_what_was_observed_is_kept_in_the_json_file() -> None:
    result = observed()
    assert from_json(to_json(result)).observed == result.observed


def test_a_run_that_observed_nothing_says_nothing_of_it() -> None:
    assert "Client and server" not in console(run(GREEN))
    assert to_json(run(GREEN))["observed"] is None
