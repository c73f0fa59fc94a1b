"""What all connections of a transport share. Law: one of them reads at a time, so one buffer of each kind serves all;
what stays of a response is copied out of it in the same turn."""

import mmap

from vezaflow.protocols.plain_response import BodyResponse, HeaderResponse, PlainResponse

READ_SIZE = 32 * 1024  # before the rest is skipped: 67 µs for a dropped 200 kB, 75 with 128 KiB, 89 unskipped
_RECORDS_SIZE = 64 * 1024  # over TLS, where nothing is skipped: 100 µs for those 200 kB, 120 with 32 KiB
SKIP_SIZE = 1024 * 1024


class Scratch:
    """The buffers that connections read into, the parsers at rest, the body limit."""

    __slots__ = (
        "buffer", "max_body", "plain", "records", "records_view", "skipped", "skipped_view", "view", "with_body",
        "with_headers",
    )  # fmt: skip

    def __init__(self, max_body: int) -> None:
        self.max_body = max_body
        self.buffer = bytearray(READ_SIZE)
        self.view = memoryview(self.buffer)
        self.records = bytearray(_RECORDS_SIZE)
        self.records_view = memoryview(self.records)
        self.skipped = mmap.mmap(-1, SKIP_SIZE)  # never touched, so never resident
        self.skipped_view = memoryview(self.skipped)
        self.plain: list[PlainResponse] = []
        self.with_headers: list[HeaderResponse] = []
        self.with_body: list[BodyResponse] = []
