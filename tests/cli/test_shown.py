"""How results are shown: percentiles, steps, colours, forms of output, and what takes long, as the shell sees them."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from program import environment, vezaflow
from sample_run import GREEN, run
from two_runs import timed_run
from watched_run import many_steps

from vezaflow.reports import summary_json

SLOW = pytest.mark.slow
MARKS = re.compile("[✓✗]|\x1b")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    path.write_bytes(summary_json(many_steps()))
    return path


@SLOW
def test_a_run_is_shown_again_with_other_percentiles(kept: Path) -> None:
    done = vezaflow("history", "show", kept, "--percentiles", "50,p(99.9)")
    assert done.code == 0, done.text
    head = next(line for line in done.out.splitlines() if line.startswith("  step"))
    assert head.split() == ["step", "requests", "p50", "p99.9", "max", "failed"]


@SLOW
def test_what_is_no_percentile_is_refused_before_anything_is_done(kept: Path) -> None:
    done = vezaflow("history", "show", kept, "--percentiles", "p50,fast")
    assert (done.code, done.out) == (2, "")
    assert "'fast' is not a percentile: write p50,p90,p99.9" in done.err


@SLOW
def test_the_page_begins_with_the_percentiles_that_were_chosen(kept: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert vezaflow("report", kept, "--html", page, "--percentiles", "p50,p99.9").code == 0
    text = page.read_text(encoding="utf-8")
    assert 'value="50, 99.9"' in text
    assert "p99.9" in text


@SLOW
def test_a_small_terminal_shows_five_steps_and_all_of_them_if_wanted(kept: Path) -> None:
    short = on_terminal("history", "show", str(kept))
    assert "3 more: `--all-steps`" in short
    assert "detail 0" not in short
    assert "detail 0" in on_terminal("history", "show", str(kept), "--all-steps")
    assert "detail 0" in vezaflow("history", "show", kept).out  # in a log


@SLOW
@pytest.mark.parametrize(
    ("values", "coloured"),
    [
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"NO_COLOR": "", "FORCE_COLOR": "0"}, False),
        ({"NO_COLOR": "", "FORCE_COLOR": ""}, False),
    ],
)
def test_colours_in_a_log_are_there_if_forced_and_not_forbidden(
    kept: Path, values: dict[str, str], coloured: bool
) -> None:
    assert bool(MARKS.search(vezaflow("history", "show", kept, env=values).out)) is coloured


@SLOW
@pytest.mark.parametrize(("values", "coloured"), [({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_on_a_terminal_are_there_unless_forbidden(kept: Path, values: dict[str, str], coloured: bool) -> None:
    assert bool(MARKS.search(on_terminal("history", "show", str(kept), env=values))) is coloured


@pytest.mark.long
@SLOW
def test_json_is_printed_wherever_a_table_is(kept: Path, tmp_path: Path) -> None:
    nights = []
    for number in range(2):
        night = tmp_path / f"night{number}.json"
        night.write_bytes(summary_json(timed_run(f"n{number}", seed=number, seconds=60)))
        nights.append(night)
    baseline = tmp_path / "baseline.json"
    assert vezaflow("baseline", "set", *nights, "--file", baseline).code == 0
    history = ("--history", tmp_path / "h.db")
    commands: tuple[tuple[str | Path, ...], ...] = (
        ("history", *history),
        ("history", "show", kept),
        ("trends", *nights),
        ("compare", *nights),
        ("baseline", "show", "--file", baseline),
    )
    for words in commands:
        long, short = vezaflow(*words, "--format", "json"), vezaflow(*words, "--json")
        assert long.code == 0, long.text
        assert json.loads(long.out) == json.loads(short.out)
        assert vezaflow(*words, "--format", "text").out == vezaflow(*words).out
    shown = json.loads(vezaflow("history", "show", kept, "--json").out)
    assert shown["steps"] == json.loads(kept.read_text(encoding="utf-8"))["steps"]
    trends = json.loads(vezaflow("trends", *nights, "--json").out)
    assert len(trends["steps"][0]["p95"]) == len(trends["nights"]) == 2


def test_two_forms_at_once_are_refused(tmp_path: Path) -> None:
    done = vezaflow("trends", "--json", "--format", "text", "--history", tmp_path / "h.db")
    assert done.code == 2
    assert "take only one of --format and --json" in done.err


@SLOW
def test_what_takes_long_says_so_on_a_terminal_until_it_is_done() -> None:
    said = on_terminal_python("with working('reading 3 runs', after=0): time.sleep(0.3)")
    assert "reading 3 runs …" in said
    assert said.endswith("\r\x1b[K")


@SLOW
def test_what_takes_long_makes_way_for_other_lines() -> None:
    body = "with working('reading', after=0): time.sleep(0.3); tell('skipped: a.json'); time.sleep(0.1)"
    assert "reading …\r\x1b[Kskipped: a.json\r\n" in on_terminal_python(body)


@SLOW
@pytest.mark.parametrize("options", ["after=0, quiet=True", "after=60"])
def test_what_is_quiet_or_quick_says_nothing(options: str) -> None:
    assert on_terminal_python(f"with working('reading', {options}): time.sleep(0.1)") == ""


@SLOW
def test_without_a_terminal_nothing_is_said_of_what_takes_long() -> None:
    body = _python("with working('reading', after=0): time.sleep(0.2); tell('done')")
    done = subprocess.run(body, capture_output=True, text=True, env=environment(), check=True)
    assert done.stderr == "done\n"


def test_a_short_run_is_shown_without_a_history(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(summary_json(run(GREEN)))
    assert "\nSteps" in vezaflow("history", "show", path).out


def _python(body: str) -> list[str]:
    head = "import time; from vezaflow.cli.printing import tell; from vezaflow.cli.progress import working"
    return [sys.executable, "-c", f"{head}\n{body}"]


def on_terminal_python(body: str) -> str:
    return _shown(_python(body), {"TERM": "xterm"})


def on_terminal(*words: str, env: dict[str, str] | None = None) -> str:
    return _shown(
        [sys.executable, "-m", "vezaflow", *words], {"TERM": "xterm", "LINES": "12", "COLUMNS": "100", **(env or {})}
    )


def _shown(command: list[str], values: dict[str, str]) -> str:
    """What a program prints to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment(values))
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(ours)
        process.wait(timeout=30)
    return shown.decode()
