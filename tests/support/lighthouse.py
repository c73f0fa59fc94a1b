"""Lighthouse for the tests: had with npm once, and kept in a cache folder; and an environment that finds it.

Without npm, a network or Chromium whoever asks is skipped, with the reason.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from vezaflow.audit import PINNED

CACHE = Path(os.environ.get("XDG_CACHE_HOME", tempfile.gettempdir())) / f"vezaflow-tests-lighthouse-{PINNED}"


def path_with_lighthouse() -> str:
    """PATH with Lighthouse on it."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("chromium"):
        pytest.skip("pages can't be audited here: needs Chromium, Node.js and npm")
    if not (CACHE / "node_modules").is_dir():
        _install(npm)
    return f"{CACHE / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"


def _install(npm: str) -> None:
    """Into a folder of its own, which takes its place when it is whole."""
    fresh = Path(tempfile.mkdtemp(prefix=CACHE.name, dir=_made(CACHE.parent)))
    install = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(fresh)]
    done = subprocess.run([*install, f"lighthouse@{PINNED}"], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        pytest.skip(f"Lighthouse {PINNED} can't be had: {done.stderr.strip()[-200:]}")
    try:
        fresh.rename(CACHE)
    except OSError:  # another worker was quicker
        shutil.rmtree(fresh, ignore_errors=True)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
