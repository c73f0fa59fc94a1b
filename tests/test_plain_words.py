"""What people read is plain technical English: the field's words, and none of those in the tables below.

A table gives each phrase that is not to be written with what to write instead. Code spans, fenced code, quotations and
link targets are not looked at: keys, k6's and HTTP's own terms and the program's messages are quoted as they are.
DOCS holds for the pages that people write and for comments of the flows that ship, MESSAGES for the texts of the
program: strings with a blank in them. What they may say all the same stands in ALLOWED.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path
    for path in (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "docs" / "decisions").glob("*.md"),
    )
    if path.exists()
)
FLOW_FOLDERS = ("flows", "docs/examples", "vezaflow/project/templates")
FLOWS = sorted(path for folder in FLOW_FOLDERS for path in (ROOT / folder).rglob("*.y*ml"))
SOURCES = sorted((ROOT / "vezaflow").rglob("*.py"))

PHRASES = {
    r"how manieth": "the n-th, the position of",
    r"goes home|go home|sends? home": "exits, stops",
    r"out of breath": "overloaded",
    r"as much as goes": "as fast as possible",
    r"settles? nothing": "has no verdict of its own",
    r"keeps? (?:its|their) beat": "keeps its pacing",
    r"which (?:is|are) none": "not a valid …",
}

DOCS = PHRASES | {
    r"who comes": "the load profile",
    r"slip of the keys": "typo",
    r"akin\b|blotted|in whatever dress": "similar; masked; in any encoding",
    r"answer\w*": "response, respond, reply",
    r"asked|asks? for as much|asks? again": "requested; sends the next request",
    r"mend(?:s|ed|ing)?\b": "fix",
    r"told|tells\b": "reported, shown",
    r"(?:is|are|was|be) said|says nothing|sa(?:id|ys) otherwise of": "reported; set; not set",
    r"speaks? of": "describes, covers",
    r"without a word": "by default",
    r"nearest word|nearer word": "the most specific setting wins",
    r"must be there": "required",
    r"remed(?:y|ies)": "what to do, a fix",
    r"dealt|deals": "assigned; draws (from a deck)",
    r"held up|holds? up": "time lost to the generator, load missing",
    r"(?:the|a|each|its|own|exact|other) shares?\b": "segment (of a load), fraction, proportion",
    r"anew": "again; a new connection",
    r"so many\b": "a fixed number of, a number of, n",
    r"crowds?\b": "VUs, a burst",
    r"felt": "response time",
    r"by hand\b": "manually",
    r"used? up\b": "exhausted",
    r"begin\w*|began|begun": "start",
    r"goes on|go on\b": "continues",
    r"stands? (?!for\b)": "is, belongs, applies",
    r"lies? (?:in|below|beside|under)|lay\b": "is in",
    r"beside": "next to, with, in addition to",
    r"behind (?:the|a|an|it|this|that|all|these) (?:steps?|redirects?|failures?|keys?|colon)": "after",
    r"(?<!there\s)(?:is|are|was|were) no (?!longer|more)": "is not a",
    r"(?<!there\s)(?:is|are) none\b": "is not one; not a valid …",
    r"by (?:which|what) way|(?:on|in) (?:every|a|any) ways? of|the step's way": "path, connection settings",
    r"comes? out whole|made whole|be whole": "absolute (URL)",
    r"shall\b|at the very\b": "must, will; at the",
    r"unlike (?:steps|units)": "different steps with one name; incompatible units",
    r"lasts? no time": "has zero duration",
    r"a moment's|in peace": "under light load",
}

MESSAGES = DOCS | {
    r"this is not so": "… is false",
    r"no (?:file|flow|step|metric|run|code) '": "unknown …, no such file",
    r"take it out|leave it out": "remove it",
    r"is wanted": "expected …",
    r"in time\b(?!$)": "within 100 ms",
    r"going on here": "active",
}

ALLOWED = (  # other meanings of such words
    "BEGIN (?:",
    "BEGIN IMMEDIATE",
    "The share of ",
    "A share is between",
    "A crowd is let in",
    "What the answer would have given",
    "beside its own",
    "as asked for",
    "these are no times",
    "is no text to XML",
)

FENCED = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(?:^|\s)#\s(.*)$")
QUOTED = re.compile(r"(`+).+?\1|\"[^\"\n]*(?:\n[^\"\n]+)?\"|\]\([^)]*\)|<!--.*?-->", re.DOTALL)

_BLANK = r"(?:[ \t]+|[ \t]*\n[ \t]*)"  # between two words of a paragraph


def prose(text: str) -> str:
    """The text without what is quoted in it. Lines stay where they are."""

    def blank(found: re.Match[str]) -> str:
        return "¤" + "\n" * found[0].count("\n")

    return QUOTED.sub(blank, FENCED.sub(blank, text))


def comments(text: str) -> str:
    """The comments of a YAML file, each on its line."""
    return "\n".join(found[1] if (found := COMMENT.search(line)) else "" for line in text.split("\n"))


def found_in(text: str, table: dict[str, str]) -> Iterator[str]:
    for phrase, better in table.items():
        for found in re.finditer(rf"\b(?:{phrase})".replace(" ", _BLANK), text, re.IGNORECASE):
            line = text.count("\n", 0, found.start()) + 1
            yield f"line {line}: '{found[0]}': write: {better}"


def texts_of(source: Path) -> Iterator[tuple[int, str]]:
    """The strings of a module but for its docstrings, with their lines. What an f-string puts in is not among them."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    notes = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and not is_help(node)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in notes:
            continue
        if not any(allowed in node.value for allowed in ALLOWED):
            yield node.lineno, node.value


def is_help(node: ast.AST) -> bool:
    """Whether the docstring of this node is what `--help` shows."""
    return isinstance(node, ast.FunctionDef) and any("command" in ast.unparse(mark) for mark in node.decorator_list)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_a_page_uses_the_words_of_the_field(page: Path) -> None:
    assert list(found_in(prose(page.read_text(encoding="utf-8")), DOCS)) == []


@pytest.mark.parametrize("flow", FLOWS, ids=[str(flow.relative_to(ROOT)) for flow in FLOWS])
def test_the_comments_of_a_flow_use_the_words_of_the_field(flow: Path) -> None:
    assert list(found_in(prose(comments(flow.read_text(encoding="utf-8"))), DOCS)) == []


@pytest.mark.parametrize("source", SOURCES, ids=[str(source.relative_to(ROOT)) for source in SOURCES])
def test_what_the_program_says_uses_the_words_of_the_field(source: Path) -> None:
    texts = [(line, text) for line, text in texts_of(source) if " " in text.strip()]
    wrong = [(line, fault) for line, text in texts for fault in found_in(prose(text), MESSAGES)]
    assert wrong == []


def test_what_is_quoted_may_say_what_it_likes() -> None:
    text = 'The key `answer`, the message "no answer came\nin time".\n\n```\nan answer\n```\nOne [link](answers.md).\n'
    assert list(found_in(prose(text), DOCS)) == []


def test_a_phrase_is_found_over_the_end_of_a_line_and_at_its_place() -> None:
    assert list(found_in(prose("`x\ny`\nIt is kept without\na word.\n"), DOCS)) == [
        "line 3: 'without\na word': write: by default"
    ]


def test_what_help_shows_is_looked_at_and_other_docstrings_are_not(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""Law."""\n\n\n@click.command("run")\ndef run():\n    """Help."""\n    say("text")\n')
    assert [text for _, text in texts_of(module)] == ["Help.", "run", "text"]
