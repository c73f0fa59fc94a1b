"""Native histograms, pushed to a Prometheus of the test's own: encoded here, with no code of ours."""

import struct
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

from prometheus import Prometheus


@dataclass(frozen=True)
class NativeHistogram:
    """A native histogram at one moment: `counts` from the bucket with this index on (schema 3: its upper bound is
    2^(index/8))."""

    at: float
    total: float
    index: int
    counts: Sequence[int]
    schema: int = 3


def push(server: Prometheus, labels: dict[str, str], histogram: NativeHistogram) -> None:
    """Send it by remote write (protocol 1.0), as a Prometheus that scraped it would."""
    body = _snappy(_message((1, _series(labels, histogram))))
    headers = {
        "content-type": "application/x-protobuf",
        "content-encoding": "snappy",
        "x-prometheus-remote-write-version": "0.1.0",
    }
    asked = urllib.request.Request(server.write_url, data=body, headers=headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.status in (200, 204)


def _series(labels: dict[str, str], histogram: NativeHistogram) -> bytes:
    pairs = [(1, _message((1, name.encode()), (2, value.encode()))) for name, value in sorted(labels.items())]
    steps = [now - before for before, now in zip((0, *histogram.counts), histogram.counts, strict=False)]
    span = _message((1, _zigzag(histogram.index)), (2, len(histogram.counts)))
    sample = _message(
        (1, sum(histogram.counts)),
        (3, histogram.total),
        (4, _zigzag(histogram.schema)),
        (5, 1e-128),
        (6, 0),
        (11, span),
        (12, b"".join(_varint(_zigzag(step)) for step in steps)),
        (15, round(histogram.at * 1000)),
    )
    return _message(*pairs, (4, sample))


def _message(*fields: tuple[int, int | float | bytes]) -> bytes:
    """A protobuf message: numbers as varints, floats as doubles, bytes with their length."""
    out = b""
    for number, value in fields:
        match value:
            case int():
                out += _varint(number << 3) + _varint(value)
            case float():
                out += _varint(number << 3 | 1) + struct.pack("<d", value)
            case bytes():
                out += _varint(number << 3 | 2) + _varint(len(value)) + value
    return out


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _snappy(data: bytes) -> bytes:
    """Snappy's block format, with nothing but literals."""
    out = _varint(len(data))
    for start in range(0, len(data), 60):
        piece = data[start : start + 60]
        out += bytes([(len(piece) - 1) << 2]) + piece
    return out
