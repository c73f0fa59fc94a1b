"""lark's parser for the expressions' language, built on first use.

grammar.lark is the language. Its LALR tables take 30 to 50 ms to compute, a quarter of a whole `vezaflow lint`, so
they lie ready beside it in grammar.json, which docs/generate.py makes. Tables of another grammar or of another
lark are not used: then they are computed, as if there were none.
"""

import json
import pickle
from functools import cache
from io import BytesIO
from pkgutil import get_data
from typing import Any
from zlib import crc32

import lark

_STARTS = ["expression", "condition", "pipeline", "limit"]


@cache
def grammar() -> lark.Lark:
    """The parser; each of the language's starts is one of its rules."""
    text = _read("grammar.lark")
    kept = json.loads(_read("grammar.json"), object_hook=_numbered)
    return lark.Lark.load(kept) if kept.get("of") == _stamp(text) else computed()


def computed() -> lark.Lark:
    """The same parser, without the tables of grammar.json."""
    return lark.Lark(
        _read("grammar.lark"), parser="lalr", lexer="contextual", start=_STARTS, propagate_positions=True,
        maybe_placeholders=False,
    )  # fmt: skip


def tables() -> str:
    """What grammar.json should hold: what it does hold if it belongs to the grammar and to this lark."""
    text, kept = _read("grammar.lark"), _read("grammar.json")
    if json.loads(kept).get("of") == _stamp(text):
        return kept  # lark numbers its states anew each time; the same tables would look different
    saved = BytesIO()
    computed().save(saved)
    return json.dumps({"of": _stamp(text), **pickle.loads(saved.getvalue())}, separators=(",", ":")) + "\n"


def _stamp(text: str) -> str:
    """Says which tables these are: of which grammar, and whose."""
    return f"{crc32(text.encode()):08x} {lark.__version__}"


def _read(name: str) -> str:
    content = get_data(__package__, name)
    assert content is not None
    return content.decode()


def _numbered(mapping: dict[str, Any]) -> dict[Any, Any]:
    """The keys that lark counts with, as they were before JSON made texts of them."""
    return {int(key) if key.isdigit() else key: value for key, value in mapping.items()}
