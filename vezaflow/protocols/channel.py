"""stub"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from vezaflow.protocols.exchange import ErrorKind


@dataclass(slots=True)
class ChannelMessage:
    data: str | bytes
    at: float
    size: int


@dataclass(frozen=True, slots=True)
class Ending:
    at: float
    code: int
    reason: str
    by_server: bool
    error: ErrorKind | None = None
    detail: str = ""


@dataclass(slots=True)
class SentMessage:
    size: int
    sent: float = 0.0
    error: ErrorKind | None = None
    detail: str = ""


OnMessage: TypeAlias = Callable[[Any, ChannelMessage], bool]
OnFrame: TypeAlias = Callable[[bool, int, bytes, float], None]
