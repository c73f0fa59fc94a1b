"""Uploads in parts, on a mock clock."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
import trio.testing
from planned import plan_of
from stage import Played, Reply, Target, always, play

from vezaflow.protocols import ErrorKind

pytestmark = pytest.mark.trio

ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
HOST = "127.0.0.1:1"
SECOND = Reply(after=1.0)


async def run(
    keys: str, answer: Callable[[str, str], Reply], *, before: str = "", after: str = ""
) -> tuple[Target, Played]:
    """One upload of 10 KiB in parts of 3 KiB to a path that names the part."""
    target = Target(answer)
    steps = f"{before}  - {{upload: '/${{part.index}}', name: up, of: 10 KiB, part: 3 KiB{keys}}}\n{after}"
    return target, await play(plan_of(ONCE + "steps:\n" + steps), target)


def times(target: Target) -> list[tuple[float, str]]:
    begun = target.log[0][0]
    return [(round(at - begun, 2), path) for at, _, path, _ in target.log]


def sizes(target: Target) -> list[int]:
    return [sum(map(len, body)) for body in target.bodies if isinstance(body, tuple)]


async def test_parts_go_one_after_another_and_the_last_is_what_is_left(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await run("", always(SECOND))
    assert times(target) == [(0, "/0"), (1, "/1"), (2, "/2"), (3, "/3")]
    assert sizes(target) == [3072, 3072, 3072, 1024]
    assert {method for _, method, _, _ in target.log} == {"POST"}
    assert "Content-Type: application/octet-stream\r\n" in target.log[0][3]
    assert played.count("http_reqs", step="up") == 4
    whole = played.summary.select("step_duration", labels=[("step", "up")])
    assert whole.aggregate("count") == 1
    assert whole.aggregate("max") == pytest.approx(4, abs=0.02)


async def test_so_many_parts_are_on_their_way_together(autojump_clock: trio.testing.MockClock) -> None:
    target, _ = await run(", at_once: 3", lambda _m, path: Reply(after=2.5 if path == "/1" else 1.0))
    assert times(target) == [(0, "/0"), (0, "/1"), (0, "/2"), (1, "/3")]
    assert target.most[HOST] == 3


async def test_a_part_knows_itself(autojump_clock: trio.testing.MockClock) -> None:
    keys = """, method: put, headers: {
      a: "${part.index} ${part.number} ${part.count} ${part.last}",
      b: "${part.offset} ${part.end} ${part.size} ${part.total}",
      content-range: "${part.range}", m: "${part.md5}", n: "${part.md5_base64}",
      s: "${part.sha256}", t: "${part.sha256_base64}"}"""
    target, _ = await run(keys, always(SECOND))
    heads = [head for _, _, _, head in target.log]
    assert heads[0].startswith("PUT /0 ")
    assert "a: 0 1 4 false\r\nb: 0 3071 3072 10240\r\ncontent-range: bytes 0-3071/10240\r\n" in heads[0]
    assert "a: 3 4 4 true\r\nb: 9216 10239 1024 10240\r\ncontent-range: bytes 9216-10239/10240\r\n" in heads[3]
    for head, body in zip(heads, target.bodies, strict=True):
        assert isinstance(body, tuple)
        for name, algorithm in (("m", "md5"), ("s", "sha256")):
            digest = hashlib.new(algorithm, body[0])
            assert f"\r\n{name}: {digest.hexdigest()}\r\n" in head
            assert f"\r\n{chr(ord(name) + 1)}: {base64.b64encode(digest.digest()).decode()}\r\n" in head


async def test_a_form_carries_the_part_behind_its_other_fields(autojump_clock: trio.testing.MockClock) -> None:
    keys = ", as: {field: chunk, filename: a.flac, content_type: audio/flac, with: {index: '${part.index}'}}"
    target, _ = await run(keys, always(SECOND))
    body = target.bodies[3]
    assert isinstance(body, tuple)
    whole = b"".join(body)
    assert b'name="index"\r\n\r\n3\r\n' in whole
    assert b'name="chunk"; filename="a.flac"\r\nContent-Type: audio/flac\r\n\r\n' in whole
    assert f"Content-Length: {len(whole)}\r\n" in target.log[3][3]
    assert 1024 < len(whole) < 1500


async def test_the_parts_of_all_users_are_slices_of_one_buffer(autojump_clock: trio.testing.MockClock) -> None:
    flow = "load: {executor: per-vu-iterations, vus: 3, iterations: 2}\n"
    steps = "steps: [{upload: /a, of: 10 KiB, part: 3 KiB}, {put: /b, body: {bytes: 10 KiB}}]\n"
    target = Target(always(SECOND))
    await play(plan_of(flow + steps), target)
    pieces = [piece for body in target.bodies if isinstance(body, tuple) for piece in body]
    assert len(pieces) == 3 * 2 * 5
    assert len({id(piece.obj) for piece in pieces if isinstance(piece, memoryview)}) == 1


async def test_a_file_is_sent_in_parts(autojump_clock: trio.testing.MockClock, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(range(200)))
    target = Target(always(SECOND))
    await play(plan_of(ONCE + "steps: [{upload: /, of: {file: a.bin}, part: 64 B}]\n", root=tmp_path), target)
    assert sizes(target) == [64, 64, 64, 8]
    assert b"".join(piece for body in target.bodies if isinstance(body, tuple) for piece in body) == bytes(range(200))


async def test_only_the_part_that_failed_is_sent_again(autojump_clock: trio.testing.MockClock) -> None:
    replies = {"/1": [Reply(503, headers=(("retry-after", "4"),), after=1.0)], "/3": [Reply(error=ErrorKind.RESET)]}

    def answer(_method: str, path: str) -> Reply:
        return replies[path].pop() if replies.get(path) else SECOND

    target, played = await run(", retry: {on: [503, reset], max: 2, wait: {retry_after: 1s}}", answer)
    assert [path for _, path in times(target)] == ["/0", "/1", "/1", "/2", "/3", "/3"]
    assert [at for at, _ in times(target)] == pytest.approx([0, 1, 6, 7, 8, 9], abs=0.1)
    assert sizes(target) == [3072, 3072, 3072, 3072, 1024, 1024]
    assert played.count("http_req_retries", step="up") == 2
    assert played.count("backpressure_obeyed", step="up") == 1
    assert played.count("step_duration", step="up") == 1, "the whole upload is the step, not each part"
    assert played.count("iterations_failed") == 0


async def test_a_part_that_waits_for_its_turn_again_holds_the_others_not_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    failed: list[str] = []

    def answer(_method: str, path: str) -> Reply:
        if path == "/0" and not failed:
            failed.append(path)
            return Reply(503, after=1.0)
        return SECOND

    target, _ = await run(", at_once: 2, retry: {max: 1, wait: 9s}", answer)
    assert [path for _, path in times(target)] == ["/0", "/1", "/2", "/3", "/0"]


@pytest.mark.parametrize(("on_failure", "goes_on"), [("end_iteration", False), ("continue", True)])
async def test_after_a_part_that_failed_for_good_no_further_one_begins(
    autojump_clock: trio.testing.MockClock, on_failure: str, goes_on: bool
) -> None:
    target, played = await run(
        f", at_once: 2, on_failure: {on_failure}, retry: {{max: 1, wait: 1s}}",
        lambda _m, path: Reply(503, after=0.5) if path == "/0" else Reply(after=5.0),
        after="  - get: /after\n",
    )
    asked = [path for _, path in times(target)]
    assert asked == ["/0", "/1", "/0", *(["/after"] if goes_on else [])]
    assert played.count("iterations_failed") == 1
    assert played.summary.select("step_failed").aggregate("rate") == 1.0
    (incident,) = played.engine.incidents.items
    assert (incident.step, incident.count) == ("up", 1)


async def test_what_parts_extract_is_a_list_in_their_order(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await run(
        ", at_once: 4, extract: {etags: {header: etag}}, expect: {that: part.size > 0}",
        lambda _m, path: Reply(headers=(("etag", f"e{path[1:]}"),), after=9.0 - int(path[1:])),
        after="  - log: ${etags}\n",
    )
    assert played.said == ['["e0","e1","e2","e3"]']


async def test_a_value_called_part_is_as_before_behind_the_upload(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await run("", always(SECOND), before="  - set: {part: mine}\n", after="  - log: ${part}\n")
    assert played.said == ["mine"]


async def test_the_end_of_the_run_cuts_all_parts_off(autojump_clock: trio.testing.MockClock) -> None:
    flow = "load: {vus: 2, duration: 5s, graceful_stop: 1s}\nsteps: [{upload: /, of: 9 KiB, part: 1 KiB, at_once: 4}]\n"
    target = Target(always(Reply(after=100.0)))
    played = await play(plan_of(flow), target)
    assert played.count("iterations_interrupted") == 2
    assert target.on_their_way[HOST] == 0
