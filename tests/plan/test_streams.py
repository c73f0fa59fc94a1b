"""Playlists of the wild, as a player needs them."""

import pytest

from vezaflow.plan import MasterPlaylist, MediaPlaylist
from vezaflow.plan.response import UndecodableError
from vezaflow.plan.streams import MEDIA, STREAMS

URL = "https://cdn.test/a/b/list.m3u8?token=t"


def media(text: str, url: str = URL) -> MediaPlaylist:
    return MEDIA.take(text.encode(), url)


def master(text: str, url: str = URL) -> MasterPlaylist:
    found = STREAMS.take(text.encode(), url)
    assert isinstance(found, MasterPlaylist)
    return found


PLAIN = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n1.ts\n#EXTINF:5.5,a title, with commas\n2.ts?x=1&y=2\n"


@pytest.mark.parametrize(
    "text",
    [PLAIN, PLAIN.replace("\n", "\r\n"), "\ufeff" + PLAIN, PLAIN + "\n\n", PLAIN.replace("\n", " \n")],
    ids=["plain", "CRLF", "BOM", "empty lines behind", "blanks at the ends"],
)
def test_lines_may_end_and_begin_as_they_like(text: str) -> None:
    found = media(text)
    assert [segment.resource.uri for segment in found.segments] == [
        "https://cdn.test/a/b/1.ts",
        "https://cdn.test/a/b/2.ts?x=1&y=2",
    ]
    assert [segment.duration for segment in found.segments] == [6.0, 5.5]
    assert (found.target, found.ended, found.seconds, found.next) == (6.0, False, 11.5, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("<html>not found</html>", "<html>not found</html>"),
        ("#EXTINF:6,\n1.ts\n", "the body is not a playlist"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"mp4a.40.2\"\nx.m3u8\n", "BANDWIDTH is missing"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:six\n#EXTINF:6,\n1.ts\n", "the playlist can't be read"),
        ("#EXTM3U\n#EXTINF:6,\n{$host}/1.ts\n", "does not define {$host}"),
        ("#EXTM3U\n#EXTINF:6,\n#EXT-X-BYTERANGE:a@b\n1.ts\n", "invalid byte range"),
        ("#EXTM3U\n#EXTINF:6,\nhttp://[::1\n", "invalid URL"),
    ],
)  # fmt: skip
def test_what_is_no_playlist_is_said_clearly(text: str, said: str) -> None:
    with pytest.raises(UndecodableError) as wrong:
        STREAMS.take(text.encode(), URL)
    assert said in str(wrong.value)


def test_a_master_playlist_where_a_media_playlist_should_be_is_said() -> None:
    with pytest.raises(UndecodableError, match="this is a master playlist"):
        media("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx.m3u8\n")


def test_quoted_commas_are_no_separators() -> None:
    found = master('#EXTM3U\n#EXT-X-STREAM-INF:CODECS="avc1.4d401f,mp4a.40.2",BANDWIDTH=900000,NAME="a, b"\nx.m3u8\n')
    assert [(level.bandwidth, level.uri) for level in found.levels] == [(900_000, "https://cdn.test/a/b/x.m3u8")]


def test_variants_are_in_the_order_of_their_bandwidth_each_once() -> None:
    lines = "".join(f"#EXT-X-STREAM-INF:BANDWIDTH={rate}\n{rate}-{n}.m3u8\n" for n, rate in enumerate((3, 1, 2, 1)))
    found = master("#EXTM3U\n" + lines)
    assert [level.uri.rpartition("/")[2] for level in found.levels] == ["1-1.m3u8", "2-2.m3u8", "3-0.m3u8"]


def test_sound_alone_is_no_variant_of_a_film() -> None:
    text = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2"\nsound.m3u8\n'
    text += '#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,CODECS="avc1.4d401f,mp4a.40.2"\nfilm.m3u8\n'
    assert [level.bandwidth for level in master(text).levels] == [900_000]


def test_the_default_rendition_is_what_is_heard() -> None:
    text = '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="fr",URI="fr.m3u8"\n'
    text += '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,URI="en.m3u8"\n'
    text += '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="in it",DEFAULT=YES\n'
    text += '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\n1.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="b"\n2.m3u8\n'
    assert [level.audio for level in master(text).levels] == ["https://cdn.test/a/b/en.m3u8", None]


def test_keys_ranges_and_maps_are_those_of_each_segment() -> None:
    text = '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MAP:URI="i.mp4",BYTERANGE="10@5"\n'
    text += '#EXT-X-KEY:METHOD=AES-128,URI="k1,2"\n#EXTINF:6,\n#EXT-X-BYTERANGE:100@0\nf.mp4\n'
    text += '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery"\n'
    text += "#EXTINF:6,\n#EXT-X-BYTERANGE:50\nf.mp4\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-DISCONTINUITY\n#EXTINF:6,\ng.mp4\n"
    first, second, third = media(text).segments
    assert (first.resource.range, second.resource.range, third.resource.range) == ("bytes=0-99", "bytes=100-149", None)
    assert (first.key, second.key, third.key) == ("https://cdn.test/a/b/k1,2", None, None)
    assert first.init is not None
    assert (first.init.uri, first.init.range) == ("https://cdn.test/a/b/i.mp4", "bytes=5-14")


def test_a_segment_of_which_only_parts_are_there_is_not_there() -> None:
    text = (
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\n7.mp4\n"
    )
    text += '#EXT-X-PART:DURATION=1,URI="8.1.mp4"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="8.2.mp4"\n'
    found = media(text)
    assert [segment.number for segment in found.segments] == [7]
    assert found.next == 8


def test_a_server_says_how_far_behind_to_play_and_that_it_can_wait() -> None:
    assert (media(PLAIN).hold_back, media(PLAIN).blocks) == (18.0, False)
    control = PLAIN + "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=20,PART-HOLD-BACK=1.5\n"
    assert (media(control).hold_back, media(control).blocks) == (20.0, True)


LOW_LATENCY = """#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-PART-INF:PART-TARGET=2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=6.5,HOLD-BACK=12
#EXT-X-MEDIA-SEQUENCE:6
#EXT-X-MAP:URI="i.mp4"
#EXTINF:4,
6.mp4
#EXT-X-PART:DURATION=2,URI="7.mp4",BYTERANGE="100@0",INDEPENDENT=YES
#EXT-X-PART:DURATION=2,URI="7.mp4",BYTERANGE="50",GAP=YES
#EXTINF:4,
7.mp4
#EXT-X-PART:DURATION=2,URI="8.0.mp4"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="8.1.mp4"
"""


def test_parts_stand_in_for_the_segments_that_they_are_listed_for() -> None:
    found = media(LOW_LATENCY)
    pieces = list(found.pieces())
    assert [(piece.number, piece.part, piece.start, piece.duration) for piece in pieces] == [
        (6, None, 0.0, 4.0),
        (7, 0, 4.0, 2.0),
        (7, 1, 6.0, 2.0),
        (8, 0, 8.0, 2.0),
    ]
    assert [piece.resource.range for piece in pieces] == [None, "bytes=0-99", "bytes=100-149", None]
    assert [piece.gap for piece in pieces] == [False, False, True, False]
    assert [piece.independent for piece in pieces] == [True, True, False, True]  # a segment's first always is
    assert {piece.init.uri for piece in pieces if piece.init} == {"https://cdn.test/a/b/i.mp4"}
    assert (found.edge, found.seconds, found.hold_back) == ((8, 1), 10.0, 6.5)


def test_without_blocking_reloads_or_at_the_end_there_are_no_parts() -> None:
    polled = media(LOW_LATENCY.replace("CAN-BLOCK-RELOAD=YES,", ""))
    assert (polled.edge, polled.hold_back, dict(polled.parts)) == ((8, 0), 12.0, {})
    assert not media(LOW_LATENCY + "#EXT-X-ENDLIST\n").parts


def test_parts_keep_three_part_targets_away_from_the_end_unless_told() -> None:
    assert media(LOW_LATENCY.replace("PART-HOLD-BACK=6.5,", "")).hold_back == 6.0


def test_the_same_bytes_are_parsed_once() -> None:
    assert media(PLAIN) is media(PLAIN)
    assert media(PLAIN) is not media(PLAIN, "https://cdn.test/elsewhere.m3u8")


def test_variables_are_defined_by_name_by_the_query_and_by_the_master_playlist() -> None:
    text = '#EXTM3U\n#EXT-X-DEFINE:NAME="a",VALUE="x,y"\n#EXT-X-DEFINE:QUERYPARAM="token"\n#EXT-X-DEFINE:IMPORT="b"\n'
    text += "#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{$a}/{$b}.ts?t={$token}\n"
    (segment,) = MEDIA.take(text.encode(), "https://cdn.test/list.m3u8?token=a%2Bb", {"b": "imported"}).segments
    assert segment.resource.uri == "https://cdn.test/x,y/imported.ts?t=a+b"


def test_what_the_master_playlist_did_not_define_can_not_be_imported() -> None:
    with pytest.raises(UndecodableError, match=r"does not define \{\$b\}"):
        media('#EXTM3U\n#EXT-X-DEFINE:IMPORT="b"\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{$b}.ts\n')
