"""The sandbox's bearer tokens: one that its user is given, and those that a login issues.

Where the chat's tokens have a lifetime, each login issues one of its own, and they say themselves when they expire; the
lifetime of the user's token begins when the chat first sees it. Elsewhere a token is good however old it is, so that
one switch has one effect.
"""

import time
from math import inf


class Tokens:
    """`lifetime`: seconds; 0: without end."""

    def __init__(self, token: str, lifetime: float = 0.0) -> None:
        self._token = token
        self._lifetime = lifetime
        self._first_seen: float | None = None

    def issue(self) -> str:
        """The token of who logs in now."""
        return f"{self._token}.{time.time() + self._lifetime:.6f}" if self._lifetime else self._token

    def knows(self, authorization: str) -> bool:
        """Whether an `Authorization` has a token of this sandbox, expired or not."""
        return self._expires(authorization) is not None

    def left(self, authorization: str) -> float:
        """Seconds that the chat lets its token live; none is left of one that is not known."""
        if not self._lifetime:
            return inf if self.knows(authorization) else 0.0
        now = time.time()
        if self._first_seen is None and authorization == f"Bearer {self._token}":
            self._first_seen = now
        expires = self._expires(authorization)
        return max(0.0, expires - now) if expires is not None else 0.0

    def _expires(self, authorization: str) -> float | None:
        scheme, _, token = authorization.partition(" ")
        issued, dot, moment = token.partition(".")
        if scheme != "Bearer" or issued != self._token:
            return None
        if not dot:
            return inf if self._first_seen is None else self._first_seen + self._lifetime
        try:
            return float(moment)
        except ValueError:
            return None
