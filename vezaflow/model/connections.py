"""How VUs connect, as written in a suite, a flow or a request. Key by key, the nearest word wins."""

from dataclasses import dataclass
from enum import Enum

from vezaflow.diagnostics import Span
from vezaflow.syntax import Expression


class ConnectionLifetime(Enum):
    """How long a VU's connections live."""

    KEEP = "keep"  # the default: as long as the VU
    PER_ITERATION = "per_iteration"


@dataclass(frozen=True, slots=True)
class Http:
    """The settings under `http`; None: not said here."""

    version: str | None  # "1.1" | "2"
    connections: ConnectionLifetime | None
    proxy: Expression | None  # a URL, or the word `none`
    local_addresses: tuple[Expression, ...] | None
    span: Span
    version_span: Span | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """The settings under `tls`; None: not said here. Paths are of PEM files in the suite's folder."""

    ca: Expression | None
    insecure: bool | None
    cert: Expression | None
    key: Expression | None
    password: Expression | None
    span: Span
