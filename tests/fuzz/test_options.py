"""Whatever is written behind a command, it ends, and with one of the exit codes."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from program import ends_well

FLOW = """
flow: one
base_url: http://127.0.0.1:9
load: {vus: "${env.VUS ?? 1}", duration: 1s}
steps: [{get: "/${env.WHAT ?? 1}", name: a}]
gates: {http_req_failed: rate < 1 %}
"""
ODD = (
    "", " ", "0", "-1", "1", "2/8", "1/1", "10/3", "9" * 400, "1e400", "nan", "inf", "-inf", "1e-9", "5m", "0s", "1h1s",
    "500/s", "10%", "1 %", "\0", "a\0b", "\udcff", "=", "A=", "=b", "A=b", "VUS=0", "VUS=nan", "VUS=" + "9" * 400,
    "WHAT=\0", "WHAT=\udcff", "WHAT=\r\nX: y", "one=5", "one=" + "9" * 400, "one", "é", "٣", "½", "http://127.0.0.1:9",
    "http://", "http://[::1", "http://127.0.0.1:99999", "//x", "http://\udcff", "http://a b", "file:///etc/passwd",
    "auto",
    "a" * 5_000, "${env.HOME}", "%s", "{}", "../..", "/dev/null", "/proc/self/mem", ".", "-", "--", "no such file.yml",
)  # fmt: skip
OPTIONS = {
    "explain": (
        "--duration", "--vus", "--scale", "--only", "--workers", "--segment", "-e", "--base-url", "--seed", "--format",
    ),
    "lint": ("--format",),
    "merge": (),
    "schema": (),
    "status": (),
    "pause": (), "resume": (), "stop": (), "scale": (),
    "try": ("--flow", "--only", "-e", "--base-url", "--seed", "--replay"),
}  # fmt: skip
words = st.one_of(st.sampled_from(ODD), st.text(max_size=8), st.integers().map(str), st.floats().map(str))


@pytest.fixture(scope="session")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flow") / "flow.yml"
    path.write_text(FLOW)
    return path


@given(st.data())
def test_explain_takes_any_options(flow: Path, data: st.DataObject) -> None:
    names = st.sampled_from(OPTIONS["explain"])
    pairs = data.draw(st.lists(st.tuples(names, words), min_size=1, max_size=3))
    ends_well(["explain", str(flow), *(word for pair in pairs for word in pair)])


@pytest.mark.parametrize("option", OPTIONS["explain"])
def test_explain_takes_any_odd_value_of_an_option(flow: Path, option: str) -> None:
    for word in ODD:
        ends_well(["explain", str(flow), option, word])


@given(st.sampled_from(["lint", "explain", "merge", "status", "pause", "resume", "stop", "scale", "schema"]), words)
def test_any_path_or_name_is_taken_or_refused(command: str, word: str) -> None:
    ends_well([command, word])


@pytest.mark.parametrize("command", ["lint", "explain", "merge", "status", "schema", "scale", "run", "try"])
def test_any_odd_path_or_name_is_taken_or_refused(command: str) -> None:
    for word in ODD:
        if word != ".":
            ends_well([command, word])


@given(st.sampled_from(OPTIONS["try"][:-1]), words)
@example("--seed", "9" * 400)
def test_try_takes_any_options(flow: Path, option: str, word: str) -> None:
    ends_well(["try", str(flow), "--replay", option, word])


@pytest.mark.parametrize("option", ["--workers", "--segment", "--seed", "--vus", "--duration", "--scale", "--only"])
def test_run_refuses_what_nobody_can_mean(flow: Path, option: str, tmp_path: Path) -> None:
    os.chdir(tmp_path)
    for word in ("", "0", "-1", "9" * 400, "nan", "-inf", "\0", "\udcff", "one=0", "½"):
        if option != "--seed":
            ends_well(["run", str(flow), "-q", option, word, "--summary", "/nonexistent/x"])
