"""Shell completion, by the shells themselves: bash and zsh with a Tab on a terminal, fish by its own `complete`."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from history_runs import place, stored
from program import environment, vezaflow

from vezaflow.cli.completion import SCRIPTS
from vezaflow.history import opened

pytestmark = pytest.mark.slow

LIMIT = 30.0  # seconds for a shell and a start of the program


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with flows and other files, and vezaflow on the PATH."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "vezaflow"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m vezaflow "$@"\n')
    command.chmod(0o755)
    (tmp_path / "flows").mkdir()
    for name in ("flow-one.yml", "flow-notes.txt", "flows/suite.yaml", "flows/read.me", "result.json"):
        (tmp_path / name).touch()
    return tmp_path


def values(home: Path) -> dict[str, str]:
    kept = environment({"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "TERM": "dumb", "LC_ALL": "C.UTF-8"})
    return {**kept, "PATH": f"{home / 'bin'}:{kept['PATH']}"}


def typed(shell: tuple[str, ...], setup: str, line: str, want: str, home: Path, env: Mapping[str, str]) -> str:
    """What a terminal shows once `line` and two Tabs were typed, up to `want`, or what was shown when time was over."""
    here, there = pty.openpty()
    process = subprocess.Popen(
        shell, stdin=there, stdout=there, stderr=there, cwd=home, env=dict(env), start_new_session=True
    )
    os.close(there)
    try:
        os.write(here, f"{setup}; echo rea''dy\n".encode())
        _seen(here, "ready")
        os.write(here, f"{line}\t\t".encode())
        return _seen(here, want)
    finally:
        process.kill()
        process.wait()
        os.close(here)


def _seen(terminal: int, want: str) -> str:
    shown, end = "", time.monotonic() + LIMIT
    while want not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65_536).decode(errors="replace")
    return shown


def bash(line: str, home: Path) -> list[str]:
    """What bash's function offers for a line, without a terminal."""
    script = (
        "source completion.bash; compopt() { :; }; "
        'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vezaflow_completion vezaflow; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    (home / "completion.bash").write_text(SCRIPTS["bash"])
    words = line.split(" ")
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", script, "bash", *words],
        cwd=home,
        env=values(home),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    assert done.stderr == ""
    return sorted(done.stdout.split())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vezaflow hist", ["history"]),
        ("vezaflow history s", ["show"]),
        ("vezaflow run --wo", ["--workers"]),
        ("vezaflow explain --format ", ["json", "text"]),
        ("vezaflow run fl", ["flow-one.yml", "flows"]),
        ("vezaflow lint flows/", ["flows/suite.yaml"]),
        ("vezaflow run --summary re", ["result.json"]),
        ("vezaflow init f", ["flows"]),
        ("vezaflow compare last", ["last", "last-green"]),
        ("vezaflow compare res", ["result.json"]),
        ("vezaflow nonsense ", []),
    ],
)
def test_bash_completes(home: Path, line: str, offered: list[str]) -> None:
    assert bash(line, home) == offered


def test_runs_of_the_history_are_completed_from_a_file_and_from_nowhere_else(home: Path) -> None:
    run = stored(7)
    with opened(place(home), writing=True) as store:
        assert store is not None
        store.add(run)
    ident = run.id
    assert bash(f"vezaflow history show --history history.db {ident[:6]}", home) == [ident]
    nowhere = "vezaflow history show --history postgresql://nobody@127.0.0.1:9/none "
    assert bash(f"{nowhere}last-g", home) == ["last-green"]
    assert not (home / "state").exists()


def test_a_tab_in_bash_completes(home: Path) -> None:
    shown = typed(
        ("bash", "--norc", "--noprofile", "-i"),
        "PS1=; source <(vezaflow completion bash)",
        "vezaflow lint flows/su",
        "suite.yaml ",
        home,
        values(home),
    )
    assert "vezaflow lint flows/suite.yaml " in shown


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
@pytest.mark.parametrize(("line", "want"), [("hist", "ory"), ("lint flows/su", "ite.yaml"), ("compare last-", "green")])
def test_a_tab_in_zsh_completes(home: Path, line: str, want: str) -> None:
    setup = "PS1=; autoload -Uz compinit; compinit -u; source <(vezaflow completion zsh)"
    shown = typed(("zsh", "-f", "-i"), setup, f"vezaflow {line}", want, home, values(home))
    assert want in shown


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_loads_the_script_from_its_path_of_functions(home: Path) -> None:
    (home / "functions").mkdir()
    (home / "functions" / "_vezaflow").write_text(SCRIPTS["zsh"])
    setup = "PS1=; fpath=($HOME/functions $fpath); autoload -Uz compinit; compinit -u"
    assert "ory" in typed(("zsh", "-f", "-i"), setup, "vezaflow hist", "ory", home, values(home))


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vezaflow hist", ["history"]),
        ("vezaflow run --wo", ["--workers"]),
        ("vezaflow run fl", ["flow-one.yml", "flows/"]),
        ("vezaflow compare last-", ["last-green"]),
        ("vezaflow run --summary re", ["result.json"]),
    ],
)
def test_fish_completes(home: Path, line: str, offered: list[str]) -> None:
    (home / "completion.fish").write_text(SCRIPTS["fish"])
    script = f"source completion.fish; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=home,
        env=values(home),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    assert sorted(row.partition("\t")[0] for row in done.stdout.splitlines()) == offered


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_is_printed_as_it_is_and_its_shell_reads_it(shell: str) -> None:
    done = vezaflow("completion", shell)
    assert (done.code, done.out) == (0, SCRIPTS[shell])
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n"], input=done.out, text=True, check=True, timeout=LIMIT)
