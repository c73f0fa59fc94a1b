"""The function table: every function that an expression can call, with its signature, doc, example and
work.

One row a function; lint, the reference and the compiler read the same rows. Functions read their arguments
and nothing else (RANDOM ones also the VU's generator, RESPONSE ones the response, CLOCK ones the clock). What
they are given wrong they response with CallError, whose text is one line for the author. None works or
allocates without a bound.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from vezaflow.diagnostics import Diagnostics, did_you_mean, suggest
from vezaflow.syntax import function_work as work
from vezaflow.syntax.expressions import Call

CallError = work.CallError


class Needs(Enum):
    """What a function is given before its arguments."""

    NOTHING = "nothing"  # pure: constant arguments give a constant
    RANDOM = "random"  # a random.Random
    CLOCK = "clock"  # no extra argument, but a new value each time
    RESPONSE = "response"  # the ReadableResponse of the step it stands in


class ReadableResponse(Protocol):
    """What an RESPONSE function reads."""

    @property
    def status(self) -> int: ...
    @property
    def duration(self) -> float:
        """Seconds."""

    @property
    def size(self) -> int:
        """Bytes of the body."""

    @property
    def certificate(self) -> float | None:
        """Seconds until the server's certificate ends; None without a verified one."""

    def json(self) -> Any: ...
    def text(self) -> str: ...
    def header(self, name: str) -> str | None: ...
    def cookie(self, name: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    doc: str
    optional: bool = False
    variadic: bool = False  # this one and any number more


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    parameters: tuple[Parameter, ...]
    doc: str
    example: str  # an expression
    result: str  # the example's value as JSON; empty where it differs each time
    needs: Needs
    call: Callable[..., Any]

    @property
    def least(self) -> int:
        return sum(not p.optional for p in self.parameters)

    @property
    def most(self) -> int | None:
        """None: any number."""
        return None if any(p.variadic for p in self.parameters) else len(self.parameters)

    @property
    def signature(self) -> str:
        shown = [p.name + ("?" if p.optional else "") + ("…" if p.variadic else "") for p in self.parameters]
        return f"{self.name}({', '.join(shown)})"


_OTHER_NAMES = {  # what other languages call some of them
    **dict.fromkeys(("today", "date", "strftime", "datetime"), "timestamp"),
    **dict.fromkeys(("length", "size_of", "count"), "len"),
    **dict.fromkeys(("rand", "randint", "randomInt", "randomIntBetween"), "random"),
    **dict.fromkeys(("str", "string", "toString"), "text"),
    **dict.fromkeys(("guid", "uuid4", "uuidv4"), "uuid"),
    **dict.fromkeys(("parseInt", "number"), "int"),
}


def check_call(call: Call, diagnostics: Diagnostics) -> Function | None:
    """The function that is called; None, with the reason reported, if none is or the arguments don't fit."""
    function = FUNCTIONS.get(call.function)
    if function is None:
        near = _OTHER_NAMES.get(call.function) or suggest(call.function, FUNCTIONS)
        diagnostics.error(
            "VF303", call.name_span, f"unknown function '{call.function}'",
            label=did_you_mean(near),
        )  # fmt: skip
        return None
    given, most = len(call.arguments), function.most
    if given < function.least or (most is not None and given > most):
        diagnostics.error(
            "VF304", call.span, f"'{function.name}' takes {_count(function)}, got {given}",
            label=f"{'too few' if given < function.least else 'too many'} arguments",
            help=f"{function.signature}: {function.doc}",
        )  # fmt: skip
        return None
    return function


def _count(function: Function) -> str:
    least, most = function.least, function.most
    if most is None:
        return f"at least {least} argument{'s' if least != 1 else ''}"
    if least == most:
        return f"{least} argument{'s' if least != 1 else ''}" if least else "no arguments"
    return f"{least} to {most} arguments"


def _p(spec: str, doc: str = "") -> Parameter:
    """`name`, `name?` for an optional one, `name…` for any number."""
    return Parameter(spec.rstrip("?…"), doc, optional=spec.endswith("?"), variadic=spec.endswith("…"))


_NOTHING, _RANDOM, _CLOCK, _RESPONSE = Needs.NOTHING, Needs.RANDOM, Needs.CLOCK, Needs.RESPONSE
_LIST, _TEXT, _NUMBER = _p("list", "a list"), _p("text", "a text"), _p("number", "a number")

_ROWS: tuple[Function, ...] = (
    # chance
    Function(
        "pick", (_LIST,), "A random item of the list.", 'pick(["jazz", "techno"])', "", _RANDOM,
        work.pick,
    ),
    Function(
        "random", (_p("low", "an integer"), _p("high", "an integer")),
        "A random integer from low to high, both included.", "random(1, 6)", "", _RANDOM, work.random,
    ),
    Function(
        "uniform", (_p("low", "a number"), _p("high", "a number")), "A random number between low and high.",
        "uniform(0.5, 1.5)", "", _RANDOM, work.uniform,
    ),
    Function(
        "chance", (_p("share", "0 to 1, or a percentage"),), "True with this probability.", "chance(5 %)", "", _RANDOM,
        work.chance,
    ),
    Function(
        "uuid", (), "A random UUID (version 4), reproducible with the same seed.", "uuid()", "",
        _RANDOM, work.uuid,
    ),
    Function(
        "letters", (_p("count", "how many, at most 10,000"),), "Random letters and digits.", "letters(8)",
        "", _RANDOM, work.letters,
    ),
    # time
    Function("now", (), "The current Unix time in seconds, with fractions.", "int(now())", "", _CLOCK, work.now),
    Function(
        "timestamp", (_p("format?", "strftime's %Y %m %d %H %M %S %f %j %y %b %B %a %A %z"),),
        "The current time (UTC) as text, in ISO 8601 by default.", 'timestamp("%Y-%m-%d")', "", _CLOCK,
        work.timestamp,
    ),
    # text
    Function(
        "len", (_p("value", "a text, a list or a mapping"),), "The number of characters or items.",
        "len([1, 2])", "2", _NOTHING, work.length,
    ),
    Function("upper", (_TEXT,), "The text in upper case.", 'upper("a")', '"A"', _NOTHING, work.upper),
    Function("lower", (_TEXT,), "The text in lower case.", 'lower("A")', '"a"', _NOTHING, work.lower),
    Function(
        "trim", (_TEXT,), "The text without leading and trailing whitespace.", 'trim(" a ")', '"a"', _NOTHING,
        work.trim,
    ),
    Function(
        "replace", (_TEXT, _p("old", "a text"), _p("new", "a text")),
        "The text with every `old` replaced by `new`.", 'replace("a-b", "-", "_")', '"a_b"', _NOTHING,
        work.replace,
    ),
    Function(
        "split", (_TEXT, _p("separator", "a text")), "The list of pieces between the separators.",
        'split("a,b", ",")', '["a","b"]', _NOTHING, work.split,
    ),
    Function(
        "join", (_LIST, _p("separator", "a text")), "The items as one text.", 'join([1, 2], "-")', '"1-2"',
        _NOTHING, work.join,
    ),
    Function(
        "substr",
        (_TEXT, _p("start", "from 0; negative: from the end"), _p("length?", "default: to the end")),
        "A part of the text.", 'substr("track", 0, 2)', '"tr"', _NOTHING, work.substr,
    ),
    Function(
        "contains", (_p("value", "a text or a list"), _p("part", "what to look for")),
        "Whether the text or list contains it.", 'contains("track", "rac")', "true", _NOTHING, work.contains,
    ),
    Function(
        "starts_with", (_TEXT, _p("start", "a text")), "Whether the text starts with it.",
        'starts_with("abc", "a")', "true", _NOTHING, work.starts_with,
    ),
    Function(
        "ends_with", (_TEXT, _p("end", "a text")), "Whether the text ends with it.", 'ends_with("abc", "a")',
        "false", _NOTHING, work.ends_with,
    ),
    Function(
        "concat", (_p("values?…", "anything"),), "All arguments as one text.", 'concat("a", 1)', '"a1"', _NOTHING,
        work.concat,
    ),
    Function(
        "text", (_p("value", "anything"),), "The value as text, as a template would show it.", "text(1.0)",
        '"1"', _NOTHING, work.as_text,
    ),
    # numbers
    Function(
        "int", (_p("value", "a number or a text"),), "The value as an integer; fractions are truncated.", 'int("42")',
        "42", _NOTHING, work.integer,
    ),
    Function(
        "float", (_p("value", "a number or a text"),), "The value as a number.", 'float("1.5")', "1.5", _NOTHING,
        work.floating,
    ),
    Function(
        "round", (_NUMBER, _p("digits?", "default: 0")), "The number rounded to this many digits.",
        "round(2.345, 1)", "2.3", _NOTHING, work.rounded,
    ),
    Function("abs", (_NUMBER,), "The absolute value.", "abs(-2)", "2", _NOTHING, work.absolute),
    Function(
        "min", (_p("values…", "numbers, or one list"),), "The minimum.", "min(2, 1)", "1", _NOTHING,
        work.least,
    ),
    Function(
        "max", (_p("values…", "numbers, or one list"),), "The maximum.", "max([2, 1])", "2", _NOTHING,
        work.most,
    ),
    Function(
        "mod", (_NUMBER, _p("divisor", "a number")), "The remainder, with the divisor's sign.", "mod(7, 3)",
        "1", _NOTHING, work.mod,
    ),
    Function("sum", (_LIST,), "The sum of the numbers.", "sum([1, 2])", "3", _NOTHING, work.total),
    # lists and mappings
    Function(
        "first", (_LIST,), "The first item, null if there is none.", "first([1, 2])", "1", _NOTHING,
        work.first,
    ),
    Function(
        "last", (_LIST,), "The last item, null if there is none.", "last([1, 2])", "2", _NOTHING, work.last,
    ),
    Function(
        "keys", (_p("mapping", "a mapping"),), "The keys of the mapping.", 'keys(json_decode("{\\"a\\": 1}"))', '["a"]',
        _NOTHING, work.keys,
    ),
    Function(
        "range", (_p("count", "at most 10,000"),), "The integers from 0 to count - 1.", "range(3)",
        "[0,1,2]", _NOTHING, work.integers,
    ),
    # encodings and digests
    Function(
        "base64", (_TEXT,), "Base64 of the text's UTF-8.", 'base64("a:b")', '"YTpi"', _NOTHING, work.base64,
    ),
    Function(
        "base64_decode", (_TEXT,), "The decoded text (also from the URL-safe alphabet).",
        'base64_decode("YTpi")', '"a:b"', _NOTHING, work.base64_decode,
    ),
    Function(
        "urlencode", (_TEXT,), "Percent-encoded for a URL.", 'urlencode("a b/c")', '"a%20b%2Fc"', _NOTHING,
        work.urlencode,
    ),
    Function(
        "raw", (_TEXT,), "The text without percent-encoding: by default, inserted values are percent-encoded in a URL.",
        'raw("a/b?c=1")', '"a/b?c=1"', _NOTHING, work.raw,
    ),
    Function(
        "absolute_url", (_p("link", "as written in a page"), _p("base", "the URL of that page")),
        "The link as an absolute URL, resolved as in a browser (RFC 3986, 5.2).",
        'absolute_url("p2.html?a=1", "http://a/shop/list")', '"http://a/shop/p2.html?a=1"', _NOTHING,
        work.absolute_url,
    ),
    Function(
        "hex", (_TEXT,), "The bytes of the text's UTF-8 in hexadecimal.", 'hex("az")', '"617a"', _NOTHING,
        work.hexadecimal,
    ),
    Function(
        "sha256", (_TEXT,), "SHA-256 in hexadecimal.", 'substr(sha256("a"), 0, 8)', '"ca978112"', _NOTHING,
        work.sha256,
    ),
    Function(
        "md5", (_TEXT,), "MD5 in hexadecimal, for etags and the like.", 'substr(md5("a"), 0, 8)',
        '"0cc175b9"', _NOTHING, work.md5,
    ),
    Function(
        "hmac_sha256", (_p("key", "a text"), _TEXT), "HMAC-SHA-256 in hexadecimal.",
        'substr(hmac_sha256("k", "a"), 0, 8)', '"78da9151"', _NOTHING, work.hmac_sha256,
    ),
    Function(
        "json_encode", (_p("value", "anything"),), "The value as JSON.", "json_encode([1])", '"[1]"',
        _NOTHING, work.json_encode,
    ),
    Function(
        "json_decode", (_TEXT,), "The value parsed from JSON text.", 'json_decode("[1]")', "[1]", _NOTHING,
        work.json_decode,
    ),
    # the response of the step
    Function(
        "json", (_p("path", "JSONPath"),),
        "The value at the path in the body, or null; a list if the path can match several.",
        'json("$.data.id")', "", _RESPONSE, work.json,
    ),
    Function(
        "header", (_p("name", "case-insensitive"),),
        "A header of the response, null if there is none. Several fields are joined with `, `; those of `set-cookie` "
        "with line breaks.",
        'header("etag")', "", _RESPONSE, work.header,
    ),
    Function(
        "cookie", (_p("name", "case-sensitive"),),
        "A cookie of this VU's jar, null if there is none.", 'cookie("session")', "", _RESPONSE, work.cookie,
    ),
    Function("body", (), "The body of the response as text.", "len(body())", "", _RESPONSE, work.body),
    Function("status", (), "The status of the response.", "status()", "", _RESPONSE, work.status),
    Function(
        "duration", (), "The duration of the request: compare it with `300 ms`.",
        "duration() < 300 ms", "", _RESPONSE, work.duration,
    ),
    Function(
        "size", (), "The size of the response body: compare it with `10 KiB`.", "size() < 10 KiB", "",
        _RESPONSE, work.size,
    ),
    Function(
        "certificate", (),
        "The remaining validity of the server's certificate: compare it with `14d`. Null over http, or with `tls: "
        "{insecure: true}`.", "certificate() > 14d", "", _RESPONSE, work.certificate,
    ),
)  # fmt: skip

FUNCTIONS: dict[str, Function] = {row.name: row for row in _ROWS}
