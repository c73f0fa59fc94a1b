"""The files of a new project, from the templates beside this module.

Laws: a template is a file that people can read as it is; `@NAME@` in it is replaced, nothing more. A line that is only
an `@NAME@` without a text is left out. Knows no disk but its own templates: who writes the texts decides where.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files
from textwrap import indent

from vezaflow import __version__

_PACKAGES = """\
- name: Packages
  run: |
    apt-get update --quiet
    apt-get install --quiet --yes --no-install-recommends python3-venv
"""
# The runner of Forgejo gives each step a page of its own, and shows none of them.
_OWN_PAGE = 'mkdir -p results && GITHUB_STEP_SUMMARY="$PWD/results/page.md"\nexport GITHUB_STEP_SUMMARY'
_SHOW_PAGE = """\

- name: Page
  if: ${{ always() }}
  run: if [ -e results/page.md ]; then cat results/page.md; fi
"""


class Forge(Enum):
    """Whose runners execute the workflow."""

    GITHUB = "github"
    FORGEJO = "forgejo"


@dataclass(frozen=True, slots=True)
class _Runner:
    """What differs between the forges' workflows."""

    folder: str
    words: Mapping[str, str]


_RUNNERS = {
    Forge.GITHUB: _Runner(
        ".github/workflows",
        {
            "RUNNER": "ubuntu-latest",
            "UPLOAD": "actions/upload-artifact@v4",
            "PACKAGES": "",
            "PAGE": "",
            "SHOW_PAGE": "",
        },
    ),
    Forge.FORGEJO: _Runner(
        ".forgejo/workflows",
        {
            "RUNNER": "docker",
            "UPLOAD": "forgejo/upload-artifact@v4",
            "PACKAGES": _PACKAGES,
            "PAGE": _OWN_PAGE,
            "SHOW_PAGE": _SHOW_PAGE,
        },
    ),
}
_PINNED = f"'vezaflow[postgres]=={__version__}'"
_CHECKOUT = "'.[postgres]' --constraint constraints.txt"
_TRACK = {
    "TRACK": "STREAM_TRACK_ID: ${{ vars.STREAM_TRACK_ID }}",
    "TRACK_SETTING": "#   variable STREAM_TRACK_ID    the UUID of a seeded track",
}
_NO_TRACK = dict.fromkeys(_TRACK, "")


def project_files(forge: Forge) -> dict[str, str]:
    """The texts of a new project, by their paths in it."""
    return {
        "flows/suite.yml": _rendered("flows/suite.yml"),
        "flows/browse.yml": _rendered("flows/browse.yml"),
        "flows/account.yml": _rendered("flows/account.yml"),
        ".pre-commit-config.yaml": _rendered("pre-commit-config.yaml", {"VERSION": __version__}),
        f"{_RUNNERS[forge].folder}/loadtest.yml": _workflow(forge, {"INSTALL": _PINNED, **_NO_TRACK}),
    }


def shipped_workflow() -> str:
    """The workflow of vezaflow's own repository, which runs the suite that ships from the checkout."""
    return _workflow(Forge.GITHUB, {"INSTALL": _CHECKOUT, **_TRACK})


def _workflow(forge: Forge, words: Mapping[str, str]) -> str:
    return _rendered("loadtest.yml", {**_RUNNERS[forge].words, **words})


def _rendered(name: str, words: Mapping[str, str] | None = None) -> str:
    text = files("vezaflow.project").joinpath("templates", name).read_text(encoding="utf-8")
    for word, value in (words or {}).items():
        text = "".join(_line(line, f"@{word}@", value) for line in text.splitlines(keepends=True))
    return text


def _line(line: str, mark: str, value: str) -> str:
    if line.strip() != mark:
        return line.replace(mark, value)
    margin = line[: line.index(mark)]
    return indent(f"{value}\n" if value else "", margin)
