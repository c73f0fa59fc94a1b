"""What every page has within: the style, the script with uPlot, and the data, so that it asks nobody for anything.

Laws: the page's own policy allows this one script by its hash and no request at all. The data is packed, a third of its
size, and holds no sign that could end its element.
"""

import zlib
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
UPLOT = "1.6.32"  # uplot/ holds this version's files as npm has them, with their licence


class Inlined(str):
    """Text of our own that stands in the page as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Assets:
    """`script_hash`: SHA-256 in base64, as a Content-Security-Policy has it."""

    style: Inlined
    script: Inlined
    script_hash: str
    data: Inlined


def assets(data: dict[str, Any]) -> Assets:
    style, script = _own()
    return Assets(Inlined(style), Inlined(script), b64encode(sha256(script.encode()).digest()).decode(), inlined(data))


def inlined(data: dict[str, Any]) -> Inlined:
    """The object as JSON that no HTML parser takes for anything else: `deflated` is JSON, by zlib, in base64."""
    import orjson

    packed = b64encode(zlib.compress(orjson.dumps(data), 9)).decode()
    return Inlined(orjson.dumps({"deflated": packed}).decode().replace("<", "\\u003c"))


@cache
def _own() -> tuple[str, str]:
    licence = "/*! uPlot: MIT, Leon Sorokin and contributors, https://github.com/leeoniya/uPlot */\n"
    style = [_read("uplot/uPlot.min.css"), _read("style.css")]
    return "\n".join(style), licence + "\n".join([_read("uplot/uPlot.iife.min.js"), _read("charts.js")])


def _read(name: str) -> str:
    """The file without its indentation, which means nothing in either language as they are written here."""
    return "\n".join(line.strip() for line in (HERE / name).read_text(encoding="utf-8").splitlines())
