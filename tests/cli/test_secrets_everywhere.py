"""Secrets of every kind, told back by a server in every place: no file, stream or reply of a command holds one."""

import json
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

import pytest
from kept_cells import cells
from program import vezaflow
from served import QuietHandler, served

pytestmark = pytest.mark.slow


class Mirror(QuietHandler):
    """Tells what it was sent, in the place that the path's beginning names."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        token = self.rfile.read(length).decode() or self.headers.get("x-token") or unquote(self.path).partition("~")[2]
        scheme, _, pair = (self.headers.get("authorization") or "").partition(" ")
        if scheme == "Basic":
            token = b64decode(pair).decode()
        line = token.encode().decode("latin-1").replace("\n", " ")
        place = self.path.split("/")[-1].partition("~")[0].partition("?")[0]
        headers, body, reason, status = [], b"{}", "OK", 200
        match place:
            case "reason":
                reason, status = line, 500
            case "header":
                headers = [("x-echo", line), ("x-percent", quote(token)), ("www-authenticate", f'Bearer r="{line}"')]
            case "json":
                body = json.dumps({"token": token, token: [token, {"deep": f"a {token} b"}]}).encode()
            case "html":
                body = f'<html><a href="/?q={quote_plus(token)}" title="{escape(token)}">{escape(token)}</a>'.encode()
            case "xml":
                body = f'<?xml version="1.0"?><r a="{escape(token)}"><t>{escape(token)}</t></r>'.encode()
            case "location":
                headers, status = [("location", f"/json~{quote(token, safe='')}?back={quote_plus(token)}")], 302
            case "cookie":
                headers = [("set-cookie", f"{name}; Path=/") for name in (f"a={quote(token, safe='')}", f"b={line}")]
            case _:
                body = f"{token} {b64encode(f'user:{token}'.encode()).decode()} {token.upper()}".encode()
        self.send_response(status, reason)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-type", {"html": "text/html", "xml": "application/xml"}.get(place, "application/json"))
        if place == "trailer":
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            trailer = f"x-trailer: {line}\r\n\r\n".encode("latin-1")
            self.wfile.write(b"%x\r\n%s\r\n0\r\n%s" % (len(body), body, trailer))
            return
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 (the name that http.server calls)


@pytest.fixture(scope="module")
def mirror() -> Iterator[str]:
    with served(Mirror) as port:
        yield f"127.0.0.1:{port}"


PLACES = ("reason", "header", "json", "html", "xml", "location", "cookie", "trailer", "text")
STEPS = "".join(
    f"""
  - post: /{place}
    name: {place} of a body
    body: ${{env.TOKEN}}
    expect: {{status: 418, headers: {{x-echo: nope}}, body: {{contains: nope}}}}
    extract: {{v: {{regex: "(no such text)"}}, w: {{header: x-none}}}}
  - get: /{place}
    name: {place} of a header
    headers: {{x-token: "${{urlencode(env.TOKEN)}}"}}
    expect: {{json: {{$.token: nope}}}}
  - get: /{place}
    name: {place} of a pair
    auth: {{basic: {{user: ann, password: "${{env.TOKEN}}"}}}}
    expect: {{that: 'json("$.tokenn") == upper(env.TOKEN)'}}"""
    for place in PLACES
)
FLOW = f"""
load: {{executor: per-vu-iterations, vus: 2, iterations: 1}}
on_failure: continue
data: {{users: {{csv: data/users.csv, pick: per_vu, secrets: [word]}}}}
vars: {{copy: "${{env.TOKEN}}", pair: {{a: ["${{env.TOKEN}}"]}}}}
steps:
  - set:
      joined: ${{concat("x-", env.TOKEN, "-x")}}
      loud: ${{upper(env.TOKEN)}}
      packed: ${{base64(env.TOKEN)}}
      behind: ${{base64(concat("ab", env.TOKEN, "yz"))}}
      encoded: ${{urlencode(env.TOKEN)}}
      written: ${{json_encode(pair)}}
      row: ${{users.word}}
  - log: ${{joined}} ${{loud}} ${{packed}} ${{behind}} ${{encoded}} ${{written}} ${{row}} ${{users}} ${{pair}}
  - get: /text~${{raw(encoded)}}
    name: in the path
    query: {{joined: "${{joined}}", loud: "${{loud}}", packed: "${{packed}}", behind: "${{behind}}"}}
    expect: {{that: 'loud == "x"', body: {{contains: nope}}}}
  - get: http://127.0.0.1:9/${{env.TOKEN}}
    name: refused
    expect: 200
  - get: ${{row}}
    name: no URL
  - get: /text~${{users.word}}
    name: a row
    expect: {{that: users.word == written}}
  - get: http://127.0.0.1:9/
    name: through a proxy
    http: {{proxy: "http://ann:${{env.PROXY_WORD}}@127.0.0.1:9"}}
  - {{log: "${{json_encode(env.TOKEN)}} ${{int(row)}}"}}{STEPS}
gates: {{http_req_failed: rate < 1 %, "checks{{flow:flow}}": rate > 99 %}}
"""
SUITE = """
suite: mirrored
base_url: ${env.TARGET}
secrets: [TOKEN, PROXY_WORD, TARGET]
setup: [{post: /header, name: at first, body: "${env.TOKEN}"}, {log: "setup ${env.TOKEN}"}]
teardown: [{get: "/json~${env.TOKEN}", name: at last, expect: {json: {$.token: nope}}}]
"""


def read_out(path: Path) -> str:
    """What a file says; of a history or a page also what is unpacked of it."""
    text = path.read_bytes().decode(errors="replace")
    if path.suffix == ".db":
        text += "\n".join(cell.decode(errors="replace") for cell in cells(path))
    if packed := re.search(r'\{"deflated":"([^"]+)"\}', text):
        text += zlib.decompress(b64decode(packed[1])).decode()
    return text


def spellings(secret: str) -> set[str]:
    """What nobody may find, by the standard library alone."""
    data = secret.encode()
    bits = [b64encode(data)[: len(data) * 4 // 3], *(b64encode(b"x" * n + data)[4:-4] for n in (1, 2))]
    return {
        secret,
        secret.upper(),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        quote(secret, safe="").lower(),
        quote(quote(secret, safe=""), safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        escape(secret),
        escape(json.dumps(secret)[1:-1]),
        data.decode("latin-1"),
        data.hex(),
        *(piece.decode() for piece in bits),
    }


@pytest.mark.parametrize(
    ("token", "row", "word"),
    [
        ("tok3n/+S€cr7t\"<&'x=", "p4ss,w%rd&<1>", "pr0xy:w@rd/9"),
        ("plainToken0123456789abcdef", "rowsword88", "proxyword77"),
    ],
)
def test_no_command_shows_a_secret(mirror: str, tmp_path: Path, token: str, row: str, word: str) -> None:
    suite, kept, state = tmp_path / "suite", tmp_path / "kept", tmp_path / "state"
    for folder in (suite / "data", kept, state):
        folder.mkdir(parents=True)
    (suite / "suite.yml").write_text(SUITE)
    (suite / "flow.yml").write_text(FLOW)
    quoted = row.replace('"', '""')
    (suite / "data" / "users.csv").write_text(f'name,word\nann,"{quoted}"\nben,"{quoted}2"\n')
    way = "b4sePath77xyz"
    env = {
        "TOKEN": token,
        "PROXY_WORD": quote(word, safe=""),
        "TARGET": f"http://{mirror}/{way}",
        "GITHUB_STEP_SUMMARY": str(kept / "step.md"),
        "GITHUB_ACTIONS": "true",
        "XDG_STATE_HOME": str(state),
    }
    pages = [kept / f"{name}.html" for name in ("tried", "replayed")]
    done = [
        vezaflow("lint", suite, env=env),
        vezaflow("explain", suite, env=env),
        vezaflow(
            "run",
            suite,
            "--summary",
            kept / "one.json",
            "--junit",
            kept / "one.xml",
            "--html",
            kept / "one.html",
            env=env,
        ),
        vezaflow("run", suite, "--workers", "2", "--summary", kept / "two.json", env=env),
        vezaflow("run", suite, "--segment", "1/2", "--seed", "7", "--summary", kept / "half.json", env=env),
        vezaflow("run", suite, "--segment", "2/2", "--seed", "7", "--summary", kept / "rest.json", env=env),
        vezaflow(
            "merge",
            kept / "half.json",
            kept / "rest.json",
            "--junit",
            kept / "merged.xml",
            "--html",
            kept / "merged.html",
            env=env,
        ),
        vezaflow("try", suite, "--full", "--html", pages[0], env=env),
        vezaflow("try", suite, "--replay", "--full", "--html", pages[1], env=env),
    ]
    assert [one.code for one in done] == [0, 0, 99, 99, 98, 98, 99, 99, 99], done[6].text
    assert not any("Traceback" in one.text for one in done)
    files = [path for folder in (kept, state) for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 9
    texts = {path.name: read_out(path) for path in files} | {str(n): one.text for n, one in enumerate(done)}
    secrets = (token, row, f"{row}2", word, way)
    pieces = {piece for secret in secrets for piece in spellings(secret)}
    assert [(name, piece) for name, text in texts.items() for piece in pieces if piece in text] == []
    assert all("•••" in texts[name] for name in ("tried.html", "replayed.html", "one.json", "step.md"))
    json.loads(texts["one.json"])
