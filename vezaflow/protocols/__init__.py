"""Bytes and time: requests go out, exchanges come back. Knows no flows."""

from vezaflow.protocols.channel import (
    ChannelMessage,
    Ending,
    EventMessage,
    EventStream,
    MessageChannel,
    OnFrame,
    OnMessage,
    OpenChannel,
    SentMessage,
    StreamOpening,
    Upgrade,
    Voice,
    WebSocket,
)
from vezaflow.protocols.client import Client
from vezaflow.protocols.cookies import Cookie, CookieJar
from vezaflow.protocols.dates import moment_of
from vezaflow.protocols.dns import Resolver
from vezaflow.protocols.event_stream import with_last_id
from vezaflow.protocols.exchange import IDEMPOTENT, Body, ErrorKind, Exchange, Origin, RequestOptions, Sent, Want
from vezaflow.protocols.faults import TlsFault
from vezaflow.protocols.options import ClientOptions, EventStreamOptions, Proxy, WebSocketOptions
from vezaflow.protocols.park import park, trap, wake
from vezaflow.protocols.routes import check_trust
from vezaflow.protocols.sender import Opener, Sender, SenderAround
from vezaflow.protocols.stamp_trial import StampTrial, try_stamps
from vezaflow.protocols.stamps import Receiving, kernel_stamps
from vezaflow.protocols.transport import Transport

__all__ = [
    "IDEMPOTENT",
    "Body",
    "ChannelMessage",
    "Client",
    "ClientOptions",
    "Cookie",
    "CookieJar",
    "Ending",
    "ErrorKind",
    "EventMessage",
    "EventStream",
    "EventStreamOptions",
    "Exchange",
    "MessageChannel",
    "OnFrame",
    "OnMessage",
    "OpenChannel",
    "Opener",
    "Origin",
    "Proxy",
    "Receiving",
    "RequestOptions",
    "Resolver",
    "Sender",
    "SenderAround",
    "Sent",
    "SentMessage",
    "StampTrial",
    "StreamOpening",
    "TlsFault",
    "Transport",
    "Upgrade",
    "Voice",
    "Want",
    "WebSocket",
    "WebSocketOptions",
    "check_trust",
    "kernel_stamps",
    "moment_of",
    "park",
    "trap",
    "try_stamps",
    "wake",
    "with_last_id",
]
