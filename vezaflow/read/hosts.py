"""Patterns of hosts: whom a guard lets be loaded, whose runs count. A pattern that fits no host is warned of."""

from vezaflow.model import pattern_trouble
from vezaflow.read.mappings import Row
from vezaflow.read.trees import words


def read_patterns(row: Row, key: str) -> tuple[str, ...]:
    """The patterns under a key, as written."""
    hosts = words(row, key)
    for host in hosts:
        if (trouble := pattern_trouble(host.text)) is not None:
            why, remedy = trouble
            row.diagnostics.warning("VF438", host.span, f"not a valid host: {why}", help=remedy)
    return tuple(host.text for host in hosts)
