"""The keys of an `hls` step: which stream is played, in which quality, how long and how fast. Only data, as in
tables.py."""

from dataclasses import replace

from vezaflow.keys.connections import CONNECTING_ONE
from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.keys.requests import NAME, QUERY
from vezaflow.keys.suite import DEFAULTS
from vezaflow.model import Abr, Chosen, Cmcd, Pace

HLS = Table(
    "hls",
    "an hls step",
    "Play an HLS stream as a player does: playlists, keys, init segments and segments, each a request of its own.",
    (
        replace(
            NAME,
            doc="The step's identity. Its requests are called `NAME master`, `NAME playlist`, `NAME init`, `NAME key`, "
            "`NAME segment` and `NAME part`; its sessions are called `NAME`.",
            example="listen",
            default="`hls` and the URL as written",
        ),
        Field(
            "variant",
            Kind.VARIANT,
            "Which variant is played. A mapping selects the highest that meets its condition.",
            "{bandwidth: <= 256000}",
            choices=tuple(each.value for each in Chosen),
            default="abr: whichever the connection allows, from segment to segment",
            tables=("variant",),
        ),
        Field(
            "abr",
            Kind.CHOICE,
            "The rule of `variant: abr`: throughput and buffer as in hls.js, or BOLA, by the buffer alone.",
            "bola",
            choices=tuple(each.value for each in Abr),
            default="hls.js",
        ),
        Field("play", Kind.DURATION, "How much is played.", "30s", default="all of it; a live stream until it ends"),
        Field("segments", Kind.COUNT, "How many segments are fetched, and played.", "4", default="no limit"),
        Field(
            "pace",
            Kind.CHOICE,
            "`realtime` fetches ahead as far as `buffer` says, and plays as fast as the clock goes; `none` fetches one "
            "segment after another and plays nothing.",
            "none",
            choices=tuple(each.value for each in Pace),
            default="realtime",
        ),
        Field(
            "buffer",
            Kind.DURATION,
            "How much the player keeps ahead; it asks for the next segment when it has less.",
            "30s",
            default="30 s",
        ),
        Field(
            "cmcd",
            Kind.CHOICE,
            "How Common Media Client Data (CTA-5004) goes with each request: in header fields, or in the query.",
            "headers",
            choices=tuple(each.value for each in Cmcd),
            default="it is not sent, as with most players",
        ),
        replace(
            QUERY, doc="Query parameters of the first request, percent-encoded; a list repeats one, null omits it."
        ),
        *DEFAULTS,
        *CONNECTING_ONE,
        Field(
            "expect",
            Kind.STATUS,
            "The expected status of each response. 206 is as good as 200 where a byte range was asked for.",
            "200",
            default="below 400",
        ),
    ),
    one_of=(
        Field(
            "hls",
            Kind.URL,
            "The URL of a master playlist, or of a media playlist.",
            "/api/v1/tracks/1/hls/master.m3u8",
        ),
    ),
    exclusive=(("play", "segments"),),
)

VARIANT = Table(
    "variant",
    "a choice of a variant",
    "The highest variant that meets the condition.",
    one_of=(
        Field(
            "bandwidth",
            Kind.LIMIT,
            "Compared with the variant's BANDWIDTH, in bits per second.",
            "<= 256000",
        ),
    ),
)
