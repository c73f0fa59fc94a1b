"""HLS as a player meets it (RFC 8216): a master playlist, a VOD playlist a variant, segments of real size.

All URIs are relative, so one set of replies serves every track. A segment is whole MPEG-TS packets (188
bytes, sync byte 0x47) of noise: the right size on the wire, no music.
"""

from random import Random

from vezaflow.sandbox.reply import PLAYLIST, TRANSPORT_STREAM, Reply, reply

VARIANTS = (64, 128, 256, 320)  # kbit/s
SEGMENT = 6  # seconds
SEGMENTS = 36  # 3 min 36 s of music
PACKET = 188
AUDIO_PID = 0x100
ROUTE = "GET /api/v1/tracks/{id}/hls"


def hls_replies() -> dict[str, Reply]:
    """Every reply beneath a track, by the path that follows its identifier."""
    replies = {
        "/hls/master.m3u8": reply(f"{ROUTE}/master.m3u8", master_playlist(), kind=PLAYLIST),
    }
    for rate in VARIANTS:
        playlist = reply(f"{ROUTE}/{{variant}}/playlist.m3u8", media_playlist(), kind=PLAYLIST)
        segment = reply(f"{ROUTE}/{{variant}}/{{segment}}.ts", make_segment(rate), kind=TRANSPORT_STREAM)
        replies[f"/hls/{rate}k/playlist.m3u8"] = playlist
        replies |= {f"/hls/{rate}k/{name(number)}": segment for number in range(SEGMENTS)}
    return replies


def master_playlist() -> bytes:
    return master_of("")


def master_of(place: str) -> bytes:
    """The master playlist of variants that are in a folder below it."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for rate in VARIANTS:
        bandwidth = rate * 1000
        lines.append(
            f'#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},AVERAGE-BANDWIDTH={bandwidth * 97 // 100},CODECS="mp4a.40.2"'
        )
        lines.append(f"{place}{rate}k/playlist.m3u8")
    return "\n".join([*lines, ""]).encode()


def media_playlist() -> bytes:
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{SEGMENT}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]
    for number in range(SEGMENTS):
        lines += [f"#EXTINF:{SEGMENT:.3f},", name(number)]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()


def make_segment(rate: int) -> bytes:
    """Whole packets, as many as fit into SEGMENT seconds at `rate` kbit/s (256 kbit/s: 192 kB)."""
    random = Random(rate)
    packets = rate * 1000 // 8 * SEGMENT // PACKET
    return b"".join(packet(number, random) for number in range(packets))


def packet(number: int, random: Random) -> bytes:
    """One packet: sync byte, unit start on the first, the audio PID, payload only, a 4-bit counter."""
    start = 0x40 if number == 0 else 0
    head = bytes((0x47, start | AUDIO_PID >> 8, AUDIO_PID & 0xFF, 0x10 | number & 0x0F))
    return head + random.randbytes(PACKET - len(head))


def name(number: int) -> str:
    return f"segment-{number:03}.ts"
