"""What tests have from npm. Without npm or a network whoever asks is skipped, with the reason."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

NPM = shutil.which("npm")


def npm_install(folder: Path, *packages: str) -> None:
    """Install packages into a folder."""
    if NPM is None:
        pytest.skip("needs npm")
    install = [NPM, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), *packages]
    done = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"{', '.join(packages)} can't be had: {done.stderr.strip()[-200:]}")


def npm_kept(cache: Path, package: str) -> None:
    """Have a package in a cache folder. It comes into one of its own, which takes the place when it is whole."""
    if (cache / "node_modules").is_dir():
        return
    cache.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=cache.name, dir=cache.parent))
    try:
        npm_install(fresh, package)
        fresh.rename(cache)
    except OSError:
        pass  # another worker was quicker
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
