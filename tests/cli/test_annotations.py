"""On CI a gate that broke is annotated at its line: real runs, and their output read as the runner reads it."""

from pathlib import Path

import pytest
from program import Done, vezaflow
from workflow_commands import Command, commands

SUITE = """\
suite: nightly
base_url: ${env.BASE_URL}
gates:
  http_reqs:
    - count >= 1
    - count >= 150
each_flow:
  iterations: count >= 150
"""
BROWSE = """\
flow: browse
load: {vus: 2, duration: 1s}
steps:
  - get: /api/v1/tracks
    name: list
    expect: 200
think: 10ms..20ms
gates:
  # no times: a busy machine may have them unsettled
  http_req_failed{step:list}: rate < 1 %
  http_req_duration{step:list}:
    condition: p(95) < 10 s
    samples: 150
"""
ACTIONS = {"GITHUB_ACTIONS": "true"}

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/suite.yml").write_text(SUITE)
    (tmp_path / "flows/browse.yml").write_text(BROWSE)
    return tmp_path


def red(project: Path, *words: str, env: dict[str, str] = ACTIONS) -> Done:
    done = vezaflow("run", "flows", "--sandbox", "--error-rate", "100%", *words, cwd=project, env=env)
    assert done.code == 99, done.text
    return done


def line(command: Command, project: Path) -> str:
    """The text that the annotation marks."""
    text = (project / command.properties["file"]).read_text().splitlines()[int(command.properties["line"]) - 1]
    return text[int(command.properties["col"]) - 1 : int(command.properties["endColumn"]) - 1]


def test_each_broken_gate_is_an_error_on_its_line_and_an_unsettled_one_a_warning(project: Path) -> None:
    found = commands(red(project).out)
    assert [(c.name, c.properties["file"], line(c, project), c.properties["title"]) for c in found] == [
        ("error", "flows/browse.yml", "rate < 1 %", "gate failed: browse"),
        ("error", "flows/suite.yml", "count >= 150", "gate failed: browse"),
        ("error", "flows/suite.yml", "count >= 150", "gate failed: all flows"),
        ("warning", "flows/browse.yml", "p(95) < 10 s", "gate could not be judged: browse"),
    ]
    assert found[2].text.startswith("http_reqs: count >= 150: count = ")
    assert "of at least 150 samples" in found[-1].text


def test_a_person_at_a_terminal_gets_none(project: Path) -> None:
    done = red(project, env={})
    assert commands(done.text) == []


def test_what_programs_read_on_standard_output_stands_alone(project: Path) -> None:
    done = red(project, "--summary", "-")
    assert commands(done.out) == []
    assert len(commands(done.err)) == 4


def test_a_green_run_has_none(project: Path) -> None:
    (project / "flows/suite.yml").write_text("base_url: ${env.BASE_URL}\ngates: {http_req_failed: rate < 1 %}\n")
    (project / "flows/browse.yml").write_text(BROWSE.partition("gates:")[0])
    done = vezaflow("run", "flows", "--sandbox", cwd=project, env=ACTIONS)
    assert done.code == 0, done.text
    assert commands(done.text) == []
