"""A run reads no audits that it does not make, and takes nothing for unused that they may use."""

from pathlib import Path

from vezaflow.diagnostics import Diagnostic
from vezaflow.session import read

SUITE = "base_url: http://127.0.0.1\nsecrets: [PASSWORD]\n"
FLOW = "flow: browse\nload: {vus: 1, duration: 1s}\nsteps: [get: /]\ngates: {http_req_failed: rate < 1 %}\n"
AUDIT = """
audit: pages
login: [{post: /login, json: {password: "${env.PASSWORD}"}}]
pages: {home: /}
gates: {lighthouse.performance: score >= 50}
"""


def warnings(folder: Path) -> list[str]:
    found: list[Diagnostic] = []
    read([folder], warn=found.extend)
    return [each.code for each in found]


def test_a_secret_of_an_audit_that_no_run_makes_is_not_called_unused(tmp_path: Path) -> None:
    (tmp_path / "suite.yml").write_text(SUITE)
    (tmp_path / "browse.yml").write_text(FLOW)
    assert warnings(tmp_path) == ["VF308"]
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "pages.yml").write_text(AUDIT)
    assert warnings(tmp_path) == []
