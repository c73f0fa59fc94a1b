"""What a history's file holds, as people could read it: every cell of every table, unpacked."""

import sqlite3
import zlib
from pathlib import Path


def cells(database: Path) -> list[bytes]:
    """Each cell's bytes, those that are compressed as they were before."""
    found: list[bytes] = []
    with sqlite3.connect(database) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f"SELECT * FROM {table}"):
                found += [zlib.decompress(cell) if isinstance(cell, bytes) else str(cell).encode() for cell in row]
    connection.close()
    return found
