"""`http` and `tls` of a suite, a flow or a request."""

from vezaflow.keys import TABLES, TLS, Field, Kind
from vezaflow.model import ConnectionLifetime, Http, Tls
from vezaflow.read import scalars
from vezaflow.read.mappings import Row, items, sub_mapping
from vezaflow.syntax import Expression, Sequence


def read_http(row: Row) -> Http | None:
    """The settings under `http`; None if there are none."""
    (table,) = row.field("http").tables
    inner = sub_mapping(row, "http", TABLES[table])
    if inner is None:
        return None
    connections = inner.constant("connections")
    version = inner.constant("version")
    return Http(
        version=version if isinstance(version, str) else None,
        connections=ConnectionLifetime(connections) if isinstance(connections, str) else None,
        proxy=inner.expression("proxy"),
        local_addresses=_addresses(inner),
        span=inner.span,
        version_span=inner.entries["version"].value.span if "version" in inner.entries else None,
    )


def read_tls(row: Row) -> Tls | None:
    """The settings under `tls`; None if there are none."""
    inner = sub_mapping(row, "tls", TLS)
    if inner is None:
        return None
    insecure = inner.constant("insecure")
    return Tls(
        ca=inner.expression("ca"),
        insecure=insecure if isinstance(insecure, bool) else None,
        cert=inner.expression("cert"),
        key=inner.expression("key"),
        password=inner.expression("password"),
        span=inner.span,
    )


def _addresses(row: Row) -> tuple[Expression, ...] | None:
    node = row.node("local_address")
    if node is None:
        return None
    one = Field("local_address", Kind.TEMPLATE, "")
    what, wanted = "'local_address'", row.field("local_address").wanted
    nodes = items(node, what, wanted, row.diagnostics) if isinstance(node, Sequence) else (node,)
    return tuple(scalars.expression(each, one, row.diagnostics) for each in nodes)
