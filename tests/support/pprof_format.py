"""npm's `pprof-format` for the tests: had with npm once, and kept in a cache folder. Without npm, Node.js or a network
whoever asks is skipped, with the reason."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from npm import NPM, npm_kept

VERSION = "2.3.2"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", tempfile.gettempdir())) / f"vezaflow-tests-pprof-format-{VERSION}"
_SCRIPT = Path(__file__).with_suffix(".cjs")


def decoded(kind: str, files: Sequence[Path]) -> list[dict[str, Any]]:
    """What the functions of each file add up to, by the values of this kind: `flat`, `cum`, `total`, `kinds`."""
    lines = _node("decode", kind, *map(str, files)).splitlines()
    return [json.loads(line) for line in lines]


def encode(file: Path, kinds: Sequence[tuple[str, str]], stacks: Sequence[tuple[Sequence[Sequence[str]], Any]]) -> None:
    """Write a profile. A stack has places from the leaf on, each with the functions that were inlined there and what
    they were inlined into; and a value for each kind."""
    _node("encode", str(file), said=json.dumps({"kinds": kinds, "stacks": stacks}))


def _node(*words: str, said: str = "") -> str:
    node = shutil.which("node")
    if not node or not NPM:
        pytest.skip("pprof-format can't be had here: needs Node.js and npm")
    npm_kept(CACHE, f"pprof-format@{VERSION}")
    environment = {**os.environ, "NODE_PATH": str(CACHE / "node_modules")}
    command = [node, str(_SCRIPT), *words]
    done = subprocess.run(command, input=said, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
