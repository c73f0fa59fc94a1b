"""Every run is kept as it goes: killed, side by side with another, without its secrets; and what one does with it."""

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from kept_cells import cells
from program import Done, Write, environment, vezaflow

from vezaflow.cli.runs import kept_runs, named
from vezaflow.errors import VezaflowError
from vezaflow.history import Word

pytestmark = pytest.mark.slow

FLOW = """
load: {vus: 2, duration: 1s}
steps:
  - get: /api/v1/health
    name: health
think: 20ms
gates: {http_req_failed: rate < 1 %}
"""
LONG = FLOW.replace("1s", "30s")
SECRET = "tok-3n/+secret=42"
ENDED = (0, 98)  # green, or inconclusive on a machine that is too busy


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def database(env: Mapping[str, str]) -> Path:
    return Path(env["XDG_STATE_HOME"]) / "vezaflow" / "history.db"


def rows(env: Mapping[str, str]) -> list[dict[str, object]]:
    done = vezaflow("history", "--json", env=env)
    assert done.code == 0, done.text
    found: list[dict[str, object]] = json.loads(done.out)
    return found


def begin(*words: str | Path, env: Mapping[str, str], cwd: Path | None = None) -> "subprocess.Popen[bytes]":
    line = [sys.executable, "-m", "vezaflow", *map(str, words)]
    return subprocess.Popen(line, env=environment(env), cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def until(true: Callable[[], object], patience: float = 30.0) -> None:
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)


def test_a_run_is_kept_listed_and_shown_again(suite: Write, env: dict[str, str], tmp_path: Path) -> None:
    done = vezaflow("run", suite(FLOW), "--summary", tmp_path / "summary.json", env=env)
    assert done.code in ENDED, done.text
    record = json.loads((tmp_path / "summary.json").read_text())
    run_id = record["run_id"]
    assert f"kept: {run_id} (vezaflow history)" in done.err
    assert run_id not in done.out
    head, line = vezaflow("history", env=env).out.splitlines()
    assert head.split()[:8] == ["id", "started", "suite", "verdict", "p95", "failed", "duration", "load"]
    assert line.split()[0] == run_id[-6:]
    assert record["outcome"] in line
    assert "ago)" in line or "(just now)" in line
    shown = vezaflow("history", "show", run_id[-6:], env=env).out
    assert "\nSteps" in shown
    assert set(shown.splitlines()) <= set(done.out.splitlines())
    (row,) = rows(env)
    assert (row["verdict"], row["plan_hash"], row["full"]) == (record["outcome"], record["plan"]["hash"], True)
    assert row["p95"] == record["pooled"]["http_req_duration"]["p95"]
    found = named("last", str(database(env)))
    assert found.run_id == run_id
    assert found.seconds.to_json() == record["by_second"]
    assert [point.to_json() for point in found.timeline.points] == record["timeline"]
    assert named(str(tmp_path / "summary.json")).run_id == run_id
    assert [run.id for run in kept_runs(str(database(env)), suite="test")] == [run_id]
    assert kept_runs(str(database(env)), suite="other") == ()


def test_filters_choose_runs(suite: Write, env: dict[str, str]) -> None:
    folder = suite(FLOW)
    vezaflow("run", folder, env=env)
    (folder / "flow.yml").write_text(FLOW.replace("health\n    name", "nothing-here\n    name"))
    vezaflow("run", folder, env=env)

    def count(*words: str) -> int:
        return len(json.loads(vezaflow("history", "--json", *words, env=env).out))

    red, other = rows(env)
    verdict = str(other["verdict"])
    assert (red["verdict"], verdict in ("green", "inconclusive")) == ("red", True)
    assert (count(), count("--verdict", verdict), count("--verdict", "red")) == (2, 1, 1)
    assert (count("--suite", "test"), count("--suite", "other")) == (2, 0)
    assert (count("--target", "127.*"), count("--target", "*.veza.fr")) == (2, 0)
    assert (count("--since", "1h"), count("--since", "2999-01-01"), count("--limit", "1")) == (2, 0, 1)
    assert "older run" in vezaflow("history", "--limit", "1", env=env).out
    wrong = vezaflow("history", "--since", "soon", env=env)
    assert (wrong.code, "neither an age such as 7d nor a date" in wrong.err) == (2, True)
    assert named(f"last-{verdict}", str(database(env))).run_id == other["run_id"]
    assert named("last~1", str(database(env))).run_id == named(f"last {verdict}", str(database(env))).run_id


def test_a_killed_run_keeps_all_but_its_last_second(suite: Write, env: dict[str, str]) -> None:
    process = begin("run", suite(LONG), "-q", env=env)
    try:
        until(lambda: database(env).exists() and kept_runs(str(database(env))))
        (row,) = kept_runs(str(database(env)))
        assert row.word is Word.RUNNING
        until(lambda: len(named(row.id, str(database(env))).seconds.intervals) >= 3)
        assert "the run is not over" in vezaflow("history", "show", row.id, env=env).out
    finally:
        process.kill()
        process.wait()
    alive = time.time() - row.started.timestamp()
    (row,) = kept_runs(str(database(env)))
    assert row.word is Word.INTERRUPTED
    assert row.duration is not None
    assert alive - 2.5 < row.duration <= alive  # a second to be due, one to be written, and this machine's own
    assert row.p95 is not None
    shown = vezaflow("history", "show", "last-interrupted", env=env)
    assert "INCONCLUSIVE: the run ended after" in shown.out
    assert "health" in shown.out
    result = named("last", str(database(env)))
    assert result.interrupted
    assert sum(step.requests for _, step in result.seconds.of(("flow", "health", "GET"))) > 50
    assert vezaflow("history", "delete", "last", env=env).code == 0
    assert rows(env) == []


def test_two_runs_at_once_share_a_file(suite: Write, env: dict[str, str]) -> None:
    folder = suite(FLOW.replace("1s", "3s"))
    both = [begin("run", folder, "-q", env=env) for _ in range(2)]
    assert {process.wait(timeout=60) for process in both} <= set(ENDED)
    found = kept_runs(str(database(env)))
    assert [row.state.value for row in found] == ["complete", "complete"]
    for row in found:
        result = named(row.id, str(database(env)))
        kept = sum(step.requests for _, step in result.seconds.of(("flow", "health", "GET")))
        assert kept == result.summary.select("http_reqs").aggregate("count")


def test_no_secret_is_kept_in_whole_runs_and_in_killed_ones(suite: Write, env: dict[str, str], tmp_path: Path) -> None:
    flow = LONG.replace("    name: health\n", '    name: health\n    auth: {bearer: "${env.USER_TOKEN}"}\n')
    flow += f"description: with {SECRET}\n"
    folder = suite(flow, "secrets: [USER_TOKEN]")
    env |= {"USER_TOKEN": SECRET}
    assert vezaflow("run", folder, "-q", "--duration", "1s", env=env, cwd=tmp_path).code in ENDED
    process = begin("run", folder, "-q", env=env)
    until(lambda: len(kept_runs(str(database(env)))) == 2)
    until(lambda: named(kept_runs(str(database(env)))[0].id, str(database(env))).seconds.intervals)
    process.kill()
    process.wait()
    vezaflow("history", "export", "last", "last.run", env=env, cwd=tmp_path)
    texts = cells(database(env))
    texts += [path.read_bytes() for path in database(env).parent.iterdir()]
    texts.append(gzip.decompress((tmp_path / "last.run").read_bytes()))
    assert any(b"USER_TOKEN" in text for text in texts)
    assert not [text[:80] for text in texts if SECRET.encode() in text]


def test_a_run_that_is_not_to_be_kept_is_not(suite: Write, env: dict[str, str]) -> None:
    done = vezaflow("run", suite(FLOW), "--no-history", env=env)
    assert (done.code in ENDED, "kept:" in done.text, database(env).exists()) == (True, False, False)


def test_the_history_is_where_the_option_or_the_environment_says(
    suite: Write, env: dict[str, str], tmp_path: Path
) -> None:
    vezaflow("run", suite(FLOW), "--history", tmp_path / "a" / "nights.db", env=env)
    vezaflow("run", suite(FLOW), env=env | {"VEZAFLOW_HISTORY": str(tmp_path / "b.db")})
    assert not database(env).exists()
    assert len(kept_runs(str(tmp_path / "a" / "nights.db"))) == len(kept_runs(str(tmp_path / "b.db"))) == 1
    assert "test" in vezaflow("history", "--history", tmp_path / "b.db", env=env).out
    assert "\nSteps" in vezaflow("history", "show", "last", "--history", tmp_path / "b.db", env=env).out


def test_the_usual_history_costs_no_run_and_a_chosen_one_is_refused_before_the_load(
    suite: Write, tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, and no folder")
    done = vezaflow("run", suite(FLOW), env={"XDG_STATE_HOME": str(blocked)})
    assert done.code in ENDED, done.text
    assert "this run is not kept" in done.err
    chosen = vezaflow("run", suite(FLOW), "--history", blocked / "nights.db")
    assert (chosen.code, "can't be written" in chosen.err, "VUs" in chosen.err) == (2, True, False)


def test_a_newer_history_is_refused_before_the_load(suite: Write, env: dict[str, str]) -> None:
    vezaflow("run", suite(FLOW), env=env)
    connection = sqlite3.connect(database(env))
    connection.execute("UPDATE schema_version SET version = 99")
    connection.commit()
    connection.close()
    for words in (("run", suite(FLOW)), ("history",)):
        done = vezaflow(*words, env=env)
        assert (done.code, "has version 99" in done.err, "upgrade vezaflow" in done.err) == (2, True, True)


@pytest.mark.long
def test_a_history_that_is_full_leaves_a_file_and_the_verdict(
    suite: Write, env: dict[str, str], tmp_path: Path
) -> None:
    """Another program holds the file from before the run to after it."""
    vezaflow("history", "import", tmp_path / "none", env=env)
    holder = sqlite3.connect(database(env))
    holder.execute("BEGIN IMMEDIATE")
    done = vezaflow("run", suite(FLOW), env=env, cwd=tmp_path, limit=120)
    holder.rollback()
    holder.close()
    assert done.code in ENDED, done.text
    assert "\nSteps" in done.out
    (file,) = tmp_path.glob("vezaflow-*.run")
    assert f"vezaflow history import {file}" in done.err
    assert "is kept" in vezaflow("history", "import", file, env=env).out
    (row,) = rows(env)
    assert (row["state"], row["verdict"] in ("green", "inconclusive")) == ("complete", True)


def test_runs_go_from_one_history_to_another(suite: Write, env: dict[str, str], tmp_path: Path) -> None:
    vezaflow("run", suite(FLOW), "--summary", tmp_path / "summary.json", env=env)
    out = vezaflow("history", "export", "last", env=env, cwd=tmp_path)
    (file,) = tmp_path.glob("*.run")
    assert file.name in out.out
    other = ("--history", tmp_path / "other.db")
    assert "is kept" in vezaflow("history", "import", file, *other).out
    assert "is already there" in vezaflow("history", "import", tmp_path / "summary.json", *other).out
    assert vezaflow("history", "show", "last", *other).out == vezaflow("history", "show", file).out
    done = vezaflow("history", "import", tmp_path / "suite" / "flow.yml", *other)
    assert (done.code, "can't be read as a run" in done.err) == (2, True)


def test_pruning_says_what_it_frees(suite: Write, env: dict[str, str]) -> None:
    vezaflow("run", suite(FLOW), env=env)
    assert "nothing to remove" in vezaflow("history", "prune", env=env).out
    words = ("history", "prune", "--keep-figures", "1ms", "--keep-runs", "0")
    assert "would remove the figures of 1 run: " in vezaflow(*words, "--dry-run", env=env).out
    assert "removed the figures of 1 run: " in vezaflow(*words, env=env).out
    assert "nothing to remove" in vezaflow(*words, env=env).out
    (row,) = rows(env)
    assert (row["state"], row["has_figures"]) == ("complete", False)
    assert "held  http_req_failed" in vezaflow("history", "show", "last", env=env).out


def test_segments_are_kept_as_such_and_their_merged_run_beside_them(
    suite: Write, env: dict[str, str], tmp_path: Path
) -> None:
    folder = suite(FLOW)
    for part in ("1/2", "2/2"):
        assert vezaflow("run", folder, "--segment", part, env=env, cwd=tmp_path).code == 98
    files = [tmp_path / f"segment-{number}-of-2.json" for number in (1, 2)]
    merged = vezaflow("merge", *files, env=env)
    found = {str(row["id"]): (row["segment"], row["verdict"]) for row in rows(env)}
    whole = ("", "green" if merged.code == 0 else "inconclusive")
    assert sorted(found.values()) == [whole, ("1/2", "inconclusive"), ("2/2", "inconclusive")]
    last = named("last", str(database(env)))
    assert not [row for row in kept_runs(str(database(env))) if row.segment and row.id == last.run_id]
    assert last.seconds.intervals
    again = vezaflow("rerun", "last", env=env)
    assert again.code in ENDED, again.text


def test_a_word_of_no_run_is_said(env: dict[str, str]) -> None:
    done = vezaflow("history", "show", "last", env=env)
    assert (done.code, "unknown run 'last'" in done.err) == (2, True)
    assert "no runs are kept yet" in vezaflow("history", env=env).out
    with pytest.raises(VezaflowError, match="unknown run"):
        named("abc", str(database(env)))


DATA = """
load: {vus: 1, duration: 1s}
data: {user: {csv: users.csv}}
steps:
  - get: /api/v1/users/${user.name}
    name: me
    auth: {bearer: "${env.USER_TOKEN}"}
    expect: {that: status() > 0}
    on_failure: continue
think: 50ms
gates: {iterations: count > 0}
"""


def ran(suite: Write, env: dict[str, str], tmp_path: Path) -> tuple[Path, Done]:
    folder = suite(DATA, "secrets: [USER_TOKEN]")
    (folder / "users.csv").write_text("name\nann\nbob\n")
    done = vezaflow("run", folder, "--seed", "7", env=env | {"USER_TOKEN": SECRET}, cwd=tmp_path)
    assert done.code in ENDED, done.text
    return folder, done


def test_a_rerun_takes_the_kept_files_and_options_with_todays_secrets(
    suite: Write, env: dict[str, str], tmp_path: Path
) -> None:
    folder, first = ran(suite, env, tmp_path)
    missing = vezaflow("rerun", "last", env=env)
    assert (missing.code, "the run needs USER_TOKEN: secrets are not kept" in missing.err) == (2, True)
    (folder / "flow.yml").write_text(FLOW)  # today's files are others
    again = vezaflow("rerun", "last", "-e", f"USER_TOKEN={SECRET}", env=env)
    assert (first.code in ENDED, again.code in ENDED) == (True, True), again.text
    new, old = rows(env)
    assert new["plan_hash"] == old["plan_hash"]
    result = named("last", str(database(env)))
    assert result.seed == 7
    assert {row.step for row in result.summary.step_rows()} == {"me"}
    assert dict(result.inputs)["USER_TOKEN"] == "•••"


def test_a_rerun_says_which_data_differ_or_are_gone(suite: Write, env: dict[str, str], tmp_path: Path) -> None:
    folder, _ = ran(suite, env, tmp_path)
    (folder / "users.csv").write_text("name\ncid\n")
    env |= {"USER_TOKEN": SECRET}
    assert "users.csv has other rows than in" in vezaflow("rerun", "last", env=env).err
    (folder / "users.csv").unlink()
    gone = vezaflow("rerun", "last", env=env)
    assert (gone.code, "users.csv" in gone.err) == (2, True), gone.text


def test_a_stopped_run_is_kept_whole(suite: Write, env: dict[str, str]) -> None:
    process = begin("run", suite(LONG), "-q", env=env)
    until(lambda: database(env).exists() and kept_runs(str(database(env))))
    until(lambda: named("last-running", str(database(env))).seconds.intervals)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=60) == 130
    (row,) = kept_runs(str(database(env)))
    assert (row.word, row.state.value) == (Word.INTERRUPTED, "complete")
