"""What the shell is told, by the program itself against real servers."""

import json
from pathlib import Path

import pytest
from ports import free_port
from program import Write, interrupted, vezaflow

pytestmark = pytest.mark.slow

HEALTH = """
load: {vus: 2, duration: 1s}
steps: [{get: /api/v1/health, expect: 200}]
think: 200ms
gates: {http_req_failed: rate < 1 %}
"""


def test_green_is_0(suite: Write) -> None:
    done = vezaflow("run", suite(HEALTH))
    assert done.code == 0, done.text
    assert "GREEN" in done.out


def test_a_broken_gate_is_99_and_shows_the_value_that_broke_it(suite: Write) -> None:
    done = vezaflow("run", suite(HEALTH.replace("rate < 1 %", "rate > 50 %")))
    assert done.code == 99, done.text
    assert "RED: 1 gate broke" in done.out
    assert "http_req_failed: rate > 50 %  0 %" in done.out


@pytest.mark.parametrize(
    "gates",
    [
        "{}",
        "{http_req_duration: {condition: p(95) < 1 s, samples: 100000}}",
        "{'http_req_duration{status:599}': p(95) < 1 s}",
    ],
    ids=["no gates", "too few samples", "no samples"],
)
def test_what_can_not_be_judged_is_98(suite: Write, gates: str) -> None:
    flow = HEALTH.replace("gates: {http_req_failed: rate < 1 %}", f"gates: {gates}")
    done = vezaflow("run", suite(flow))
    assert done.code == 98, done.text
    assert "INCONCLUSIVE" in done.out


PLACEHOLDER = HEALTH.replace("/api/v1/health", '"/api/v1/tracks/{{id}}"').replace("expect: 200", "expect: 404")


def test_what_lint_warns_of_is_told_once_before_the_load(suite: Write) -> None:
    done = vezaflow("run", suite(PLACEHOLDER))
    assert done.err.count("warning[VF231]") == 1, done.text
    assert done.err.index("1 warning") < done.err.index("VUs")
    assert "VF231" not in done.out
    assert "VF231" not in vezaflow("run", suite(PLACEHOLDER), "--quiet").text


def test_try_tells_warnings_but_those_of_gates_which_it_does_not_judge(suite: Write) -> None:
    tried = vezaflow("try", suite(PLACEHOLDER.replace("gates: {http_req_failed: rate < 1 %}", "")))
    assert tried.err.count("warning[VF231]") == 1, tried.text
    assert "VF507" not in tried.text


def test_a_run_that_never_began_leaves_no_summary(suite: Write, tmp_path: Path) -> None:
    done = vezaflow("run", suite("steps: [{got: /}]"), "--summary", tmp_path / "summary.json")
    assert done.code == 2, done.text
    assert not (tmp_path / "summary.json").exists()


@pytest.mark.parametrize("base_url", ["", "base_url: http://127.0.0.1:9/api"], ids=["none", "elsewhere"])
def test_a_sandbox_that_is_asked_for_is_the_target_whatever_the_files_say(tmp_path: Path, base_url: str) -> None:
    flow = tmp_path / "health.yml"
    flow.write_text(f"{base_url}\n{HEALTH}")
    done = vezaflow("run", flow, "--sandbox")
    assert done.code == 0, done.text
    tried = vezaflow("try", flow, "--sandbox")
    assert tried.code == 0, tried.text
    assert "sandbox.localhost" in vezaflow("explain", flow, "--sandbox").out


def test_a_target_that_is_down_is_red_and_never_green(suite: Write) -> None:
    folder = suite(HEALTH + "\n")
    done = vezaflow("run", folder, "--base-url", f"http://127.0.0.1:{free_port()}")
    assert done.code == 99, done.text
    assert "refused" in done.out


def test_a_preflight_that_fails_is_97_and_no_load_is_sent(suite: Write) -> None:
    folder = suite(HEALTH, "preflight: [{get: /api/v1/health}]")
    done = vezaflow("run", folder, "--base-url", f"http://127.0.0.1:{free_port()}")
    assert done.code == 97, done.text
    assert "preflight failed: no load was sent" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("--base-url", "https://veza.example"),
        ("--base-url", "http://10.0.0.1"),
    ],
)
def test_a_host_outside_the_guard_is_97(suite: Write, words: tuple[str, ...]) -> None:
    done = vezaflow("run", suite(HEALTH), *words)
    assert done.code == 97, done.text
    assert "guard" in done.err


def test_a_target_from_a_variable_named_like_production_is_97(suite: Write) -> None:
    folder = suite(HEALTH)
    (folder / "suite.yml").write_text("suite: test\nbase_url: ${env.PROD_BASE_URL}\n")
    done = vezaflow("run", folder, env={"PROD_BASE_URL": "http://127.0.0.1:1"})
    assert done.code == 97, done.text
    assert "PROD_BASE_URL" in done.err


def test_more_vus_than_the_guard_allows_is_97(suite: Write) -> None:
    done = vezaflow("run", suite(HEALTH, "guard: {max_vus: 10}"), "--vus", "flow=11")
    assert done.code == 97, done.text


@pytest.mark.parametrize(
    "words",
    [
        ("--duration", "5"),
        ("--vus", "flow"),
        ("--vus", "other=5"),
        ("--only", "other"),
        ("--scale", "0"),
        ("-e", "X"),
        ("--nonsense",),
    ],
    ids=" ".join,
)
def test_wrong_options_are_2_and_say_what_is_wrong(suite: Write, words: tuple[str, ...]) -> None:
    done = vezaflow("run", suite(HEALTH), *words)
    assert done.code == 2, done.text
    assert "Traceback" not in done.err
    assert done.err.strip()


def test_wrong_files_are_2_with_all_that_is_wrong(suite: Write) -> None:
    folder = suite("load: {vus: 2, duration: 5}\nsteps: [{gett: /x}, {get: /x, exract: {a: $.a}}]")
    done = vezaflow("run", folder)
    assert done.code == 2
    assert all(word in done.err for word in ("gett", "exract", "unit"))


def test_missing_inputs_are_2_all_at_once(suite: Write) -> None:
    folder = suite("load: {vus: '${env.VUS}', duration: 1s}\nsteps: [{get: '/${env.WHICH}'}]")
    done = vezaflow("run", folder)
    assert done.code == 2
    assert "missing environment variable VUS" in done.err
    assert "missing environment variable WHICH" in done.err


def test_the_sandbox_listens_on_loopback_only() -> None:
    done = vezaflow("sandbox", "--host", "0.0.0.0")
    assert done.code == 2
    assert "not a loopback address" in done.err


@pytest.mark.parametrize("path", ["no/such/folder", "no_such.yml"])
def test_a_path_that_is_not_there_is_2(path: str) -> None:
    for command in ("run", "lint", "try"):
        done = vezaflow(command, path)
        assert done.code == 2, done.text
        assert "Traceback" not in done.err


LONG = HEALTH.replace("duration: 1s", "duration: 60s")


def test_ctrl_c_drains_and_still_writes_the_verdict(suite: Write, tmp_path: Path) -> None:
    summary = tmp_path / "out" / "summary.json"
    done = interrupted("run", suite(LONG), "--summary", summary, when="VU")
    assert done.code == 130, done.text
    assert done.seconds < 20
    kept = json.loads(summary.read_text())
    assert kept["interrupted"] is True
    assert "stopped manually" in done.out


def test_ctrl_c_twice_ends_a_run_that_can_not_drain(suite: Write) -> None:
    flow = "load: {vus: 1, duration: 60s}\nsteps: [{get: /api/v1/health}, {log: thinking}, {think: 50s}]\n"
    done = interrupted("run", suite(flow), when="thinking", times=2)
    assert done.code == 130, done.text
    assert done.seconds < 20


def test_a_summary_that_can_not_be_written_is_said_before_the_load(suite: Write) -> None:
    done = vezaflow("run", suite(LONG), "--summary", "/proc/summary.json")
    assert done.code == 2, done.text
    assert done.seconds < 20


def test_a_poll_that_comes_to_nothing_is_shown_by_try(tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text(
        "base_url: ${env.BASE_URL}\n"
        "steps:\n"
        "  - poll: {get: /api/v1/health}\n"
        '    until: json("$.status") == "never"\n'
        "    every: 20 ms\n"
        "    within: 500 ms\n"
        "gates: {step_failed: rate == 0 %}\n",
        encoding="utf-8",
    )
    done = vezaflow("try", tmp_path / "flow.yml", "--sandbox")
    assert done.code == 99
    assert 'is false (got "ok")' in done.out
    assert "error[VF606]" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ruin",), "unknown command 'ruin'\n  hint: did you mean 'run'?"),
        (("run",), "missing argument 'PATHS...'\n  hint: see `vezaflow run --help`"),
        (("run", "x.yml", "--duration", "5"), "'5' has no unit: write '5ms' or '5s'"),
        (("run", "x.yml", "--vus", "5"), "for '--vus': '5' is not FLOW=N"),
        (("run", "x.yml", "-e", "5"), "for '-e': '5' is not NAME=VALUE"),
        (("run", "x.yml", "--scale", "x"), "for '--scale': 'x' is not a number"),
    ],
)
def test_a_slip_of_the_command_line_is_one_line_and_a_hint(words: tuple[str, ...], said: str) -> None:
    done = vezaflow(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert said in done.err


def test_a_terminal_without_unicode_gets_other_signs_and_no_traceback(suite: Write) -> None:
    done = vezaflow("try", suite("steps: [{get: /api/v1/health}]\n"), "--sandbox", env={"PYTHONIOENCODING": "ascii"})
    assert (done.code, done.err) == (0, "")
    assert "? GET /api/v1/health" in done.out
