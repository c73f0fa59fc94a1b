"""Whatever names, gates, `log` steps and responses are made of: what is printed steers no terminal."""

import json
import re

import pytest
from program import Done, Write, vezaflow

from vezaflow.diagnostics import harmless, without_commands

STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
FLOW = r"""
flow: "f\e[31mX\a"
load: {executor: per-vu-iterations, vus: 1, iterations: 2}
on_failure: continue
vars: {said: "\e]0;title\a\r\e[2J\u009b31m\u202e"}
steps:
  - {get: /api/v1/health, name: "n\e]0;title\aX"}
  - log: "here ${said}"
  - {post: "/api/v1/\e[31m", name: b, body: "${said}", expect: {json: {$.x: "\e[31m"}}}
gates: {"http_reqs{step:n\e]0;title\aX}": count > 5}
"""


COMMANDING = """
flow: f
load: {executor: per-vu-iterations, vus: 1, iterations: 1}
on_failure: continue
vars: {said: "%s ::add-mask::one ::stop-commands::two ##[add-mask]three"}
steps:
  - log: "::add-mask::four"
  - log: "${said}"
  - {get: /api/v1/health, name: "##[add-mask]five", expect: {json: {$.status: "${said}"}}}
""" % ("x " * 40)


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["try", "run"])
def test_no_command_of_others_reaches_the_runner_of_a_workflow(suite: Write, verb: str) -> None:
    """As actions/runner reads: `::` after blanks, `##[` anywhere in a line."""
    for width in range(60, 100, 13):
        env = {"GITHUB_ACTIONS": "true", "COLUMNS": str(width)}
        done = vezaflow(verb, suite(COMMANDING), "--sandbox", env=env)
        assert "add-mask" in done.text
        assert not re.search(r"^\s*::(?!error |warning )|##\[", done.text, re.MULTILINE), done.text


@pytest.mark.slow
@pytest.mark.parametrize("verb", [("lint",), ("explain",), ("try",), ("run",), ("run", "--workers", "2")])
def test_no_control_character_is_printed(suite: Write, verb: tuple[str, ...]) -> None:
    done: Done = vezaflow(*verb, suite(FLOW), *(() if verb == ("lint",) else ("--sandbox",)))
    assert "title" in done.text
    assert not re.search("[\x00-\x09\x0b-\x1f]", done.text)


@pytest.mark.parametrize("sign", ["\x1b]0;title\x07", "\x1b[2J", "\r", "\b", "\x00", "\x9b31m", "\x7f", "\u202e"])
@pytest.mark.parametrize("coloured", [False, True])
def test_a_page_on_a_terminal_keeps_its_colours_and_nothing_else(sign: str, coloured: bool) -> None:
    page = harmless(f"\x1b[1mbold\x1b[0m {sign}\nnext", coloured=coloured, shown=True)
    assert ("\x1b[1mbold\x1b[0m" in page) is coloured
    left = re.sub(r"\x1b\[[0-9;]*m", "", page)
    assert not STEERING.search(left)
    assert left.endswith("\nnext")


def test_json_that_is_not_shown_stays_as_it_is() -> None:
    document = '{"a":"\x7f\x9b\u202e\\u001b"}\n'
    assert harmless(document, coloured=False, shown=False) == document


def test_json_without_commands_means_the_same() -> None:
    document = {"##[add-mask]": "a ##[b] ###[c]", "list": ["::error::x"]}
    page = without_commands(json.dumps(document, indent=0))
    assert "##[" not in page
    assert json.loads(page) == document


@pytest.mark.parametrize(
    ("page", "left"),
    [
        ("::error::x\n", ":\u200b:error::x\n"),
        ("a\n \t\u00a0::a::\n\n::b::", "a\n \t\u00a0:\u200b:a::\n\n:\u200b:b::"),
        ("a ##[add-mask]b ##[c]", "a ##\u200b[add-mask]b ##\u200b[c]"),
        ("[vu 1] a\n::stop-commands::b\n", "[vu 1] a\n:\u200b:stop-commands::b\n"),
        ("a :: b: # [c] : :\n", "a :: b: # [c] : :\n"),
    ],
)
def test_a_page_without_commands_reads_alike(page: str, left: str) -> None:
    assert without_commands(page) == left
