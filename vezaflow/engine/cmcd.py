"""Common Media Client Data (CTA-5004, version 1): what a player tells the servers with each request, so that their logs
can be joined with the run by `sid`.

Laws: pure; keys are sorted, a string is quoted and a token is not, what is true is its key alone, what is not known is
left out. Times are milliseconds and rates kbit/s; buffer lengths and throughput are rounded to the next hundred. A
stall is told once.
"""

from collections.abc import Container, Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

from vezaflow.engine.bitrate import Bandwidth
from vezaflow.model import Fetched
from vezaflow.plan import Level

Value = int | str | bool
HEADERS: Final[Mapping[str, frozenset[str]]] = {
    "CMCD-Object": frozenset({"br", "d", "ot", "tb"}),
    "CMCD-Request": frozenset({"bl", "mtp", "su"}),
    "CMCD-Session": frozenset({"cid", "sf", "sid", "st"}),
    "CMCD-Status": frozenset({"bs"}),
}
_TOKENS = frozenset({"ot", "sf", "st"})
_LONGEST = 64  # characters of an id
_OTHER_OBJECTS = {Fetched.MASTER: "m", Fetched.PLAYLIST: "m", Fetched.INIT: "i", Fetched.KEY: "k"}


class Purpose(NamedTuple):
    """What a request is for. `seconds`: how long a segment plays; `level`: that of a segment, but for sound that is
    apart."""

    fetched: Fetched
    seconds: float = 0.0
    level: Level | None = None


class PlayerState(NamedTuple):
    """How the player is when it asks. `buffered` in seconds; None: it does not play. `live`: None: not known yet;
    `stalls`: how often it stood still, with now."""

    buffered: float | None
    live: bool | None
    stalls: int
    top: int  # bits per second of its best variant


class ClientData:
    """What one session tells. `cid` and `sid` are its ids of the content and of itself."""

    __slots__ = ("_bandwidth", "_cid", "_sid", "_told")

    def __init__(self, cid: str, sid: str) -> None:
        self._cid = cid[-_LONGEST:]
        self._sid = sid
        self._bandwidth = Bandwidth()
        self._told = 0  # stalls

    def sample(self, seconds: float, size: int) -> None:
        """A segment of so many bytes came in this time."""
        self._bandwidth.sample(seconds, size)

    def values(self, purpose: Purpose, state: PlayerState) -> dict[str, Value]:
        """What goes with a request, by its keys."""
        level = purpose.level
        found: dict[str, Value | None] = {
            "cid": self._cid,
            "mtp": _hundreds(self._bandwidth.rate / 1000) if self._bandwidth.sampled else None,
            "ot": _OTHER_OBJECTS.get(purpose.fetched) or _media(level),
            "sf": "h",
            "sid": self._sid,
            "st": None if state.live is None else "l" if state.live else "v",
            "su": state.buffered == 0,
            "bs": state.stalls > self._told,
        }
        self._told = max(self._told, state.stalls)
        if purpose.fetched in (Fetched.SEGMENT, Fetched.PART):
            found["d"] = round(purpose.seconds * 1000)
            found["bl"] = None if state.buffered is None else _hundreds(state.buffered * 1000)
            if level is not None and level.bandwidth:
                found["br"], found["tb"] = round(level.bandwidth / 1000), round(state.top / 1000)
        return {key: value for key, value in sorted(found.items()) if value is not None and value is not False}


def header_lines(values: Mapping[str, Value]) -> bytes:
    """The header fields that have them, each with its CRLF."""
    lines = ((name, _joined(values, keys)) for name, keys in HEADERS.items())
    return "".join(f"{name}: {joined}\r\n" for name, joined in lines if joined).encode()


def with_query(uri: str, values: Mapping[str, Value]) -> str:
    """A URI with them in its query."""
    return f"{uri}{'&' if '?' in uri else '?'}CMCD={quote(_joined(values, values), safe='')}"


def _joined(values: Mapping[str, Value], keys: Container[str]) -> str:
    return ",".join(_item(key, value) for key, value in values.items() if key in keys)


def _item(key: str, value: Value) -> str:
    if value is True:
        return key
    if isinstance(value, int) or key in _TOKENS:
        return f"{key}={value}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{key}="{escaped}"'


def _media(level: Level | None) -> str:
    """Sound, pictures, or both in one."""
    if level is None or level.sound_only:
        return "a"
    return "av" if level.audio is None else "v"


def _hundreds(amount: float) -> int:
    return int(amount / 100 + 0.5) * 100
