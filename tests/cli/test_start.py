"""How commands start and end: the collector of cycles walks nothing in vain, and nights are counted by light rows."""

import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from history_runs import place, stored

from vezaflow.cli.night_runs import night_runs
from vezaflow.gates import Outcome
from vezaflow.history import opened


@pytest.mark.slow
@pytest.mark.parametrize(
    "start",
    [
        "sys.argv = ['vezaflow', 'run', '--help']; from vezaflow.cli import main; main()",
        "runpy.run_module('vezaflow.scale', run_name='__main__')",
    ],
    ids=["a command", "a worker"],
)
def test_what_lives_until_the_end_is_frozen(start: str) -> None:
    script = f"""
import gc, runpy, sys
try:
    {start}
except SystemExit:
    pass
print(gc.isenabled(), gc.get_freeze_count() > 50_000, gc.get_count()[0] < 1_000, file=sys.stderr)
"""
    ours, theirs = socket.socketpair()
    ours.close()  # a worker without a coordinator ends
    with theirs:
        done = subprocess.run(
            [sys.executable, "-c", script], stdin=theirs.fileno(), capture_output=True, text=True, check=True
        )
    assert done.stderr.strip() == "True True True"


@pytest.mark.slow
def test_a_program_without_a_command_ends_frozen_too() -> None:
    script = """
import gc, sys
sys.argv = ["vezaflow", "--version"]
from vezaflow.cli import main
try:
    main()
except SystemExit:
    pass
print(gc.get_freeze_count() > 10_000, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "True"


def test_nights_are_counted_without_the_records_of_their_runs(tmp_path: Path) -> None:
    with opened(place(tmp_path), writing=True) as store:
        assert store is not None
        store.add(stored(1))
    file = tmp_path / "history.db"
    connection = sqlite3.connect(file)
    connection.execute("UPDATE runs SET outcome = 'red', record = X'00', figures = X'00'")  # neither can be read
    connection.commit()
    connection.close()
    (run,) = night_runs(None, str(file), reasons=False)
    assert (run.outcome, run.reasons) == (Outcome.RED, ())
