"""What a run looks like afterwards. The golden texts are read by eye when they change:
`python tests/reports/test_reports.py` writes them anew.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from sample_run import GREEN, RED, SUITE, arriving, gate, p95, recorded, run
from watched_run import CHECKS, many_steps, watched

from vezaflow.diagnostics import Diagnostic, Severity, Span, columns
from vezaflow.gates import Concern, ConcernKind, Outcome
from vezaflow.metrics import Recorder, Summary
from vezaflow.model import ActionKind
from vezaflow.reports import console, junit, read_percentiles, step_summary, summary_json, to_json
from vezaflow.results import EventWindow, Happened, RunResult, Standing
from vezaflow.syntax import Reference

GOLDEN = Path(__file__).parent / "golden"
PAGE = Path(__file__).parents[2] / "docs" / "summary-json.md"
BUSY = Concern(ConcernKind.SATURATED, "the generator used 97 % of its core", "fewer VUs, or a bigger machine")
CHOSEN = read_percentiles("p50, p90,p(99.9)")
TEXTS: dict[str, Callable[[], str]] = {
    "red.txt": lambda: console(run(RED)),
    "green_80.txt": lambda: console(run(GREEN), width=80),
    "saturated.txt": lambda: console(run(GREEN, [BUSY]), width=100),
    "no_gates.txt": lambda: console(run(()), width=100),
    "arriving.txt": lambda: console(arriving()),
    "arriving_60.txt": lambda: console(arriving(), width=60),
    "watched.txt": lambda: console(watched()),
    "watched.md": lambda: step_summary(watched()),
    "steps.txt": lambda: console(many_steps()),
    "steps_80.txt": lambda: console(many_steps(), width=80),
    "steps_short.txt": lambda: console(many_steps(), width=80, height=10),
    "steps.md": lambda: step_summary(many_steps()),
    "percentiles_80.txt": lambda: console(run(GREEN), width=80, percentiles=CHOSEN),
    "red.md": lambda: step_summary(run(RED)),
    "green.md": lambda: step_summary(run(GREEN)),
    "red.xml": lambda: junit(run(RED)),
    "saturated.xml": lambda: junit(run(GREEN, [BUSY])),
}


@pytest.mark.parametrize("name", TEXTS)
def test_report_reads_as_its_golden_text(name: str) -> None:
    assert TEXTS[name]() == (GOLDEN / name).read_text()


@pytest.mark.parametrize("width", [80, 100, 120])
def test_tables_keep_to_the_width_with_all_flows_named(width: int) -> None:
    text = console(run(GREEN), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "streaming" in text.split("Flows")[1].split("Slowest")[0]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_the_terminal_whatever_names_are_made_of(width: int) -> None:
    for height in (None, 10):
        for line in console(many_steps(), width=width, height=height).splitlines():
            assert columns(line) <= width, line


def test_the_on_call_reads_what_broke_before_the_tables() -> None:
    parts = (
        "RED",
        "\nGates",
        "\nErrors",
        "\nClient and server",
        "\nEvents",
        "\nPages",
        "\nFlows",
        "\nSteps",
        "\nGenerator",
    )
    text = console(watched())
    places = [f"\n{text}".index(f"\n{part}") for part in parts]
    assert places == sorted(places)
    sections = ("Failed gates", "Errors", "Client / server", "Events", "Pages", "Flows", "2 steps", "All 4 gates")
    page = step_summary(watched())
    places = [page.index(part) for part in sections]
    assert places == sorted(places)


def test_nothing_is_said_of_what_a_suite_does_not_use() -> None:
    green = run((p95(500.0, "browse"),), recorder=quiet())
    text, page = console(green), step_summary(green)
    for part in ("Errors", "Client", "Events", "Pages", "Arrivals", "WebSockets", "Setup", "checks", "retries", "×"):
        assert part not in text
        assert part not in page


def quiet() -> Recorder:
    recorder = Recorder(100.0)
    recorder.flow("browse").vus_max = 1
    step = recorder.step("browse", "list", "GET")
    step.answered(200, 0.1, 0.0, 0.0, 1, 1)
    recorder.fold(101.0)
    return recorder


def test_a_step_whose_requests_all_failed_has_a_row_and_says_how() -> None:
    lines = console(many_steps()).split("\nSteps")[1].splitlines()
    (row,) = [number for number, line in enumerate(lines) if "再生" in line]
    assert lines[row].split()[-6:] == ["–", "–", "–", "–", "100", "%"]
    assert lines[row + 1] == "      20 × no response; failed: 20 × refused"


def test_statuses_retries_and_failed_checks_stand_under_their_step() -> None:
    text = console(many_steps())
    assert "75 × 201, 25 × 429; 25 retries (1 of 100 failed in the end)" in text
    assert "93 × 200" not in text  # what failed has a status, too
    assert f"100 × 200; failed: 7 × expectation; check {CHECKS[0]}: 7 of 100 failed" in text
    assert "checks: 193 of 200 held" in text


def test_a_small_terminal_shows_the_slowest_steps_and_how_many_more_there_are() -> None:
    text = console(many_steps(), height=10)
    assert "3 more: `--all-steps`" in text
    assert "detail 0" not in text
    assert "more: `--all-steps`" not in console(many_steps(), height=50)


def test_percentiles_of_ones_choice_are_in_the_tables_and_the_json() -> None:
    result = run(GREEN)
    for text in (console(result, percentiles=CHOSEN), step_summary(result, CHOSEN)):
        assert "p99.9" in text
        assert "p95" not in text.replace("p(95)", "")
    trend = to_json(result, read_percentiles("99.99"))["steps"][1]["http_req_duration"]
    assert trend["p99.99"] == trend["max"]
    assert "p99.99" not in to_json(result)["steps"][1]["http_req_duration"]


def test_chosen_percentiles_are_the_last_columns_to_go() -> None:
    flows = console(run(GREEN), width=60, percentiles=CHOSEN).split("Flows\n")[1].splitlines()[0]
    assert [name for name in CHOSEN.names if name in flows] == list(CHOSEN.names)


@pytest.mark.parametrize("text", ["", "p0", "p100", "fast", "p50;p90", "p-1", "p50,,p90", "1,2,3,4,5,6,7,8,9", "p1e1"])
def test_what_is_no_list_of_percentiles_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="percentile"):
        read_percentiles(text)


def test_the_json_promises_all_that_is_known_of_a_step() -> None:
    steps = {step["step"]: step for step in to_json(many_steps())["steps"]}
    order, slow = steps["order"], steps["slow"]
    assert (order["statuses"], order["failures"]) == ({"201": 75, "429": 25}, {})
    assert (order["data_sent"], order["data_received"]) == (50_000, 10_000)
    attempts = order["attempts"]
    assert (attempts["steps"], attempts["step_failed"], attempts["http_req_retries"]) == (100, 0.01, 25)
    assert (slow["statuses"], slow["failures"], slow["attempts"]) == ({"0": 20}, {"timeout_wait": 20}, None)
    assert slow["http_req_waiting"]["at_least"]
    (first, second) = sorted(next(step for name, step in steps.items() if "facets" in name)["checks"], key=str)
    assert first == {"check": CHECKS[1], "evaluated": 100, "failed": 0}
    assert second == {"check": CHECKS[0], "evaluated": 100, "failed": 7}
    assert order["http_req_connecting"]["p95"] == 0.0


def test_the_page_of_a_job_says_where_the_count_of_green_nights_is() -> None:
    assert "**Acceptance: night 2 of 3**\n" in step_summary(replace(run(GREEN), standing=Standing("night 2 of 3")))
    assert "Acceptance" not in step_summary(run(GREEN))


def test_far_from_a_bound_is_told_in_times_not_in_percent() -> None:
    text = console(run((gate("http_reqs", "count", ">=", 10, "count >= 10"),)))
    assert "held  http_reqs: count >= 10  2,011  201× the minimum" in text


def test_a_comparison_is_told_with_both_of_its_figures() -> None:
    other = Reference("p", 95.0, (("step", "segment"),), 5.0, None, "p(95){step:segment}", Span(SUITE, 0, 1))
    text, labels = "p(95) < 5 * p(95){step:segment}", (("step", "search"),)
    result = run((gate("http_req_duration", "p", "<", other, text, argument=95.0, labels=labels),))
    assert "385 ms 32.5 % below the limit (p(95){step:segment} = 114 ms)" in " ".join(console(result).split())
    assert "385 ms 32.5 % below the limit (p(95){step:segment} = 114 ms)" in junit(result)
    found = to_json(result)["gates"][0]
    assert (found["value"], found["compared"], found["bound"]) == pytest.approx((0.385, 0.114, 0.57), rel=0.005)


def test_a_gate_longer_than_its_column_leaves_the_columns_as_they_are() -> None:
    long = "count >= 10 and a good deal more than a line of eighty columns can hold"
    text = console(
        run((gate("http_reqs", "count", ">=", 10, "count >= 10"), gate("http_reqs", "count", ">=", 10, long)))
    )
    short, first, second = [line for line in text.splitlines() if line.startswith("    ")][:3]
    assert first.endswith("can hold")
    assert second.strip().startswith("2,011")
    assert second.index("2,011") == short.index("2,011")


def test_arrivals_are_in_the_json_of_an_open_flow_alone() -> None:
    document = to_json(arriving())
    arrivals = document["flows"][0]["arrivals"]
    assert (arrivals["due"], arrivals["started"]) == (200, 180)
    assert arrivals["dropped_iterations"] == {"no_free_vu": 15, "generator_late": 5}
    assert arrivals["iteration_response_time"]["p99"] == pytest.approx(0.052, rel=0.001)
    assert document["flows"][0]["iteration_duration"]["p99"] == pytest.approx(0.05, rel=0.001)
    assert [flow["arrivals"] for flow in to_json(run(GREEN))["flows"]] == [None, None]


def timing_out() -> RunResult:
    """Of one step nine requests in ten were answered, of the other none was."""
    recorder = Recorder(100.0)
    browse = recorder.flow("browse")
    browse.vus = browse.vus_max = 1000
    list_, slow = recorder.step("browse", "list", "GET"), recorder.step("browse", "slow", "GET")
    for _ in range(9):
        list_.answered(200, 0.1, 0.0, 0.0, 1, 1)
    for step in (list_, slow):
        step.unanswered("timeout_wait", 101.0, "no response within 300 ms (timeout)", waited=0.3, waiting=0.3)
    recorder.fold(102.0)
    return run((p95(500.0, "browse"),), recorder=recorder)


def test_a_time_among_timeouts_is_shown_as_a_lower_bound_everywhere() -> None:
    result = timing_out()
    assert result.outcome is Outcome.RED
    text = console(result)
    assert "BROKE http_req_duration: p(95) < 500 ms > 300 ms requests timed out" in " ".join(text.split())
    steps = text.split("\nSteps")[1]
    (slow, listed) = [line for line in steps.splitlines() if line.startswith(("  browse › slow", "  browse › list"))][
        :2
    ]
    assert slow.split("›")[1].split() == ["slow", "1", *[">", "300", "ms"] * 4, "100", "%"]
    assert listed.split("›")[1].split()[:5] == ["list", "10", "100", "ms", ">"]
    (failure,) = ET.fromstring(junit(result)).findall(".//failure")
    assert failure.get("message") == "p(95) > 300 ms as requests timed out, expected < 500 ms"
    assert "**p95 > 300 ms**" in step_summary(result)


def test_the_json_names_the_figures_that_are_lower_bounds() -> None:
    record = json.loads(summary_json(timing_out()))
    trend = record["flows"][0]["http_req_duration"]
    assert (trend["p50"], trend["p95"], trend["max"], trend["count"]) == (pytest.approx(0.1), 0.3, 0.3, 11)
    assert trend["at_least"] == ["p90", "p95", "p99", "p999", "avg", "max"]
    assert (record["gates"][0]["value"], record["gates"][0]["at_least"], record["gates"][0]["margin"]) == (
        0.3, True, None,
    )  # fmt: skip
    assert record["timeline"][0]["at_least"] == ["p95", "p99", "max"]
    assert record["flows"][0]["iteration_duration"]["at_least"] == []
    assert Summary.from_json(record["figures"]) == timing_out().summary


def test_colours_come_only_when_asked_for() -> None:
    assert "\x1b" not in console(run(RED))
    assert "\x1b[1;31m" in console(run(RED), colour=True)


def test_without_colours_there_are_no_drawings() -> None:
    assert not set(console(run(RED))) & set("✓✗━│─┏┓╭")


def test_an_incident_is_drawn_into_the_authors_yaml() -> None:
    incident = Diagnostic("VF601", Severity.ERROR, "browse › search: status 503", Span(SUITE, 9, 26), "failed 10 times")
    text = console(replace(run(RED), incidents=(incident,)))
    assert "flows/suite.yml:2:3" in text
    assert "^^^^^^^^^^^^^^^^^ failed 10 times" in text


def test_a_run_that_sent_nothing_still_has_its_reports() -> None:
    result = run(GREEN, recorder=Recorder(0.0))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "no request was sent" in console(result)
    assert ET.fromstring(junit(result)).get("errors") == "4"
    assert json.loads(summary_json(result))["pooled"]["http_req_duration"]["p95"] is None
    assert step_summary(result)


def test_the_json_has_the_figures_and_brings_the_summary_back() -> None:
    record = json.loads(summary_json(run(RED)))
    assert record["schema"] == 2
    assert (record["outcome"], record["exit_code"]) == ("red", 99)
    assert [gate["outcome"] for gate in record["gates"]] == ["green", "red", "red", "inconclusive"]
    assert record["pooled"]["http_reqs"] == 2011
    assert record["flows"][0]["http_req_duration"]["p95"] == pytest.approx(0.385, rel=1e-3)
    assert record["errors"][0]["error"] == "status"
    assert Summary.from_json(record["figures"]) == recorded().snapshot()


_BY_NAME = ("segment", "figures", "inputs", "labels", "statuses", "failures")  # their keys are names themselves


def _names(value: object) -> set[str]:
    """The names of all fields that are part of the promise."""
    if isinstance(value, list):
        return set().union(*map(_names, value))
    if not isinstance(value, dict):
        return set()
    inner = (_names(item) for name, item in value.items() if name not in _BY_NAME)
    return set(value).union(*inner)


def test_every_key_of_the_json_is_documented() -> None:
    documented = PAGE.read_text(encoding="utf-8")
    assert sorted(name for name in _names(to_json(arriving())) if f"`{name}`" not in documented) == []


def test_a_run_that_is_not_green_is_never_a_good_junit_page() -> None:
    root = ET.fromstring(junit(run((p95(500.0),), [BUSY])))
    assert int(root.get("errors", "0")) > 0
    assert int(ET.fromstring(junit(run(GREEN))).get("errors", "1")) == 0


def test_text_of_a_server_can_break_neither_xml_nor_markdown() -> None:
    recorder = Recorder(0.0)
    recorder.step("browse", "a|b", "GET").unanswered("reset", 0.5, "<b>\x00|`\n")
    recorder.fold(1.0)
    result = run((p95(1.0, labels=(("step", "\x01"),)),), recorder=recorder)
    ET.fromstring(junit(result))
    row = next(line for line in step_summary(result).splitlines() if "reset" in line)
    assert "&lt;b&gt;" in row
    assert row.replace("\\|", "").count("|") == 7


def test_events_are_shown_with_what_went_wrong_and_which_window_gates_judged() -> None:
    events = (
        Happened("failover", ActionKind.HAPROXY, 1.2, 4.3, "set server be/s1 state maint", undone=4.3),
        Happened("flush", ActionKind.STEPS, 2.0, 2.2, "1 step", "POST /flush: expected 204, got 503"),
        Happened("deployed 4f2a", ActionKind.MARK, 3.0, 3.0, manual=True),
        *(Happened("ping", ActionKind.MARK, 4.0, 4.0) for _ in range(20)),
    )
    windows = tuple(EventWindow("failover", 1.0 + second, 4.5 + second) for second in range(7))
    result = replace(run(GREEN), events=events, event_windows=windows)
    shown = console(result)
    for line in (
        "  failover at 1.2 s, for 3.1 s: set server be/s1 state maint",
        "  flush at 2 s, for 200 ms: 1 step; failed: POST /flush: expected 204, got 503",
        "  deployed 4f2a at 3 s (manual)",
        "  and 11 more: see the JSON summary",
        "    gates with `during:failover` cover 1 s to 4.5 s, 2 s to 5.5 s,",
    ):
        assert f"{line}\n" in shown or f"{line} " in shown, shown
    assert "and 2 more windows" in shown
    page = step_summary(result)
    assert "| failover | at 1.2 s, for 3.1 s | set server be/s1 state maint |" in page
    assert "and 13 more" in page


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in TEXTS.items():
        (GOLDEN / name).write_text(text())
