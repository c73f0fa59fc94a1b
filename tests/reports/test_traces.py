"""Traces in every report: the slowest requests and the errors lead to them."""

import json
from dataclasses import replace

import sample_run
from lxml import html

from vezaflow.reports import console, from_json, html_page, step_summary, to_json
from vezaflow.results import RunResult

LINK = "https://tempo.test/trace/${trace_id}"
SLOW, BROKEN = "a1" * 16, "b2" * 16


def traced(link: str = LINK) -> RunResult:
    recorder = sample_run.recorded()
    search = recorder.step("browse", "search", "GET", checks=('len(json("$.data")) > 0',))
    search.traced(200, "", 0.397, 104.5, SLOW)
    search.traced(503, "status", 0.5, 101.5, BROKEN)
    recorder.fold(110.6)
    result = sample_run.run(sample_run.RED, recorder=recorder)
    return replace(result, trace_links=(("browse", link),) if link else ())


def test_the_terminal_shows_them_with_their_links() -> None:
    text = console(traced())
    assert "Slowest requests with a trace\n  browse › search: 500 ms, 503 status, at 1.5 s\n" in text
    assert f"      https://tempo.test/trace/{SLOW}\n" in text
    assert text.count(BROKEN) == 2  # there and at its error
    bare = console(traced(""))
    assert f"      {SLOW}\n" in bare
    assert f"      trace {BROKEN}\n" in bare
    assert "trace" not in console(sample_run.run(sample_run.RED))


def test_the_step_summary_links_to_them() -> None:
    text = step_summary(traced())
    assert f"[`{SLOW}`](<https://tempo.test/trace/{SLOW}>)" in text
    assert text.count(f"](<https://tempo.test/trace/{BROKEN}>)") == 2
    assert f"| `{SLOW}` |" in step_summary(traced(""))


def test_the_page_links_to_them() -> None:
    page = html.fromstring(html_page(traced()))
    links = page.xpath("//table[@id='traces-table']//a/@href")
    assert links == [f"https://tempo.test/trace/{BROKEN}", f"https://tempo.test/trace/{SLOW}"]
    assert page.xpath("//table[@id='errors-table']//a/@href") == [f"https://tempo.test/trace/{BROKEN}"]
    assert not html.fromstring(html_page(traced("javascript:alert('${trace_id}')"))).xpath("//table//td/a")
    assert not html.fromstring(html_page(sample_run.run(sample_run.RED))).xpath("//table[@id='traces-table']")


def test_the_summary_has_them_and_is_read_back() -> None:
    record = json.loads(json.dumps(to_json(traced())))
    assert [(row["trace_id"], row["url"][-32:], row["at"]) for row in record["traces"]] == [
        (BROKEN, BROKEN, 1.5),
        (SLOW, SLOW, 4.5),
    ]
    assert [row["trace_id"] for row in record["errors"]] == [BROKEN, ""]
    assert json.loads(json.dumps(to_json(from_json(record)))) == record
