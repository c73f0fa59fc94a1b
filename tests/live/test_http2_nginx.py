"""HTTP/2 from YAML to the exit code, against nginx: whole flows, uploads, and its graceful GOAWAY."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from nginx import needs_nginx, nginx
from ports import free_port

pytestmark = [pytest.mark.slow, needs_nginx]
KEPT = 50  # requests of a connection, after which nginx says GOAWAY
STREAMS = 128  # that nginx takes at the same time
HTTP = """
  log_format short '$server_protocol $connection'; access_log {root}/access.log short;
  client_max_body_size 20m; keepalive_requests {kept}; http2_max_concurrent_streams {streams};
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {root}/server.pem; ssl_certificate_key {root}/server.pem;
    location / {{ default_type application/json; return 200 '{{"protocol": "$server_protocol"}}'; }}
    location /upload {{ proxy_pass http://127.0.0.1:{behind}; }}
  }}
  server {{ listen 127.0.0.1:{behind}; access_log off; location / {{ return 201; }} }}
"""
FLOW = """
load: {executor: shared-iterations, vus: 8, iterations: 160, max_duration: 30s}
steps:
  - get: /tracks
    expect: {status: 200, json: {$.protocol: HTTP/2.0}}
  - post: /upload
    body: {bytes: 300 KiB}
    expect: 201
pace: 50ms
gates: {http_req_failed: rate == 0 %, iterations: count == 160}
"""


@pytest.fixture
def suite(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A suite whose base_url is an nginx that speaks HTTP/2. A parameter: KEPT and STREAMS."""
    kept, streams = getattr(request, "param", (KEPT, STREAMS))
    ca, root = trustme.CA(), tmp_path / "nginx"
    root.mkdir()
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(root / "server.pem"))
    folder = tmp_path / "suite"
    folder.mkdir()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    (folder / "flow.yml").write_text(FLOW)
    with nginx(root, HTTP, behind=free_port(), kept=kept, streams=streams) as port:
        (folder / "suite.yml").write_text(
            f"base_url: https://127.0.0.1:{port}\nhttp: {{version: 2}}\ntls: {{ca: ca.pem}}\n"
        )
        yield folder


def run(suite: Path) -> list[tuple[str, str]]:
    """Run the suite, whose gates hold; the protocol and the connection of each request that nginx has served. Whether a
    busy machine kept up with it in that second is of no interest here."""
    command = [sys.executable, "-m", "vezaflow", "run", str(suite)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 98), done.stdout + done.stderr
    gates = [line.split()[0] for line in done.stdout.splitlines() if "rate ==" in line or "count ==" in line]
    assert gates == ["held", "held"], done.stdout
    lines = (suite.parent / "nginx" / "access.log").read_text().splitlines()
    return [(protocol, connection) for protocol, connection in map(str.split, lines)]


def test_a_flow_over_http_2_is_green_however_often_the_server_lets_connections_go(suite: Path) -> None:
    served = run(suite)
    assert len(served) == 320
    assert {protocol for protocol, _ in served} == {"HTTP/2.0"}
    assert 320 / KEPT <= len({connection for _, connection in served}) <= 320 / KEPT + 8


def test_each_iteration_may_have_a_connection_of_its_own(suite: Path) -> None:
    flow = FLOW.replace("160", "20") + "http: {connections: per_iteration}\n"
    (suite / "flow.yml").write_text(flow)
    served = run(suite)
    assert len(served) == 40
    assert len({connection for _, connection in served}) == 20


def test_what_a_user_asks_for_at_the_same_time_shares_its_connection(suite: Path) -> None:
    """Also where the server lets connections go in the middle of it."""
    branches = ", ".join("{get: /tracks, expect: 200}" for _ in range(9))
    upload = "{upload: /upload, of: 300 KiB, part: 100 KiB, at_once: 3, expect: 201}"
    flow = "load: {executor: shared-iterations, vus: 4, iterations: 60, max_duration: 30s}\n"
    flow += f"steps: [{{parallel: [{branches}, {upload}]}}]\npace: 60ms\n"
    (suite / "flow.yml").write_text(flow + "gates: {http_req_failed: rate == 0 %, iterations: count == 60}\n")
    served = run(suite)
    assert len(served) == 60 * 12
    assert {protocol for protocol, _ in served} == {"HTTP/2.0"}
    assert 720 / KEPT <= len({connection for _, connection in served}) <= 720 / KEPT + 6


@pytest.mark.parametrize("suite", [(1000, 2)], indirect=True)
def test_what_begins_at_the_same_time_waits_until_the_server_takes_it(suite: Path) -> None:
    """Also on a connection that is new to all of it."""
    branches = ", ".join("{get: /tracks, expect: 200}" for _ in range(6))
    flow = f"load: {{executor: per-vu-iterations, vus: 20, iterations: 2}}\nsteps: [{{parallel: [{branches}]}}]\n"
    (suite / "flow.yml").write_text(flow + "gates: {http_req_failed: rate == 0 %, http_reqs: count == 240}\n")
    served = run(suite)
    assert len({connection for _, connection in served}) == 20


@pytest.mark.parametrize("suite", [(5, STREAMS)], indirect=True)
def test_none_fails_where_more_are_on_their_way_than_a_connection_is_for(suite: Path) -> None:
    """Each connection takes five of twenty and leaves out the others, some of them three times."""
    branches = ", ".join("{get: /tracks, expect: 200}" for _ in range(20))
    flow = f"load: {{executor: per-vu-iterations, vus: 4, iterations: 3}}\nsteps: [{{parallel: [{branches}]}}]\n"
    (suite / "flow.yml").write_text(flow + "gates: {http_req_failed: rate == 0 %, http_reqs: count == 240}\n")
    assert len(run(suite)) == 240
