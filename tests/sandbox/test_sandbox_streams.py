"""The sandbox's streams: encrypted, in ranges, live; and the links that bring them."""

import time

import httpx
import m3u8
import pytest

from vezaflow.sandbox import Sandbox, SandboxSettings, start
from vezaflow.sandbox.links import Links, pieces
from vezaflow.sandbox.streams import IN_PARTS, LIVE_SEGMENT, OLDEST, PART, PARTS, WINDOW, SandboxStreams


def hls(sandbox: Sandbox, path: str) -> str:
    return f"{sandbox.base_url}/api/v1/tracks/{sandbox.track_id}/hls/{path}"


@pytest.mark.parametrize("kind", ["protected", "ranges", "live", "blocking", "low-latency"])
def test_a_master_playlist_leads_to_playlists_with_segments(visitor: httpx.Client, sandbox: Sandbox, kind: str) -> None:
    url = hls(sandbox, f"{kind}.m3u8")
    master = m3u8.loads(visitor.get(url).text, uri=url)
    assert [variant.stream_info.bandwidth for variant in master.playlists] == [64_000, 128_000, 256_000, 320_000]
    for variant in master.playlists:
        media = m3u8.loads(visitor.get(variant.absolute_uri).text, uri=variant.absolute_uri)
        assert len(media.segments) >= WINDOW
        whole = [segment for segment in media.segments if segment.uri]  # the one under way has parts alone
        assert visitor.get(whole[-1].absolute_uri, headers={"range": "bytes=0-9"}).status_code in (200, 206)


def test_a_protected_stream_has_a_key_and_an_init_segment(visitor: httpx.Client, sandbox: Sandbox) -> None:
    url = hls(sandbox, "protected/128k/playlist.m3u8")
    media = m3u8.loads(visitor.get(url).text, uri=url)
    key, init = media.segments[0].key, media.segments[0].init_section
    assert key.method == "AES-128"
    assert len(visitor.get(key.absolute_uri).content) == 16
    assert visitor.get(init.absolute_uri).status_code == 200


def test_a_range_is_the_part_that_is_asked_for(visitor: httpx.Client, sandbox: Sandbox) -> None:
    url = hls(sandbox, "ranges/64k/all.ts")
    whole = visitor.get(url)
    part = visitor.get(url, headers={"range": "bytes=188-375"})
    assert (whole.status_code, part.status_code) == (200, 206)
    assert part.content == whole.content[188:376]
    assert part.headers["content-range"] == f"bytes 188-375/{len(whole.content)}"
    assert visitor.get(url, headers={"range": "bytes=99999999-99999999"}).status_code == 416


def test_a_live_window_moves_on_with_the_clock() -> None:
    now = 0.0
    streams = SandboxStreams(lambda: now)

    def numbers(at: float) -> list[str]:
        nonlocal now
        now = at
        found = streams.find("/hls/live/64k/playlist.m3u8", None)
        assert found is not None
        return [segment.uri for segment in m3u8.loads(found.body["body"].decode()).segments]

    assert numbers(0.0) == [f"live-{OLDEST + number}.ts" for number in range(WINDOW)]
    assert numbers(LIVE_SEGMENT + 0.1) == [f"live-{OLDEST + 1 + number}.ts" for number in range(WINDOW)]
    for number, status in ((OLDEST, 200), (OLDEST + WINDOW + 1, 404), (OLDEST - 99, 404)):
        found = streams.find(f"/hls/live/64k/live-{number}.ts", None)
        assert found is not None
        assert found.status == status


def test_a_playlist_is_held_back_until_it_has_what_is_asked_for() -> None:
    streams = SandboxStreams(lambda: 0.0)
    path, newest = "/hls/blocking/64k/playlist.m3u8", OLDEST + WINDOW - 1
    assert streams.waits(path, b"_HLS_msn=%d" % newest) == 0
    assert streams.waits(path, b"_HLS_msn=%d" % (newest + 1)) == LIVE_SEGMENT
    assert streams.waits(path, b"_HLS_msn=99999") == 3 * LIVE_SEGMENT
    assert streams.waits(path, b"_HLS_msn=x") == 0
    assert streams.waits("/hls/live/64k/playlist.m3u8", b"_HLS_msn=%d" % (newest + 1)) == 0


def test_a_low_latency_stream_gets_part_after_part() -> None:
    now = 0.0
    streams = SandboxStreams(lambda: now)
    path, newest = "/hls/low-latency/64k/playlist.m3u8", OLDEST + WINDOW - 1

    def status(name: str) -> int:
        found = streams.find(f"/hls/low-latency/64k/{name}", None)
        assert found is not None
        return found.status

    for at, parts in ((0.0, 0), (PART, 1), (3.2 * PART, 3)):
        now = at
        found = streams.find(path, None)
        assert found is not None
        media = m3u8.loads(found.body["body"].decode())
        listed = [part.uri for segment in media.segments for part in segment.parts]
        hint = f"live-{newest + 1}.{parts}.ts"
        assert len(listed) == IN_PARTS * PARTS + parts
        assert media.preload_hint.uri == hint
        assert status(hint) == 404
        assert {status(uri) for uri in listed} == {200}
        assert status(f"live-{newest + 1}.ts") == 404
    assert status(f"live-{newest}.9.ts") == 404


def test_a_low_latency_playlist_is_held_back_for_a_part() -> None:
    streams = SandboxStreams(lambda: 0.0)
    path, newest = "/hls/low-latency/64k/playlist.m3u8", OLDEST + WINDOW - 1
    for query, seconds in (
        (f"_HLS_msn={newest}&_HLS_part=3", 0),
        (f"_HLS_msn={newest + 1}&_HLS_part=0", PART),
        (f"_HLS_msn={newest + 1}&_HLS_part=3", LIVE_SEGMENT),
        (f"_HLS_msn={newest + 1}&_HLS_part={PARTS}", LIVE_SEGMENT + PART),  # the first of the one behind it
        (f"_HLS_msn={newest + 1}", LIVE_SEGMENT),
    ):
        assert streams.waits(path, query.encode()) == pytest.approx(seconds), query


def test_only_what_is_told_to_is_slow_or_broken() -> None:
    links = Links(SandboxSettings(slow_rendition=128, broken_segment=3))
    assert links.speed("/x/hls/128k/segment-000.ts") == 8000
    assert links.speed("/x/hls/64k/segment-000.ts") == 0
    assert links.speed("/x/hls/protected/128k/fragment-4.m4s") == 8000
    assert links.breaks("/x/hls/64k/segment-002.ts")
    assert not links.breaks("/x/hls/64k/segment-003.ts")
    assert not links.breaks("/x/hls/64k/playlist.m3u8")
    narrow = Links(SandboxSettings(bandwidth=1000, slow_rendition=128))
    assert {narrow.speed(f"/x/hls/{rate}k/segment-000.ts") for rate in (64, 128)} == {1000}
    assert narrow.speed("/api/v1/tracks") == 0
    assert not Links(SandboxSettings()).active


def test_pieces_add_up_to_the_whole() -> None:
    assert list(pieces(b"abcde", 2)) == [(b"ab", True), (b"cd", True), (b"e", False)]
    assert list(pieces(b"", 2)) == [(b"", False)]


@pytest.mark.slow
def test_a_narrow_link_takes_its_time() -> None:
    with start(SandboxSettings(bandwidth=100_000)) as narrow:
        begun = time.monotonic()
        response = httpx.get(hls(narrow, "64k/segment-000.ts"), trust_env=False)
        assert time.monotonic() - begun > 0.7 * len(response.content) / 100_000
