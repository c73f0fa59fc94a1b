"""One sandbox for all tests of the program."""

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from program import Write

from vezaflow.sandbox import Sandbox, SandboxSettings, start


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    with start(SandboxSettings()) as sandbox:
        yield sandbox


@pytest.fixture
def suite(tmp_path: Path, box: Sandbox) -> Write:
    """Writes a suite of one flow, aimed at the sandbox, and gives its folder."""

    def write(flow: str, suite: str = "") -> Path:
        folder = tmp_path / "suite"
        folder.mkdir(exist_ok=True)
        (folder / "suite.yml").write_text(f"suite: test\nbase_url: {box.base_url}\n{dedent(suite)}")
        (folder / "flow.yml").write_text(dedent(flow))
        return folder

    return write
