"""PyYAML's problems in the words of a person who writes flows. What it says in its own words is kept where
ours have nothing better.
"""

_TABLE: tuple[tuple[str, str, str], ...] = (  # a part of the problem; our message; the remedy
    ("mapping values are not allowed here", "a key can't stand here",
     "a text with ': ' in it needs quotes; otherwise mend the indentation"),
    ("found character '\\t' that cannot start", "a tab can't be used for indentation", "use spaces"),
    ("found unexpected end of stream", "a quote is not closed",
     "close it on this line, or double it inside the text"),
    ("found unexpected document separator", "a quote is not closed", "close it before the line with ---"),
    ("could not find expected ':'", "a ':' is missing after a key", "write `key: value`"),
    ("expected <block end>, but found '-'", "a list item stands where a key is expected",
     "line the '-' up with its neighbours"),
    ("expected <block end>, but found '<block mapping start>'", "this line is indented unlike its neighbours",
     "line it up with the keys above"),
    ("expected <block end>, but found '<scalar>'", "text behind a value that was already complete",
     "put the whole value in quotes, or line it up with the keys above"),
    ("expected <block end>", "this line does not fit under the ones above", "line it up with the keys above"),
    ("expected a comment or a line break", "`>` and `|` begin a text of several lines here",
     'a value that begins with one of them needs quotes: `"> 14d"`'),
    ("expected ',' or ']'", "a list in [ ] goes on without a comma or is not closed",
     "put a ',' or the ']' here; a text with brackets or commas needs quotes"),
    ("expected ',' or '}'", "a mapping in { } goes on without a comma or is not closed",
     "put a ',' or the '}' here; a text with braces or commas needs quotes"),
    ("block sequence entries are not allowed here", "a list can't begin here",
     "begin it on a line of its own"),
    ("found character '@'", "a plain text can't begin with '@'", "put it in quotes"),
    ("found character '`'", "a plain text can't begin with '`'", "put it in quotes"),
    ("found character '%'", "a plain text can't begin with '%'", "put it in quotes"),
    ("found unknown escape character", "this escape is unknown",
     "in \"…\" a backslash is written \\\\; in '…' it needs no escape"),
    ("expected escape sequence", "this escape lacks hexadecimal digits", ""),
    ("found undefined tag handle", "tags are not used here", "put a text that begins with '!' in quotes"),
    ("did not find expected <document start>", "only one document, and no text behind its end", ""),
    ("expected '<document start>'", "text stands behind the end of the document",
     "indent it, or take it out"),
    ("expected alphabetic or numeric character", "a plain text can't begin with '*' or '&'",
     "put it in quotes"),
)  # fmt: skip


def in_people_words(problem: str, context: str, text: str, at: int) -> tuple[str, str, str]:
    """Message, label and help for a problem that PyYAML found at `text[at]`."""
    if text[max(0, at - 1) : at] == "$" and text[at : at + 1] == "{":
        return "${…} inside { } or [ ] needs quotes", "", 'write "${…}" with the quotes'
    for part, message, remedy in _TABLE:
        if part in problem:
            return message, "", remedy
    return problem or "this can't be read", context, ""
