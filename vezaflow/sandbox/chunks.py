"""A chunk's body on its way in: counted and checksummed as it comes, never held.

Both forms are read: raw bytes, and real multipart/form-data (RFC 7578) with the chunk as its one file part
and `index` and `upload_id` as optional fields.
"""

import zlib

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from vezaflow.sandbox.uploads import RefusedError

LARGEST_CHUNK = 64 << 20
LARGEST_FIELD = 256


class RawChunk:
    """The body is the chunk."""

    def __init__(self) -> None:
        self.size = 0
        self.checksum = 0
        self.fields: dict[str, str] = {}

    def feed(self, body: bytes) -> None:
        self.add(body, 0, len(body))

    def finish(self) -> None:
        """A raw body ends where it ends."""

    def add(self, data: bytes, start: int, end: int) -> None:
        self.size += end - start
        if self.size > LARGEST_CHUNK:
            raise RefusedError(413, f"a chunk has at most {LARGEST_CHUNK} bytes")
        self.checksum = zlib.crc32(memoryview(data)[start:end], self.checksum)


class MultipartChunk(RawChunk):
    """The chunk is the file part of a form."""

    def __init__(self, boundary: bytes) -> None:
        super().__init__()
        self.files = 0
        self._ended = False
        self._header = b""
        self._value = b""
        self._name = ""
        self._is_file = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_ends,
                "on_part_data": self._part_data,
                "on_end": self._form_ends,
            },
        )

    def feed(self, body: bytes) -> None:
        try:
            self._parser.write(body)
        except MultipartParseError as error:
            raise RefusedError(400, f"not a multipart form: {error}") from error

    def finish(self) -> None:
        if not self._ended:
            raise RefusedError(400, "the multipart form has no end")
        if self.files != 1:
            raise RefusedError(400, f"a form has one file part, here are {self.files}")

    def _part_begins(self) -> None:
        self._name, self._is_file = "", False

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            self._is_file = b"filename" in options
            self.files += self._is_file
        self._header = self._value = b""

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.add(data, start, end)
            return
        text = self.fields.get(self._name, "") + data[start:end].decode("utf-8", "replace")
        if len(text) > LARGEST_FIELD:
            raise RefusedError(413, f"a field has at most {LARGEST_FIELD} bytes")
        self.fields[self._name] = text

    def _form_ends(self) -> None:
        self._ended = True


def chunk_for(content_type: bytes) -> RawChunk:
    """The reader for a body of this type."""
    if not content_type.startswith(b"multipart/"):
        return RawChunk()
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise RefusedError(400, "a multipart body names its boundary")
    return MultipartChunk(boundary)
