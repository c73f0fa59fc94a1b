"""An upload in parts, from a flow to a real socket: bytes, concurrency, what is sent again."""

import hashlib

import pytest
import trio
from loaded import loaded
from planned import plan_of
from scripted_server import Stream, World, read_head, world

from vezaflow.metrics import Summary

pytestmark = pytest.mark.trio
SIZE = 2_500_000
STEP = """
load: {executor: per-vu-iterations, vus: 2, iterations: 1}
steps:
  - upload: /${vu}/${part.index}
    name: part
    of: 2500 kB
    part: 1 MB
    at_once: 2
    headers: {digest: "${part.sha256}"}
    retry: {max: 2, wait: 10 ms}
gates: {http_req_failed: rate < 1 %}
"""


class Store:
    """Takes parts in; of each path the first `refused` times not."""

    def __init__(self, refused: str = "") -> None:
        self.refused = [refused]
        self.there = self.most = 0
        self.together = trio.Event()
        self.parts: dict[str, int] = {}
        self.asked: list[str] = []

    async def script(self, stream: Stream) -> None:
        while data := await read_head(stream):
            head, _, body = data.partition(b"\r\n\r\n")
            lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            path = head.split()[1].decode()
            self.there += 1
            self.most = max(self.most, self.there)
            if self.there == 4:  # two of each user
                self.together.set()
            await self.together.wait()
            digest, length = hashlib.sha256(body), len(body)
            while length < int(lines["Content-Length"]):
                more = await stream.receive_some(1 << 20)
                digest.update(more)
                length += len(more)
            self.there -= 1
            self.asked.append(path)
            if path in self.refused:
                self.refused.remove(path)
                await stream.send_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
                continue
            assert digest.hexdigest() == lines["digest"]
            self.parts[path] = length
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def upload(w: World) -> Summary:
    plan = plan_of(STEP, suite=f"suite: test\nbase_url: http://{w.origin.authority}\n")
    _, summary = await loaded(plan, w.transport)
    assert w.transport.reactor.connections == {}
    return summary


async def test_all_parts_arrive_whole_two_of_each_user_at_once() -> None:
    store = Store()
    async with world(store.script) as w:
        summary = await upload(w)
        assert len(w.peers) == 4
    assert store.parts == {
        f"/{vu}/{n}": size for vu in (1, 2) for n, size in enumerate((1_000_000, 1_000_000, 500_000))
    }
    assert store.most == 4
    assert summary.select("step_duration").aggregate("count") == 2
    assert (summary.select("data_sent").aggregate("count") or 0) >= 2 * SIZE


async def test_only_the_part_that_was_refused_is_sent_again() -> None:
    store = Store(refused="/1/1")
    async with world(store.script) as w:
        summary = await upload(w)
    assert sorted(store.asked) == ["/1/0", "/1/1", "/1/1", "/1/2", "/2/0", "/2/1", "/2/2"]
    assert sum(store.parts.values()) == 2 * SIZE
    assert summary.select("step_failed").aggregate("rate") == 0
