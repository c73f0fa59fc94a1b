"""Two suites are the same test when they mean the same, and what differs is said in words."""

from pathlib import Path

import pytest

from vezaflow.lint import lint
from vezaflow.model import Identity, identity_of

FLOW = """\
flow: browse
load: {vus: 2, duration: 10s}
steps:
  - get: /search
    name: search
    query: {q: "${env.TERM ?? 'x'}"}
  - think: 0.3s
gates:
  http_req_duration: p(95) < 300 ms
"""
SUITE = "suite: s\nbase_url: http://127.0.0.1:1\n"


def identity(folder: Path, flow: str = FLOW, suite: str = SUITE) -> Identity:
    folder.mkdir(exist_ok=True)
    (folder / "suite.yml").write_text(suite)
    (folder / "browse.yml").write_text(flow)
    read, diagnostics = lint([folder])
    assert read is not None
    assert not diagnostics.failed, diagnostics.items
    return identity_of(read)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("steps:", "# what they do\nsteps:"),
        ("load: {vus: 2, duration: 10s}", "load:\n  duration: 10s\n  vus: 2"),
        ("think: 0.3s", "think: 300 ms"),
        ("p(95) < 300 ms", "p(95)<0.3s"),
        ("${env.TERM ?? 'x'}", "${ env.TERM   ?? 'x' }"),
        ("flow: browse", "flow: browse\ndescription: People look round."),
    ],
)
def test_layout_comments_and_units_change_nothing(tmp_path: Path, old: str, new: str) -> None:
    assert old in FLOW
    changed = FLOW.replace(old, new)
    assert identity(tmp_path / "a").digest == identity(tmp_path / "b", changed).digest


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("vus: 2", "vus: 3", "browse: load changed"),
        ("< 300 ms", "< 400 ms", "browse: gate http_req_duration changed"),
        ("/search\n", "/find\n", "browse: step search changed"),
        ("think: 0.3s", "think: 0.4s", "browse: steps changed"),
        ("name: search", "name: find", "browse: step find is new"),
        ("'x'", "'y'", "browse: step search changed"),
    ],
)
def test_what_changed_is_said(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in FLOW
    before, now = identity(tmp_path / "a"), identity(tmp_path / "b", FLOW.replace(old, new))
    assert now.digest != before.digest
    assert words in now.changes(before)


def test_who_may_be_loaded_and_what_is_masked_change_nothing(tmp_path: Path) -> None:
    guarded = f"{SUITE}guard: {{allow: [staging.veza.fr]}}\nsecrets: [TERM]\n"
    assert identity(tmp_path / "a").digest == identity(tmp_path / "b", suite=guarded).digest


def test_rows_of_data_count(tmp_path: Path) -> None:
    flow = f"{FLOW}data: {{people: {{csv: people.csv}}}}\n".replace("'x'", "people.name")
    flow = flow.replace("env.TERM ?? ", "")
    digests = set()
    for name, rows in (("a", "name\nAda\n"), ("b", "name\nGrace\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "people.csv").write_text(rows)
        digests.add(identity(tmp_path / name, flow).digest)
    assert len(digests) == 2


def test_the_shipped_suites_are_unlike_each_other() -> None:
    flows = Path(__file__).parents[2] / "flows"
    folders = [flows, *(suite.parent for suite in flows.glob("*/suite.yml"))]
    read = [lint([folder], base_url=True)[0] for folder in folders]
    assert len({identity_of(suite).digest for suite in read if suite is not None}) == len(folders)
