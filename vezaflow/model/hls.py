"""What an `hls` step plays and how, as written. Words are those of its keys."""

from enum import Enum
from typing import NamedTuple

from vezaflow.syntax import Expression


class Chosen(Enum):
    """Which variant is played, where no condition says it."""

    ABR = "abr"  # the default: whichever the connection allows
    HIGHEST = "highest"
    LOWEST = "lowest"


class BandwidthLimit(NamedTuple):
    """What a variant's bandwidth is compared with: `<=`, and bits per second."""

    sign: str
    bound: Expression


Variant = Chosen | tuple[BandwidthLimit, ...]
"""The highest that meets all of the limits."""


class Abr(Enum):
    """The rule by which a player changes variants."""

    HLS_JS = "hls.js"  # the default
    BOLA = "bola"


class Pace(Enum):
    """How fast segments are fetched."""

    REALTIME = "realtime"  # the default: as a buffer that plays has room for them
    NONE = "none"  # one after another


class Cmcd(Enum):
    """How Common Media Client Data goes with each request."""

    HEADERS = "headers"
    QUERY = "query"


class Fetched(Enum):
    """What the requests of a stream are for: the last words of their names."""

    MASTER = "master"  # the URL of the step itself, also where it is a media playlist
    PLAYLIST = "playlist"
    INIT = "init"
    KEY = "key"
    SEGMENT = "segment"
    PART = "part"  # of a segment, in low-latency streams


BLOCKING = "blocking reload"  # the last words of a name: it waits at the server until there is something new
