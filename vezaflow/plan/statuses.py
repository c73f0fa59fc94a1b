"""Sets of statuses as tables: `table[status]` is 1 where the status is in the set."""

from collections.abc import Iterable

_STATUSES = 1000


def table_of(exact: Iterable[int], classes: Iterable[int]) -> bytes:
    """The table of some statuses and of whole hundreds."""
    table = bytearray(_STATUSES)
    for status in exact:
        table[status] = 1
    for hundred in classes:
        table[hundred * 100 : hundred * 100 + 100] = b"\x01" * 100
    return bytes(table)
