"""A listener on real sockets: a rendition that becomes slow is given up in the middle of a segment, also with sound of
its own; playlists come compressed."""

import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from served import QuietHandler, served

from vezaflow.metrics import Summary
from vezaflow.plan import Bundle, Division, Inputs
from vezaflow.session import prepare, read, run

RATES = (32, 64, 256, 1024)
SECONDS = 2


class Streamer(QuietHandler):
    """Four variants of segments of 2 s. From its third segment on the highest comes at a tenth of its speed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path in ("/master.m3u8", "/apart.m3u8"):
            sound = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,URI="16.m3u8"\n'
            group = ',AUDIO="a"' if self.path == "/apart.m3u8" else ""
            lines = (f"#EXT-X-STREAM-INF:BANDWIDTH={rate}000{group}\n{rate}.m3u8\n" for rate in RATES)
            self.send(f"#EXTM3U\n{sound if group else ''}{''.join(lines)}".encode())
        elif self.path.endswith(".m3u8"):
            listed = "".join(f"#EXTINF:{SECONDS},\n{self.path[1:-5]}/{number}\n" for number in range(8))
            text = f"#EXTM3U\n#EXT-X-TARGETDURATION:{SECONDS}\n{listed}#EXT-X-ENDLIST\n"
            self.send(gzip.compress(text.encode()), coding="gzip")
        else:
            rate, number = map(int, self.path[1:].split("/"))
            self.send(bytes(rate * 1000 // 8 * SECONDS), slow=rate == RATES[-1] and number >= 2)

    def send(self, body: bytes, *, slow: bool = False, coding: str = "identity") -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-encoding", coding)
        self.end_headers()
        step = len(body) // (SECONDS * 10 * 10) if slow else len(body)
        try:
            for at in range(0, len(body), step):
                self.wfile.write(body[at : at + step])
                if slow:
                    time.sleep(0.1)
        except OSError:
            self.close_connection = True  # the player has given it up


@contextmanager
def streaming() -> Iterator[str]:
    with served(Streamer) as port:
        yield f"http://127.0.0.1:{port}"


def heard(folder: Path, url: str, keys: str, master: str = "master.m3u8") -> Summary:
    (folder / "suite.yml").write_text(f"suite: s\nbase_url: {url}\n")
    (folder / "listen.yml").write_text(
        "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
        f"steps: [{{hls: /{master}, name: listen{keys}}}]\ngates: {{hls_stalls: count < 9}}\n"
    )
    suite, inputs = read([folder]), Inputs({})
    plan = prepare(suite, inputs)
    return run(plan, Bundle.of(suite, inputs), Division(), (), lambda _: None).summary


def test_compressed_playlists_are_read(tmp_path: Path) -> None:
    with streaming() as url:
        summary = heard(tmp_path, url, ", variant: lowest, segments: 2, pace: none")
    assert summary.select("http_req_failed").aggregate("count") == 0
    assert summary.select("http_reqs", labels=[("step", "listen segment")]).aggregate("count") == 2


def test_a_playlist_of_sound_comes_while_a_segment_is_under_way(tmp_path: Path) -> None:
    with streaming() as url:
        summary = heard(tmp_path, url, ", variant: highest, segments: 2, pace: none", "apart.m3u8")
    assert summary.select("http_req_failed").aggregate("count") == 0
    assert summary.select("http_reqs").aggregate("count") == 1 + 2 + 4
    sizes = 2 * SECONDS * (RATES[-1] + 16) * 1000 // 8
    assert summary.select("data_received").aggregate("count") > sizes  # type: ignore[operator]


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("master", ["master.m3u8", "apart.m3u8"])
def test_a_segment_that_would_empty_the_buffer_is_given_up(master: str, tmp_path: Path) -> None:
    with streaming() as url:
        summary = heard(tmp_path, url, ", play: 10s, buffer: 4s", master)
    abandoned = summary.select("hls_segments_abandoned").aggregate("count")
    assert abandoned is not None
    assert abandoned >= 1  # it comes back to the highest variant as soon as lower ones come fast
    assert summary.select("http_reqs_interrupted").aggregate("count") == abandoned
    assert summary.select("http_req_failed").aggregate("count") == 0
    assert summary.select("hls_bitrate").aggregate("min") < 1024  # type: ignore[operator]
    rebuffering = summary.select("hls_rebuffer_time").aggregate("max")
    assert rebuffering is not None
    assert rebuffering < 2  # to wait for one of the slow segments would have taken 16 s
