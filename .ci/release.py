"""`make release VERSION=0.2.0`: the version and the changelog cut at it, as one commit and its tag.

    python .ci/release.py 0.2.0

Laws: what can't become a release changes nothing, and is said in one line: a version that is malformed or not higher, a
tag that is there, changes that are not committed, a changelog without anything new. bump-my-version does the rest; if
git ends it half-way (no identity, a hook, a signature), everything is as before.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


def main() -> None:
    wanted = " ".join(sys.argv[1:])
    root = subprocess.run(["git", "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=False)
    if root.returncode:
        sys.exit(f"error: a release is a commit and a tag, and git says: {root.stderr.strip()}")
    os.chdir(root.stdout.rstrip("\n"))
    problem = next(_problems(wanted), None)
    if problem is not None:
        sys.exit(f"error: {problem}")
    before = _git("rev-parse", "HEAD")
    try:
        done = subprocess.run([sys.executable, "-m", "bumpversion", "bump", "--new-version", wanted], check=False)
        failed = done.returncode != 0
    except KeyboardInterrupt:  # at the question for a signature's passphrase, say
        failed = True
    if failed:
        _git("reset", "--quiet", "--hard", before)  # nothing of anybody's is lost: there were no changes
        sys.exit("error: no release was made, and nothing is changed: the reason is above")
    sys.stdout.write(f"tagged v{wanted}; push the commit and the tag, and the workflow publishes it\n")


def _problems(wanted: str) -> Iterator[str]:
    numbers = _VERSION.fullmatch(wanted)
    if numbers is None:
        yield f"'{wanted}' is not a version: write three numbers, such as `make release VERSION=0.2.0`"
        return
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    current = project["tool"]["bumpversion"]["current_version"]
    if _numbers(wanted) <= _numbers(current):
        yield f"{wanted} is not higher than {current}, the version that this is"
    if _git("tag", "--list", f"v{wanted}"):
        yield f"the tag v{wanted} exists"
    if changes := _git("status", "--porcelain"):
        yield f"there are changes that are not committed:\n{changes}"
    if not _unreleased(Path("CHANGELOG.md").read_text(encoding="utf-8")):
        yield "CHANGELOG.md has nothing under Unreleased: write what users will notice"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.rstrip()


def _unreleased(changelog: str) -> bool:
    """Whether there is an entry under it."""
    section = changelog.partition("\n## Unreleased\n")[2].partition("\n## ")[0]
    return any(line.startswith("- ") for line in section.splitlines())


if __name__ == "__main__":
    main()
