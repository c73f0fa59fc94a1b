"""The page in a real browser: nothing on its console, no request, the result's numbers, and nothing in anybody's way.

playwright-core and axe-core are had with npm when the test runs; without npm, a network or Chromium it is skipped.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from npm import NPM, npm_install
from page_run import eventful_run

from vezaflow.reports import html_page, rows

CHROMIUM, NODE = shutil.which("chromium"), shutil.which("node")
PACKAGES = ("playwright-core@1.65.1", "axe-core@4.14.1")
SCRIPT = Path(__file__).parent.parent / "support" / "look_at_page.cjs"
RESULT = eventful_run()

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not (CHROMIUM and NPM and NODE), reason="needs Chromium and npm")]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser says of the page of RESULT."""
    folder = tmp_path_factory.mktemp("npm")
    npm_install(folder, *PACKAGES)
    page = folder / "page.html"
    page.write_bytes(html_page(RESULT))
    look = [str(NODE), str(SCRIPT), str(folder), str(CHROMIUM), str(page)]
    done = subprocess.run(look, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_nothing_is_on_the_console_and_no_request_is_made(seen: dict[str, Any]) -> None:
    for look in seen.values():
        assert look["console"] == []
        assert [url for url in look["requests"] if not url.startswith(("file://", "data:"))] == []
        assert len(look["requests"]) <= 2


def test_the_numbers_are_the_results(seen: dict[str, Any]) -> None:
    _, *lines = seen["desk"]["before"]
    for row, line in zip(rows.flow_rows(RESULT), lines, strict=True):
        assert line[4] == f"{row.requests:,}"
        assert line[7] == rows.time(row.p50)
        assert line[9:] == [rows.time(value) for value in (row.p95, row.p99, row.max)]


def test_percentiles_of_ones_choice_are_the_programs(seen: dict[str, Any]) -> None:
    assert seen["desk"]["same"] == seen["desk"]["before"]
    head, *lines = seen["desk"]["chosen"]
    assert head[7:] == ["p99.9", "p10", "max"]
    for row, line in zip(rows.flow_rows(RESULT), lines, strict=True):
        flow = None if row.flow == rows.ALL else row.flow
        times = rows.trend(RESULT.summary, "http_req_duration", flow, judged=True)
        assert line[7:9] == [rows.time(value) for value in times.quantiles((0.999, 0.1))]
    assert all(line[6] != "–" for line in seen["desk"]["steps"][1:])
    assert "write numbers" in seen["desk"]["refused"]


def test_tables_are_sorted_by_keyboard_and_say_so(seen: dict[str, Any]) -> None:
    _, *lines = seen["desk"]["sorted"]
    assert seen["desk"]["order"] == "descending"
    assert lines[-1][0] == "all flows"
    counts = [int(line[4].replace(",", "")) for line in lines[:-1]]
    assert counts == sorted(counts, reverse=True)


def test_charts_share_one_cursor_that_arrow_keys_move(seen: dict[str, Any]) -> None:
    assert seen["desk"]["drawn"] == 8
    assert seen["desk"]["flow"] == 7
    assert seen["desk"]["when"] == "at 2 s"
    assert all(seen["desk"]["cursors"])


def test_bands_are_drawn_behind_the_lines_and_names_above_them(seen: dict[str, Any]) -> None:
    """In light and in dark: pixels of a band differ from those beside it, and above it there are some of letters."""
    for width in ("desk", "phone"):
        look = seen[f"marks {width}"]
        assert look["inside"] != look["outside"]
        assert look["letters"] > 20


def test_paper_gets_the_drawings(seen: dict[str, Any]) -> None:
    assert seen["desk"]["printed"]


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_axe_finds_no_fault_and_the_page_never_scrolls_sideways(seen: dict[str, Any], width: str) -> None:
    assert seen[f"axe {width}"]["violations"] == []
    assert seen[f"axe {width}"]["overflow"] <= 0


def test_without_scripts_gates_tables_and_drawings_are_there(seen: dict[str, Any]) -> None:
    plain = seen["plain"]
    for verdict in RESULT.verdicts:
        assert verdict.gate.text in plain["gates"]
        assert verdict.shown in plain["gates"]
    for row in rows.flow_rows(RESULT):
        assert rows.time(row.p95) in plain["flows"]
    assert plain["drawings"] == 8
    assert plain["bands"] == [3] * 8
    assert plain["shown"]
    assert plain["forms"] == 0
