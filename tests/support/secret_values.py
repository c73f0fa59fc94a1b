"""Values as people keep them secret, for hypothesis, and the ways in which servers and reports write them."""

import json
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape as escape_xml

from hypothesis import strategies as st

from vezaflow.redact import weakness

_LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHIJKLMNPQRSTUVWXYZ"
_BASE64 = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", min_size=12, max_size=40)
_LINES = st.lists(_BASE64, min_size=2, max_size=4)
_WORDS = st.lists(st.text(_LETTERS, min_size=2, max_size=9), min_size=2, max_size=5)

TOKENS = st.builds("{}{}".format, _BASE64, st.sampled_from(["", "=", "=="]))
KEYS = _LINES.map(lambda lines: "\n".join(["-----BEGIN KEY-----", *lines, "-----END KEY-----"]))
PHRASES = st.builds(lambda words, gap: gap.join(words), _WORDS, st.sampled_from([" ", "  ", "\t", "\n"]))
SIGNS = st.text(_LETTERS + "'\"|`<>&%+/\\={}[]()*_~#!$;:,.?@^-", min_size=9, max_size=30)
FOREIGN = st.text(_LETTERS + "äöüéèñçžšłøåæ€日本語пароль", min_size=8, max_size=20)

SECRETS = st.one_of(TOKENS, KEYS, PHRASES, SIGNS, FOREIGN).filter(lambda value: not weakness(value))

WRITINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent": lambda value: quote(value, safe=""),
    "percent in small letters": lambda value: quote(value, safe="").lower(),
    "percent twice": lambda value: quote(quote(value, safe=""), safe=""),
    "a form": quote_plus,
    "JSON": lambda value: json.dumps(value)[1:-1],
    "JSON in JSON": lambda value: json.dumps(json.dumps(value))[3:-3],
    "JSON as PHP writes it": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "JSON by code points": lambda value: "".join(f"\\u{ord(c):04X}" for c in value if ord(c) < 0x10000),
    "HTML": escape,
    "XML text": escape_xml,
    "HTML by code points": lambda value: "".join(f"&#x{ord(c):x};" for c in value),
    "JSON in HTML": lambda value: escape(json.dumps(value)[1:-1]),
    "Markdown": lambda value: value.replace("|", "\\|").replace("`", "\\`"),
    "one line": lambda value: " ".join(value.split()),
    "line by line": lambda value: "\n    ".join(value.splitlines()),
    "cut in lines": lambda value: "\n".join(value[i : i + 7] for i in range(0, len(value), 7)),
    "UTF-8 as Latin-1": lambda value: value.encode().decode("latin-1"),
    "hex": lambda value: value.encode().hex(),
    "capitals": str.upper,
}
