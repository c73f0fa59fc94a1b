"""Playlists: what a player needs of them can be had, and what is not there yet is left out."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from vezaflow.keys import ITEM_FIELDS, PLAYLIST
from vezaflow.plan import ResponseView
from vezaflow.plan.playlists import PLAYLISTS, Items, Playlists
from vezaflow.plan.response import UndecodableError
from vezaflow.protocols import Exchange

MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="English",LANGUAGE="en",DEFAULT=YES,URI="audio/en.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="Captions",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="mp4a.40.2,avc1.4d401e",AUDIO="aud",SUBTITLES="sub",NAME="low, cheap=yes"
v/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2,AVERAGE-BANDWIDTH=1,RESOLUTION=1280x720,FRAME-RATE=29.970
?q=1
"""
RANGES = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:10
#EXT-X-MAP:URI="all.mp4",BYTERANGE="812@0"
#EXTINF:10,
#EXT-X-BYTERANGE:1000@812
all.mp4
#EXTINF:10,one
#EXT-X-BYTERANGE:500
all.mp4
#EXT-X-DISCONTINUITY
#EXT-X-KEY:METHOD=AES-128,URI="key?id=1,2",IV=0x1f
#EXTINF:10,
#EXT-X-BYTERANGE:7@0
other.mp4
#EXT-X-GAP
#EXT-X-KEY:METHOD=NONE
#EXTINF:10,
whole.mp4
"""
LIVE = """#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-PART-INF:PART-TARGET=0.33334
#EXT-X-MEDIA-SEQUENCE:266
#EXTINF:4.00008,
fileSequence266.mp4
#EXT-X-PART:DURATION=0.3,URI="filePart267.0.mp4",BYTERANGE="20@10"
#EXT-X-PART:DURATION=0.3,URI="filePart267.0.mp4",BYTERANGE="5"
#EXTINF:4.00008,
fileSequence267.mp4
#EXT-X-PART:DURATION=0.33334,URI="filePart268.0.mp4",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="filePart268.1.mp4"
#EXT-X-RENDITION-REPORT:URI="../1M/r.m3u8",LAST-MSN=268,LAST-PART=1
"""


def response(body: bytes, url: str = "http://a/hls/list.m3u8?token=t") -> ResponseView:
    exchange = Exchange()
    exchange.status, exchange.body = 200, body
    return ResponseView(exchange, url)


def read(kind: str, text: str) -> Items:
    return PLAYLISTS[kind](response(text.encode()))


def column(field: str, kind: str, text: str) -> list[Any]:
    return [item[field] for item in read(kind, text)]


@pytest.mark.parametrize(("kind", "text"), list(zip(PLAYLIST, [MASTER, MASTER, RANGES, LIVE], strict=True)))
def test_items_have_the_fields_that_are_documented(kind: str, text: str) -> None:
    items = read(kind, text)
    assert [tuple(item) for item in items] == [ITEM_FIELDS[kind]] * len(items)
    for field in ITEM_FIELDS[kind]:
        assert any(item[field] is not None for item in items), f"{field} can be filled"


def test_variants_have_their_names_and_groups() -> None:
    assert column("name", "variants", MASTER) == ["low, cheap=yes", None]
    assert column("audio", "variants", MASTER) == ["aud", None]
    assert column("subtitles", "variants", MASTER) == ["sub", None]
    assert column("uri", "variants", MASTER) == ["http://a/hls/v/index.m3u8", "http://a/hls/list.m3u8?q=1"]


def test_renditions_lead_to_their_playlists() -> None:
    english, captions = read("renditions", MASTER)
    assert english == {
        "uri": "http://a/hls/audio/en.m3u8", "type": "AUDIO", "group": "aud", "name": "English", "language": "en",
        "default": True,
    }  # fmt: skip
    assert captions["uri"] is None


def test_a_byte_range_is_the_header_that_asks_for_it() -> None:
    assert column("range", "segments", RANGES) == ["bytes=812-1811", "bytes=1812-2311", "bytes=0-6", None]
    assert column("map", "segments", RANGES)[0] == {"uri": "http://a/hls/all.mp4", "range": "bytes=0-811"}
    assert column("range", "parts", LIVE) == ["bytes=10-29", "bytes=30-34", None]


def test_keys_gaps_and_discontinuities_are_told() -> None:
    key = {"uri": "http://a/hls/key?id=1,2", "method": "AES-128", "iv": "0x1f"}
    assert column("key", "segments", RANGES) == [None, None, key, None]
    assert column("gap", "segments", RANGES) == [False, False, False, True]
    assert column("discontinuity", "segments", RANGES) == [False, False, True, False]


def test_parts_without_a_segment_yet_are_no_segment() -> None:
    assert column("uri", "segments", LIVE) == ["http://a/hls/fileSequence266.mp4", "http://a/hls/fileSequence267.mp4"]
    assert column("number", "segments", LIVE) == [266, 267]
    assert column("number", "parts", LIVE) == [267, 267, 268]
    assert column("uri", "segments", "#EXTM3U\n#EXTINF:4,\na.ts\n#EXTINF:4,\n") == ["http://a/hls/a.ts"]


def test_segments_that_a_delta_update_skips_are_counted() -> None:
    text = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXTINF:4,\na.ts\n"
    assert column("number", "segments", text) == [13]


@pytest.mark.parametrize(
    ("define", "uri", "whole"),
    [
        ('NAME="host",VALUE="cdn"', "{$host}/a.ts", "http://a/hls/cdn/a.ts"),
        ('VALUE="//c.test/x",NAME="host"', "{$host}/a.ts", "http://c.test/x/a.ts"),
        ('QUERYPARAM="token"', "a.ts?t={$token}", "http://a/hls/a.ts?t=t"),
    ],
)
def test_defined_variables_are_replaced(define: str, uri: str, whole: str) -> None:
    assert column("uri", "segments", f"#EXTM3U\n#EXT-X-DEFINE:{define}\n#EXTINF:9,\n{uri}\n") == [whole]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('#EXTM3U\n#EXT-X-DEFINE:IMPORT="x"\n#EXTINF:9,\n{$x}.ts\n', "does not define {$x}"),
        ("#EXTM3U\n#EXTINF:9,\n#EXT-X-BYTERANGE:all\na.ts\n", "an invalid byte range: all"),
        ("<html>", "not a playlist: <html>"),
    ],
)
def test_what_can_not_be_played_is_said(text: str, words: str) -> None:
    with pytest.raises(UndecodableError, match=words.replace("{$x}", r"\{\$x\}")):
        read("segments", text)


def lines(body: bytes, url: str) -> Items:
    """A reader that makes much of little, as those of playlists do."""
    return [{"uri": f"{url}/{line.decode()}", "map": {"uri": line.decode()}} for line in body.split()]


@pytest.fixture
def reads() -> Callable[[ResponseView], Items]:
    return Playlists().reads(lines)


def test_who_gets_the_same_playlist_shares_what_is_read_of_it(reads: Callable[[ResponseView], Items]) -> None:
    first = reads(response(b"a b"))
    assert reads(response(bytes(bytearray(b"a b")))) is first
    assert reads(response(b"a b", "http://b/")) is not first
    assert reads(response(b"a c")) is not first


@pytest.mark.slow
def test_a_live_playlist_that_changes_for_hours_takes_four_megabytes(reads: Callable[[ResponseView], Items]) -> None:
    reads(response(b"0"))
    tracemalloc.start()
    try:
        for edge in range(1200):
            reads(response(b" ".join(b"%d" % number for number in range(edge, edge + 30))))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 3 << 20 < held < 5 << 20


def test_one_large_playlist_is_not_kept_in_place_of_many(reads: Callable[[ResponseView], Items]) -> None:
    small, large = response(b"a"), response(b"segment " * 1500)
    first = reads(small)
    assert reads(large) is not reads(large)
    assert reads(small) is first
