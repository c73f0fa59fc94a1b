"""A worker process of a machine, as what relays it sees its end."""

import os
import time
from pathlib import Path

import pytest

from vezaflow.cluster.sealed import Message
from vezaflow.cluster.task import RelayedProcess

CRASH = """
import os, sys
sys.stderr.write("first" + "x" * 60_000 + "\\nthe reason\\n")
sys.stderr.flush()
os._exit(3)
"""


@pytest.mark.slow
def test_the_last_words_of_a_process_that_says_much_are_whole(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(CRASH)  # run before anything else in it
    process = RelayedProcess({**os.environ, "PYTHONPATH": str(tmp_path)}, str(tmp_path))
    until = time.monotonic() + 20
    said: list[Message] = []
    while not said and time.monotonic() < until:
        said = list(process.said())
    (end,) = said
    assert end["ended"] == 3
    assert end["tail"].endswith("x\nthe reason")
    assert 8000 < len(end["tail"]) <= 8192
    process.end()
    process.close()
