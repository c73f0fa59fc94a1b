"""Uploads, planned: the whole cut into parts once, with all that a part can say of itself.

Parts are slices of the one shared buffer, whatever the number of VUs. A checksum is computed only if a step asks for
it, once a part, before the run.
"""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from vezaflow.diagnostics import Diagnostics
from vezaflow.lint import MOST_PARTS, too_many
from vezaflow.model import Upload, part_fields
from vezaflow.plan.scope import Scope
from vezaflow.plan.settings import Settings

Fields = dict[str, Any]  # what `part` is: keys of PART_FIELDS


@dataclass(frozen=True, slots=True)
class Slices:
    """The parts of one upload. Called with a scope: the bytes of the part that its slot holds."""

    slot: int  # of `part`
    parts: tuple[Fields, ...]
    pieces: tuple[memoryview, ...]

    def __call__(self, scope: Scope) -> memoryview:
        index: int = scope.slots[self.slot]["index"]
        return self.pieces[index]

    @property
    def least(self) -> int:
        """Bytes of the smallest part."""
        return min(map(len, self.pieces), default=0)

    @property
    def total(self) -> int:
        return sum(map(len, self.pieces))


def cut(whole: memoryview, upload: Upload, slot: int, settings: Settings, diagnostics: Diagnostics) -> Slices:
    """The bytes of an upload in its parts."""
    size, total = settings.size(upload.part), len(whole)
    if not diagnostics.failed:
        if size < 1:
            settings.refuse("VF702", upload.part.span, "a part has at least one byte")
        elif total < 1:
            settings.refuse("VF702", upload.source.span, "there is nothing to upload")
        elif -(-total // size) > MOST_PARTS:
            settings.refuse("VF433", upload.part.span, too_many(-(-total // size)))
    if diagnostics.failed:
        return Slices(slot, (), ())
    wanted = part_fields(upload)
    pieces = tuple(whole[offset : offset + size] for offset in range(0, total, size))
    parts = tuple(_fields(index, piece, size, total, len(pieces), wanted) for index, piece in enumerate(pieces))
    return Slices(slot, parts, pieces)


def _fields(index: int, piece: memoryview, size: int, total: int, count: int, wanted: frozenset[str]) -> Fields:
    offset = index * size
    end = offset + len(piece) - 1
    fields: Fields = {
        "index": index,
        "number": index + 1,
        "count": count,
        "last": index + 1 == count,
        "offset": offset,
        "end": end,
        "size": len(piece),
        "total": total,
        "range": f"bytes {offset}-{end}/{total}",  # RFC 9110, 14.4
    }
    for name in ("md5", "sha256"):
        if wanted & {name, f"{name}_base64"}:
            checksum = hashlib.new(name, piece, usedforsecurity=False)
            fields[name] = checksum.hexdigest()
            fields[f"{name}_base64"] = b64encode(checksum.digest()).decode()
    return fields
