"""What a visitor reads: health, tracks page by page, searches, HLS."""

import httpx
import m3u8
import pytest

from vezaflow.sandbox import Sandbox
from vezaflow.sandbox.catalog import write_cursor

TRACKS = "/api/v1/tracks"


@pytest.mark.parametrize("path", ["/health", "/api/v1/health"])
def test_health_is_ok(visitor: httpx.Client, path: str) -> None:
    assert visitor.get(path).json() == {"status": "ok"}


def test_the_cursor_walks_over_every_track_once(visitor: httpx.Client) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "90", **({"cursor": cursor} if cursor else {})}
        page = visitor.get(TRACKS, params=query).json()
        assert 1 <= len(page["data"]) <= 90
        seen += [track["id"] for track in page["data"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 5000


def test_the_link_header_leads_to_the_same_page_as_the_cursor(visitor: httpx.Client) -> None:
    first = visitor.get(TRACKS, params={"limit": "50"})
    by_cursor = visitor.get(TRACKS, params={"limit": "50", "cursor": first.json()["next_cursor"]})
    assert visitor.get(first.links["next"]["url"]).json() == by_cursor.json()
    last = visitor.get(TRACKS, params={"limit": "50", "cursor": write_cursor(4950)})
    assert "link" not in last.headers


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=9999999999", "cursor=xyz", "cursor=%%%"])
def test_a_page_that_cannot_be_is_refused(visitor: httpx.Client, query: str) -> None:
    assert visitor.get(f"{TRACKS}?{query}").status_code == 400


def test_a_search_finds_what_it_was_asked_for(visitor: httpx.Client) -> None:
    found = visitor.get(f"{TRACKS}/search", params={"q": "RIVER", "limit": 5}).json()
    assert [("River" in track["title"]) for track in found["data"]] == [True] * 5
    assert found["total"] == 500
    assert visitor.get(f"{TRACKS}/search", params={"q": "no such song"}).json()["data"] == []
    assert visitor.get(f"{TRACKS}/search").status_code == 400


def test_a_track_is_found_by_its_identifier_and_no_other(visitor: httpx.Client, sandbox: Sandbox) -> None:
    assert visitor.get(f"{TRACKS}/{sandbox.track_id}").json()["data"]["id"] == sandbox.track_id
    for wrong in ("nobody", sandbox.track_id[:-1], sandbox.track_id + "/nothing", ""):
        assert visitor.get(f"{TRACKS}/{wrong}").status_code == 404


def test_a_player_goes_from_the_master_playlist_to_a_segment(visitor: httpx.Client, sandbox: Sandbox) -> None:
    answer = visitor.get(f"{TRACKS}/{sandbox.track_id}/hls/master.m3u8")
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    master = m3u8.loads(answer.text, uri=str(answer.url))
    assert [p.stream_info.bandwidth for p in master.playlists] == [64_000, 128_000, 256_000, 320_000]
    assert not any("//" in p.uri or p.uri.startswith("/") for p in master.playlists)

    answer = visitor.get(master.playlists[2].absolute_uri)
    media = m3u8.loads(answer.text, uri=str(answer.url))
    assert media.is_endlist
    assert media.playlist_type == "vod"
    assert {segment.duration for segment in media.segments} == {6.0}

    segment = visitor.get(media.segments[-1].absolute_uri).content
    assert len(segment) == pytest.approx(256_000 / 8 * 6, rel=0.001)
    assert len(segment) % 188 == 0
    assert set(segment[::188]) == {0x47}


def test_a_head_request_has_no_body(visitor: httpx.Client) -> None:
    answer = visitor.head(TRACKS)
    assert (answer.status_code, answer.content) == (200, b"")
