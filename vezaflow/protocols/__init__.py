"""Bytes and time: requests go out, exchanges come back. Knows no flows."""

from vezaflow.protocols.channel import Channel, ChannelMessage, Ending, OnFrame, OnMessage, Outgoing
from vezaflow.protocols.client import Client, Sender
from vezaflow.protocols.cookies import CookieJar
from vezaflow.protocols.dates import moment_of
from vezaflow.protocols.dns import Resolver
from vezaflow.protocols.exchange import IDEMPOTENT, Body, ErrorKind, Exchange, Origin, RequestOptions, Sent, Want
from vezaflow.protocols.faults import TlsFault
from vezaflow.protocols.options import ClientOptions, Proxy, WebSocketOptions
from vezaflow.protocols.park import park, trap, wake
from vezaflow.protocols.stamps import Receiving
from vezaflow.protocols.transport import Transport, check_trust

__all__ = [
    "IDEMPOTENT", "Body", "Channel", "ChannelMessage", "Client", "ClientOptions", "CookieJar", "Ending", "ErrorKind",
    "Exchange", "OnFrame", "OnMessage", "Origin", "Outgoing", "Proxy", "Receiving", "RequestOptions", "Resolver",
    "Sender", "Sent", "TlsFault", "Transport", "Want", "WebSocketOptions", "check_trust", "moment_of", "park", "trap",
    "wake",
]  # fmt: skip
