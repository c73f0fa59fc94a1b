"""Values whose fields are known: what is in a playlist or a response, and a part of an upload."""

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.keys import ITEM_FIELDS
from vezaflow.model import PART_FIELDS, Extract
from vezaflow.syntax import QUERIES

FIELDS = {**ITEM_FIELDS, "part": tuple(PART_FIELDS)}


def is_structured(extract: Extract) -> bool:
    """Whether only the response tells which fields the items have."""
    return extract.source in QUERIES and QUERIES[extract.source].structured


def shape_of(extract: Extract) -> str:
    word = word_of(extract)
    if not word or extract.default is not None or extract.pipe is not None:
        return ""
    return f"{word}[]" if extract.all or extract.take is not None else word


def word_of(extract: Extract) -> str:
    """The word in ITEM_FIELDS for what an extraction finds; empty if its fields are not known."""
    known = extract.source in ("m3u8", "response") and extract.argument in ITEM_FIELDS
    return extract.argument if known else ""


def check_field(name: str, span: Span, shape: str, diagnostics: Diagnostics) -> None:
    fields = FIELDS[shape]
    if name in fields:
        return
    near = suggest(name, fields)
    diagnostics.error(
        "VF309",
        span,
        f"unknown field '{name}' in {shape}",
        label=did_you_mean(near),
        help=f"the fields are {', '.join(fields)}",
    )
