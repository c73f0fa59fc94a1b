"""The verdict outlives its outputs: a full disk, a closed pipe, no standard output at all."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from program import Done, Write, environment, vezaflow

pytestmark = pytest.mark.slow

RED = """
load: {executor: per-vu-iterations, vus: 1, iterations: 3}
steps: [{get: /api/v1/health, name: a, expect: 201}]
gates: {http_req_failed: rate == 0 %}
"""


def shell(line: str, *words: str | Path) -> Done:
    """`vezaflow …` in a line of a shell, where it is called `"$@"`."""
    given = (sys.executable, "-m", "vezaflow", *map(str, words))
    done = subprocess.run(
        ["bash", "-c", line, "bash", *given], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr, 0)


def words(suite: Write, tmp_path: Path) -> tuple[str | Path, ...]:
    return "run", suite(RED), "--sandbox", "--quiet", "--summary", tmp_path / "s.json", "--junit", tmp_path / "j.xml"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('"$@" > /dev/full', "standard output can't be written: No space left on device"),
        ('"$@" >&-', ""),
        ('"$@" >&- 2>&-', ""),
        ('"$@" 2> /dev/full', ""),
        ('"$@" | true; exit ${PIPESTATUS[0]}', ""),
    ],
)
def test_reports_are_written_and_the_verdict_stays_when_nobody_can_be_told(
    suite: Write, tmp_path: Path, line: str, told: str
) -> None:
    done = shell(line, *words(suite, tmp_path))
    assert done.code == 99
    assert told in done.err
    assert "Traceback" not in done.err
    assert json.loads((tmp_path / "s.json").read_text())["outcome"] == "red"
    assert ET.parse(tmp_path / "j.xml").getroot().get("failures") == "1"


def test_a_report_that_does_not_fit_on_the_disk_is_told_and_leaves_no_half(suite: Write, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("the last one")
    done = shell('ulimit -f 4; "$@"', *words(suite, tmp_path))
    assert done.code == 99, done.text
    assert f"{tmp_path / 's.json'} can't be written" in done.err
    assert f"written: {tmp_path / 'j.xml'}" in done.out
    assert "s.json" not in done.out
    assert (tmp_path / "s.json").read_text() == "the last one"
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} >= {"s.json", "j.xml"}
    assert not list(tmp_path.glob(".s.json*"))


def test_a_device_that_is_full_is_told_and_the_other_report_is_written(suite: Write, tmp_path: Path) -> None:
    asked = ("run", suite(RED), "--sandbox", "--quiet", "--summary", "/dev/full", "--junit", tmp_path / "j.xml")
    done = vezaflow(*asked)
    assert done.code == 99
    assert "/dev/full can't be written: No space left on device" in done.err
    assert ET.parse(tmp_path / "j.xml").getroot().get("failures") == "1"


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
@pytest.mark.parametrize("line", ['"$@"', '"$@" > {file}; cat {file}'], ids=["pipe", "file"])
def test_a_summary_on_standard_output_stands_there_alone(suite: Write, tmp_path: Path, name: str, line: str) -> None:
    asked = ("run", suite(RED), "--sandbox", "--quiet", "--summary", name)
    done = shell("cd " + shlex.quote(str(tmp_path)) + "; " + line.format(file="out.json"), *asked)
    assert json.loads(done.out)["outcome"] == "red"
    assert "RED: 1 gate broke" in done.err
    assert not (tmp_path / "-").exists()


def test_two_reports_on_standard_output_are_refused_before_the_load(suite: Write) -> None:
    done = vezaflow("run", suite(RED), "--sandbox", "--summary", "-", "--junit", "-")
    assert done.code == 2
    assert "--summary and --junit both write to standard output" in done.err


@pytest.mark.parametrize("asked", [("--help",), ("lint", "."), ("schema",)])
def test_a_reader_who_has_seen_enough_gets_no_traceback(asked: tuple[str, ...]) -> None:
    assert "Traceback" not in shell('"$@" | true', *asked).err


@pytest.mark.parametrize("other", ["out.json", "./x/../out.json", "link.json"])
def test_two_reports_to_one_file_are_refused_before_the_load(suite: Write, tmp_path: Path, other: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "link.json").symlink_to("out.json")
    asked = (suite(RED), "--sandbox", "--summary", "out.json", "--junit", other)
    done = vezaflow("run", *asked, cwd=tmp_path)
    assert done.code == 2
    assert "--summary and --junit both write out.json" in done.err
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("asked", [("run", "--summary"), ("run", "--junit"), ("try", "--html")])
def test_a_report_overwrites_no_flow(suite: Write, tmp_path: Path, asked: tuple[str, str]) -> None:
    flow = tmp_path / "kept.yml"
    flow.write_text("steps: [{get: /}]\n")
    done = vezaflow(asked[0], suite(RED), "--sandbox", asked[1], flow)
    assert done.code == 2
    assert "is a YAML file like a flow, and would be overwritten" in done.err
    assert flow.read_text() == "steps: [{get: /}]\n"
