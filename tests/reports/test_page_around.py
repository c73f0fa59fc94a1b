"""What a page shows of what was around the load: the server, events, audits, the generator; read by lxml."""

from dataclasses import replace
from typing import Any

import pytest
from lxml import html
from page_run import EVIL, eventful_run, page_run
from sample_run import gate, p95

from vezaflow.gates import Outcome, Verdict
from vezaflow.metrics import Reading
from vezaflow.model import ActionKind
from vezaflow.observe import unobserved
from vezaflow.plan import PlannedGate
from vezaflow.reports import html_page
from vezaflow.reports.endpoints import endpoint_rows
from vezaflow.reports.page.columns import columns_of
from vezaflow.reports.page.gates import GateRow, gate_rows
from vezaflow.reports.page.marks import Mark, marks_of, names_svg
from vezaflow.reports.page.series import scopes
from vezaflow.reports.page.svg import Axis
from vezaflow.results import Happened, RunResult
from vezaflow.units import Dimension, Quantity

RESULT = eventful_run()


def text(element: Any) -> str:
    return " ".join(element.text_content().split())


@pytest.fixture(scope="module")
def document() -> Any:  # lxml has no types
    return html.document_fromstring(html_page(RESULT).decode())


def rows_of(document: Any, table: str) -> list[list[str]]:
    return [[text(cell) for cell in row] for row in document.get_element_by_id(table).findall("tbody/tr")]


def row_of(gates: PlannedGate, result: RunResult = RESULT) -> GateRow:
    (row,) = gate_rows(replace(result, verdicts=(Verdict(gates, Outcome.GREEN, 0.1, 10),)), columns_of(result.seconds))
    return row


def test_client_and_server_stand_beside_each_other(document: Any) -> None:
    client, server, apart, *other = rows_of(document, "server-table")
    row, alone = endpoint_rows(RESULT)
    assert client[1:3] == ["client", f"{row.client_count:,}"]
    assert server[:2] == ["server", "3,990"]
    assert apart[0] == "apart"
    assert " to " in apart[3]
    assert row.missing in client[0]
    assert [line[1] for line in other] == ["client"]
    assert alone.missing in other[0][0]
    assert len(document.xpath("//table[@id='server-table']//*[name()='svg']")) == 4


def test_the_servers_own_metrics_have_their_units_and_what_is_missing_its_reason(document: Any) -> None:
    latency, heap = rows_of(document, "metrics-table")
    assert latency[0] == "server.latency"
    assert "100 ms" in latency
    assert "1 GiB" in heap
    assert "server.gc: there is no series of gc_seconds" in text(document.get_element_by_id("server"))


def test_a_server_that_nobody_could_ask_is_reported_and_no_empty_table_stands_there() -> None:
    written = html.document_fromstring(html_page(replace(RESULT, observed=unobserved("refused"))).decode())
    section = written.get_element_by_id("server")
    assert "could not be read: refused" in text(section)
    assert not section.findall(".//table")


def test_events_have_begin_end_result_and_the_times_that_gates_judged(document: Any) -> None:
    failover, mark, chaos = rows_of(document, "events-table")
    assert failover == ["failover", "HAProxy", "10 s", "18 s", "8 s", f"state maint {EVIL}", "18.1 s", "10 s to 20 s"]
    assert mark[:2] == ["deployed by hand", "a mark (manual)"]
    assert chaos[3] == "continues"
    assert "failed: connection refused" in chaos[5]


def test_scores_are_told_by_a_word_as_well_as_by_colour(document: Any) -> None:
    login, search, profile = rows_of(document, "audit-0-table")
    assert "97 good" in login
    assert {"48 poor", "81 fair"} <= set(search)
    assert set(profile[1:-1]) == {"–"}
    section = document.get_element_by_id("audits")
    assert f"profile it led to {EVIL}" in text(section)
    assert [a.get("href") for a in section.findall(".//a")] == ["reports/a%20b.html"]
    assert "/abs/c.html" in text(section)


def test_nothing_of_it_is_on_the_page_of_a_run_without_it() -> None:
    written = html.document_fromstring(html_page(page_run(seconds=2)).decode())
    found = {section.get("id") for section in written.xpath("//section")}
    assert found.isdisjoint({"server", "events", "audits"})


def test_charts_have_bands_and_names_for_events(document: Any) -> None:
    charts = document.xpath("//figure[contains(@class, 'chart')]")
    assert {figure.get("id") for figure in charts} >= {"chart-kinds", "chart-generator"}
    for figure in charts:
        (band,) = figure.xpath(".//*[name()='path'][@class='mark']/@d")
        assert band.count("M") == 3
        assert figure.xpath(".//*[@class='named']/*/text()") == ["failover", "deployed by hand", "chaos"]


@pytest.mark.parametrize("apart", [0.1, 3.0, 20.0])
def test_names_of_marks_never_overlap(apart: float) -> None:
    marks = [Mark(f"event number {number}", number * apart) for number in range(300)]
    drawn, tall = names_svg(marks, Axis(0.0, 300 * apart, 54, 392), 8)
    places = [(float(each.get("y")), float(each.get("x")), len(each.text)) for each in html.fromstring(drawn)]
    assert len(places) > 2
    assert tall <= 22
    for y, x, letters in places:
        assert 54 <= x <= 392 - letters * 4.5
        assert not [1 for other, at, _ in places if other == y and x < at < x + letters * 4.5]


def test_a_long_list_of_events_costs_a_chart_little() -> None:
    many = tuple(Happened(f"event {n}", ActionKind.MARK, n / 50, n / 50) for n in range(2000))
    written = html_page(replace(RESULT, events=many))
    assert len(written) < len(html_page(RESULT)) + 90_000
    assert "The first 200 of 2,000" in written.decode()


def test_an_event_that_goes_on_lasts_until_the_end_of_the_load() -> None:
    assert [mark.end for mark in marks_of(RESULT)] == [18.0, 25.0, RESULT.duration]


def test_a_gate_during_an_event_shows_its_windows_and_stands_out_in_them() -> None:
    row = row_of(p95(300, "browse", (("during", "failover"),)))
    assert row.chart is not None
    assert 'class="mark"' in row.chart
    assert "judged during failover" in row.chart
    assert 'class="line faint"' in row.chart
    outside = row_of(p95(300, None, (("during", "none"),)))
    assert outside.chart is not None
    assert "judged outside of all events" in outside.chart


def test_failures_by_kind_are_drawn_for_all_flows_and_for_each() -> None:
    whole, browse, streaming = scopes(RESULT, columns_of(RESULT.seconds))
    (kinds,) = [chart for chart in browse.charts if chart.key == "kinds"]
    assert [line.name for line in kinds.lines] == ["status 503", "timeout"]
    assert "kinds" not in {chart.key for chart in streaming.charts}
    assert "generator" in {chart.key for chart in whole.charts}
    assert "generator" not in {chart.key for chart in browse.charts}


def test_many_kinds_of_failures_become_five_lines() -> None:
    readings = tuple(
        Reading(n + 1.0, 1.0, 0.1, 0.0, None, {"browse": {f"status {s}": s for s in range(400, 409)}}) for n in range(5)
    )
    whole, *_ = scopes(replace(RESULT, readings=readings), columns_of(RESULT.seconds))
    (kinds,) = [chart for chart in whole.charts if chart.key == "kinds"]
    assert len(kinds.lines) == 5
    assert kinds.lines[-1].name == "others"
    assert sum(line.values[0] or 0 for line in kinds.lines) == sum(range(400, 409))


def waiting() -> PlannedGate:
    return gate("http_req_waiting", "p", "<", Quantity(0.2, Dimension.TIME), "p(95) < 200 ms", argument=95.0)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (waiting(), "http_req_waiting is kept for the whole run, not by second"),
        (p95(300, None, (("status", "503"),)), "figures by second are not kept apart by status"),
        (p95(300, None, (("during", "chaos"),)), "the event 'chaos' has no time that was judged"),
        (gate("recovery_time", "max", "<", Quantity(5.0, Dimension.TIME), "max < 5 s"), "one figure for each event"),
        (gate("lighthouse.lcp", "value", "<", Quantity(5.0, Dimension.TIME), "value < 5 s"), "has one figure"),
    ],
    ids=["metric", "label", "no window", "events", "audit"],
)
def test_a_gate_without_a_drawing_says_why(asked: PlannedGate, why: str) -> None:
    row = row_of(asked)
    assert row.chart is None
    assert why in row.why


def test_the_reason_is_there_for_who_hovers_and_for_a_screen_reader() -> None:
    written = html.document_fromstring(
        html_page(replace(RESULT, verdicts=(Verdict(waiting(), Outcome.GREEN, 0.1, 10),))).decode()
    )
    (dash,) = written.xpath("//td[@class='over']/span")
    assert "http_req_waiting is kept for the whole run" in dash.get("title")
    assert "http_req_waiting is kept for the whole run" in text(dash)


def test_errors_of_a_kind_are_drawn_as_they_grew() -> None:
    errors = gate("http_req_errors", "count", "<", 5000.0, "count < 5000", labels=(("error", "status"),))
    assert row_of(errors).chart is not None
    assert row_of(errors, replace(RESULT, readings=())).chart is None
