"""What an audit's pages are asked for with: no credential stands on the command line of Lighthouse."""

import json
from pathlib import Path

import pytest
from listener import Answer, listener

from vezaflow.diagnostics import Diagnostics, render_text
from vezaflow.plan import Inputs, plan_audit
from vezaflow.read import read_suite
from vezaflow.session.auditing import visit

pytestmark = pytest.mark.trio
SUITE = "suite: web\nbase_url: ${env.BASE_URL}\n"
FLOW = "flow: f\nload: {vus: 1, duration: 1s}\nsteps: [{get: /}]\n"
PAGES = """
login:
  - post: /login
    json: {user: a}
    extract: {session_token: $.first, t: $.second, order: $.order}
pages:
  none: /
  order: /orders/${order}
  named: /me/${session_token}
  told: /me?access_token=${t}
  elsewhere: /me/${t}
gates: {lighthouse.performance: score >= 1}
"""


async def test_a_url_with_a_credential_of_login_is_not_put_on_a_command_line(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    for name, text in {"suite.yml": SUITE, "flow.yml": FLOW, "audit/pages.yml": PAGES}.items():
        (tmp_path / name).write_text(text)
    diagnostics = Diagnostics()
    suite = read_suite([tmp_path], diagnostics)
    assert suite is not None, render_text(diagnostics.items)
    body = {"first": "hJ7kQ2vX9mR4", "second": "pW3zT8bN5cY6", "order": "o-4711-2026"}
    with listener(login=[Answer(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})]) as web:
        audit = plan_audit(suite, suite.audit_files[0], Inputs({"BASE_URL": web.url}), diagnostics)
        assert audit is not None, render_text(diagnostics.items)
        found = await visit(audit)
    problems = dict(zip((page.name for page in audit.pages), found.problems, strict=True))
    assert problems == {
        "none": "",
        "order": "",
        "named": "its URL holds 'session_token' of `login`, which every user of this machine could read: use a cookie",
        "told": "its URL holds 't' of `login`, which every user of this machine could read: use a cookie",
        "elsewhere": "",
    }
