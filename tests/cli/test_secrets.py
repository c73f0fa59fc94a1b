"""A secret appears in no output, whatever way it travels."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from program import Done, Write, vezaflow
from secret_values import SECRETS, WRITINGS
from served import QuietHandler, served

pytestmark = pytest.mark.slow

TOKEN = "tok-3n/+secret=42"

FLOW = """
load: {vus: 1, duration: 1s}
vars: {copy: "${env.USER_TOKEN}"}
steps:
  - get: /api/v1/users/me
    name: in the header
    auth: {bearer: "${env.USER_TOKEN}"}
    on_failure: continue
  - get: /api/v1/tracks/${copy}
    name: in the path
    on_failure: continue
  - get: /api/v1/tracks/search
    name: in the query
    query: {q: "${copy}"}
    expect: {json: {$.data: "${copy}"}}
    on_failure: continue
  - post: /api/v1/auth/login
    name: in the body
    json: {email: "${copy}", password: "${base64(copy)}"}
    on_failure: continue
  - get: /api/v1/tracks/search
    name: near what was asked
    query: {q: "${copy}"}
    extract: {nothing: $.dataa}
    on_failure: continue
  - log: ${nothing ?? 1}
  - set: {shown: "${copy}"}
  - log: the token is ${shown}
  - get: /api/v1/health
    expect: {that: 'shown == "other"'}
think: 100ms
gates: {http_req_failed: rate < 1 %}
"""


def leaks(text: str) -> list[str]:
    ours = re.compile("secrets|a secret|secret in a URL|hard-coded secret|suite")  # words of messages and files
    return [line for line in text.splitlines() if "secret" in ours.sub("", line)]


def test_what_is_wrong_before_the_run_does_not_show_it(suite: Write) -> None:
    wrong = 'load: {vus: "${env.USER_TOKEN}", duration: 1s}\nsteps: [{get: "${env.USER_TOKEN}"}]'
    done = vezaflow("run", suite(wrong, "secrets: [USER_TOKEN]"), env={"USER_TOKEN": TOKEN})
    assert done.code == 2, done.text
    assert "•••" in done.err
    assert leaks(done.text) == []


@pytest.fixture
def artifacts(suite: Write, tmp_path: Path) -> tuple[Done, Done, str]:
    folder = suite(FLOW, "secrets: [USER_TOKEN]")
    kept = tmp_path / "kept"
    page = tmp_path / "page.md"
    words = ("--summary", kept / "summary.json", "--junit", kept / "junit.xml")
    env = {"USER_TOKEN": TOKEN, "GITHUB_STEP_SUMMARY": str(page), "XDG_STATE_HOME": str(tmp_path / "state")}
    ran = vezaflow("run", folder, *words, env=env)
    tried = vezaflow("try", folder / "flow.yml", "--full", "--html", kept / "trace.html", env=env)
    recordings = (tmp_path / "state" / "vezaflow" / "try").iterdir()
    files = "".join(path.read_text() for path in (*sorted(kept.iterdir()), page, *recordings))
    return ran, tried, files


def test_no_artifact_of_a_run_holds_the_secret(artifacts: tuple[Done, Done, str]) -> None:
    ran, tried, files = artifacts
    assert ran.code == 99, ran.text
    assert "in the path" in files
    assert leaks(ran.text) == []
    assert leaks(tried.text) == []
    assert leaks(files) == []


def test_a_replay_that_is_given_the_secret_shows_and_keeps_it_no_more_than_the_first(
    suite: Write, tmp_path: Path
) -> None:
    folder, env = suite(FLOW, "secrets: [USER_TOKEN]"), {"USER_TOKEN": TOKEN, "XDG_STATE_HOME": str(tmp_path / "s")}
    vezaflow("try", folder, env=env)
    done = vezaflow("try", folder, "--replay", env=env)
    assert "not as recorded" not in done.out
    assert leaks(done.text) == []


FRESH = """
steps:
  - post: /api/v1/auth/login
    name: login
    json: {email: listener@veza.fr, password: sandbox}
    extract: {token: $.token}
  - get: /api/v1/users/me
    name: me
    auth: {bearer: "${token}"}
gates: {http_req_failed: rate < 1 %}
"""


def test_what_a_login_answers_is_not_kept(suite: Write, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    done = vezaflow("try", suite(FRESH), "--full", "--html", page, env=env)
    assert done.code == 0, done.text
    token = done.out.partition('  token = "')[2].partition('"')[0]
    assert len(token) > 8
    (recording,) = (tmp_path / "state" / "vezaflow" / "try").iterdir()
    replayed = tmp_path / "replayed.html"
    vezaflow("try", suite(FRESH), "--replay", "--html", replayed, env=env)
    for file in (recording, page, replayed):
        text = file.read_text()
        assert "login" in text
        assert token not in text
        assert re.search(r"password[^,]*sandbox", text) is None


THROUGH = """
load: {vus: 1, duration: 1s}
steps:
  - get: /api/v1/health
    name: near
  - get: /api/v1/health
    name: far
    http: {proxy: "http://ann:${env.WORD}@127.0.0.1:9"}
    on_failure: continue
  - get: https://127.0.0.1:9/
    name: tunnel
    http: {proxy: "${env.PROXY}"}
    on_failure: continue
think: 100ms
gates: {http_req_failed: rate < 1 %}
"""


def test_the_credentials_of_a_step_s_proxy_are_shown_nowhere_though_no_suite_names_them(
    suite: Write, tmp_path: Path
) -> None:
    folder, kept = suite(THROUGH), tmp_path / "kept"
    proxy = "http://ben:tok-secret-43@127.0.0.1:9"
    env = {"WORD": "tok-secret-42", "PROXY": proxy, "XDG_STATE_HOME": str(tmp_path / "state")}
    words = ("--summary", kept / "summary.json", "--junit", kept / "junit.xml")
    done = [
        vezaflow("run", folder, *words, env=env),
        vezaflow("try", folder / "flow.yml", "--full", "--html", kept / "trace.html", env=env),
        vezaflow("explain", folder, env=env),
    ]
    assert [one.code for one in done] == [99, 99, 0], [one.text for one in done]
    assert "far" in done[0].text
    recordings = (tmp_path / "state" / "vezaflow" / "try").iterdir()
    texts = [one.text for one in done] + [path.read_text() for path in (*sorted(kept.iterdir()), *recordings)]
    assert [line for text in texts for line in leaks(text)] == []


def test_the_mask_stands_where_the_secret_was(artifacts: tuple[Done, Done, str]) -> None:
    ran, tried, _ = artifacts
    assert "the token is •••" in ran.err
    assert "•••" in tried.out


PASSWORDS = ("pa55/+word one", "pa55/+word two")
FROM_DATA = """
load: {vus: 2, duration: 1s}
data: {users: {csv: data/users.csv, pick: per_vu, secrets: [password]}}
vars: {copy: "${users.password}"}
login:
  - post: /api/v1/auth/login
    json: {email: "${users.email}", password: "${users.password}"}
    on_failure: continue
steps:
  - log: ${users} and ${copy}
  - get: /api/v1/tracks/${copy}
    expect: {that: copy == "x"}
    on_failure: continue
think: 300ms
gates: {http_req_failed: rate < 1 %}
"""


def test_secret_columns_of_a_data_source_are_in_no_output(suite: Write, tmp_path: Path) -> None:
    folder, kept, state = suite(FROM_DATA), tmp_path / "kept", tmp_path / "state"
    (folder / "data").mkdir()
    rows = "".join(f'{number}@example.org,"{word}"\n' for number, word in enumerate(PASSWORDS))
    (folder / "data" / "users.csv").write_text("email,password\n" + rows)
    kept.mkdir()
    env = {"XDG_STATE_HOME": str(state)}
    ran = vezaflow("run", folder, "--segment", "1/1", "--summary", kept / "summary.json", env=env)
    tried = vezaflow("try", folder, "--full", "--html", kept / "trace.html", env=env)
    told = vezaflow("explain", folder, env=env)
    files = "".join(path.read_text() for path in (*kept.iterdir(), *(state / "vezaflow" / "try").iterdir()))
    everything = ran.text + tried.text + told.text + files
    assert "0@example.org" in tried.text
    assert "•••" in tried.text
    assert "•••" in ran.text
    for password in PASSWORDS:
        forms = (password, quote(password), quote(password, safe=""), b64encode(password.encode()).decode())
        assert [form for form in forms if form in everything] == []


class Echo(QuietHandler):
    """Says in many writings what it was sent, after what fills a line."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        way, _, filled = unquote(self.path).strip("/").partition("/")
        said = ("x" * int(filled or 0) + " " + WRITINGS[way](body)).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(said)))
        self.send_header("x-echo", body.encode().decode("latin-1").replace("\r", " ").replace("\n", " "))
        self.end_headers()
        self.wfile.write(said)


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    with served(Echo) as port:
        yield f"http://127.0.0.1:{port}"


ASKED = "\n".join(
    f"  - {{post: '/{quote(way)}/{filled}', name: '{way} {filled}', body: '${{env.TOKEN}}', "
    "extract: {v: {regex: '(no such word)'}}}"
    for way in WRITINGS
    for filled in (0, 50)
)


@settings(
    max_examples=2, phases=[Phase.generate], deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(secret=SECRETS)
def test_no_artifact_holds_a_secret_that_a_server_echoes(echo: str, suite: Write, tmp_path: Path, secret: str) -> None:
    folder = suite(
        f"load: {{executor: per-vu-iterations, vus: 1, iterations: 1}}\non_failure: continue\nsteps:\n{ASKED}\n"
        "gates: {http_req_failed: rate < 1 %}",
        "secrets: [TOKEN]",
    )
    page = tmp_path / "page.md"
    page.unlink(missing_ok=True)
    env = {"TOKEN": secret, "GITHUB_STEP_SUMMARY": str(page), "XDG_STATE_HOME": str(tmp_path / "state")}
    kept = tmp_path / "kept"
    at = ("--base-url", echo)
    share, whole = kept / "share.json", kept / "whole.json"
    ran = vezaflow("run", folder, "--summary", whole, "--junit", kept / "junit.xml", *at, env=env)
    vezaflow("run", folder, *at, "--segment", "1/1", "--summary", share, env=env)
    tried = vezaflow("try", folder / "flow.yml", *at, "--html", kept / "trace.html", env=env)
    assert (ran.code, tried.code) == (99, 99), ran.text + tried.text
    json.loads(whole.read_text())
    json.loads(share.read_text())
    recordings = (tmp_path / "state" / "vezaflow" / "try").iterdir()
    texts = {path.name: path.read_text() for path in (*kept.iterdir(), page, *recordings)}
    texts |= {"run": ran.text, "try": tried.text}
    pieces = {write(secret) for write in WRITINGS.values()} | {word for word in secret.split() if len(word) >= 8}
    assert [(name, piece) for name, text in texts.items() for piece in pieces if piece in text] == []


def test_a_secret_that_can_t_be_masked_is_refused_before_anything_is_sent(suite: Write) -> None:
    folder = suite("load: {vus: 1, duration: 1s}\nsteps: [{get: '/${env.TOKEN}'}]", "secrets: [TOKEN]")
    for value in ("x7Q", "true", "0000"):
        done = vezaflow("run", folder, env={"TOKEN": value})
        assert done.code == 2, done.text
        assert "VF706" in done.err
        assert "choose a longer one, or remove it from `secrets`" in done.err


def test_the_first_lines_of_a_secret_of_many_lines_are_in_no_help(echo: str, suite: Write, tmp_path: Path) -> None:
    key = "\n".join(["-----BEGIN KEY-----", *(f"{'0' * 12}{number}" for number in range(5)), "-----END KEY-----"])
    for way in ("as it is", "line by line", "HTML"):
        extract = "extract: {v: {regex: '(z)'}}"
        step = f"{{post: '/{quote(way)}/0', body: '${{env.TOKEN}}', on_failure: continue, {extract}}}"
        folder = suite(f"steps: [{step}]", "secrets: [TOKEN]")
        page = tmp_path / "trace.html"
        done = vezaflow("try", folder, "--base-url", echo, "--html", page, env={"TOKEN": key})
        assert "the text starts with" in done.text
        assert [line for line in (done.text + page.read_text()).splitlines() if "0" * 12 in line] == []
