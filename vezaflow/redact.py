"""Secrets, and texts without them: the one place where a value is looked for in what goes out.

Laws: a text is masked whole, before it is cut, wrapped, escaped or encoded. A secret is found however it is written:
percent-encoded, as JSON, XML, HTML or Markdown escape it (and each of these over another), in capitals, over several
lines, in base64 (also behind other bytes), as UTF-8 read as Latin-1, composed or decomposed (NFC, NFD), and the telling
parts of a secret URL. Escapes are undone rather than listed, so a text and the secret are compared in their plainest
writing. Of a text that was cut elsewhere the piece of a secret at `…` is found. A word of a secret is masked alone only
where it is no word of a language, for reports must stay readable. Time grows with the text and no faster.
"""

import re
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from itertools import pairwise
from typing import Any, Literal, TypeAlias
from unicodedata import normalize
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

MASK = "•••"
SHORTEST = 4  # characters; a shorter value stands in too many words to be masked everywhere
_CUT = "…"
_LEVELS = 5  # escapes over escapes that are undone
_NORMAL_FORMS: tuple[Literal["NFC", "NFD", "NFKC"], ...] = ("NFC", "NFD", "NFKC")
_WORD = 8  # characters from which a line or a word of a secret with digits in it is one itself
_LINE = 20  # … and without digits: no word of a language
_FIGURES = 6  # digits from which a number is no count, port or year
_COMMON = frozenset({"true", "false", "null", "none", "undefined", "http", "https", "localhost"})

_IN_URL = re.compile(r"\bhttps?://[^/@:\s]*:([^/@\s]+)@")
_NUMBER = re.compile(r"[\d.,:+-]+")
# Nothing of this is compared: lines are wrapped, `+` is a blank in forms, and some signs can't be seen at all.
_GAPS = re.compile(r"[\s+\0\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+")
_ASCII_GAPS = dict.fromkeys(code for code in range(128) if _GAPS.match(chr(code)))
_LARGE = 1 << 20  # comparisons of a text with forms, from which numpy's start pays
_TELLING = re.compile(r"(?=[^\d]*\d)(?=[\W\d_]*[^\W\d_]).{5,}", re.DOTALL)  # a word with letters and digits
_ESCAPE = re.compile(
    r"%(?P<percent>[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*)"
    r"|(?P<entity>&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)"
    r"|\\(?:u(?P<pair>[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2})"
    r"|u\{(?P<braced>[0-9A-Fa-f]{1,6})\}|u(?P<four>[0-9A-Fa-f]{4})|U(?P<eight>[0-9A-Fa-f]{8})"
    r"|x(?P<two>[0-9A-Fa-f]{2})|(?P<sign>.))",
    re.DOTALL,
)
_SIGNS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "0": "\0"}
_BROKEN = re.compile(r"(?:%[0-9A-Fa-f]?|\\+(?:u[0-9A-Fa-f]{0,3}|x[0-9A-Fa-f]?)?|&#?[0-9A-Za-z]{0,8})(?=…)")
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")
Pieces: TypeAlias = list[tuple[int, int]]  # of a text: from, to


def weakness(value: str) -> str:
    """Why a value can't be masked wherever it stands, in words; empty: it can."""
    if value in ("", MASK):
        return ""
    plain = _plain(value)
    if len(plain) < SHORTEST:
        return f"it has fewer than {SHORTEST} characters"
    if plain in _COMMON:
        return "it is a common word"
    if _NUMBER.fullmatch(plain) and sum(map(str.isdigit, plain)) < _FIGURES:
        return f"it is a number of fewer than {_FIGURES} digits"
    if len(set(plain)) == 1:
        return "it is one character, repeated"
    return ""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Values that never appear in any output, however they are written there."""

    values: tuple[str, ...] = ()
    _forms: "_Forms" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_forms", _Forms.of(self.values))

    @classmethod
    def of(cls, values: Iterable[str]) -> "Secrets":
        """These values, but for those that are too short or too common."""
        return cls(tuple(dict.fromkeys(value for value in values if value not in ("", MASK) and not weakness(value))))

    @classmethod
    def among(cls, names: Iterable[str], environment: Mapping[str, str], also: Iterable[str] = ()) -> "Secrets":
        """The secrets of these names that are set, the passwords in URLs of any name, and what else is one."""
        named = [value for name in names if (value := environment.get(name))]
        within = [found[1] for value in environment.values() for found in _IN_URL.finditer(value)]
        return cls.of((*named, *within, *map(unquote, within), *also))

    def and_of(self, values: Iterable[str]) -> "Secrets":
        """These, and more values."""
        return Secrets.of((*self.values, *values))

    def mask(self, text: str) -> str:
        """The text with every secret blotted out."""
        return _replaced(text, self._pieces(text), MASK)

    def cover(self, text: str) -> str:
        """The text, as long as it was and with its lines, and a dot for each character of a secret."""
        covered = list(text)
        for start, end in self._pieces(text):
            covered[start:end] = (c if c.isspace() else "•" for c in text[start:end])
        return "".join(covered)

    def mask_bytes(self, data: bytes) -> bytes:
        """The bytes of a text with every secret blotted out, whatever else is in them."""
        try:
            return self.mask(data.decode()).encode()
        except UnicodeDecodeError:
            text = data.decode("latin-1")  # a form of each secret is its UTF-8, read so
            return _replaced(text, self._pieces(text), MASK.encode().decode("latin-1")).encode("latin-1")

    def mask_values(self, document: Any) -> Any:
        """A JSON document with every secret blotted out of its texts."""
        match document:
            case str():
                return self.mask(document)
            case dict():
                return {name: self.mask_values(value) for name, value in document.items()}
            case list() | tuple():
                return [self.mask_values(value) for value in document]
            case _:
                return document

    def _pieces(self, text: str) -> Pieces:
        return self._forms.found(text) if self.values and text else []


@dataclass(frozen=True, slots=True)
class _Forms:
    """The plainest writings of all secrets. Sorted, also by their ends: for pieces at a cut."""

    whole: tuple[str, ...]
    encoded: frozenset[str]  # in base64: beside one of these stand bits of it
    by_begin: Mapping[str, tuple[str, ...]]
    by_end: Mapping[str, tuple[str, ...]]
    within: frozenset[str]  # what pieces between two cuts may begin with
    longest: int

    @classmethod
    def of(cls, values: Sequence[str]) -> "_Forms":
        forms, encoded = set[str](), set[str]()
        for value in values:
            for writing in _writings(value):
                forms.update(level for level in _levels(writing) if len(level) >= SHORTEST)
                encoded.update(map(_plain, _base64(writing)))
                forms.add(writing.encode("utf-8", "surrogatepass").hex())
        encoded = {form for form in encoded if len(form) >= SHORTEST}
        whole = tuple(sorted({form for form in forms | encoded if len(form) >= SHORTEST}))
        within = frozenset(form[i : i + SHORTEST] for form in whole for i in range(len(form) - SHORTEST + 1))
        begins = _grouped((form[:SHORTEST], form) for form in whole)
        ends = _grouped((form[-SHORTEST:], form) for form in whole)
        return cls(whole, frozenset(encoded), begins, ends, within, max(map(len, whole), default=0))

    def found(self, text: str) -> Pieces:
        """Where a secret, or at a cut a piece of one, stands in a text."""
        writings = [text]
        while len(writings) < _LEVELS and (plainer := _undone(writings[-1])) != writings[-1]:
            writings.append(plainer)
        pieces: Pieces = []
        while writings:
            plainest = writings.pop()
            pieces += self._in(plainest, None)
            pieces += self._in(plainest, _BROKEN) if _CUT in plainest else ()
            pieces = _joined(pieces)
            if pieces and writings:
                pieces = _before(writings[-1], pieces)
        return pieces

    def _in(self, text: str, broken: re.Pattern[str] | None) -> Iterator[tuple[int, int]]:
        """In this writing; with `broken` only at cuts, and without the halves of escapes there."""
        plain = _plain(broken.sub("", text) if broken else text)
        hits = [] if broken else list(self._whole_in(plain))
        if _CUT in plain:
            hits += ((start, end, False) for start, end in self._cut_in(plain))
        if not hits:
            return
        left_out = _GAPS if broken is None else re.compile(f"{_GAPS.pattern}|{broken.pattern}")
        place = _places(text, left_out)
        for start, end, wide in hits:
            first, last = place(start), place(end - 1) + 1
            inner = last
            if wide:
                first -= first > 0 and text[first - 1] in _BASE64
                while last < len(text) and last < inner + 3 and text[last] in _BASE64:
                    last += 1
            while first and text[first - 1] == "+":  # of which nothing is compared, and a secret may begin or end so
                first -= 1
            while last < len(text) and text[last] == "+":
                last += 1
            yield first, last

    def _whole_in(self, plain: str) -> Iterator[tuple[int, int, bool]]:
        if len(plain) * len(self.whole) < _LARGE:
            for form in self.whole:
                at = plain.find(form)
                while at >= 0:
                    yield at, at + len(form), form in self.encoded
                    at = plain.find(form, at + 1)
            return
        for at in _begins(plain, self.by_begin):
            for form in self.by_begin.get(plain[at : at + SHORTEST], ()):
                if plain.startswith(form, at):
                    yield at, at + len(form), form in self.encoded

    def _cut_in(self, plain: str) -> Iterator[tuple[int, int]]:
        """Pieces of secrets before and after each cut, and those between two."""
        at = 0
        pieces = plain.split(_CUT)
        for number, piece in enumerate(pieces):
            first, last = number == 0, number == len(pieces) - 1
            if not first and not last and piece[:SHORTEST] in self.within and any(piece in form for form in self.whole):
                yield at, at + len(piece)
            elif not last and (length := self._begun(piece)):
                yield at + len(piece) - length, at + len(piece)
            if not first and (length := self._ended(piece)):
                yield at, at + length
            at += len(piece) + 1

    def _begun(self, piece: str) -> int:
        """How many characters at the end of a piece begin a form; 0: none."""
        for at in range(max(0, len(piece) - self.longest), len(piece) - SHORTEST + 1):
            if any(form.startswith(piece[at:]) for form in self.by_begin.get(piece[at : at + SHORTEST], ())):
                return len(piece) - at
        return 0

    def _ended(self, piece: str) -> int:
        """How many characters at the begin of a piece end a form; 0: none."""
        for end in range(min(len(piece), self.longest), SHORTEST - 1, -1):
            if any(form.endswith(piece[:end]) for form in self.by_end.get(piece[end - SHORTEST : end], ())):
                return end
        return 0


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return {key: tuple(held) for key, held in groups.items()}


def _begins(plain: str, begins: Iterable[str]) -> list[int]:
    """Where in a long text one of these begins may stand: all of these places, and few others.
    5 MB and 1,000 begins take 0.1 s; looking for each took 4 s."""
    import numpy as np  # short texts and most commands do without

    def sums(text: str) -> "np.ndarray[Any, np.dtype[np.uint32]]":
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        mixed = codes[: len(codes) - SHORTEST + 1].copy()
        for i in range(1, SHORTEST):
            mixed = mixed * np.uint32(31) + codes[i : len(codes) - SHORTEST + 1 + i]
        return (mixed * np.uint32(2654435761)) >> np.uint32(12)  # multiplicative hashing (Knuth), 20 bits

    known = np.zeros(1 << 20, np.bool_)
    for begin in begins:
        known[sums(begin)] = True
    found: list[int] = np.flatnonzero(known[sums(plain)]).tolist() if len(plain) >= SHORTEST else []
    return found


def _writings(value: str) -> Iterator[str]:
    """A secret, and what of it tells as much."""
    yield value
    if value.endswith("\\"):  # where escapes are undone it is one, of whatever stands behind it
        yield value.rstrip("\\")
    words = value.split()
    if len(words) > 1:
        yield from (word for word in words if len(word) >= _WORD and (_TELLING.fullmatch(word) or len(word) >= _LINE))
        yield from map(".".join, pairwise(words))  # as a selector names two classes
    yield from _parts_of_url(value)
    if not value.isascii():
        for form in _NORMAL_FORMS:
            yield from _beyond_ascii(normalize(form, value))


def _beyond_ascii(value: str) -> Iterator[str]:
    yield value
    yield value.upper()  # longer, where a letter has no capital of its own
    read = value.encode("utf-8", "surrogatepass")
    yield read.decode("latin-1")
    yield read.decode("cp1252", "replace")


def _parts_of_url(value: str) -> Iterator[str]:
    """What of a URL stands alone in some output, and tells: all but its origin."""
    try:
        url = urlsplit(value.strip())
        host = url.hostname or ""
    except ValueError:
        return
    if not host or url.scheme.lower() not in ("http", "https", "ws", "wss"):
        return
    for split in (url, urlsplit(urljoin(value.strip(), url.path or "/"))):
        yield from _parts_of_target(split, url)
    user, _, password = url.netloc.rpartition("@")[0].partition(":")
    yield from (each for each in (password, f"{user}:{password}") if len(each) >= SHORTEST)
    if _TELLING.fullmatch(unquote(user)) or len(user) >= _LINE:  # a token may stand there, or `user`
        yield user
    yield from (label for label in host.split(".") if len(label) >= _WORD and _TELLING.fullmatch(label))
    yield url.fragment


def _parts_of_target(path: SplitResult, url: SplitResult) -> Iterator[str]:
    segments = path.path.strip("/").split("/")
    yield "/".join(segments)
    yield from (segment for segment in segments if _TELLING.fullmatch(unquote(segment)))
    if url.query:
        yield url.query
        values = (part.partition("=")[2] for part in url.query.split("&"))
        yield from (each for each in values if len(each) >= _WORD or _TELLING.fullmatch(unquote(each)))


def _base64(text: str) -> Iterator[str]:
    """What stands in base64 for the bytes of a text behind any others: the characters that are its alone."""
    data = text.encode("utf-8", "surrogatepass")
    for before in range(3):
        whole = b64encode(b"\0" * before + data).decode()
        alone = whole[(0, 2, 3)[before] : 8 * (before + len(data)) // 6]
        yield alone
        yield alone.translate({ord("+"): "-", ord("/"): "_"})


def _levels(text: str) -> Iterator[str]:
    for _ in range(_LEVELS):
        yield _plain(text)
        plainer = _undone(text)
        if plainer == text:
            return
        text = plainer


def _plain(text: str) -> str:
    """A text in small letters and without gaps; as long as it is without gaps."""
    text = text.translate(_ASCII_GAPS) if text.isascii() else _GAPS.sub("", text)
    small = text.lower()
    return small if len(small) == len(text) else "".join(low if len(low := c.lower()) == 1 else c for c in text)


def _undone(text: str) -> str:
    """A text with one level of its escapes undone."""
    return _ESCAPE.sub(_unescaped, text) if any(sign in text for sign in "%&\\") else text


def _unescaped(match: re.Match[str]) -> str:
    return _meaning(match.lastgroup or "sign", match[match.lastgroup or 0])


@lru_cache(4096)  # a page has a few escapes, each a thousand times
def _meaning(kind: str, found: str) -> str:
    match kind:
        case "percent":
            return bytes.fromhex(found.replace("%", "")).decode("utf-8", "replace")
        case "entity":
            return unescape(found)
        case "pair":
            return bytes.fromhex(found.replace("\\u", "")).decode("utf-16-be", "replace")
        case "sign":
            return _SIGNS.get(found, found)
        case _:
            code = int(found, 16)
            return chr(code) if code < 0x110000 else "\ufffd"


def _before(text: str, pieces: Pieces) -> Pieces:
    """Where in a text the pieces stand that are given of it with its escapes undone."""
    edits, shift = [(0, 0, 0, 0)], 0  # from and to, plainer and as written
    for match in _ESCAPE.finditer(text):
        at, size = match.start() + shift, len(_unescaped(match))
        edits.append((at, at + size, *match.span()))
        shift += size - len(match[0])
    starts = [edit[0] for edit in edits]

    def spot(offset: int) -> tuple[int, int]:
        first, last, written, written_end = edits[bisect_right(starts, offset) - 1]
        at = written_end + offset - last
        return (written, written_end) if first <= offset < last else (at, at + 1)

    return [(spot(start)[0], spot(end - 1)[1]) for start, end in pieces]


def _places(text: str, left_out: re.Pattern[str]) -> Callable[[int], int]:
    """From where a character stands in a text without what is left out of it, to where it stands in the text."""
    kept, ends, shift = [0], [0], 0
    for match in left_out.finditer(text):
        if match.end() > match.start():
            kept.append(match.start() - shift)
            ends.append(match.end())
            shift = match.end() - kept[-1]

    def place(at: int) -> int:
        i = bisect_right(kept, at) - 1
        return ends[i] + at - kept[i]

    return place


def _joined(pieces: Iterable[tuple[int, int]]) -> Pieces:
    """The pieces in their order, those that touch as one."""
    whole: Pieces = []
    for start, end in sorted(pieces):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return whole


def _replaced(text: str, pieces: Pieces, mask: str) -> str:
    if not pieces:
        return text
    kept: list[str] = []
    at = 0
    for start, end in pieces:
        kept += (text[at:start], mask)
        at = end
    return "".join((*kept, text[at:]))
