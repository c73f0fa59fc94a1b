"""Lighthouse for the tests: had with npm once, and kept in a cache folder; and an environment that finds it.

Without npm, a network or Chromium whoever asks is skipped, with the reason.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from npm import NPM, npm_kept

from vezaflow.audit import PINNED

CACHE = Path(os.environ.get("XDG_CACHE_HOME", tempfile.gettempdir())) / f"vezaflow-tests-lighthouse-{PINNED}"


def path_with_lighthouse() -> str:
    """PATH with Lighthouse on it."""
    if not NPM or not shutil.which("chromium"):
        pytest.skip("pages can't be audited here: needs Chromium, Node.js and npm")
    npm_kept(CACHE, f"lighthouse@{PINNED}")
    return f"{CACHE / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
