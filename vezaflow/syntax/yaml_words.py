"""PyYAML's problems in the words of a person who writes flows. What it says in its own words is kept where
ours have nothing better.
"""

_TABLE: tuple[tuple[str, str, str], ...] = (  # a part of the problem; our message; the remedy
    ("mapping values are not allowed here", "unexpected key here",
     "put a text with ': ' in quotes; start a list item with `- `; otherwise fix the indentation"),
    ("found character '\\t' that cannot start", "tabs are not allowed in the indentation", "use spaces"),
    ("found unexpected end of stream", "unclosed quote",
     "close the quote on this line, or double it inside the text"),
    ("found unexpected document separator", "unclosed quote", "close it before the line with ---"),
    ("could not find expected ':'", "missing ':' after a key", "write `key: value`"),
    ("expected <block end>, but found '-'", "unexpected list item, expected a key",
     "align the '-' with the other items"),
    ("expected <block end>, but found '<block mapping start>'", "the indentation of this line does not match",
     "align it with the keys above"),
    ("expected <block end>, but found '<scalar>'", "unexpected text after a complete value",
     "put the whole value in quotes, or align it with the keys above"),
    ("expected <block end>", "the indentation of this line does not match", "align it with the keys above"),
    ("expected a comment or a line break", "`>` and `|` start a block of text",
     'put a value that starts with one of them in quotes: `"> 14d"`'),
    ("expected ',' or ']'", "missing ',' or ']' in a list in [ ]",
     "add ',' or ']' here; put a text with brackets or commas in quotes"),
    ("expected ',' or '}'", "missing ',' or '}' in a mapping in { }",
     "add ',' or '}' here; put a text with braces, brackets or commas in quotes, such as \"$.items[0].id\""),
    ("block sequence entries are not allowed here", "unexpected start of a list",
     "start the list on its own line"),
    ("found character '@'", "a text without quotes can't start with '@'", "put it in quotes"),
    ("found character '`'", "a text without quotes can't start with '`'", "put it in quotes"),
    ("found character '%'", "a text without quotes can't start with '%'", "put it in quotes"),
    ("found unknown escape character", "invalid escape",
     "in \"…\" write a backslash as \\\\; in '…' it needs no escape"),
    ("expected escape sequence", "missing hexadecimal digits in an escape", ""),
    ("found undefined tag handle", "YAML tags are not supported", "put a text that starts with '!' in quotes"),
    ("did not find expected <document start>", "unexpected text after the end of the document", ""),
    ("expected '<document start>'", "unexpected text after the end of the document", "indent it, or remove it"),
    ("expected alphabetic or numeric character", "a text without quotes can't start with '*' or '&'",
     "put it in quotes"),
)  # fmt: skip

# Characters that look right and are not, as they come from a wiki or a word processor.
_LOOKALIKES: tuple[tuple[str, str, str], ...] = (
    ("\N{NO-BREAK SPACE}", "no-break space instead of a space", "replace it by a normal space"),
    ("“”„", "typographic quotes", 'use straight quotes: "…"'),
    ("‘’‚", "typographic quotes", "use straight quotes: '…'"),
)


def in_people_words(problem: str, context: str, text: str, at: int) -> tuple[str, str, str]:
    """Message, label and help for a problem that PyYAML found at `text[at]`."""
    if text[max(0, at - 1) : at] == "$" and text[at : at + 1] == "{":
        return "${…} inside { } or [ ] needs quotes", "", 'write "${…}" with the quotes'
    if (odd := _lookalike(text, at)) is not None:
        return odd
    for part, message, remedy in _TABLE:
        if part in problem:
            return message, "", remedy
    return problem or "not valid YAML", context, ""


def _lookalike(text: str, at: int) -> tuple[str, str, str] | None:
    """What is said where such a character is on the line where reading stopped, or on the one before."""
    start = text.rfind("\n", 0, max(0, text.rfind("\n", 0, at))) + 1
    end = text.find("\n", at)
    lines = text[start : end if end >= 0 else len(text)]
    for signs, message, remedy in _LOOKALIKES:
        found = next((number for number, sign in enumerate(lines) if sign in signs), None)
        if found is not None:
            line = text.count("\n", 0, start + found) + 1
            return message, "" if "\n" not in lines[found:] else f"the character is on line {line}", remedy
    return None
