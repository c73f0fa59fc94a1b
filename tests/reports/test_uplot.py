"""uPlot in the package is npm's, to the byte. Skipped without npm or a network."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from vezaflow.reports.page.assets import HERE, UPLOT

NPM = shutil.which("npm")


@pytest.mark.slow
@pytest.mark.skipif(not NPM, reason="needs npm")
def test_uplot_is_npms(tmp_path: Path) -> None:
    pack = [str(NPM), "pack", "--silent", "--pack-destination", str(tmp_path), f"uplot@{UPLOT}"]
    done = subprocess.run(pack, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"uplot@{UPLOT} can't be had: {done.stderr.strip()[-200:]}")
    with tarfile.open(tmp_path / f"uplot-{UPLOT}.tgz") as archive:
        for name in ("dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE"):
            member = archive.extractfile(f"package/{name}")
            assert member is not None
            assert member.read() == (HERE / "uplot" / Path(name).name).read_bytes(), name


def test_the_vendored_files_are_those_and_no_others() -> None:
    assert {path.name for path in (HERE / "uplot").iterdir()} == {"uPlot.iife.min.js", "uPlot.min.css", "LICENSE"}
