"""Why an expression can't be read, in the words of a person who writes flows.

lark says which terminal it did not expect; here that becomes the smallest wrong piece, what stands there,
what would have fitted, and, where other languages' habits show (`&&`, `=`, `x ? y : z`), how it is written
here.
"""

import re

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from vezaflow.units import UNITS, unknown_unit

RESERVED = frozenset(("if", "else", "and", "or", "not", "in", "true", "false", "null"))
_HABITS: tuple[tuple[str, str], ...] = (
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("AND", "write `and`"),
    ("OR", "write `or`"),
    ("is", "to compare, write `==`; to test for a missing value, write `== null`"),
    (":-", "write a default like this: `${env.VUS ?? 10}`"),
    ("===", "write `==`"),
    ("!==", "write `!=`"),
    ("=", "to compare, write `==`"),
    ("!", "write `not`"),
    ("??=", "to set a variable use a `set` step"),
    ("?.", "write a.b ?? default: a missing value is null there"),
    ("?", "write `a if condition else b`"),
    ("{", "mappings are not supported in expressions; write them in YAML"),
    ("$.", 'read a value of the response body with json("$.…")'),
    ("$", "inside ${…} write the name alone, without another ${ }"),
    ("%", "for a remainder use mod(a, b); a percentage is written like 0.5 %"),
    ("`", "put a text in single or double quotes"),
    ("“", 'use straight quotes: "…"'),
    ("‘", "use straight quotes: '…'"),
    ("->", "functions can't be defined in expressions"),
    (":", "slices are not supported; use first(), last() or substr()"),
    (";", "write one expression, without a semicolon"),
    ("…", "write a range with two dots: 1s..2s"),
)
_CONDITIONS = "write several conditions as a list: `[avg < 200 ms, p(99) < 1 s]`"
_LIKE = {
    "condition": "write it as in `p(95) < 500 ms`, `rate < 0.5 %` or `count >= 100`",
    "limit": "write it as in `< 500 ms` or `1 KiB..2 MiB`",
    "pipeline": 'write functions, as in `trim | int` or `split(",") | first`',
}
_QUANTITY = re.compile(r"(?<![\w.])\d+(?:\.\d+)?\s*(/?[^\W\d]\w*)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\", "/": "/"}


class Trouble(Exception):  # noqa: N818  not an error of the program's: it becomes a Diagnostic
    """What is wrong with text[start:end], as the parts of a Diagnostic."""

    def __init__(
        self,
        code: str,
        start: int,
        end: int,
        message: str,
        label: str = "",
        help: str = "",  # noqa: A002
    ) -> None:
        super().__init__(message)
        self.code, self.start, self.end = code, start, end
        self.message, self.label, self.help = message, label, help


def explain(text: str, unexpected: UnexpectedInput, rule: str) -> Trouble:
    """What lark stumbled over."""
    code = "VF207" if rule == "condition" else "VF201"
    at, found, expected = _place(text, unexpected)
    label = _expected(expected)
    if not text.strip():
        return Trouble(code, 0, len(text), f"an empty {rule}", label)
    if rule == "limit" and at >= len(text) and text.lstrip()[0] not in "<>=!":
        value = text.strip()
        return Trouble(code, 0, len(text.rstrip()), "this needs a comparison before it", "", f"write `< {value}`")
    if at >= len(text):
        return Trouble(code, at, at, f"unexpected end of the {rule}", label, _ending(rule, label))
    if rule == "condition" and label == "expected a name":
        label = "expected an aggregate, such as p(95)"
    return (
        _quote(text, at)
        or _unit(text, at, rule)
        or _method(text, at, code)
        or _habit(text, at, code, rule)
        or Trouble(code, at, at + len(found), f"unexpected '{found}'", label, _condition_help(rule))
    )


def _place(text: str, unexpected: UnexpectedInput) -> tuple[int, str, set[str]]:
    if isinstance(unexpected, UnexpectedToken):
        token = unexpected.token
        if token.type == "$END":
            return len(text), "", set(unexpected.accepts or unexpected.expected)
        return token.start_pos or 0, str(token), set(unexpected.accepts or unexpected.expected)
    assert isinstance(unexpected, UnexpectedCharacters)
    at = unexpected.pos_in_stream or 0
    word = re.compile(r"\w+|.", re.DOTALL).match(text, at)
    return at, word[0] if word else "", set(unexpected.allowed or ())


def _expected(terminals: set[str]) -> str:
    words: list[str] = []
    if terminals & {"STRING", "NUMBER"} and "LSQB" in terminals:
        words.append("a value")
    elif "NAME" in terminals:
        words.append("a name")
    elif "NUMBER" in terminals or "QUANTITY" in terminals:
        words.append("a number")
    if "_ELSE" in terminals:
        words.append("'else'")
    elif terminals & {"ADD", "MULTIPLY"}:
        words.append("an operator")
    elif "COMPARE" in terminals:
        words.append("a comparison such as '<'")
    words += [sign for name, sign in (("RPAR", "')'"), ("RSQB", "']'"), ("COMMA", "','")) if name in terminals]
    if "$END" in terminals:
        words.append("the end")
    return f"expected {' or '.join([', '.join(words[:-1]), words[-1]] if len(words) > 1 else words)}" if words else ""


def _ending(rule: str, label: str) -> str:
    return "`a if condition else b` needs an else" if "'else'" in label else _condition_help(rule)


def _condition_help(rule: str) -> str:
    return _LIKE.get(rule, "")


def _quote(text: str, at: int) -> Trouble | None:
    if text[at] not in "\"'":
        return None
    closed = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'").match(text, at)
    if closed:
        return None
    return Trouble("VF203", at, len(text.rstrip()), f"unclosed text: {text[at]} has no closing quote")


def _unit(text: str, at: int, rule: str) -> Trouble | None:
    """A number with a word behind it that is no unit."""
    for match in _QUANTITY.finditer(text):
        unit = match[1]
        if match.start() <= at < match.end() and unit not in RESERVED and unit not in UNITS:
            said = unknown_unit(unit)
            message, _, meant = said.partition(": ")
            known = "units: us ms s m h d, B kB MB GB KiB MiB GiB, %, /s /m /h"
            return Trouble("VF204", match.start(1), match.end(1), message, meant, known)
    return None


def _method(text: str, at: int, code: str) -> Trouble | None:
    """`a.upper()`, as it is written where functions belong to values."""
    called = re.compile(r"\.\s*(\w+)\s*$").search(text[:at])
    if text[at] != "(" or called is None:
        return None
    start = called.start(1)
    return Trouble(code, start, at, f"'{called[1]}' can't be called as a method", "",
                   f"call functions by name, or after `|`: `len(list)`, `name | {called[1]}`")  # fmt: skip


def _habit(text: str, at: int, code: str, rule: str) -> Trouble | None:
    known = [(sign, remedy) for sign, remedy in _HABITS if text.startswith(sign, at) and _is_whole(sign, text, at)]
    if rule == "condition":
        known += [(sign, _CONDITIONS) for sign in ("and", "&&", ",", "or") if text.startswith(sign, at)]
    if not known:
        return None
    sign, remedy = max(reversed(known), key=lambda pair: len(pair[0]))
    if sign == "{" and re.fullmatch(r"\{[^{}:,]+\}\s*", text):
        remedy = "write one pair of braces: `${name}`"
    return Trouble(code, at, at + len(sign), f"unexpected '{sign}'", "", remedy)


def _is_whole(sign: str, text: str, at: int) -> bool:
    """Whether a word ends where the sign does; a sign that is no word always does."""
    return not sign.isalpha() or not text[at + len(sign) : at + len(sign) + 1].isalnum()


def unescaped(token: Token, start: int) -> str:
    """The text that a STRING token writes. Trouble if an escape is none."""
    parts: list[str] = []
    at, end = 1, len(token) - 1
    while at < end:
        c = token[at]
        if c != "\\":
            parts.append(c)
            at += 1
        elif token[at + 1] in _ESCAPES:
            parts.append(_ESCAPES[token[at + 1]])
            at += 2
        elif match := re.compile(r"\\u([0-9a-fA-F]{4})").match(token, at):
            parts.append(chr(int(match[1], 16)))
            at += 6
        else:
            raise Trouble("VF209", start + at, start + at + 2, f"unknown escape '{token[at : at + 2]}'", "",
                          "for a backslash write \\\\")  # fmt: skip
    return _paired("".join(parts), start, start + len(token))


def _paired(text: str, start: int, end: int) -> str:
    """Two \\u of a surrogate pair are one character; half a pair is none."""
    if not any("\ud800" <= c <= "\udfff" for c in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise Trouble("VF209", start, end, "an unpaired surrogate is not a character", "",
                      "write both halves, or the character itself") from None  # fmt: skip
