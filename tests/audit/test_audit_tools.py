"""What an audit takes is looked for, and what is missing is said with its remedy. The programs are scripts."""

from pathlib import Path

import pytest

from vezaflow.audit import PINNED, find_tools, require_tools
from vezaflow.errors import ExitCode, VezaflowError

pytestmark = pytest.mark.slow  # they start programs
VERSIONS = {"node": "v20.20.2", "lighthouse": PINNED, "chromium": "Chromium 156.0.8078.108 built on Debian"}


def programs(folder: Path, **versions: str) -> dict[str, str]:
    """An environment with nothing but these programs."""
    for name, version in versions.items():
        file = folder / name
        file.write_text(f"#!/bin/sh\n{f'echo {version!r}' if version else 'exit 1'}\n")
        file.chmod(0o755)
    return {"PATH": str(folder)}


def test_all_that_is_there_is_found(tmp_path: Path) -> None:
    tools = find_tools(programs(tmp_path, **VERSIONS))
    assert [tool.version for tool in tools.all] == ["20.20.2", PINNED, "156.0.8078.108"]
    assert tools.command == (str(tmp_path / "lighthouse"),)


def test_without_lighthouse_npx_fetches_the_pinned_one(tmp_path: Path) -> None:
    tools = find_tools(programs(tmp_path, node="v20.20.2", npx="", chromium="Chromium 156.0"))
    assert tools.command == (str(tmp_path / "npx"), "--yes", f"lighthouse@{PINNED}")
    assert not any(tool.problem for tool in tools.all)


def test_chrome_path_comes_first(tmp_path: Path) -> None:
    environment = programs(tmp_path, **VERSIONS, chrome7="Google Chrome 7.0.1")
    tools = find_tools({**environment, "CHROME_PATH": str(tmp_path / "chrome7")})
    assert tools.chromium.version == "7.0.1"


@pytest.mark.parametrize(
    ("versions", "said", "remedy"),
    [
        ({**VERSIONS, "chromium": ""}, "does not run", "apt-get install chromium"),
        ({"node": "v20.1.0", "lighthouse": PINNED}, "no Chromium", "CHROME_PATH"),
        ({"lighthouse": PINNED, "chromium": "Chromium 1.2"}, "no `node`", "nodejs"),
        ({"node": "v20.1.0", "chromium": "Chromium 1.2"}, "neither `lighthouse` nor `npx`", "install npm"),
        ({**VERSIONS, "lighthouse": "13.4.1"}, "Lighthouse 13.4.1 needs Node.js 22.19", f"lighthouse@{PINNED}"),
    ],
    ids=["broken browser", "no browser", "no node", "no lighthouse", "node too old"],
)
def test_what_is_missing_is_refused_with_the_remedy(
    tmp_path: Path, versions: dict[str, str], said: str, remedy: str
) -> None:
    with pytest.raises(VezaflowError) as refused:
        require_tools(programs(tmp_path, **versions))
    assert refused.value.code is ExitCode.REFUSED
    assert said in refused.value.message
    assert remedy in refused.value.hint
