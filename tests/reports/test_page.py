"""The page of a run, read by somebody else's parser: what is there without a script, and what is not to be there."""

import json
import re
import zlib
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from history_runs import point
from lxml import html
from page_run import EVIL, page_run
from sample_run import GREEN, RED, arriving, run, streaming

from vezaflow.gates import Outcome
from vezaflow.metrics import Seconds, Timeline
from vezaflow.reports import html_page, rows
from vezaflow.reports.page.columns import MOST, coarser, columns_of
from vezaflow.reports.page.gates import gate_rows, values
from vezaflow.reports.page.heatmap import COLUMNS, ROWS, heatmap
from vezaflow.reports.page.packed import MOST as MOST_BUCKETS
from vezaflow.reports.page.packed import packed_times
from vezaflow.reports.page.series import points_of
from vezaflow.reports.page.svg import Axis, drawing
from vezaflow.results import Link, RunResult, headline


def page(result: RunResult) -> Any:  # lxml has no types
    return html.document_fromstring(html_page(result).decode())


def text(element: Any) -> str:
    return " ".join(element.text_content().split())


def cells(document: Any, table: str) -> list[list[str]]:
    return [[text(cell) for cell in row] for row in document.get_element_by_id(table).findall("tbody/tr")]


def data(document: Any) -> dict[str, Any]:
    packed = json.loads(document.get_element_by_id("data").text)["deflated"]
    found: dict[str, Any] = json.loads(zlib.decompress(b64decode(packed)))
    return found


@pytest.mark.parametrize("gates", [GREEN, RED, ()], ids=["green", "red", "no gates"])
def test_the_verdict_and_why_are_plain_text(gates: tuple[Any, ...]) -> None:
    result = run(gates)
    head = page(result).find("body/header")
    word, _, said = headline(result.outcome, result.verdicts, result.concerns).partition(": ")
    assert text(head.find("h1")) == f"{word} {said}"
    for verdict in result.broken:
        assert verdict.reason in text(head)
    for concern in result.concerns:
        assert concern.text in text(head)
        assert concern.remedy in text(head)


def test_every_gate_has_its_value_bound_and_margin() -> None:
    result = page_run(red=True)
    shown = [
        text(row) for row in page(result).xpath("//table[contains(@class, 'gates')]/tbody/tr[not(@class='scope')]")
    ]
    assert len(shown) == len(result.verdicts)
    for _, verdicts in rows.by_scope(result):
        for verdict in verdicts:
            row = next(row for row in shown if verdict.gate.text in row and verdict.shown in row)
            assert verdict.shown_bound in row
            assert rows.margin_text(verdict) in row


def test_tables_have_the_figures_of_the_other_reports() -> None:
    result = page_run()
    shown = cells(page(result), "flows-table")
    for row, line in zip(rows.flow_rows(result), shown, strict=True):
        assert line[0] == ("all flows" if row.flow == rows.ALL else row.flow)
        assert line[4] == f"{row.requests:,}"
        assert line[6] == rows.share(row.failed)
        p50, _, p95, p99, most = line[7:]
        assert [p50, p95, p99, most] == [rows.time(value) for value in (row.p50, row.p95, row.p99, row.max)]
    assert len(cells(page(result), "steps-table")) == 4
    assert len(cells(page(run(GREEN)), "errors-table")) == 2


def test_what_only_some_runs_have_is_on_their_pages() -> None:
    assert "arrivals" in {section.get("id") for section in page(arriving()).xpath("//section")}
    assert {"listeners", "channels", "streams"} <= {
        section.get("id") for section in page(streaming()).xpath("//section")
    }


def test_no_text_of_a_run_becomes_markup() -> None:
    result = page_run()
    written = html_page(result).decode()
    assert EVIL not in written
    assert "<b onclick" not in written
    assert "<i>Unavailable" not in written
    document = page(result)
    assert any(f"first {EVIL}" == row[0] for row in cells(document, "steps-table"))
    assert not document.xpath("//*[@onclick]")
    assert [script.get("type") for script in document.xpath("//script")] == ["application/json", None]


def test_the_page_allows_its_own_script_alone_and_no_request() -> None:
    document = page(page_run())
    policy = document.xpath("//meta[@http-equiv='Content-Security-Policy']")[0].get("content")
    script = document.xpath("//script[not(@type)]")[0].text
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not document.xpath("//*[@src]")
    assert [link.get("href") for link in document.xpath("//link")] == ["data:,"]
    style = document.xpath("//style")[0].text
    assert "url(" not in style
    assert "@import" not in style


def test_no_link_runs_a_script() -> None:
    result = replace(page_run(), links=(Link("bad", "javascript:x()"), Link("Grafana", "https://grafana/d/1?a=1&b=2")))
    links = [a.get("href") for a in page(result).xpath("//section[@id='about']//a")]
    assert links == ["https://grafana/d/1?a=1&b=2"]


def test_gates_point_to_their_line_in_the_files() -> None:
    document = page(page_run())
    links = {a.get("href") for a in document.xpath("//table[contains(@class, 'gates')]//a")}
    assert links == {"#f0-2"}
    assert text(document.get_element_by_id("f0-2")) == "http_req_duration: p(95) < 500 ms"


def test_every_chart_has_a_drawing_and_a_table() -> None:
    charts = page(page_run()).xpath("//figure[contains(@class, 'chart')]")
    assert [figure.get("id") for figure in charts] == [
        f"chart-{key}" for key in ("latency", "requests", "vus", "failures", "iterations", "bytes")
    ]
    for figure in charts:
        assert figure.xpath(".//svg[@role='img']/@aria-label")
        assert len(figure.xpath(".//table/tbody/tr")) == 10


def test_flows_are_added_up_second_by_second_however_late_a_second_came() -> None:
    seconds = (0.9, 1.6, 2.4, 3.5, 4.4)  # two of them round to the same
    points = [replace(point(each), flow=flow) for each in seconds for flow in ("browse", "streaming")]
    result = replace(page_run(seconds=1), timeline=Timeline(tuple(points)))
    found = points_of(result, None, 300)
    assert [each.second for each in found] == list(seconds)
    assert {each.vus for each in found} == {2 * points[0].vus}
    assert sum(each.requests for each in points_of(result, None, 2)) == sum(each.requests for each in points)


@pytest.mark.parametrize(
    "result",
    [
        page_run(seconds=1),
        replace(page_run(seconds=1), seconds=Seconds(), timeline=Timeline()),
        replace(run(()), flows=(), seconds=Seconds(), outcome=Outcome.INCONCLUSIVE),
    ],
    ids=["one second", "no seconds", "no flow"],
)
def test_a_run_of_next_to_nothing_has_a_page(result: RunResult) -> None:
    document = page(result)
    assert text(document.find("body/header/h1"))
    assert len(document.xpath("//section")) >= 4


def test_a_gate_is_drawn_only_where_the_seconds_have_its_figure() -> None:
    result = page_run(red=True)
    drawn = {row.text: row.chart is not None for row in gate_rows(result, columns_of(result.seconds))}
    assert drawn["http_req_duration: p(95) < 500 ms"]
    assert not drawn["http_req_duration{step:playlist}: p(95) < 300 ms"]


def test_a_drawn_figure_is_the_gates_own() -> None:
    result = page_run()
    pooled = result.verdicts[0]
    whole = coarser(columns_of(result.seconds), 1)
    ((_, value),) = values(result, whole, pooled)
    assert pooled.value is not None
    assert value == pytest.approx(pooled.value, rel=1e-9)


@pytest.mark.slow
def test_a_page_is_small() -> None:
    result = page_run(seconds=300, flows=4, steps=3, each=25)
    assert len(html_page(result)) < 250_000


@pytest.mark.slow
def test_a_long_run_has_no_larger_drawings() -> None:
    result = page_run(seconds=700, flows=1, steps=1, each=30)
    seen = columns_of(result.seconds)
    assert len(seen.columns) <= MOST
    assert sum(column.length for column in seen.columns) == 700
    (name,) = seen.steps
    drawn = heatmap("x", seen.ends, seen.of(), 700.0)
    assert drawn is not None
    assert drawn.count("h") < COLUMNS * ROWS + 100
    assert sum(each.requests for each in seen.of(lambda step: step == name)) == 700 * 30
    assert len(html_page(result)) < 250_000


@pytest.mark.slow
def test_packed_histograms_are_bounded() -> None:
    result = page_run(seconds=40, flows=4, steps=9, each=300)
    packed = packed_times(result)
    assert packed["shift"] > 0
    assert sum(len(part[4]) for parts in packed["times"].values() for part in parts) <= MOST_BUCKETS


def test_a_drawing_escapes_its_title() -> None:
    assert "<b>" not in drawing("", '"<b>')


@pytest.mark.parametrize(
    ("low", "high", "log"), [(0.0, 1.0, False), (0.0, 4321.0, False), (1e-4, 30.0, True), (0.2, 0.3, True)]
)
def test_ticks_are_within_their_axis_and_few(low: float, high: float, log: bool) -> None:
    ticks = Axis(low, high, 0.0, 100.0, log).ticks()
    assert len(ticks) <= 6
    assert all(low * 0.99 <= tick <= high * 1.01 for tick in ticks)


def test_the_licence_of_the_chart_library_stands_in_the_page() -> None:
    assert re.search(r"uPlot: MIT", html_page(run(GREEN)).decode())
