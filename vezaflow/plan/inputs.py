"""What a run is given besides its files, and the secrets among it."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote, quote_plus, unquote

_MASK = "•••"
_CUT = "…"
_IN_URL = re.compile(r"\bhttps?://[^/@:\s]*:([^/@\s]+)@")
_SHORTEST = 4  # a shorter value stands in too many words to be masked everywhere


@dataclass(frozen=True, slots=True)
class Inputs:
    """The environment and the command line's words."""

    environment: Mapping[str, str]
    base_url: str | None = None  # overrides the suite's
    duration: float | None = None  # seconds, overrides every flow's
    vus: Mapping[str, int] = field(default_factory=dict)  # by flow
    scale: float = 1.0  # of every flow's VUs, rates and shared iterations
    only: tuple[str, ...] = ()  # flows; none: all
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Secrets:
    """Values that never appear in any output, in whatever dress they travel."""

    forms: tuple[str, ...] = ()  # the longest first

    @classmethod
    def of(cls, values: Iterable[str]) -> "Secrets":
        """The values and their dresses: percent-encoded, base64, and as JSON and XML write them."""
        forms: set[str] = set()
        for value in values:
            if len(value) < _SHORTEST:
                continue
            encoded = base64.b64encode(value.encode()).decode()
            forms |= {value, quote(value, safe=""), quote(value), quote_plus(value), encoded, encoded.rstrip("=")}
            written = (json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value))
            forms |= {escape(value), *(text[1:-1] for text in written)}
        return cls(tuple(sorted(forms, key=len, reverse=True)))

    @classmethod
    def among(cls, names: Iterable[str], environment: Mapping[str, str], also: Iterable[str] = ()) -> "Secrets":
        """The secrets of these names that are set, the passwords in URLs of any name, and what else is one."""
        named = [value for name in names if (value := environment.get(name))]
        within = [found[1] for value in environment.values() for found in _IN_URL.finditer(value)]
        return cls.of((*named, *within, *map(unquote, within), *also))

    def and_of(self, values: Iterable[str]) -> "Secrets":
        """These, and more values with their dresses."""
        return Secrets(tuple(sorted({*self.forms, *Secrets.of(values).forms}, key=len, reverse=True)))

    def mask_bytes(self, data: bytes) -> bytes:
        """The bytes with every secret blotted out that stands in them as UTF-8."""
        for form in self.forms:
            data = data.replace(form.encode(), _MASK.encode())
        return data

    def mask(self, text: str) -> str:
        """The text with every secret blotted out, also one that was cut: what is left of it before or after `…`."""
        for form in self.forms:
            if form in text:
                text = text.replace(form, _MASK)
        return self._mask_cut(text) if _CUT in text else text

    def _mask_cut(self, text: str) -> str:
        first, *rest = text.split(_CUT)
        for form in self.forms:
            rest = [_without_end_of(form, piece) for piece in rest]
            pieces = [first, *rest]
            first, *rest = [*(_without_begin_of(form, piece) for piece in pieces[:-1]), pieces[-1]]
        return _CUT.join((first, *rest))


def _without_begin_of(form: str, piece: str) -> str:
    """What stands before a cut, without the part of a secret that ends there."""
    for length in range(min(len(form), len(piece)), _SHORTEST - 1, -1):
        if piece.endswith(form[:length]):
            return piece[:-length] + _MASK
    return piece


def _without_end_of(form: str, piece: str) -> str:
    """What stands after a cut, without the part of a secret that begins there."""
    for length in range(min(len(form), len(piece)), _SHORTEST - 1, -1):
        if piece.startswith(form[-length:]):
            return _MASK + piece[length:]
    return piece
