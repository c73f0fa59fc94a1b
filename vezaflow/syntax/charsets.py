"""Bodies → texts, in the encoding that the server says: a byte order mark, else the charset of Content-Type, else what
an HTML body's <meta> or an XML body's declaration says, else UTF-8, each as browsers take it (WHATWG Encoding).

Laws: every body gives a text; bytes that are none in its encoding are U+FFFD. A charset that is unknown, or none of
texts, is UTF-8. A mark is no part of the text. Python is never asked for a codec that it may not have: it remembers
each such name for good, and servers make them up.
"""

import codecs
import re
from encodings import normalize_encoding
from encodings.aliases import aliases
from functools import lru_cache

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SNIFFED = 1024  # bytes of a page in which its encoding must be said
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?\s*([\w.:+-]{1,40})""", re.IGNORECASE | re.ASCII)
_COMMENT = re.compile(rb"<!--.*?(?:-->|$)", re.DOTALL)
_META = re.compile(rb"<meta[\s/][^>]*>", re.IGNORECASE)
_META_CHARSET = re.compile(rb"""[\s;"'/]charset\s*=\s*["']?\s*([\w.:+-]{1,40})""", re.IGNORECASE)
_DECLARATION = re.compile(rb"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w.:+-]{1,40})["']""")
_LONGEST = 1024  # characters of a Content-Type that are read
_MEANT = {  # a label means the larger set that holds it
    "ascii": "cp1252", "latin-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift-jis": "cp932", "euc-kr": "cp949", "utf-16": "utf-16-le",
    "big5": "big5hkscs",
}  # fmt: skip
_LABELS = {"windows-874": "cp874", "windows-31j": "cp932"}  # that Python does not know
_TEXTS = re.compile(
    r"utf-8|utf-16|utf-16-[bl]e|ascii|latin-1|iso8859-(?:[2-9]|1[013-6])|cp(?:125[0-8]|437|850|866|874|932|949)|koi8-[ru]"
    r"|mac-(?:roman|cyrillic)|tis-620|gb2312|gbk|gb18030|big5|big5hkscs|euc-jp|iso2022-jp|shift-jis|euc-kr"
)  # codecs that Python has, and that are neither ciphers, nor archives, nor slow


def decoded(body: bytes, content_type: str = "") -> str:
    """The body's text."""
    mark, charset = _encoding(body, content_type)
    return body[mark:].decode(charset, "replace")


def in_utf8(body: bytes, content_type: str = "") -> bytes:
    """The body's text in UTF-8, where it is another; without a mark."""
    mark, charset = _encoding(body, content_type)
    if charset == "utf-8":
        return body[mark:] if mark else body
    return body[mark:].decode(charset, "replace").encode()


def told(body: bytes, content_type: str) -> bool:
    """Whether a mark or the Content-Type says the encoding, so that nothing within the body counts."""
    return bool(_marked(body)[0] or _of_header(content_type[:_LONGEST]))


def _encoding(body: bytes, content_type: str) -> tuple[int, str]:
    """The length of the mark, and the name of Python's codec."""
    mark, charset = _marked(body)
    return mark, charset or _of_header(content_type[:_LONGEST]) or _within(body[:_SNIFFED], content_type) or "utf-8"


def _marked(body: bytes) -> tuple[int, str]:
    return next(((len(mark), name) for mark, name in _MARKS if body.startswith(mark)), (0, ""))


@lru_cache(maxsize=256)
def _of_header(content_type: str) -> str:
    found = _CHARSET.search(content_type)
    return _codec(found[1]) if found else ""


def _within(begin: bytes, content_type: str) -> str:
    kind = content_type.partition(";")[0].lower()
    if (not kind or "xml" in kind) and (found := _DECLARATION.match(begin)):
        return _ascii_based(found[1])
    if (not kind or "html" in kind) and b"charset" in begin.lower():
        for meta in _META.findall(_COMMENT.sub(b"", begin)):
            if found := _META_CHARSET.search(meta):
                return _ascii_based(found[1])
    return ""


def _ascii_based(label: bytes) -> str:
    """What bytes that could be read as ASCII so far say of themselves can't be UTF-16."""
    codec = _codec(label.decode("latin-1"))
    return "utf-8" if codec.startswith("utf-16") else codec


@lru_cache(maxsize=256)
def _codec(label: str) -> str:
    """The codec that a label means; '' for none."""
    spelled = normalize_encoding(_LABELS.get(label.lower(), label.removeprefix("x-"))).lower()
    name = (aliases.get(spelled) or aliases.get(spelled.replace(".", "_"), spelled)).replace("_", "-")
    return _MEANT.get(name, name) if _TEXTS.fullmatch(name) else ""
