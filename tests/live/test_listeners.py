"""A listener on real sockets: a rendition that becomes slow is given up in the middle of a segment."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vezaflow.metrics import Summary
from vezaflow.plan import Bundle, Division, Inputs
from vezaflow.session import prepare, read, run

RATES = (32, 64, 256, 1024)
SECONDS = 2


class Streamer(BaseHTTPRequestHandler):
    """Four variants of segments of 2 s. From its third segment on the highest comes at a tenth of its speed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/master.m3u8":
            body = "#EXTM3U\n" + "".join(f"#EXT-X-STREAM-INF:BANDWIDTH={rate}000\n{rate}.m3u8\n" for rate in RATES)
            self.send(body.encode())
        elif self.path.endswith(".m3u8"):
            listed = "".join(f"#EXTINF:{SECONDS},\n{self.path[1:-5]}/{number}\n" for number in range(8))
            self.send(f"#EXTM3U\n#EXT-X-TARGETDURATION:{SECONDS}\n{listed}#EXT-X-ENDLIST\n".encode())
        else:
            rate, number = map(int, self.path[1:].split("/"))
            self.send(bytes(rate * 1000 // 8 * SECONDS), slow=rate == RATES[-1] and number >= 2)

    def send(self, body: bytes, *, slow: bool = False) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        step = len(body) // (SECONDS * 10 * 10) if slow else len(body)
        try:
            for at in range(0, len(body), step):
                self.wfile.write(body[at : at + step])
                if slow:
                    time.sleep(0.1)
        except OSError:
            self.close_connection = True  # the player has given it up

    def log_message(self, *_: object) -> None:
        """No words of its own."""


@contextmanager
def streaming() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Streamer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def heard(folder: Path, url: str, keys: str) -> Summary:
    (folder / "suite.yml").write_text(f"suite: s\nbase_url: {url}\n")
    (folder / "listen.yml").write_text(
        "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
        f"steps: [{{hls: /master.m3u8, name: listen{keys}}}]\ngates: {{hls_stalls: count < 9}}\n"
    )
    suite, inputs = read([folder]), Inputs({})
    plan = prepare(suite, inputs)
    return run(plan, Bundle.of(suite, inputs), Division(), (), lambda _: None).summary


@pytest.mark.slow
def test_a_segment_that_would_empty_the_buffer_is_given_up(tmp_path: Path) -> None:
    with streaming() as url:
        summary = heard(tmp_path, url, ", play: 10s, buffer: 4s")
    abandoned = summary.select("hls_segments_abandoned").aggregate("count")
    assert abandoned is not None
    assert abandoned >= 1  # it comes back to the highest variant as soon as lower ones come fast
    assert summary.select("http_reqs_interrupted").aggregate("count") == abandoned
    assert summary.select("http_req_failed").aggregate("count") == 0
    assert summary.select("hls_bitrate").aggregate("min") < 1024  # type: ignore[operator]
    rebuffering = summary.select("hls_rebuffer_time").aggregate("max")
    assert rebuffering is not None
    assert rebuffering < 2  # to wait for one of the slow segments would have taken 16 s
