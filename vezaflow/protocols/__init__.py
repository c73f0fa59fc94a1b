"""Bytes and time: requests go out, exchanges come back. Knows no flows."""

from vezaflow.protocols.client import Client, ClientOptions, Sender
from vezaflow.protocols.cookies import CookieJar
from vezaflow.protocols.dns import Resolver
from vezaflow.protocols.exchange import Body, ErrorKind, Exchange, Origin, Want
from vezaflow.protocols.stamps import Receiving
from vezaflow.protocols.transport import Lag, Transport

__all__ = [
    "Body", "Client", "ClientOptions", "CookieJar", "ErrorKind", "Exchange", "Lag", "Origin", "Receiving", "Resolver",
    "Sender", "Transport", "Want",
]  # fmt: skip
