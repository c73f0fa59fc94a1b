"""Bytes and time: requests go out, exchanges come back. Knows no flows."""

from vezaflow.protocols.client import Client, ClientOptions, Sender
from vezaflow.protocols.cookies import CookieJar
from vezaflow.protocols.dns import Resolver
from vezaflow.protocols.exchange import Body, ErrorKind, Exchange, Origin, Want
from vezaflow.protocols.park import park, trap, wake
from vezaflow.protocols.stamps import Receiving
from vezaflow.protocols.transport import Transport

__all__ = [
    "Body", "Client", "ClientOptions", "CookieJar", "ErrorKind", "Exchange", "Origin", "Receiving", "Resolver",
    "Sender", "Transport", "Want", "park", "trap", "wake",
]  # fmt: skip
