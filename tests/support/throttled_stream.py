"""A VOD stream that a real player plays, over a link of a given width: MP3 frames of silence, right in size and time.

The link is shared by all connections, as a listener's own is. It may change its width at a time after the first
request. The page plays the stream with hls.js and posts what it saw.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from served import QuietHandler, served

RATES = (64, 128, 256, 320)  # kbit/s
SECONDS = 6
COUNT = 20
FRAME = 0.024  # seconds of an MPEG-1 layer III frame at 48 kHz
_INDEX = {64: 0x5, 128: 0x9, 256: 0xD, 320: 0xE}  # of the bitrate, in a frame's header
_PIECE = 0.02  # seconds of the link that are sent at once

PAGE = """<!doctype html><audio id=a></audio><script src=hls.js></script><script>
const audio = document.getElementById('a'), begun = performance.now();
const seen = {startup: null, stalls: 0, levels: [], played: 0};
let still = null;
const hls = new Hls({maxMaxBufferLength: 30});
hls.on(Hls.Events.FRAG_BUFFERED, (_, data) => {
  seen.levels.push([(performance.now() - begun) / 1000, hls.levels[data.frag.level].bitrate]);
});
hls.on(Hls.Events.ERROR, (_, data) => { seen.error = seen.error || (data.fatal ? data.details : null); });
audio.addEventListener('playing', () => {
  if (seen.startup === null) seen.startup = (performance.now() - begun) / 1000;
});
audio.addEventListener('waiting', () => { if (seen.startup !== null) seen.stalls += 1; });
hls.loadSource('master.m3u8');
hls.attachMedia(audio);
audio.play();
const timer = setInterval(() => {
  seen.played = audio.currentTime;
  if (audio.currentTime >= PLAY || performance.now() - begun > LIMIT * 1000) {
    clearInterval(timer);
    fetch('seen', {method: 'POST', body: JSON.stringify(seen)});
  }
}, 50);
</script>"""


def segment(rate: int) -> bytes:
    """Silence of SECONDS."""
    size = 144 * rate * 1000 // 48_000
    frame = bytes((0xFF, 0xFB, _INDEX[rate] << 4 | 0x4, 0xC4)) + bytes(size - 4)
    return frame * round(SECONDS / FRAME)


class Link:
    """So many bits per second from a time on, in seconds after the first byte."""

    def __init__(self, widths: Sequence[tuple[float, float]]) -> None:
        self._widths = widths
        self._lock = threading.Lock()
        self._begun = 0.0
        self._free = 0.0  # when the link has sent all that it was given

    def carry(self, size: int) -> float:
        """When so many bytes more are at the other end."""
        with self._lock:
            now = time.monotonic()
            self._begun = self._begun or now
            width = [width for moment, width in self._widths if now - self._begun >= moment][-1]
            self._free = max(self._free, now) + size * 8 / width
            return self._free

    def piece(self) -> int:
        return max(256, int(min(width for _, width in self._widths) / 8 * _PIECE))


class ThrottledStream:
    """The server's state: what it serves, and what a page has posted."""

    def __init__(self, widths: Sequence[tuple[float, float]], script: bytes, play: float, limit: float) -> None:
        self.link = Link(widths)
        self.posted = threading.Event()
        self.seen: dict[str, Any] = {}
        page = PAGE.replace("PLAY", str(play)).replace("LIMIT", str(limit))
        self.free = {"/": (page.encode(), "text/html"), "/hls.js": (script, "text/javascript")}
        self.files = {"/master.m3u8": _master(), **{f"/{rate}.m3u8": _media(rate) for rate in RATES}}
        self._segments = {rate: segment(rate) for rate in RATES}

    def body(self, path: str) -> bytes:
        return self.files[path] if path in self.files else self._segments[int(path.split("/")[1])]


def _master() -> bytes:
    lines = (f'#EXT-X-STREAM-INF:BANDWIDTH={rate}000,CODECS="mp4a.40.34"\n{rate}.m3u8\n' for rate in RATES)
    return ("#EXTM3U\n" + "".join(lines)).encode()


def _media(rate: int) -> bytes:
    listed = "".join(f"#EXTINF:{SECONDS},\n{rate}/{number}.mp3\n" for number in range(COUNT))
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:{SECONDS}\n{listed}#EXT-X-ENDLIST\n".encode()


def _handler(stream: ThrottledStream) -> type[BaseHTTPRequestHandler]:
    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path in stream.free:
                self._send(*stream.free[self.path])
            elif self.path.endswith((".m3u8", ".mp3")):
                playlist = self.path.endswith(".m3u8")
                self._send(stream.body(self.path), "application/vnd.apple.mpegurl" if playlist else "audio/mpeg", True)
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            stream.seen = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self._send(b"", "text/plain")
            stream.posted.set()

        def _send(self, body: bytes, kind: str, throttled: bool = False) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.send_header("cache-control", "no-store")
            self.end_headers()
            step = stream.link.piece() if throttled else len(body) or 1
            try:
                for at in range(0, len(body), step):
                    if throttled:
                        time.sleep(max(0.0, stream.link.carry(len(body[at : at + step])) - time.monotonic()))
                    self.wfile.write(body[at : at + step])
            except OSError:
                self.close_connection = True  # a player that gives up a segment

    return Handler


@contextmanager
def throttled(
    *widths: tuple[float, float], script: Path | None = None, play: float = 30.0, limit: float = 60.0
) -> Iterator[tuple[str, ThrottledStream]]:
    """The stream's URL, and its server, over a link of these widths."""
    stream = ThrottledStream(widths, script.read_bytes() if script else b"", play, limit)
    with served(_handler(stream)) as port:
        yield f"http://127.0.0.1:{port}", stream
