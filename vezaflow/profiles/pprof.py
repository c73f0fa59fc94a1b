"""A profile in pprof's format → its stacks: the names of functions from the leaf on, each with its values.

Laws: whatever a server sent, the result is a SampledProfile or a PprofError; memory is bounded. A line that the
compiler inlined is a function of the stack like any other. A place without a name is its address in its file.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vezaflow.profiles.wire import pprof_messages
from vezaflow.protobuf import Message

MOST = 256 << 20  # bytes, unpacked
_GZIP = b"\x1f\x8b"
_FIRST = b"\x0a"  # how a Profile begins that is not packed: its first sample_type
_PREFERRED = ("cpu", "inuse_space", "alloc_space", "delay")
_GZIP_WINDOW = 31
_NANO = 1e-9


class PprofError(Exception):
    """Why bytes are no profile, in words."""


@dataclass(frozen=True, slots=True)
class SampleKind:
    """What a value counts, and in which unit: `cpu` in `nanoseconds`."""

    kind: str
    unit: str


@dataclass(frozen=True, slots=True)
class SampledStack:
    """Functions from the leaf to the root, and a value for each SampleKind."""

    functions: tuple[str, ...]
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SampledProfile:
    """`usual`: the place of the kind that people look at first; `seconds`: over which it was sampled, 0: not said."""

    kinds: tuple[SampleKind, ...]
    stacks: tuple[SampledStack, ...]
    usual: int
    seconds: float


def looks_like_pprof(data: bytes) -> bool:
    """Whether bytes begin as a profile does: enough to tell a page of HTML from it, and it takes no time."""
    return data.startswith((_GZIP, _FIRST))


def parse_pprof(data: bytes) -> SampledProfile:
    """The stacks of a profile, packed with gzip or not. Raises PprofError."""
    from google.protobuf.message import DecodeError

    try:
        message = pprof_messages()["Profile"].FromString(_unpacked(data))
    except DecodeError:
        raise PprofError("it is not in pprof's format") from None
    return _profile(message)


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        found = unpacker.decompress(data, MOST)
    except zlib.error as e:
        raise PprofError(f"its gzip is broken: {e}") from None
    if unpacker.unconsumed_tail:
        raise PprofError(f"it has more than {MOST >> 20} MiB")
    if not unpacker.eof:
        raise PprofError("it is truncated")
    return found


def _profile(message: Message) -> SampledProfile:
    texts: list[str] = [text.decode("utf-8", "replace") for text in message.string_table]

    def text(index: int) -> str:
        if 0 <= index < len(texts):
            return texts[index]
        raise PprofError(f"it has no text {index}")

    kinds = tuple(SampleKind(text(each.type), text(each.unit)) for each in message.sample_type)
    if not kinds:
        raise PprofError("it does not say what it counts")
    names = {each.id: text(each.name) or text(each.system_name) or "?" for each in message.function}
    files = {each.id: text(each.filename) for each in message.mapping}
    places = {each.id: tuple(_functions(each, names, files)) for each in message.location}
    return SampledProfile(
        kinds,
        tuple(_stacks(message, places, len(kinds))),
        _usual(kinds, text(message.default_sample_type)) if texts else _usual(kinds, ""),
        max(0.0, message.duration_nanos * _NANO),
    )


def _functions(location: Message, names: Mapping[int, str], files: Mapping[int, str]) -> Iterator[str]:
    """The functions of a place: what was inlined comes first, then what it was inlined into."""
    for line in location.line:
        if line.function_id not in names:
            raise PprofError(f"it has no function {line.function_id}")
        yield names[line.function_id]
    if not location.line:
        file = files.get(location.mapping_id, "").rpartition("/")[2]
        yield f"{file} 0x{location.address:x}".strip()


def _stacks(message: Message, places: Mapping[int, tuple[str, ...]], values: int) -> Iterator[SampledStack]:
    for sample in message.sample:
        if len(sample.value) != values:
            raise PprofError("a sample does not have a value for each of its types")
        try:
            functions = tuple(name for place in sample.location_id for name in places[place])
        except KeyError as e:
            raise PprofError(f"it has no location {e}") from None
        yield SampledStack(functions, tuple(sample.value))


def _usual(kinds: tuple[SampleKind, ...], default: str) -> int:
    """As pprof does: the default that the profile names, else the last; what is known by its name goes first."""
    named = [each.kind for each in kinds]
    return next((named.index(kind) for kind in (default, *_PREFERRED) if kind in named), len(kinds) - 1)
