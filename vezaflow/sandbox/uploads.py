"""Chunked uploads as the server remembers them: what was announced, what has come.

Chunks come in any order, each once. Bodies are counted, never kept; of uploads that nobody completes only the
latest `KEPT` are remembered.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count
from uuid import uuid4

KEPT = 10_000
LARGEST = 2 << 30  # bytes
MOST_CHUNKS = 10_000


class RefusedError(Exception):
    """An upload's step that can't be: the HTTP status and the reason."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(slots=True)
class OpenUpload:
    filename: str
    size: int  # bytes announced
    chunks: int  # chunks announced
    there: set[int] = field(default_factory=set)  # the chunks that came
    received_bytes: int = 0

    @property
    def received(self) -> int:
        """How many chunks came."""
        return len(self.there)


class Uploads:
    """Uploads under way, by identifier."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._open: OrderedDict[str, OpenUpload] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def initiate(self, filename: object, size: object, chunks: object) -> str:
        """A new upload's identifier; 422 for what can't be uploaded."""
        if not isinstance(filename, str) or not filename:
            raise RefusedError(422, "filename is a text")
        if not is_count(size, LARGEST):
            raise RefusedError(422, f"size is a number of bytes from 1 to {LARGEST}")
        if not is_count(chunks, MOST_CHUNKS):
            raise RefusedError(422, f"chunks is a number from 1 to {MOST_CHUNKS}")
        assert isinstance(size, int)
        assert isinstance(chunks, int)
        if len(self._open) >= self._kept:
            self._open.popitem(last=False)
        identifier = str(uuid4())
        self._open[identifier] = OpenUpload(filename, size, chunks)
        return identifier

    def receive(self, identifier: str, index: int | None, size: int) -> OpenUpload:
        """Count a chunk that has come whole. Without an index it is taken for the first that is missing."""
        upload = self._find(identifier)
        index = next(i for i in count() if i not in upload.there) if index is None else index
        if not 0 <= index < upload.chunks:
            raise RefusedError(400, f"chunk {index} is not among the {upload.chunks} announced (counted from 0)")
        if index in upload.there:
            raise RefusedError(409, f"chunk {index} came a second time")
        if size == 0:
            raise RefusedError(400, "the chunk is empty")
        if upload.received_bytes + size > upload.size:
            raise RefusedError(409, f"more bytes came than the {upload.size} announced")
        upload.there.add(index)
        upload.received_bytes += size
        return upload

    def complete(self, identifier: str) -> OpenUpload:
        """The whole upload, which is then forgotten; 409 while something is missing."""
        upload = self._find(identifier)
        if upload.received != upload.chunks:
            raise RefusedError(409, f"{upload.chunks - upload.received} of {upload.chunks} chunks are missing")
        if upload.received_bytes != upload.size:
            raise RefusedError(409, f"{upload.received_bytes} bytes came, {upload.size} were announced")
        del self._open[identifier]
        return upload

    def _find(self, identifier: str) -> OpenUpload:
        try:
            return self._open[identifier]
        except KeyError:
            raise RefusedError(404, "there is no such upload") from None


def is_count(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
