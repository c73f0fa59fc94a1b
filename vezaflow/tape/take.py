"""A recorded response, and all of them that belong to one flow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from vezaflow.protocols import Origin
from vezaflow.tape.channel_take import ChannelKind, ChannelTake


class Key(NamedTuple):
    """Which request a response is of: the how manieth of the how manieth run of a step, both from 1."""

    step: str
    run: int
    turn: int


@dataclass(frozen=True, slots=True)
class Take:
    """One response. Of the request only its method and URL are kept: headers and bodies carry credentials.

    `channel`: what passed over the channel that the request was to open."""

    key: Key
    method: str
    url: str  # only path and query below the flow's base
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | None  # None: it was too large to be kept
    sent: float  # seconds from the start of the request, as the next two
    first: float
    ended: float
    certificate: float | None  # when the server's ends, in seconds since 1970
    at: float  # when it came, in seconds since 1970
    channel: ChannelTake | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        own = 400 + len(self.url) + sum(len(n) + len(v) for n, v in self.headers) + len(self.body or b"")
        return own + (self.channel.size if self.channel is not None else 0)

    @property
    def kind(self) -> ChannelKind | None:
        """What the request was to open; None: it was for a response."""
        return self.channel.kind if self.channel is not None else None


@dataclass(frozen=True, slots=True)
class Tape:
    """All takes of a flow, and with which inputs they were made (secrets masked)."""

    flow: str
    inputs: Mapping[str, str]
    base_url: str | None  # of the command line
    takes: tuple[Take, ...]
    by_key: Mapping[Key, Take] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_key", {take.key: take for take in self.takes})

    @property
    def at(self) -> float:
        """When the newest of them came, in seconds since 1970."""
        return max((take.at for take in self.takes), default=0.0)

    def over(self, older: "Tape | None") -> "Tape":
        """These takes, and of an older tape those of steps that did not run this time."""
        if older is None:
            return self
        ran = {take.key.step for take in self.takes}
        return replace(self, takes=(*self.takes, *(t for t in older.takes if t.key.step not in ran)))


def bounded(takes: Iterable[Take], most: int) -> tuple[Take, ...]:
    """As many of the takes, from the first on, as fit into so many bytes."""
    kept, room = [], most
    for take in takes:
        room -= take.size
        if room >= 0:
            kept.append(take)
    return tuple(kept)


def written_url(origin: Origin, target: str, base: Origin | None) -> str:
    """The URL of a request, without the part that every request of the flow has."""
    return target if origin == base else f"{origin.scheme}://{origin.authority}{target}"
